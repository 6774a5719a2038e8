package signin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// What a thief of the file can look for without the secret: the digits
// themselves, a hash of them, and a hash or an HMAC of them with what stands
// beside them. The search finds nothing; that it would find something is shown
// by planting each of those.
func TestT06AStolenFileVerifiesNoDigits(t *testing.T) {
	r := newRoom(t)
	ann, bob, cid := r.guest(), r.guest(), r.guest()
	digitsOf := map[string]string{"pending": r.asks(ann, "ann@example.com"), "failed": r.asks(bob, "bob@example.com"), "used": r.asks(cid, "cid@example.com")}
	r.guesses(bob, 2)
	r.answers(cid, digitsOf["used"])

	dump := r.dump()
	values := 0
	for table, all := range dump {
		for _, v := range all {
			values++
			for state, digits := range digitsOf {
				if strings.Contains(v, digits) {
					t.Errorf("table %s has the digits of the %s challenge: %q", table, state, v)
				}
			}
		}
	}
	if values < 100 {
		t.Fatalf("the dump has %d values: where are the others?", values)
	}
	c := r.challenge(ann)
	needles := map[[8]byte]bool{}
	for _, all := range dump {
		for _, v := range all {
			plant(needles, v)
		}
	}
	if found := search(1_000_000, needles, c); len(found) > 0 {
		t.Errorf("digits that the dump verifies: %v", found)
	}
	for i, sum := range verifiable(c)([]byte("000042")) {
		for _, stored := range []string{string(sum[:]), hex.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(sum[:]), base64.RawURLEncoding.EncodeToString(sum[:16])} {
			needles := map[[8]byte]bool{}
			plant(needles, stored)
			if found := search(100, needles, c); !slices.Equal(found, []string{"000042"}) {
				t.Errorf("the search finds no planted %q, the %dth sort: %v", stored, i+1, found)
			}
		}
	}
}

func TestT06AnotherSecretDerivesNoDigits(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	r.asks(g, "ann@example.com")
	thief, err := secret.NewKeys([]string{strings.Repeat("t", 32)})
	if err != nil {
		t.Fatal(err)
	}
	c := r.challenge(g)
	if _, ok := thief.OneTimeCode(c.KeyID, c.ID, c.Digits); ok {
		t.Error("another secret was taken for the one that the challenge names")
	}
}

// plant puts the beginnings of what v may be the writing of into needles.
func plant(needles map[[8]byte]bool, v string) {
	for _, decode := range []func(string) ([]byte, error){
		func(s string) ([]byte, error) { return []byte(s), nil }, hex.DecodeString,
		base64.StdEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		for _, word := range strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == ':' }) {
			if raw, err := decode(word); err == nil && len(raw) >= 8 {
				needles[[8]byte(raw)] = true
			}
		}
		if raw, err := decode(v); err == nil && len(raw) >= 8 {
			needles[[8]byte(raw)] = true
		}
	}
}

// verifiable returns a function that returns, for digits, the things that a
// careless server could have stored of those of c.
func verifiable(c store.Challenge) func(digits []byte) [4][32]byte {
	mac := hmac.New(sha256.New, []byte(c.ID))
	var text []byte
	return func(digits []byte) (sums [4][32]byte) {
		sums[0] = sha256.Sum256(digits)
		text = append(append(text[:0], digits...), c.ID...)
		sums[1] = sha256.Sum256(text)
		text = append(append(text[:0], c.ID...), digits...)
		sums[2] = sha256.Sum256(text)
		mac.Reset()
		mac.Write(digits)
		mac.Sum(sums[3][:0])
		return sums
	}
}

func search(codes int, needles map[[8]byte]bool, c store.Challenge) []string {
	return slices.Concat(at(2, func(part int) (found []string) {
		sumsOf := verifiable(c)
		for n := part; n < codes; n += 2 {
			digits := fmt.Appendf(nil, "%06d", n)
			for _, sum := range sumsOf(digits) {
				if needles[[8]byte(sum[:8])] {
					found = append(found, string(digits))
				}
			}
		}
		return found
	})...)
}
