package authserver

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/oauth"
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
	mine := grant.Asked{ClientID: id, RedirectURI: "https://evil.example/", CodeChallenge: challenge, Resource: resource, Browser: hash[:], Guests: true, Issued: r.clock()}
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
		{"a request that names no browser, without a cookie", seal(r.Keys, "authorization request", nobody), nil, old},
		{"tampered", url.Values{"request": {string(tampered)}}, []string{cookie}, old},
		{"cut", url.Values{"request": {own.Get("request")[:40]}}, []string{cookie}, old},
		{"empty", url.Values{"request": {""}}, []string{cookie}, old},
		{"no request", url.Values{}, []string{cookie}, old},
		{"sealed by another server", seal(foreignKeys, "authorization request", mine), []string{cookie}, old},
		{"sealed for another purpose", seal(r.Keys, "authorization code", mine), []string{cookie}, old},
		{"an authorization code", url.Values{"request": {code.Reveal()}}, []string{cookie}, old},
		{"no object under the seal", seal(r.Keys, "authorization request", []string{"x"}), []string{cookie}, old},
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

// T49: a private-use redirect that nobody vouches for has a page with
// a button, and then a page with a link, because browsers may stay where an app
// is to be opened.
func TestAPrivateUseRedirectHasAButtonAndThenALink(t *testing.T) {
	for uri, scheme := range map[string]string{
		private: "com.example.app", "claude://oauth/callback": "claude", "vscode:redirect": "vscode", "cursor://anysphere.other/callback?keep=1": "cursor",
	} {
		r := newRoom(t)
		id := r.register("App", uri)
		first := r.authorize(good(id, uri))
		if first.Code != http.StatusOK || sealedIn(first) == "" || first.Header().Get("Location") != "" || first.Header().Get("Refresh") != "" ||
			!strings.Contains(first.Body.String(), "<button>Continue to "+scheme+" (an app on this device)</button>") {
			t.Fatalf("%s: %s %v\n%s", uri, outcome(first), first.Header(), first.Body)
		}
		second := r.post("/authorize", url.Values{"request": {sealedIn(first)}}, setCookie(first))
		found := link.FindStringSubmatch(second.Body.String())
		if second.Code != http.StatusOK || found == nil || !strings.Contains(second.Body.String(), ">Continue to "+scheme+" (an app on this device)</a>") {
			t.Fatalf("%s: %s\n%s", uri, outcome(second), second.Body)
		}
		to := html.UnescapeString(found[1])
		if to != destinationOf(second) || !strings.HasPrefix(to, uri) {
			t.Errorf("%s: the link leads to %s, the page to %s", uri, to, destinationOf(second))
		}
		r.redeem(id, uri, codeIn(t, to))
	}
}

// Client rule (i): who comes with an ID that is unknown here is told what to do: a
// person by a page that names the app, a program by JSON.
func TestADeadClientID(t *testing.T) {
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, test := range []struct {
		name, accept string
		off, program bool
		want         []string
	}{
		{"a browser", browser, false, false, []string{"Claude: ", "Claude Code: ", "ChatGPT: ", "Cursor: ", "VS Code: ", "MCP Inspector: ", "mcp-remote: ", "Remove Notes from the app and add it again"}},
		{"a browser, where nobody registers", browser, true, false, []string{"Ask whoever runs Notes for a client ID"}},
		{"a browser that takes JSON too", "text/html, application/json", false, false, []string{"MCP Inspector: "}},
		{"who takes anything", "*/*", false, false, []string{"MCP Inspector: "}},
		{"who says nothing", "-", false, false, []string{"MCP Inspector: "}},
		{"mcp-remote, which looks first", "application/json", false, true, []string{"register again"}},
		{"a library", "application/json, text/plain, */*", false, true, []string{"register again"}},
		{"a program, where nobody registers", "application/json", true, true, []string{"ask whoever runs it for a client_id"}},
	} {
		r := newRoom(t, func(cfg *Config) { cfg.Registration.Off = test.off })
		expired, err := r.Clients.Register(t.Context(), oauth.ClientMetadata{RedirectURIs: []string{loopback}})
		if err != nil {
			t.Fatal(err)
		}
		r.update(forget(expired.ID))
		for _, id := range []string{expired.ID, "client_X", "x"} {
			w := r.authorize(good(id, loopback), "Accept: "+test.accept)
			if w.Code != http.StatusBadRequest || w.Header().Get("Location") != "" || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s, %s: %d %v", test.name, id, w.Code, w.Header())
			}
			if test.program {
				if body := object(t, w); body["error"] != "invalid_client" || len(body) != 2 {
					t.Errorf("%s, %s: %v", test.name, id, body)
				}
			} else if heading(w) == "" {
				t.Errorf("%s, %s: no page: %s", test.name, id, w.Body)
			}
			for _, want := range test.want {
				if !strings.Contains(html.UnescapeString(w.Body.String()), want) {
					t.Errorf("%s, %s: no %q in\n%s", test.name, id, want, w.Body)
				}
			}
		}
	}
	r := newRoom(t)
	w := r.post("/token", renewal("client_X", "fyr_x"))
	if body := object(t, w); w.Code != http.StatusUnauthorized || body["error"] != "invalid_client" || !strings.Contains(body["error_description"].(string), "register again") {
		t.Errorf("/token: %d %v", w.Code, body)
	}
}

// X56: a person who has opened the page twice may press the button of either.
func TestX56TheButtonOfAnEarlierPageWorks(t *testing.T) {
	r := newRoom(t)
	id := r.register("Test", foreign)
	first, cookie := r.press(id)
	page := r.authorize(good(id, foreign), cookie)
	second := url.Values{"request": {sealedIn(page)}}
	for name, form := range map[string]url.Values{"the first": first, "the second": second, "the first again": first} {
		if w := r.post("/authorize", form, cookie, "Sec-Fetch-Site: same-origin"); w.Code != http.StatusOK || !strings.Contains(destinationOf(w), "code=") {
			t.Errorf("%s: %d %s", name, w.Code, destinationOf(w))
		}
	}
}
