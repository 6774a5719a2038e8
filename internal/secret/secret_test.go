package secret

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

const (
	oldKey = "old key, thirty-two bytes long .."
	newKey = "new key, thirty-two bytes long .."
)

func keys(t *testing.T, secrets ...string) Keys {
	t.Helper()
	k, err := NewKeys(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func code(t *testing.T, k Keys, keyID, challenge string, digits int) Text {
	t.Helper()
	c, ok := k.OneTimeCode(keyID, challenge, digits)
	if !ok {
		t.Fatalf("no key %s", keyID)
	}
	return c
}

func TestKeysAreRefused(t *testing.T) {
	for name, secrets := range map[string][]string{
		"none":                      nil,
		"an unset variable":         {""},
		"a short one behind a good": {oldKey, "short"},
	} {
		if _, err := NewKeys(secrets); err == nil {
			t.Errorf("%s: NewKeys accepted %q", name, secrets)
		}
	}
}

func TestATokenIsItsPrefixAnd256Bits(t *testing.T) {
	pair := NewPair()
	for token, pattern := range map[Text]string{
		pair.Access:  `^fya_[A-Za-z0-9_-]{43}$`,
		pair.Refresh: `^fyr_[A-Za-z0-9_-]{43}$`,
	} {
		if !regexp.MustCompile(pattern).MatchString(token.Reveal()) {
			t.Errorf("token %q does not match %s", token.Reveal(), pattern)
		}
	}
	if pair.Access.Reveal()[4:] == pair.Refresh.Reveal()[4:] || pair == NewPair() {
		t.Error("two tokens share their secret")
	}
}

func TestSuccessors(t *testing.T) {
	k := keys(t, newKey, oldKey)
	pairs := k.Successors("fyr_1")
	access, refresh := pairs[0].Access.Reveal(), pairs[0].Refresh.Reveal()
	for _, test := range []struct {
		name string
		got  Pair
		same bool
	}{
		{"asked again, the same pair comes", k.Successors("fyr_1")[0], true},
		{"another refresh token has another successor", k.Successors("fyr_2")[0], false},
		{"another key makes another successor", pairs[1], false},
		{"the halves of a pair are no copies", Pair{Text{"fya_" + refresh[4:]}, Text{"fyr_" + access[4:]}}, false},
	} {
		if same := test.got == pairs[0]; same != test.same {
			t.Errorf("%s: equal to the first pair = %v, want %v", test.name, same, test.same)
		}
	}
	if pairs[1] != keys(t, oldKey).Successors("fyr_1")[0] {
		t.Error("a key moved to the second place no longer recognises what it derived")
	}
}

// Whoever changes a derivation makes every waiting code and overlap useless.
func TestDerivationsNeverChange(t *testing.T) {
	k := keys(t, oldKey)
	pair := k.Successors("fyr_1")[0]
	got := strings.Join([]string{pair.Access.Reveal(), pair.Refresh.Reveal(), k.KeyID(),
		code(t, k, k.KeyID(), "challenge-1", 6).Reveal(), k.Pseudonym("mail", "a@example.com")}, " ")
	want := "fya_oxVAtHZgMglLvV_5VWQxUTgkH_3LFUI74_FmFUvBGaE fyr_QfGxit2PMT1CoAnpYZj-uBCFp9QOE-NmU0uOszdPRLg 61889e7b3c2a 832965 -USNqnhfqrGjM7DOzJGwGg"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestOneTimeCode(t *testing.T) {
	k, before := keys(t, newKey, oldKey), keys(t, oldKey)
	digits := code(t, k, k.KeyID(), "c1", 6)
	for _, test := range []struct {
		name, keyID, id, answer string
		want                    bool
	}{
		{"the mailed digits", k.KeyID(), "c1", digits.Reveal(), true},
		{"digits mailed before the key changed", before.KeyID(), "c1", code(t, before, before.KeyID(), "c1", 6).Reveal(), true},
		{"the digits of another key", before.KeyID(), "c1", digits.Reveal(), false},
		{"digits of another challenge", k.KeyID(), "c2", digits.Reveal(), false},
		{"no digits", k.KeyID(), "c1", "", false},
		{"digits and more", k.KeyID(), "c1", digits.Reveal() + "0", false},
	} {
		if got := code(t, k, test.keyID, test.id, 6).Equal(test.answer); got != test.want {
			t.Errorf("%s: Equal = %v, want %v", test.name, got, test.want)
		}
	}
	if _, ok := k.OneTimeCode("gone", "c1", 6); ok {
		t.Error("a key that is gone still answers")
	}
	if (Text{}).Equal("") {
		t.Error("the empty secret equals the empty answer")
	}
}

func TestDigitsAreFair(t *testing.T) {
	for _, test := range []struct {
		name  string
		n     int
		draws []uint32
		want  string
	}{
		{"small numbers keep their zeros", 6, []uint32{42}, "000042"},
		{"the last fair number is taken", 6, []uint32{4_293_999_999, 1}, "999999"},
		{"the first unfair number is drawn again", 6, []uint32{4_294_000_000, 1}, "000001"},
		{"and again", 6, []uint32{1<<32 - 1, 4_294_000_000, 7}, "000007"},
		{"eight digits have their own limit", 8, []uint32{4_200_000_000, 4_199_999_999}, "99999999"},
	} {
		got := uniformDigits(test.n, func() uint32 {
			word := test.draws[0]
			test.draws = test.draws[1:]
			return word
		})
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}

	k, count := keys(t, oldKey), [10]int{}
	const n = 20_000
	for i := range n {
		count[code(t, k, k.KeyID(), fmt.Sprint(i), 6).Reveal()[0]-'0']++
	}
	for digit, c := range count {
		if c < n/10*9/10 || c > n/10*11/10 {
			t.Errorf("of %d codes %d begin with %d", n, c, digit)
		}
	}
}

func TestSeal(t *testing.T) {
	k, before := keys(t, newKey, oldKey), keys(t, oldKey)
	seal := func(k Keys, purpose string) string {
		s, err := k.Seal(purpose, map[string]string{"id": "1"})
		if err != nil {
			t.Fatal(err)
		}
		return s.Reveal()
	}
	good := seal(k, "code")
	flipped := []byte(good)
	flipped[len(flipped)/2] ^= 1
	for _, test := range []struct {
		name, sealed string
		want         error
	}{
		{"what was sealed opens", good, nil},
		{"what was sealed before the key changed opens", seal(before, "code"), nil},
		{"what a stranger sealed does not", seal(keys(t, strings.Repeat("x", 32)), "code"), ErrSealed},
		{"nor what was sealed for something else", seal(k, "cookie"), ErrSealed},
		{"nor what was changed", string(flipped), ErrSealed},
		{"nor what was cut", good[:20], ErrSealed},
		{"nor nothing", "", ErrSealed},
		{"nor another spelling of the same bytes", good + "=", ErrSealed},
	} {
		var v struct{ ID string }
		if err := k.Open("code", test.sealed, &v); err != test.want || err == nil && v.ID != "1" {
			t.Errorf("%s: Open = %v, %+v; want %v", test.name, err, v, test.want)
		}
	}
	if seal(k, "code") == good {
		t.Error("two seals of one value are equal")
	}
}

func TestT60APlainSecretShowsNothing(t *testing.T) {
	secret := Plain("canary")
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "a", secret, "b", &secret, "c", struct{ S Text }{secret})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "a", secret, "c", struct{ S Text }{secret})
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&log, format, secret)
		fmt.Fprintf(&log, format, Pair{secret, secret})
	}
	if err := json.NewEncoder(&log).Encode(map[string]any{"a": secret, "b": &secret}); err != nil {
		t.Fatal(err)
	}
	if s := log.String(); strings.Contains(s, "canary") || strings.Contains(s, fmt.Sprintf("%x", "canary")) {
		t.Errorf("the secret shows in %s", s)
	}
	if secret.Reveal() != "canary" || secret.Hash() != HashOf("canary") {
		t.Error("the secret is lost")
	}
}

