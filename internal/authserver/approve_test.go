package authserver

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/secret"
)

// press opens the page with the button for clientID, and returns what its form
// sends, and the cookie of the browser.
func (r *room) press(clientID string) (form url.Values, cookie string) {
	r.t.Helper()
	page := r.authorize(good(clientID, foreign))
	form = url.Values{"request": {sealedIn(page)}}
	if form.Get("request") == "" || setCookie(page) == "" {
		r.t.Fatalf("no button: %s", outcome(page))
	}
	return form, setCookie(page)
}

func destinationOf(w *httptest.ResponseRecorder) string {
	return strings.TrimPrefix(w.Header().Get("Refresh"), "0; url=")
}

// T50, R-90 and X1: who may press the button.
func TestTheButton(t *testing.T) {
	r := newRoom(t)
	id := r.register("Test", foreign)
	own, cookie := r.press(id)
	others, _ := r.press(id)
	foreignKeys, err := secret.NewKeys([]string{strings.Repeat("o", 32)})
	if err != nil {
		t.Fatal(err)
	}
	seal := func(keys secret.Keys, purpose string, v any) url.Values {
		sealed, err := keys.Seal(purpose, v)
		if err != nil {
			t.Fatal(err)
		}
		return url.Values{"request": {sealed.Reveal()}}
	}
	_, value, _ := strings.Cut(cookie, "=")
	hash := secret.HashOf(value)
	mine := sealedRequest{ClientID: id, RedirectURI: "https://evil.example/", CodeChallenge: challenge, Resource: resource, Browser: hash[:], Issued: r.clock()}
	code, err := r.Grants.Code(grant.Authorization{ClientID: id, RedirectURI: foreign, Browser: hash[:]})
	if err != nil {
		t.Fatal(err)
	}
	tampered := []byte(own.Get("request"))
	tampered[len(tampered)/2] ^= 1
	nobody, empty := mine, secret.HashOf("")
	nobody.Browser = empty[:]

	const (
		old     = "403 That button no longer works"
		garbled = "400 That did not arrive whole"
		onward  = "200 On the way -> " + foreign + "?code=…" + issXYZ
	)
	for _, test := range []struct {
		name    string
		form    url.Values
		headers []string
		want    string
	}{
		{"a person", own, []string{cookie, "Sec-Fetch-Site: same-origin", "Origin: null"}, onward},
		{"a person whose browser says nothing", own, []string{cookie}, onward},
		{"a person whose browser names the origin alone", own, []string{cookie, "Origin: https://notes.example", "Host: notes.example"}, onward},
		{"a request of another browser (malloyyo #97)", others, []string{cookie}, old},
		{"from another site", own, []string{cookie, "Sec-Fetch-Site: cross-site"}, old},
		{"from another host of this site", own, []string{cookie, "Sec-Fetch-Site: same-site"}, old},
		{"from another origin", own, []string{cookie, "Origin: https://evil.example"}, old},
		{"from a sandbox", own, []string{cookie, "Origin: null"}, old},
		{"without a cookie", own, nil, old},
		{"with a cookie that is none", own, []string{"Cookie: __Host-foyer=x"}, old},
		{"a request that names no browser, without a cookie", seal(r.Keys, requestPurpose, nobody), nil, old},
		{"tampered", url.Values{"request": {string(tampered)}}, []string{cookie}, old},
		{"cut", url.Values{"request": {own.Get("request")[:40]}}, []string{cookie}, old},
		{"empty", url.Values{"request": {""}}, []string{cookie}, old},
		{"no request", url.Values{}, []string{cookie}, old},
		{"sealed by another server", seal(foreignKeys, requestPurpose, mine), []string{cookie}, old},
		{"sealed for another purpose", seal(r.Keys, "authorization code", mine), []string{cookie}, old},
		{"an authorization code", url.Values{"request": {code.Reveal()}}, []string{cookie}, old},
		{"no object under the seal", seal(r.Keys, requestPurpose, []string{"x"}), []string{cookie}, old},
		{"two requests", url.Values{"request": {own.Get("request"), own.Get("request")}}, []string{cookie}, garbled},
		{"no form", own, []string{cookie, "Content-Type: -"}, garbled},
		{"JSON", own, []string{cookie, "Content-Type: application/json"}, garbled},
		{"text, which every page can send", own, []string{cookie, "Content-Type: text/plain"}, garbled},
	} {
		w := r.post("/authorize", test.form, test.headers...)
		if got := outcome(w); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
		if setCookie(w) != "" || test.want != onward && (w.Header().Get("Refresh") != "" || strings.Contains(w.Body.String(), "href")) {
			t.Errorf("%s: sets a cookie, or leads somewhere: %v", test.name, w.Header())
		}
	}
	if got := outcome(r.send(http.MethodPost, "/authorize?"+own.Encode(), "", cookie)); got != old {
		t.Errorf("a request in the query: %s", got)
	}
	if got := outcome(r.post("/authorize", url.Values{"request": {strings.Repeat("x", maxForm)}}, cookie)); got != "413 That did not arrive whole" {
		t.Errorf("a huge form: %s", got)
	}
}

func TestTheButtonWorksForTenMinutes(t *testing.T) {
	r := newRoom(t)
	form, cookie := r.press(r.register("Test", foreign))
	r.advance(10*time.Minute - time.Nanosecond)
	if w := r.post("/authorize", form, cookie); w.Code != http.StatusOK {
		t.Errorf("just before: %s", outcome(w))
	}
	r.advance(time.Nanosecond)
	if w := r.post("/authorize", form, cookie); w.Code != http.StatusForbidden {
		t.Errorf("after: %s", outcome(w))
	}
}

// T56: pressed twice, the button gives two codes, and each only a guest's grant.
func TestTheButtonGivesGuestsOnly(t *testing.T) {
	r := newRoom(t)
	id := r.register("Test", foreign)
	form, cookie := r.press(id)
	var codes, guests []string
	for range 2 {
		w := r.post("/authorize", form, cookie)
		codes = append(codes, codeIn(t, destinationOf(w)))
		issued := r.redeem(id, foreign, codes[len(codes)-1])
		b, err := r.Grants.Check(t.Context(), issued.access, resource)
		if err != nil || b.Grant.UserID != "" || issued.scope != "guest" || strings.Join(b.Grant.Scopes, " ") != "guest" {
			t.Errorf("the button gave %+v %q, %v", b.Grant, issued.scope, err)
		}
		guests = append(guests, b.Grant.GuestID)
	}
	if codes[0] == codes[1] || guests[0] == guests[1] {
		t.Error("two presses gave one guest")
	}
}

// The code behind the button is bound to what the page was opened with (T46).
func TestTheCodeBehindTheButtonIsBound(t *testing.T) {
	r := newRoom(t)
	id, other := r.register("Test", foreign, "https://app.example/other"), r.register("Other", foreign)
	form, cookie := r.press(id)
	code := codeIn(t, destinationOf(r.post("/authorize", form, cookie)))
	for name, bad := range map[string]url.Values{
		"another redirect URI": redemption(id, "https://app.example/other", code),
		"another client":       redemption(other, foreign, code),
		"another verifier":     redemption(id, foreign, code, "code_verifier", strings.Repeat("v", 43)),
		"another resource":     redemption(id, foreign, code, "resource", issuer+"/other"),
	} {
		if w := r.post("/token", bad); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	r.redeem(id, foreign, code)
}
