package foyer

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"
)

// T08: who was connected by a client in a browser signs in there, whatever strangers
// have done to the address; in another browser nobody does, and no page says which of
// the two it is.
func TestT08StrangersShutNoKnownBrowser(t *testing.T) {
	h := newHouse(t)
	home, elsewhere, client := h.browser(t), h.browser(t), h.client(t, "App")
	home.guest(t, client).signIn(t, "ann@example.com")
	h.advance(25 * time.Hour)
	for range 4 {
		stranger := h.guest(t)
		if a := stranger.call(t, "authenticate", `{"email":"ann@example.com"}`); a.isError {
			t.Fatal(a.text)
		}
		for range 5 {
			stranger.call(t, "validate_token", `{"code":"000000"}`)
		}
	}
	mailed := func(b *browser) (response, string) {
		t.Helper()
		before := h.mail(t, "ann@example.com")
		page := b.fill(t, b.open(t, "/account"), 0, url.Values{"email": {"ann@example.com"}})
		if after := h.mail(t, "ann@example.com"); after != before {
			return page, digitsIn(t, after)
		}
		return page, ""
	}
	theirs, none := mailed(elsewhere)
	hers, digits := mailed(home)
	if none != "" || digits == "" {
		t.Fatalf("mailed elsewhere: %v; at home: %v", none != "", digits != "")
	}
	sealed := regexp.MustCompile(`value="[^"]{40,}"`)
	if a, b := sealed.ReplaceAllString(theirs.body, ""), sealed.ReplaceAllString(hers.body, ""); theirs.status != hers.status || a != b {
		t.Errorf("the pages differ:\n%s\n%s", a, b)
	}
	if done := home.fill(t, hers, 0, url.Values{"code": {digits}}); done.status != http.StatusSeeOther {
		t.Errorf("at home: %d %s", done.status, done.body)
	}
	if r := elsewhere.fill(t, theirs, 0, url.Values{"code": {digits}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("elsewhere: %d %s", r.status, r.body)
	}
}
