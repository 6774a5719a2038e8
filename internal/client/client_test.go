package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/foyer/internal/oauth"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

const (
	unused   = 24 * time.Hour
	redirect = "http://127.0.0.1:1455/callback"
	issuer   = "https://notes.example"
)

// A fixture is the rules over a SQLite file, with a clock that a test sets.
type fixture struct {
	*Clients
	t     testing.TB
	clock time.Time
}

func newFixture(t testing.TB, change ...func(*Config)) *fixture {
	t.Helper()
	s, err := sqlite.Open(filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	f := &fixture{t: t, clock: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	cfg := Config{Store: s, Unused: unused, Issuer: issuer, TokenEndpoint: issuer + "/token", Now: func() time.Time { return f.clock }}
	for _, c := range change {
		c(&cfg)
	}
	if f.Clients, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return f
}

func metadata(name string, uris ...string) oauth.ClientMetadata {
	return oauth.ClientMetadata{ClientName: name, RedirectURIs: uris}
}

func (f *fixture) register(m oauth.ClientMetadata) store.Client {
	f.t.Helper()
	c, err := f.Register(f.t.Context(), m)
	if err != nil {
		f.t.Fatalf("Register: %v", err)
	}
	return c
}

func (f *fixture) update(fn func(context.Context, store.Tx) error) {
	f.t.Helper()
	if err := f.Store.Update(f.t.Context(), func(tx store.Tx) error { return fn(f.t.Context(), tx) }); err != nil {
		f.t.Fatal(err)
	}
}

// use notes a use of c, as a redemption does.
func (f *fixture) use(c store.Client) {
	f.t.Helper()
	c.LastUsed, c.Expires = f.clock, f.clock.Add(90*unused)
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.PutClient(ctx, c) })
}

func TestRegister(t *testing.T) {
	many := func(n int) (uris []string) {
		for i := range n {
			uris = append(uris, fmt.Sprintf("https://a.example/%d", i))
		}
		return uris
	}
	for _, test := range []struct {
		name string
		m    oauth.ClientMetadata
		kept []string // the redirect URIs
		want error
	}{
		{"one redirect URI", metadata("App", redirect), []string{redirect}, nil},
		{"no name", metadata("", redirect), []string{redirect}, nil},
		{"ten redirect URIs", metadata("App", many(10)...), many(10), nil},
		{"one odd URI does not sink the good ones",
			metadata("App", "javascript:alert(1)", "cursor://host/callback", "", redirect, "https://a.example/a b", "https://a.example/#x"),
			[]string{"cursor://host/callback", redirect}, nil},
		{"none that can be accepted", metadata("App", "javascript:alert(1)", "http://a.example/callback"), nil, ErrRedirectURIs},
		{"an empty one", metadata("App", ""), nil, ErrRedirectURIs},
		{"no redirect URI", metadata("App"), nil, ErrRedirectURIs},
		{"eleven", metadata("App", many(11)...), nil, ErrRedirectURIs},
		{"eleven, of which one is good", metadata("App", append(make([]string, 10), redirect)...), nil, ErrRedirectURIs},
		{"a name of 200 bytes", metadata(strings.Repeat("n", 200), redirect), []string{redirect}, nil},
		{"a name of 201 bytes", metadata(strings.Repeat("n", 201), redirect), nil, ErrMetadata},
		{"a name of 67 letters in 201 bytes", metadata(strings.Repeat("名", 67), redirect), nil, ErrMetadata},
		{"a name with a zero byte", metadata("A\x00pp", redirect), nil, ErrMetadata},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			c, err := f.Register(t.Context(), test.m)
			if err != test.want {
				t.Fatalf("Register error = %v, want %v", err, test.want)
			}
			if err != nil {
				if c.ID != "" {
					t.Errorf("it refused, and answered %+v", c)
				}
				return
			}
			if !strings.HasPrefix(c.ID, "client_") || c.Name != test.m.ClientName || !slices.Equal(c.RedirectURIs, test.kept) {
				t.Errorf("the client is %+v, want redirect URIs %q", c, test.kept)
			}
			if !c.Created.Equal(f.clock) || !c.LastUsed.IsZero() || !c.Expires.Equal(f.clock.Add(unused)) {
				t.Errorf("the client is %+v, want one made now, never used, for a day", c)
			}
			if known, err := f.Lookup(t.Context(), c.ID); err != nil || fmt.Sprint(known) != fmt.Sprint(c) {
				t.Errorf("Lookup = %+v, %v; want %+v", known, err, c)
			}
		})
	}
}

func TestEqualDescriptionsAreOneClient(t *testing.T) {
	f := newFixture(t)
	c := f.register(metadata("App", redirect, "cursor://host/callback"))
	for _, test := range []struct {
		name string
		m    string
		same bool
	}{
		{"the same again", `{"client_name": "App", "redirect_uris": ["http://127.0.0.1:1455/callback", "cursor://host/callback"]}`, true},
		{"with fields that nobody knows", `{"client_name": "App", "redirect_uris": ["http://127.0.0.1:1455/callback", "cursor://host/callback"],
			"software_id": "x", "jwks": {"keys": []}, "client_id": "mine", "client_secret": "mine"}`, true},
		{"with fields that decide nothing", `{"client_name": "App", "redirect_uris": ["http://127.0.0.1:1455/callback", "cursor://host/callback"],
			"grant_types": ["client_credentials"], "scope": "admin", "token_endpoint_auth_method": "client_secret_basic", "application_type": "native"}`, true},
		{"with one URI more that is dropped", `{"client_name": "App", "redirect_uris": ["http://127.0.0.1:1455/callback", "cursor://host/callback", "data:x"]}`, true},
		{"another name", `{"client_name": "app", "redirect_uris": ["http://127.0.0.1:1455/callback", "cursor://host/callback"]}`, false},
		{"no name", `{"redirect_uris": ["http://127.0.0.1:1455/callback", "cursor://host/callback"]}`, false},
		{"another port", `{"client_name": "App", "redirect_uris": ["http://127.0.0.1:1456/callback", "cursor://host/callback"]}`, false},
		{"one URI less", `{"client_name": "App", "redirect_uris": ["http://127.0.0.1:1455/callback"]}`, false},
		{"a name that ends like the first URI", `{"client_name": "Apphttp://127.0.0.1:1455/callback", "redirect_uris": ["cursor://host/callback"]}`, false},
		{"what is no URI but looks like two in a list", `{"client_name": "App", "redirect_uris": ["http://127.0.0.1:1455/callback\",\"cursor://host/callback", "https://a.example/"]}`, false},
	} {
		var m oauth.ClientMetadata
		if err := json.Unmarshal([]byte(test.m), &m); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if got := f.register(m); (got.ID == c.ID) != test.same {
			t.Errorf("%s: the client is %+v, want the one before: %v", test.name, got, test.same)
		}
	}
}