// Signatures of today have to be made again by tomorrow's program, so the
// derivation never changes.
func TestASigningKeyIsDerivedForEachKey(t *testing.T) {
	both, first := keys(t, newKey, oldKey).SigningKeys(), keys(t, oldKey).SigningKeys()
	if len(both) != 2 || len(first) != 1 {
		t.Fatalf("%d and %d keys", len(both), len(first))
	}
	if !both[1].(*ecdsa.PrivateKey).Equal(first[0]) || both[0].(*ecdsa.PrivateKey).Equal(first[0]) {
		t.Error("a signing key is not its own key's alone")
	}
	public, err := first[0].(*ecdsa.PrivateKey).PublicKey.Bytes()
	const want = "04e53c2a2b757b829c1ad8675f40757c36a3a928155477ea8d3b0a6fd877ca8ec7c3f79d979305a6346af0ba64cf34323e62e841458e7703e63996ac0b1c959d1f"
	if got := hex.EncodeToString(public); err != nil || got != want {
		t.Errorf("%s, want %s; %v", got, want, err)
	}
}

// The order of P-256 is less than 2^256: what is not below it, and zero, is
// drawn again, or the key would be none.
func TestASigningKeyIsDrawnAgainAboveTheOrder(t *testing.T) {
	words := [][32]byte{{}, [32]byte(bytes.Repeat([]byte{0xff}, 32)), {31: 1}}
	key := signingKey(func(round int) [32]byte { return words[round-1] })
	if raw, err := key.Bytes(); err != nil || !bytes.Equal(raw, words[2][:]) {
		t.Errorf("%x, %v", raw, err)
	}
}

func TestAmong(t *testing.T) {
	hashes := [][32]byte{HashOf("first"), HashOf("second"), HashOf("")}
	for text, want := range map[string]bool{"first": true, "second": true, "third": false, "": false, "firs": false, "firstsecond": false} {
		if got := Plain(text).Among(hashes); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	if Plain("first").Among(nil) {
		t.Error("a secret is among none")
	}
}
