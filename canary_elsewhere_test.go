package foyer

import (
	"crypto/ecdsa"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// The secrets of resource servers, the JWTs and the keys that sign them: in no
// log, no file and no table, also when the store fails.
func TestT60NothingOfResourceServersIsKept(t *testing.T) {
	records := &faulty{}
	h := newHouse(t, elsewhere, func(cfg *Config) {
		records.Store = cfg.Store
		cfg.Store = records
	})
	g := h.guestOf(t, filesURL)
	secrets := []canary{{kind: "access token", value: g.access}}
	g.claim(t, "user_ann")
	for range 2 {
		before := g.refresh
		g.renew(t)
		if status, body := g.refreshed(t, before); status != http.StatusOK || body["access_token"] != g.access {
			t.Fatalf("the same JWT: %d", status)
		}
		parts := strings.Split(g.access, ".")
		secrets = append(secrets, canary{kind: "claims of a JWT", value: parts[1]}, canary{kind: "signature of a JWT", value: parts[2]})
	}
	ask := func(password, token string) int {
		r := h.form(t, "/introspect", url.Values{"token": {token}})
		r.SetBasicAuth("files", password)
		res := h.send(t, r)
		res.Body.Close()
		return res.StatusCode
	}
	const wrong = "zq9canary: a wrong secret, of the files"
	got := []int{ask(filesSecret, g.access), ask(filesSecret, "zq9canarytoken"), ask(wrong, g.access)}
	records.off.Store(true)
	got = append(got, ask(filesSecret, g.access), ask(wrong, g.access))
	status, _ := g.refreshed(t, g.refresh)
	records.off.Store(false)
	if want := []int{200, 200, 401, 500, 401, 500}; !slices.Equal(append(got, status), want) {
		t.Errorf("%v, %d; want %v", got, status, want)
	}
	for _, key := range h.kit.keys.SigningKeys() {
		raw, err := key.(*ecdsa.PrivateKey).Bytes()
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, canary{kind: "signing key", value: string(raw)})
	}
	secrets = append(secrets, canary{kind: "secret of a resource server", value: filesSecret}, canary{kind: "wrong secret", value: wrong},
		canary{kind: "unknown token", value: "zq9canarytoken"})
	places := func() []place {
		return append(append(h.files(t), h.dump(t, "foyer.db")...), place{"log", h.log.String()})
	}
	for _, finding := range found(places(), secrets) {
		t.Error(finding)
	}
	if !strings.Contains(h.log.String(), "path=/introspect") {
		t.Error("the log knows of no fault: the story is too short")
	}
	for _, c := range secrets {
		if len(found([]place{{"log", "a careless record: " + c.value}}, secrets)) == 0 {
			t.Errorf("a %s is not found", c.kind)
		}
	}
}
