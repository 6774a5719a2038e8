package conformance

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"
)

// errState says what to do next, and not what was wrong: that is for the server
// to know.
var errState = errors.New("requestState is not valid: it has expired, or was changed, or belongs to another call; call again without it")

// maxStateAge is how long a question may stay without an answer.
const maxStateAge = 10 * time.Minute

// A state is what a tool knows between two calls.
type state struct {
	Round int
	Name  string
	Asked time.Time
}

// A sealer seals states with AES-256-GCM under a key that lives as long as the
// process. A state can be presented twice: with these tools that changes nothing.
type sealer struct {
	aead cipher.AEAD
	now  func() time.Time
}

func newSealer() sealer {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("conformance: " + err.Error()) // cannot happen: 32 bytes are a key
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("conformance: " + err.Error()) // cannot happen: AES has blocks of 128 bits
	}
	return sealer{aead: aead, now: time.Now}
}

// seal returns st in a form that only this process can read, and that is good
// only for the given owner and tool.
func (s sealer) seal(st state, owner, tool string) (string, error) {
	st.Asked = s.now()
	plain, err := json.Marshal(st)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, bound(owner, tool))), nil
}

func (s sealer) open(sealed, owner, tool string) (state, error) {
	var st state
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return state{}, errState
	}
	plain, err := s.aead.Open(nil, nil, raw, bound(owner, tool))
	if err != nil || json.Unmarshal(plain, &st) != nil || s.now().Sub(st.Asked) > maxStateAge {
		return state{}, errState
	}
	return st, nil
}

func bound(owner, tool string) []byte { return []byte(owner + "\x00" + tool) }
