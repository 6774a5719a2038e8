package client

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"example.com/foyer/store"
)

func TestEveryProblemOfAListIsToldAndNoSecretShown(t *testing.T) {
	key := newPair(t, "k1")
	uris := []string{redirect}
	keys := setOf(t, key.jwk())
	for _, test := range []struct {
		name    string
		clients []Preregistered
		want    []string
	}{
		{"good ones", []Preregistered{
			{ID: "a", RedirectURIs: uris},
			{ID: "B-2._~", Name: "名前", RedirectURIs: []string{"cursor://host/cb", "https://app.example/cb"}, Secrets: []string{firstSecret, secondSecret}, Keys: keys},
			{ID: strings.Repeat("i", 200), RedirectURIs: uris, KeysURI: "https://app.example/jwks?x=1"},
		}, nil},
		{"no ID", []Preregistered{{RedirectURIs: uris}}, []string{"Clients: number 1: ID is missing"}},
		{"an ID like a registered one's", []Preregistered{{ID: "client_a", RedirectURIs: uris}}, []string{`Clients: "client_a": ID must not begin with client_`}},
		{"a URL for an ID", []Preregistered{{ID: "https://app.example/id", RedirectURIs: uris}}, []string{"a URL would be the ID of a metadata document"}},
		{"an ID with a colon, a space, a slash, a long one", []Preregistered{{ID: "a:b", RedirectURIs: uris}, {ID: "a b", RedirectURIs: uris}, {ID: "a/b", RedirectURIs: uris},
			{ID: strings.Repeat("i", 201), RedirectURIs: uris}}, slices.Repeat([]string{"ID may have 200 letters, digits"}, 4)},
		{"one twice", []Preregistered{{ID: "a", RedirectURIs: uris}, {ID: "a", RedirectURIs: uris}}, []string{`"a": is listed twice`}},
		{"names", []Preregistered{{ID: "a", Name: strings.Repeat("n", 201), RedirectURIs: uris}, {ID: "b", Name: "\x00", RedirectURIs: uris}}, slices.Repeat([]string{"Name may have 200 bytes"}, 2)},
		{"no redirect URI", []Preregistered{{ID: "a"}}, []string{`"a": RedirectURIs are missing`}},
		{"bad redirect URIs", []Preregistered{{ID: "a", RedirectURIs: []string{"javascript:x", "http://app.example/cb"}}}, []string{`RedirectURIs: "javascript:x"`, `RedirectURIs: "http://app.example/cb"`}},
		{"short secrets", []Preregistered{{ID: "a", RedirectURIs: uris, Secrets: []string{firstSecret, "hunter2hunter2", ""}}}, []string{"Secrets: number 2 has 14 bytes and needs 32", "Secrets: number 3 has 0 bytes"}},
		{"a secret that clients would encode", []Preregistered{{ID: "a", RedirectURIs: uris, Secrets: []string{strings.Repeat("a+/=", 8)}}}, []string{"Secrets: number 1 has a character"}},
		{"keys that are none", []Preregistered{{ID: "a", RedirectURIs: uris, Keys: []byte("k")}}, []string{"Keys: no JWK Set"}},
		{"a private key", []Preregistered{{ID: "a", RedirectURIs: uris, Keys: setOf(t, jose.JSONWebKey{Key: key.private})}}, []string{"Keys: a private key"}},
		{"keys here and there", []Preregistered{{ID: "a", RedirectURIs: uris, Keys: keys, KeysURI: "https://app.example/jwks"}}, []string{"only one may be given"}},
		{"bad places of keys", []Preregistered{{ID: "a", RedirectURIs: uris, KeysURI: "http://app.example/jwks"}, {ID: "b", RedirectURIs: uris, KeysURI: "https://me@app.example/jwks"}, {ID: "c", RedirectURIs: uris, KeysURI: "jwks"}},
			slices.Repeat([]string{"must be an https URL"}, 3)},
		{"many at once", []Preregistered{{ID: "client_a"}, {}}, []string{"must not begin", `"client_a": RedirectURIs are missing`, "number 2: ID is missing", "number 2: RedirectURIs are missing"}},
	} {
		_, err := New(Config{Preregistered: test.clients, Fetch: func(context.Context, string) ([]byte, error) { return nil, nil }})
		got := fmt.Sprint(err)
		if len(test.want) == 0 && err != nil || len(test.want) > 0 && strings.Count(got, "\n")+1 != len(test.want) {
			t.Errorf("%s: %v, want %d problems", test.name, err, len(test.want))
		}
		for _, want := range test.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in %v", test.name, want, err)
			}
		}
		for _, c := range test.clients {
			for _, s := range c.Secrets {
				if s != "" && strings.Contains(got, s) {
					t.Errorf("%s: the error shows a secret", test.name)
				}
			}
		}
	}
	if _, err := New(Config{Preregistered: []Preregistered{{ID: "a", RedirectURIs: uris, KeysURI: "https://app.example/jwks"}}}); err == nil || !strings.Contains(err.Error(), "fetches no keys") {
		t.Errorf("keys elsewhere without a way to fetch them: %v", err)
	}
}

// It is found, whatever the time, and is never a record.
func TestAPreregisteredClientIsFoundButNotStored(t *testing.T) {
	f := newFixture(t, func(cfg *Config) {
		cfg.Preregistered = []Preregistered{{ID: "desk", Name: "Desk", RedirectURIs: []string{redirect, "https://desk.example/cb"}, Secrets: []string{firstSecret}}}
	})
	f.clock = f.clock.Add(1000 * unused)
	c, err := f.Lookup(t.Context(), "desk")
	if err != nil || c.ID != "desk" || c.Name != "Desk" || len(c.RedirectURIs) != 2 {
		t.Errorf("Lookup = %+v, %v", c, err)
	}
	registered := f.register(metadata("App", redirect))
	f.update(func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.Client(ctx, "desk"); err != store.ErrNotFound {
			t.Errorf("it is a record: %v", err)
		}
		for id, want := range map[string]string{"desk": "Desk", registered.ID: "App"} {
			if name, err := f.Name(ctx, tx, id); name != want || err != nil {
				t.Errorf("Name(%s) = %q, %v", id, name, err)
			}
		}
		if name, err := f.Name(ctx, tx, "nobody"); name != "" || err != store.ErrNotFound {
			t.Errorf("the name of nobody: %q, %v", name, err)
		}
		return nil
	})
	if text := fmt.Sprintf("%+v %+v", f.Config, f.listed); strings.Contains(text, firstSecret) {
		t.Error("a secret is kept in clear")
	}
}
