package secret

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// Keys derive secrets, so that they need not be stored: a dump of the database
// opens nothing. The first key derives, all of them recognise, so an operator
// changes keys by putting a new one in front.
type Keys struct{ keys [][]byte }

// NewKeys returns the keys made of secrets, each of at least 32 bytes.
func NewKeys(secrets []string) (Keys, error) {
	if len(secrets) == 0 {
		return Keys{}, errors.New("none is given; make one with: openssl rand -base64 32")
	}
	var k Keys
	for i, s := range secrets {
		if len(s) < 32 {
			return Keys{}, fmt.Errorf("number %d has %d bytes and needs 32; make one with: openssl rand -base64 32", i+1, len(s))
		}
		k.keys = append(k.keys, []byte(s))
	}
	return k, nil
}

// Successors returns the pairs that may follow refreshToken, one for each key.
// The first is the one to issue; the others were issued under an older key.
func (k Keys) Successors(refreshToken string) []Pair {
	var pairs []Pair
	for _, key := range k.keys {
		pairs = append(pairs, newPair(derive(key, "access token", refreshToken), derive(key, "refresh token", refreshToken)))
	}
	return pairs
}

// KeyID names the first key. It reveals nothing of it.
func (k Keys) KeyID() string { return keyID(k.keys[0]) }

func keyID(key []byte) string {
	id := derive(key, "key id", "")
	return hex.EncodeToString(id[:6])
}

// OneTimeCode returns the digits that answer the challenge with that ID, under
// the key that the challenge names. It reports false for a key that is gone.
func (k Keys) OneTimeCode(id, challengeID string, digits int) (Text, bool) {
	key, ok := k.named(id)
	if !ok {
		return Text{}, false
	}
	return Text{oneTimeCode(key, challengeID, digits)}, true
}

// named returns the key of that ID, and false for one that is gone.
func (k Keys) named(id string) ([]byte, bool) {
	for _, key := range k.keys {
		if keyID(key) == id {
			return key, true
		}
	}
	return nil, false
}

// SigningKeys returns a private key on P-256 for each key, in their order.
func (k Keys) SigningKeys() []crypto.Signer {
	var signers []crypto.Signer
	for _, key := range k.keys {
		signers = append(signers, signingKey(func(round int) [32]byte {
			return derive(key, fmt.Sprintf("signing key %d", round), "")
		}))
	}
	return signers
}

// signingKey maps uniform words to a uniform scalar. It draws again for one that
// the curve's order does not reach, once in four thousand million times.
func signingKey(draw func(round int) [32]byte) *ecdsa.PrivateKey {
	for round := 1; ; round++ {
		word := draw(round)
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), word[:]); err == nil {
			return key
		}
	}
}

// Equal reports whether the secret is answer, in time that does not depend on
// how much of it is right. The empty secret equals nothing.
func (t Text) Equal(answer string) bool {
	return t.plain != "" && subtle.ConstantTimeCompare([]byte(t.plain), []byte(answer)) == 1
}

func oneTimeCode(key []byte, challengeID string, digits int) string {
	round := uint32(0)
	return uniformDigits(digits, func() uint32 {
		round++
		sum := derive(key, fmt.Sprintf("one-time code %d %d", digits, round), challengeID)
		return binary.BigEndian.Uint32(sum[:])
	})
}

// uniformDigits maps uniform words to n uniform digits, at most 9.
func uniformDigits(n int, draw func() uint32) string {
	modulus := uint64(1)
	for range n {
		modulus *= 10
	}
	return fmt.Sprintf("%0*d", n, uniform(modulus, draw))
}

// uniform maps uniform words to a uniform number below modulus. It draws again
// above the last whole multiple of it, because the remainder would favour low
// numbers.
func uniform(modulus uint64, draw func() uint32) uint64 {
	fair := 1<<32 - 1<<32%modulus
	word := uint64(draw())
	for word >= fair {
		word = uint64(draw())
	}
	return word % modulus
}

// Pseudonym returns a name for value that nobody can compute, or check a guess
// against, without the secrets. Another first key gives other pseudonyms.
func (k Keys) Pseudonym(purpose, value string) string {
	sum := derive(k.keys[0], "pseudonym "+purpose, value)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Derive returns a key for one purpose, under the first key.
func (k Keys) Derive(purpose string) []byte {
	key := derive(k.keys[0], purpose, "")
	return key[:]
}

// Whom names a person in an event, by what they are known by: an address, or a
// name. As with any [Keys.Pseudonym], who knows the secrets can find an event of
// somebody, and cannot read who somebody is.
func (k Keys) Whom(person string) string {
	if len(k.keys) == 0 {
		return ""
	}
	return k.Pseudonym("person in an event", person)
}

// derive keeps purposes apart: no purpose contains a zero byte, so what is
// derived for one is never what is derived for another.
func derive(key []byte, purpose, input string) [32]byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("foyer " + purpose + "\x00" + input))
	return [32]byte(mac.Sum(nil))
}
