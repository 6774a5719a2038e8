// Package jwt signs access tokens that resource servers elsewhere verify by
// themselves (RFC 9068), and publishes the keys for it (RFC 7517). It verifies
// nothing: this server knows its own tokens by their hash, whatever their form,
// so that no forged signature, algorithm or key ID is ever looked at.
//
// Signatures are deterministic: the same claims under the same key are the same
// token, which therefore need not be stored to be answered again.
package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// A Key signs, and is known to others by its public half.
type Key struct {
	signer crypto.Signer
	public PublicKey
}

// A PublicKey is a JWK (RFC 7517 section 4) without private members.
type PublicKey struct {
	Type      string `json:"kty"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	ID        string `json:"kid"` // the thumbprint of RFC 7638
	Curve     string `json:"crv,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
	Modulus   string `json:"n,omitempty"`
	Exponent  string `json:"e,omitempty"`
}

// A Set is a JWK Set (RFC 7517 section 5).
type Set struct {
	Keys []PublicKey `json:"keys"`
}

// Published returns the set that verifies what keys sign.
func Published(keys []Key) Set {
	s := Set{Keys: []PublicKey{}}
	for _, k := range keys {
		s.Keys = append(s.Keys, k.public)
	}
	return s
}

// NewKeys returns the keys of signers, in their order. Each is an
// [*rsa.PrivateKey] of at least 2048 bits, an [*ecdsa.PrivateKey] on P-256 or an
// [ed25519.PrivateKey], because those sign the same twice; none may come twice.
// The error lists every problem.
func NewKeys(signers []crypto.Signer) ([]Key, error) {
	var keys []Key
	var problems []error
	for i, signer := range signers {
		public, err := describe(signer)
		if err == nil && slices.ContainsFunc(keys, func(k Key) bool { return k.public.ID == public.ID }) {
			err = errors.New("is given twice")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("number %d %w", i+1, err))
			continue
		}
		keys = append(keys, Key{signer, public})
	}
	return keys, errors.Join(problems...)
}

func describe(signer crypto.Signer) (PublicKey, error) {
	switch key := signer.(type) {
	case *rsa.PrivateKey:
		if key == nil || key.N == nil || key.N.BitLen() < 2048 || key.Validate() != nil {
			return PublicKey{}, errors.New("is no RSA key of at least 2048 bits")
		}
		n, e := encode(key.N.Bytes()), encode(big.NewInt(int64(key.E)).Bytes())
		return PublicKey{Type: "RSA", Use: "sig", Algorithm: "RS256", Modulus: n, Exponent: e,
			ID: thumbprint(map[string]string{"e": e, "kty": "RSA", "n": n})}, nil
	case *ecdsa.PrivateKey:
		if key == nil || key.Curve != elliptic.P256() {
			return PublicKey{}, errors.New("is no ECDSA key on P-256")
		}
		point, err := key.PublicKey.Bytes() // 4, x, y (SEC 1 section 2.3.3)
		if err != nil {
			return PublicKey{}, fmt.Errorf("is no ECDSA key: %w", err)
		}
		x, y := encode(point[1:33]), encode(point[33:])
		return PublicKey{Type: "EC", Use: "sig", Algorithm: "ES256", Curve: "P-256", X: x, Y: y,
			ID: thumbprint(map[string]string{"crv": "P-256", "kty": "EC", "x": x, "y": y})}, nil
	case ed25519.PrivateKey:
		if len(key) != ed25519.PrivateKeySize {
			return PublicKey{}, errors.New("is no Ed25519 key")
		}
		x := encode(key[ed25519.SeedSize:])
		return PublicKey{Type: "OKP", Use: "sig", Algorithm: "EdDSA", Curve: "Ed25519", X: x,
			ID: thumbprint(map[string]string{"crv": "Ed25519", "kty": "OKP", "x": x})}, nil
	}
	return PublicKey{}, fmt.Errorf("is %T; it must be an *rsa.PrivateKey, an *ecdsa.PrivateKey or an ed25519.PrivateKey", signer)
}

// thumbprint is the SHA-256 of the required members of a key, in the order of
// their names (RFC 7638 section 3), which is the order of a map's JSON.
func thumbprint(required map[string]string) string {
	text, err := json.Marshal(required)
	if err != nil {
		panic(err) // strings have a JSON
	}
	sum := sha256.Sum256(text)
	return encode(sum[:])
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
