package secret

import (
	"regexp"
	"strings"
	"testing"
)

// Whoever changes a derivation makes links that were mailed, and pairing codes that
// chats show, useless.
func TestLinksAndPairingCodesAreDerived(t *testing.T) {
	k, before := keys(t, newKey, oldKey), keys(t, oldKey)
	link, ok := before.LinkToken(before.KeyID(), "challenge-1")
	pairing, also := before.PairingCode(before.KeyID(), "challenge-1")
	if got, want := link.Reveal()+" "+pairing.Reveal(), "challenge-1.K5gh5O6MXuV4qKTHTy-XoQ HC9Q"; got != want || !ok || !also {
		t.Errorf("got %s, want %s", got, want)
	}
	again, _ := k.LinkToken(before.KeyID(), "challenge-1")
	code, _ := k.PairingCode(before.KeyID(), "challenge-1")
	if again != link || code != pairing {
		t.Error("a key moved to the second place derives something else")
	}
	other, _ := k.LinkToken(k.KeyID(), "challenge-1")
	second, _ := before.LinkToken(before.KeyID(), "challenge-2")
	_, mac, _ := strings.Cut(link.Reveal(), ".")
	if other == link || strings.HasSuffix(second.Reveal(), mac) || !regexp.MustCompile(`^challenge-1\.[A-Za-z0-9_-]{22}$`).MatchString(link.Reveal()) {
		t.Errorf("%s, %s and %s are alike", link.Reveal(), other.Reveal(), second.Reveal())
	}
	if _, ok := k.LinkToken("gone", "c"); ok {
		t.Error("a key that is gone still makes links")
	}
	if _, ok := k.PairingCode("gone", "c"); ok {
		t.Error("a key that is gone still makes pairing codes")
	}
}

func TestPairingCodesAreFair(t *testing.T) {
	for _, test := range []struct {
		name  string
		draws []uint32
		want  string
	}{
		{"the first", []uint32{0}, "3333"},
		{"the last", []uint32{22*22*22*22 - 1}, "YYYY"},
		{"the first unfair number is drawn again", []uint32{4_294_849_504, 1}, "4333"},
	} {
		got := spelled(func() uint32 {
			word := test.draws[0]
			test.draws = test.draws[1:]
			return word
		})
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	if strings.ContainsAny(letters, "01258OILZSBUAE") || len(letters) != 22 {
		t.Errorf("%s have look-alikes", letters)
	}
}
