package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
)

// ErrSealed refuses what this server did not seal for that purpose.
var ErrSealed = errors.New("secret: not sealed by this server, for this purpose")

// Seal encrypts and authenticates v as JSON, for one purpose, in the letters of
// a URL. Whoever carries it can neither read nor change it; that it is opened
// once, or in time, is for v to say.
func (k Keys) Seal(purpose string, v any) (Text, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return Text{}, err
	}
	sealed := sealer(k.keys[0], purpose).Seal(nil, nil, plain, nil)
	return Text{base64.RawURLEncoding.EncodeToString(sealed)}, nil
}

// Open reads into v what [Keys.Seal] sealed for purpose under any of the keys.
// Anything else is [ErrSealed].
func (k Keys) Open(purpose, sealed string, v any) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return ErrSealed
	}
	for _, key := range k.keys {
		if plain, err := sealer(key, purpose).Open(nil, nil, raw, nil); err == nil {
			return json.Unmarshal(plain, v)
		}
	}
	return ErrSealed
}

// sealer draws a random nonce for each seal. A purpose has a key of its own, so
// that what is sealed for one never opens for another.
func sealer(key []byte, purpose string) cipher.AEAD {
	k := derive(key, "seal "+purpose, "")
	block, err := aes.NewCipher(k[:])
	if err != nil {
		panic(err) // 32 bytes are an AES-256 key
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // the block size is AES's
	}
	return aead
}
