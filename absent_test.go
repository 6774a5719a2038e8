package foyer

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// T43, X4, X5 and X11: no identity provider and no device sends its answer: there is
// no route that would take one.
func TestT43NoRouteTakesAnotherIssuersAnswer(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/login", "/signin", "/callback", "/oauth/callback", "/auth/callback", "/oauth2/callback", "/device",
		"/device/code", "/device_authorization", "/userinfo", "/logout", "/session", "/upstream", "/saml/acs", "/par", "/bc-authorize", "/oidc/callback"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r, err := http.NewRequestWithContext(t.Context(), method, h.issuer+path+"?code=x&state=y", strings.NewReader("code=x&state=y"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", form)
			res := h.send(t, r)
			res.Body.Close()
			if res.StatusCode != http.StatusNotFound || len(res.Cookies()) > 0 || res.Header.Get("Location") != "" {
				t.Errorf("%s %s: %d %v", method, path, res.StatusCode, res.Header)
			}
		}
	}
	var doc oauth.ServerMetadata
	if err := json.NewDecoder(h.get(t, "/.well-known/oauth-authorization-server").Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.Join(doc.GrantTypesSupported, " "), "device") {
		t.Errorf("grant types: %v", doc.GrantTypesSupported)
	}
	status, told := h.token(t, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {"x"}, "client_id": {"x"}})
	if status != http.StatusBadRequest || told["error"] != "unsupported_grant_type" {
		t.Errorf("a device code: %d %v", status, told)
	}
}

// who was given a scope has what it implies, at once and as long.
func TestR34ABroaderScopeOpensWhatANarrowerOneDoes(t *testing.T) {
	h := newBank(t)
	g := h.guest(t)
	g.signIn(t, "ann@example.com")
	give := func(scopes ...string) {
		t.Helper()
		err := h.store.Update(t.Context(), func(tx store.Tx) error {
			c, err := tx.Token(t.Context(), secret.HashOf(g.access))
			if err != nil {
				return err
			}
			gr, err := tx.Grant(t.Context(), c.GrantID)
			if err != nil {
				return err
			}
			gr.Scopes = scopes
			return tx.PutGrant(t.Context(), gr)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		scopes []string
		status int
	}{
		{[]string{"guest"}, http.StatusForbidden},
		{[]string{"guest", "ledger:write"}, http.StatusOK},
		{[]string{"guest", "journal:write"}, http.StatusForbidden},
		{[]string{"guest", "ledger:read"}, http.StatusOK},
	} {
		give(test.scopes...)
		if a := g.call(t, "read_ledger", ""); a.status != test.status {
			t.Errorf("%v: %d %s", test.scopes, a.status, a.raw)
		}
	}
}
