package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// S256 is the only code challenge method that is accepted (RFC 7636 section
// 4.2).
const S256 = "S256"

// CheckCodeChallenge refuses whatever is not a code challenge of method S256,
// with an [*Error] of code [InvalidRequest]. A method that is missing would mean
// "plain" (RFC 7636 section 4.3), and plain shows the verifier to whoever reads
// the request: both are refused.
func CheckCodeChallenge(method, challenge string) error {
	switch {
	case challenge == "":
		return &Error{InvalidRequest, "code_challenge is missing: PKCE is required"}
	case method != S256:
		return &Error{InvalidRequest, "code_challenge_method must be S256"}
	case len(challenge) != base64.RawURLEncoding.EncodedLen(sha256.Size) || strings.ContainsFunc(challenge, notBase64URL):
		return &Error{InvalidRequest, "code_challenge must be 43 characters of base64url"}
	}
	return nil
}

// VerifierMatches reports whether challenge was made from verifier by S256 (RFC
// 7636 section 4.6). Neither an empty challenge nor a verifier outside the
// grammar of section 4.1 ever matches. Its time does not depend on how much of
// the challenge is right.
func VerifierMatches(challenge, verifier string) bool {
	if challenge == "" || len(verifier) < 43 || len(verifier) > 128 || strings.ContainsFunc(verifier, notUnreserved) {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(challenge), []byte(base64.RawURLEncoding.EncodeToString(sum[:]))) == 1
}

func notBase64URL(r rune) bool { return !alphanumeric(r) && r != '-' && r != '_' }

// notUnreserved is the negation of unreserved (RFC 3986 section 2.3).
func notUnreserved(r rune) bool { return notBase64URL(r) && r != '.' && r != '~' }

func alphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
