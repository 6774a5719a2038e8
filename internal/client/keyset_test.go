package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A host keeps the keys of a client, and counts who asks.
type host struct {
	t     testing.TB
	mu    sync.Mutex
	keys  []byte
	fails bool
	asked int
}

func (h *host) serve(keys ...jose.JSONWebKey) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keys = setOf(h.t, keys...)
}

func (h *host) fail(fails bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fails = fails
}

func (h *host) fetch(_ context.Context, uri string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	if h.fails || uri != "https://app.example/jwks" {
		return nil, errors.New("no answer")
	}
	return h.keys, nil
}

func (h *host) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked
}

// newRemote is a client whose keys are elsewhere.
func newRemote(t *testing.T) (*fixture, *host) {
	t.Helper()
	h := &host{t: t}
	return newFixture(t, func(cfg *Config) {
		cfg.Fetch = h.fetch
		cfg.Preregistered = []Preregistered{{ID: "remote", RedirectURIs: []string{redirect}, KeysURI: "https://app.example/jwks"}}
	}), h
}

func (f *fixture) authenticate(key pair) error {
	_, err := f.Authenticate(f.t.Context(), key.signed(f.t, jose.ES256, f.claims("remote")))
	return err
}

// The steps run in order, on one client.
func TestKeysElsewhereAreFetchedWhenTheyAreWanted(t *testing.T) {
	f, h := newRemote(t)
	first, second, stranger := newPair(t, "k1"), newPair(t, "k2"), newPair(t, "strange")
	h.serve(first.jwk())
	for _, step := range []struct {
		name  string
		wait  time.Duration
		act   func()
		key   pair
		want  error
		asked int // in all
	}{
		{"the first assertion has them fetched", 0, nil, first, nil, 1},
		{"the second does not", time.Minute, nil, first, nil, 1},
		{"after an hour they are fetched again", time.Hour, nil, first, nil, 2},
		{"an unknown key is not looked for at once", 5 * time.Second, nil, stranger, ErrKeys, 2},
		{"but after ten seconds", 5 * time.Second, nil, stranger, ErrAssertion, 3},
		{"a new key is right, but the host was asked a moment ago", time.Second, func() { h.serve(first.jwk(), second.jwk()) }, second, ErrKeys, 3},
		{"after ten seconds it is found", 9 * time.Second, nil, second, nil, 4},
		{"and stays", time.Second, nil, second, nil, 4},
		{"as does the old one", 0, nil, first, nil, 4},
		{"while the host fails, known keys are good", 2 * time.Hour, func() { h.fail(true) }, first, nil, 5},
		{"and it is left alone for a second", 0, nil, first, nil, 5},
		{"an unknown one cannot be looked for", 2 * time.Second, nil, stranger, ErrKeys, 6},
		{"a day later nothing is good any more", 22 * time.Hour, nil, first, ErrKeys, 7},
		{"until the host answers, and has taken one away", 2 * time.Second, func() { h.fail(false); h.serve(second.jwk()) }, second, nil, 8},
		{"the old one is not good any more", time.Minute, nil, first, ErrAssertion, 9},
	} {
		f.clock = f.clock.Add(step.wait)
		if step.act != nil {
			step.act()
		}
		if err := f.authenticate(step.key); err != step.want || h.count() != step.asked {
			t.Errorf("%s: %v, want %v; the host was asked %d times, want %d", step.name, err, step.want, h.count(), step.asked)
		}
	}
}

// Whoever invents key IDs makes the host be asked once in ten seconds, and shuts
// nobody out: neither those whose keys are known, nor a new key.
func TestInventedKeyIDsNeitherHammerTheHostNorShutOthersOut(t *testing.T) {
	f, h := newRemote(t)
	first, second := newPair(t, "k1"), newPair(t, "k2")
	h.serve(first.jwk())
	if err := f.authenticate(first); err != nil {
		t.Fatal(err)
	}
	attack := func(n int) {
		for i := range n {
			if err := f.authenticate(newPair(t, fmt.Sprint("invented ", i))); err == nil {
				t.Error("an invented key opens")
			}
		}
	}
	for range 6 { // a minute
		f.clock = f.clock.Add(10 * time.Second)
		attack(20)
		if err := f.authenticate(first); err != nil {
			t.Errorf("a known key is shut out: %v", err)
		}
	}
	if h.count() != 7 {
		t.Errorf("the host was asked %d times in a minute, want 7", h.count())
	}
	h.serve(second.jwk())
	f.clock = f.clock.Add(10 * time.Second)
	attack(20) // the first of them has the new key fetched
	if err := f.authenticate(second); err != nil {
		t.Errorf("a new key is shut out: %v", err)
	}
}

