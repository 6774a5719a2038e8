package foyer

import (
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
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

// T40, T49: a page of consent asks the host of a document that may not be kept no more
// often than /authorize does, and gives nothing to a place that the client has left.
func TestT40T49ConsentLooksAtTheDocumentAgain(t *testing.T) {
	d := newDocumentHost(t)
	d.control = "no-store"
	h := newHouse(t, d.anywhere, func(cfg *Config) { cfg.DangerouslyExemptLoopback = false })
	b := h.browser(t)
	link := b.authorize(t, d.id(), "scope", "journal:export")
	page := b.signsIn(t, b.follow(t, link), "ann@example.com")
	d.moved.Store(true)
	if r := b.fill(t, page, 0, url.Values{"decision": {"allow"}, "scope": {"journal:export"}}); r.status != http.StatusForbidden || r.header.Get("Refresh") != "" {
		t.Errorf("a place that the client has left: %d %v", r.status, r.header)
	}
	d.moved.Store(false)
	refused := 0
	for range 30 {
		if r := b.follow(t, link); r.status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 || d.asks.Load() > 10 {
		t.Errorf("the host was asked %d times, and %d requests were refused", d.asks.Load(), refused)
	}
}

// T41, T42: a grant that continues another has its scopes, also those that nobody
// asks for now. Any app on a device can use the client ID of another, so that who
// approves is shown all of them; another user's are neither shown nor given.
func TestT41T42ConsentShowsWhatGoesOn(t *testing.T) {
	h := newHouse(t)
	b, client := h.browser(t), h.client(t, "App")
	export, write := "copy of your whole journal", "Write, change and delete"
	first := b.signsIn(t, b.follow(t, b.authorize(t, client, "scope", "journal:export")), "ann@example.com")
	if strings.Contains(first.body, "goes on") {
		t.Errorf("nothing goes on: %s", first.body)
	}
	before := b.allow(t, first, client)
	page := b.follow(t, b.authorize(t, client, "scope", "journal:write"))
	if text := html.UnescapeString(page.body); !strings.Contains(text, "What it may do already goes on") || !strings.Contains(text, export) || !strings.Contains(text, write) {
		t.Errorf("the page does not show what goes on: %s", text)
	}
	bob := b.fill(t, page, 0, url.Values{"decision": {"other"}})
	page = b.signsIn(t, bob, "bob@example.com")
	if text := html.UnescapeString(page.body); strings.Contains(text, "goes on") || strings.Contains(text, export) {
		t.Errorf("another user is shown ann's: %s", text)
	}
	if gr := b.allow(t, page, client).bearer(t).Grant; slices.Contains(gr.Scopes, "journal:export") || gr.Continues != "" {
		t.Errorf("another user has ann's: %+v", gr)
	}
	if a := before.call(t, "whoami", ""); a.status != http.StatusOK {
		t.Errorf("ann's grant ended: %d %s", a.status, a.raw)
	}
}

// Who presses the button twice, or comes back to it, is told to wait: the digits that
// are under way stay good, and can be typed.
func TestAButtonPressedTwiceLosesNoDigits(t *testing.T) {
	h := newHouse(t)
	b, client := h.browser(t), h.client(t, "App")
	first := b.follow(t, b.authorize(t, client, "scope", "journal:export"))
	b.fill(t, first, 0, url.Values{"email": {"ann@example.com"}})
	digits := digitsIn(t, b.mail(t, "ann@example.com"))
	again := b.fill(t, first, 0, url.Values{"email": {"Ann@example.com"}})
	if again.status != http.StatusUnprocessableEntity || !strings.Contains(again.body, "Too many codes were asked for. Ask again in") || !strings.Contains(again.body, `name="code"`) {
		t.Errorf("the second time: %d %s", again.status, again.body)
	}
	if other := b.fill(t, first, 0, url.Values{"email": {"bob@example.com"}}); other.status != http.StatusOK {
		t.Errorf("another address: %d", other.status)
	}
	if r := b.fill(t, again, 0, url.Values{"code": {digits}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("digits of before another address was asked for: %d", r.status)
	}
	b = h.browser(t)
	h.advance(time.Minute)
	first = b.follow(t, b.authorize(t, client, "scope", "journal:export"))
	b.fill(t, first, 0, url.Values{"email": {"ann@example.com"}})
	digits = digitsIn(t, b.mail(t, "ann@example.com"))
	again = b.fill(t, first, 0, url.Values{"email": {"ann@example.com"}})
	if r := b.fill(t, again, 0, url.Values{"code": {digits}}); r.status != http.StatusSeeOther {
		t.Errorf("the digits of the first time: %d %s", r.status, r.body)
	}
}