func TestRacingEqualRegistrationsMakeOneClient(t *testing.T) {
	f := newFixture(t)
	ids := make([]string, 20)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			c, err := f.Register(t.Context(), metadata("App", redirect))
			if err != nil {
				t.Error(err)
			}
			ids[i] = c.ID
		})
	}
	wg.Wait()
	if slices.Sort(ids); len(slices.Compact(ids)) != 1 {
		t.Errorf("they are %q, want one", ids)
	}
}

// The steps run in order, on one client.
func TestAClientLivesWhileItIsUsed(t *testing.T) {
	f := newFixture(t)
	m := metadata("App", redirect)
	c := f.register(m)
	for _, step := range []struct {
		name string
		wait time.Duration
		act  func()
		left time.Duration // until it expires
	}{
		{"nobody has used it", time.Hour, func() {}, 23 * time.Hour},
		{"registered again, its day begins anew", 0, func() { f.register(m) }, unused},
		{"also at the end", unused - time.Second, func() { f.register(m) }, unused},
		{"used, it lives long", time.Hour, func() { f.use(c) }, 90 * unused},
		{"a registration does not shorten that", time.Hour, func() { f.register(m) }, 90*unused - time.Hour},
		{"but leaves its host a day to begin", 90*unused - 2*time.Hour, func() { f.register(m) }, unused},
		{"expired, it comes back to life by registering again", unused, func() { f.register(m) }, unused},
		{"and then lives on for each who registers", unused - time.Hour, func() { f.register(m) }, unused},
	} {
		f.clock = f.clock.Add(step.wait)
		step.act()
		end := f.clock.Add(step.left)
		known, err := f.Lookup(t.Context(), c.ID)
		if err != nil || known.ID != c.ID || !known.Created.Equal(c.Created) || !known.Expires.Equal(end) {
			t.Errorf("%s: Lookup = %+v, %v; want %s to %v", step.name, known, err, c.ID, end)
		}
	}
	for _, wait := range []time.Duration{unused, 365 * unused} {
		f.clock = f.clock.Add(wait)
		if known, err := f.Lookup(t.Context(), c.ID); err != ErrUnknown || known.ID != "" {
			t.Errorf("when nobody comes: Lookup = %+v, %v; want ErrUnknown", known, err)
		}
	}
}

func TestAClearedAwayClientRegistersAnew(t *testing.T) {
	f := newFixture(t)
	m := metadata("App", redirect)
	c := f.register(m)
	f.use(c)
	f.clock = f.clock.Add(91 * unused)
	f.update(func(ctx context.Context, tx store.Tx) error {
		_, err := tx.DeleteExpired(ctx, f.clock, 10)
		return err
	})
	again := f.register(m)
	if again.ID == c.ID || !again.Created.Equal(f.clock) || !again.LastUsed.IsZero() || !again.Expires.Equal(f.clock.Add(unused)) {
		t.Errorf("the client is %+v, want a new one", again)
	}
	if _, err := f.Lookup(t.Context(), c.ID); err != ErrUnknown {
		t.Errorf("the old one: Lookup error = %v, want ErrUnknown", err)
	}
}

func TestLookupRefusesWhatIsNoClient(t *testing.T) {
	f := newFixture(t)
	c := f.register(metadata("App", redirect))
	for _, id := range []string{"", "client_", "App", strings.ToLower(c.ID), c.ID + " ", redirect} {
		if got, err := f.Lookup(t.Context(), id); err != ErrUnknown || got.ID != "" {
			t.Errorf("Lookup(%q) = %+v, %v; want ErrUnknown", id, got, err)
		}
	}
}

func TestAFaultIsNoRefusal(t *testing.T) {
	f := newFixture(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, registerErr := f.Register(ended, metadata("App", redirect))
	_, lookupErr := f.Lookup(ended, "client_x")
	for name, err := range map[string]error{"Register": registerErr, "Lookup": lookupErr} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error = %v, want context.Canceled", name, err)
		}
	}
}

func TestKnown(t *testing.T) {
	f := newFixture(t)
	m := oauth.ClientMetadata{ClientName: "Notes", RedirectURIs: []string{"https://a.example/cb"}}
	for _, want := range []bool{false, true} {
		if known, err := f.Known(t.Context(), m); known != want || err != nil {
			t.Errorf("Known = %v, %v; want %v", known, err, want)
		}
		if _, err := f.Register(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Known(t.Context(), oauth.ClientMetadata{}); err != ErrRedirectURIs {
		t.Errorf("without a redirect URI: %v", err)
	}
}