// Many who come at once wait for one fetch. It goes on for the others when the
// one who began it hangs up.
func TestOneFetchServesAllWhoWait(t *testing.T) {
	key := newPair(t, "k1")
	began, release := make(chan struct{}), make(chan struct{})
	var asked atomic.Int32
	f := newFixture(t, func(cfg *Config) {
		cfg.Fetch = func(ctx context.Context, _ string) ([]byte, error) {
			if asked.Add(1) == 1 {
				close(began)
			}
			<-release
			return setOf(t, key.jwk()), ctx.Err()
		}
		cfg.Preregistered = []Preregistered{{ID: "remote", RedirectURIs: []string{redirect}, KeysURI: "https://app.example/jwks"}}
	})
	first, hangUp := context.WithCancel(t.Context())
	impatient, leave := context.WithCancel(t.Context())
	cred := func() Credentials { return key.signed(t, jose.ES256, f.claims("remote")) }
	var all sync.WaitGroup
	all.Go(func() { f.Authenticate(first, cred()) })
	<-began
	hangUp()
	for range 10 {
		all.Go(func() {
			if _, err := f.Authenticate(t.Context(), cred()); err != nil {
				t.Error(err)
			}
		})
	}
	leave()
	if _, err := f.Authenticate(impatient, cred()); !errors.Is(err, context.Canceled) {
		t.Errorf("who does not wait: %v", err)
	}
	close(release)
	all.Wait()
	if asked.Load() != 1 {
		t.Errorf("the host was asked %d times", asked.Load())
	}
}

// While a host that is slow is asked again, keys that it gave are good for
// everyone but the one who asks.
func TestNobodyElseWaitsForASlowHost(t *testing.T) {
	key := newPair(t, "k1")
	began, release := make(chan struct{}), make(chan struct{})
	var asked atomic.Int32
	f := newFixture(t, func(cfg *Config) {
		cfg.Fetch = func(context.Context, string) ([]byte, error) {
			if asked.Add(1) > 1 {
				close(began)
				<-release
			}
			return setOf(t, key.jwk()), nil
		}
		cfg.Preregistered = []Preregistered{{ID: "remote", RedirectURIs: []string{redirect}, KeysURI: "https://app.example/jwks"}}
	})
	if err := f.authenticate(key); err != nil {
		t.Fatal(err)
	}
	f.clock = f.clock.Add(2 * keysFresh)
	cred := key.signed(t, jose.ES256, f.claims("remote"))
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := f.Authenticate(t.Context(), cred); err != nil {
			t.Error(err)
		}
	})
	<-began
	patient, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := f.Authenticate(patient, key.signed(t, jose.ES256, f.claims("remote"))); err != nil {
		t.Errorf("it waits: %v", err)
	}
	if asked.Load() != 2 {
		t.Errorf("the host was asked %d times", asked.Load())
	}
	close(release)
	all.Wait()
}

func TestKeySetsHaveALimit(t *testing.T) {
	key := newPair(t, "k1")
	set := setOf(t, key.jwk())
	k := keySets{now: time.Now, sets: map[string]*keySet{}, fetch: func(context.Context, string) ([]byte, error) { return set, nil }}
	for i := range 2 * maxKeySets {
		if keys, err := k.of(t.Context(), fmt.Sprint("https://app.example/", i), "k1"); err != nil || len(keys) != 1 {
			t.Fatalf("%d: %v, %v", i, keys, err)
		}
	}
	if len(k.sets) != maxKeySets {
		t.Errorf("%d sets are kept, want %d", len(k.sets), maxKeySets)
	}
}

