package foyer

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// visit opens a page of this server.
func (b *browser) visit(t testing.TB, path string) response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.issuer+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b.do(t, r)
}

// A state may have 4096 bytes, also where it goes through sign-in and consent: it
// comes back as it was, and the buttons work.
func TestTheLongestStateGoesThroughConsent(t *testing.T) {
	h := newHouse(t)
	b, client := h.browser(t), h.client(t, "App")
	state := strings.Repeat("\xff", 4096)
	page := b.signsIn(t, b.follow(t, b.authorize(t, client, "scope", "journal:export", "state", state)), "ann@example.com")
	no := b.fill(t, page, 0, url.Values{"decision": {"deny"}})
	to, err := url.Parse(strings.TrimPrefix(no.header.Get("Refresh"), "0; url="))
	if err != nil || no.status != http.StatusOK || to.Query().Get("state") != state {
		t.Errorf("%d %v", no.status, err)
	}
}

// T49: a page leads on to pages of ours alone, whatever stands in its path.
func TestT49NoPathLeadsElsewhere(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{`/confirm/..%2F%5Cevil.example`, `/confirm/..%2F%2Fevil.example`, `/confirm/%2F%2Fevil.example`, `/confirm/%2e%2e%2f%5c%5cevil.example`,
		`//evil.example/confirm/x`, `/%5Cevil.example/confirm/x`} {
		if r := h.browser(t).visit(t, path); r.status != http.StatusNotFound || strings.Contains(r.body, "<form") {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
}
