package secret

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
)

// LinkToken returns what stands in a link for the challenge with that ID, under the
// key that the challenge names: the ID, which finds it, and 128 bits that nobody can
// compute without the key. It reports false for a key that is gone.
func (k Keys) LinkToken(id, challengeID string) (Text, bool) {
	key, ok := k.named(id)
	if !ok {
		return Text{}, false
	}
	sum := derive(key, "link token", challengeID)
	return Text{challengeID + "." + base64.RawURLEncoding.EncodeToString(sum[:16])}, true
}

// letters have none that looks like another, and none that makes a word.
const letters = "34679CDFGHJKMNPQRTVWXY"

const pairingLetters = 4

// PairingCode returns the letters and digits that a chat shows for the challenge with
// that ID, under the key that the challenge names. It reports false for a key that is
// gone.
func (k Keys) PairingCode(id, challengeID string) (Text, bool) {
	key, ok := k.named(id)
	if !ok {
		return Text{}, false
	}
	round := 0
	return Text{spelled(func() uint32 {
		round++
		sum := derive(key, fmt.Sprintf("pairing code %d", round), challengeID)
		return binary.BigEndian.Uint32(sum[:])
	})}, true
}

// spelled maps uniform words to a uniform pairing code.
func spelled(draw func() uint32) string {
	n := uint64(len(letters))
	word := uniform(n*n*n*n, draw)
	code := make([]byte, pairingLetters)
	for i := range code {
		code[i], word = letters[word%n], word/n
	}
	return string(code)
}