// X59: what is odd in a set is skipped, and does not sink the good keys.
func TestKeysThatVerify(t *testing.T) {
	good := newPair(t, "good").jwk()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text := func(key jose.JSONWebKey) string {
		json, err := key.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return string(json)
	}
	plus := func(members string) string { return strings.TrimSuffix(text(good), "}") + "," + members + "}" }
	huge := `{"kty":"RSA","e":"AQAB","n":"` + strings.Repeat("_", 1<<14) + `"}`
	for _, test := range []struct {
		name string
		set  string
		keys int // -1 for a refusal
	}{
		{"one", `{"keys":[` + text(good) + `]}`, 1},
		{"one for signatures", `{"keys":[` + plus(`"use":"sig","alg":"ES256","key_ops":["verify"]`) + `]}`, 1},
		{"with members that nobody knows", `{"keys":[` + plus(`"x5u":"https://evil.example","x5c":["nonsense"],"iat":7`) + `],"more":1}`, 1},
		{"beside a kind that nobody knows", `{"keys":[{"kty":"AKP","alg":"ML-DSA-44","pub":"x"},` + text(good) + `,{"kty":"EC","crv":"secp256k1","x":"x","y":"y"},{}]}`, 1},
		{"beside broken ones", `{"keys":[{"kty":7},{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"},` + text(good) + `]}`, 1},
		{"beside a shared secret", `{"keys":[{"kty":"oct","k":"c2VjcmV0"},` + text(good) + `]}`, 1},
		{"beside one for encryption", `{"keys":[` + plus(`"use":"enc"`) + `,` + text(good) + `]}`, 1},
		{"for encryption", `{"keys":[` + plus(`"use":"enc"`) + `]}`, -1},
		{"for another algorithm", `{"keys":[` + plus(`"alg":"ES512"`) + `]}`, -1},
		{"for HS256", `{"keys":[` + plus(`"alg":"HS256"`) + `]}`, -1},
		{"for other operations", `{"keys":[` + plus(`"key_ops":["encrypt"]`) + `]}`, -1},
		{"with operations that cannot be read", `{"keys":[` + plus(`"key_ops":"verify"`) + `]}`, -1},
		{"a shared secret", `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`, -1},
		{"a small RSA key", `{"keys":[` + text(jose.JSONWebKey{Key: small.Public()}) + `]}`, -1},
		{"a huge RSA key", `{"keys":[` + huge + `]}`, -1},
		{"a key on P-521", `{"keys":[` + text(jose.JSONWebKey{Key: wide.Public()}) + `]}`, -1},
		{"a private key", `{"keys":[` + text(jose.JSONWebKey{Key: wide}) + `,` + text(good) + `]}`, -1},
		{"33 keys", `{"keys":[` + strings.Repeat(text(good)+",", 32) + text(good) + `]}`, -1},
		{"32 keys", `{"keys":[` + strings.Repeat(text(good)+",", 31) + text(good) + `]}`, 32},
		{"no key", `{"keys":[]}`, -1},
		{"no list", `{}`, -1},
		{"null", `null`, -1},
		{"one key alone", text(good), -1},
		{"nothing", ``, -1},
		{"HTML", `<!doctype html>`, -1},
	} {
		keys, err := publicKeys([]byte(test.set))
		if len(keys) != max(test.keys, 0) || (err != nil) != (test.keys < 0) {
			t.Errorf("%s: %d keys, %v; want %d", test.name, len(keys), err, test.keys)
		}
	}
}

// Whatever a client serves as its keys, those that are taken are public, of a
// kind and size that is verified fast, and not many.
func FuzzPublicKeys(f *testing.F) {
	f.Add(string(setOf(f, newPair(f, "k1").jwk())))
	f.Add(`{"keys":[{"kty":"RSA","e":"AQAB","n":"` + strings.Repeat("_", 400) + `","alg":"PS256"}]}`)
	f.Add(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"oct","k":"AA"}]}`)
	f.Add(`{"keys":[{"d":1}]}`)
	f.Add(`[`)
	f.Fuzz(func(t *testing.T, set string) {
		keys, err := publicKeys([]byte(set))
		if (err == nil) != (len(keys) > 0) || len(keys) > maxKeys {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for _, key := range keys {
			big, isRSA := key.Key.(*rsa.PublicKey)
			if !key.IsPublic() || !key.Valid() || isRSA && (big.N.BitLen() < 2048 || big.N.BitLen() > 8192) || key.Use == "enc" || len(key.Certificates) > 0 {
				t.Errorf("%+v is taken", key)
			}
		}
	})
}
