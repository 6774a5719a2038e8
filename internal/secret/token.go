package secret

import (
	"crypto/rand"
	"encoding/base64"
)

// Prefixes of tokens. They tell secret scanners and log readers what leaked.
const (
	accessPrefix  = "fya_"
	refreshPrefix = "fyr_"
)

// A Pair is an access token and the refresh token issued with it.
type Pair struct{ Access, Refresh Text }

// NewPair returns the random pair that begins a family.
func NewPair() Pair { return newPair(random(), random()) }

// NewText returns 256 random bits as text, for a cookie.
func NewText() Text {
	r := random()
	return Text{base64.RawURLEncoding.EncodeToString(r[:])}
}

func newPair(access, refresh [32]byte) Pair {
	return Pair{
		Access:  Text{accessPrefix + base64.RawURLEncoding.EncodeToString(access[:])},
		Refresh: Text{refreshPrefix + base64.RawURLEncoding.EncodeToString(refresh[:])},
	}
}

func random() (b [32]byte) {
	rand.Read(b[:]) // never fails (crypto/rand)
	return b
}
