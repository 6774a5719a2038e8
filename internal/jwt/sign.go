package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"math/big"
)

// Claims are those of an access token (RFC 9068 section 2.2). There is nothing
// in them by which a person could be written to.
type Claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	Issued   int64  `json:"iat"` // in seconds since 1970, as all times
	Expires  int64  `json:"exp"`
	ID       string `json:"jti"`
	AuthTime int64  `json:"auth_time,omitempty"` // when the user was authenticated
	Level    string `json:"acr,omitempty"`       // and how strongly
}

type header struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	Type      string `json:"typ"`
}

// accessToken is the type that keeps access tokens apart from all other JWTs of
// one issuer (RFC 9068 section 2.1).
const accessToken = "at+jwt"

// Sign returns the access token of c under k, in the compact form (RFC 7515
// section 7.1). It is the same whenever it is asked for.
func (k Key) Sign(c Claims) (string, error) {
	head, err := json.Marshal(header{k.public.Algorithm, k.public.ID, accessToken})
	if err != nil {
		return "", fmt.Errorf("jwt: %w", err)
	}
	body, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("jwt: %w", err)
	}
	input := encode(head) + "." + encode(body)
	signature, err := k.signature([]byte(input))
	if err != nil {
		return "", fmt.Errorf("jwt: sign with %s: %w", k.public.Algorithm, err)
	}
	return input + "." + encode(signature), nil
}

// signature draws no random bits: PKCS #1 v1.5 and Ed25519 need none, and ECDSA
// without a source of them derives its nonce (RFC 6979).
func (k Key) signature(input []byte) ([]byte, error) {
	if key, ok := k.signer.(ed25519.PrivateKey); ok {
		return ed25519.Sign(key, input), nil
	}
	digest := sha256.Sum256(input)
	signature, err := k.signer.Sign(nil, digest[:], crypto.SHA256)
	if _, ok := k.signer.(*ecdsa.PrivateKey); !ok || err != nil {
		return signature, err
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(signature, &pair); err != nil {
		return nil, err
	}
	raw := make([]byte, 64) // R and S, each of 32 bytes (RFC 7518 section 3.4)
	pair.R.FillBytes(raw[:32])
	pair.S.FillBytes(raw[32:])
	return raw, nil
}
