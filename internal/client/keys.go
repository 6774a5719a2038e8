package client

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

const (
	maxKeys    = 32
	minRSABits = 2048
	maxRSABits = 8192 // a key of a megabit would keep a processor busy for each signature
)

// publicKeys returns those keys of a JWK Set (RFC 7517 section 5) that verify
// signatures by one of the [Algorithms]. Others are skipped: one key of a new
// kind must not sink the good ones. It refuses a set with a private key, which
// is not its client's alone any more, and one that leaves no key.
func publicKeys(set []byte) ([]jose.JSONWebKey, error) {
	var raw struct {
		Keys []map[string]json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(set, &raw); err != nil {
		return nil, errors.New("no JWK Set (RFC 7517 section 5)")
	}
	if len(raw.Keys) > maxKeys {
		return nil, errors.New("more than 32 keys")
	}
	var keys []jose.JSONWebKey
	for _, members := range raw.Keys {
		if _, private := members["d"]; private {
			return nil, errors.New("a private key: give the public part alone, and make a new pair if this one was ever sent")
		}
		if key, ok := publicKey(members); ok {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("no public key for a signature: RSA of 2048 to 8192 bits, EC on P-256, or Ed25519")
	}
	return keys, nil
}

// publicKey reads no member but the few that make a key: certificates and URLs
// in it are nobody's business.
func publicKey(members map[string]json.RawMessage) (jose.JSONWebKey, bool) {
	known := map[string]json.RawMessage{}
	for _, name := range []string{"kty", "kid", "use", "alg", "crv", "x", "y", "n", "e"} {
		if value, ok := members[name]; ok {
			known[name] = value
		}
	}
	text, err := json.Marshal(known)
	if err != nil {
		return jose.JSONWebKey{}, false
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(text); err != nil || !key.Valid() {
		return jose.JSONWebKey{}, false
	}
	if key.Use != "" && key.Use != "sig" || key.Algorithm != "" && !slices.Contains(Algorithms, key.Algorithm) || !verifies(members["key_ops"]) {
		return jose.JSONWebKey{}, false
	}
	switch k := key.Key.(type) {
	case *rsa.PublicKey:
		return key, k.N.BitLen() >= minRSABits && k.N.BitLen() <= maxRSABits
	case *ecdsa.PublicKey:
		return key, k.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return key, true
	}
	return jose.JSONWebKey{}, false
}

// verifies reports whether key_ops, which may be absent, allow a key to verify
// (RFC 7517 section 4.3).
func verifies(ops json.RawMessage) bool {
	var all []string
	return ops == nil || json.Unmarshal(ops, &all) == nil && slices.Contains(all, "verify")
}
