package authserver

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/foyer/internal/client"
)

// pages are all pages, by what brings them.
func (r *room) pages(name string) map[string]*httptest.ResponseRecorder {
	r.t.Helper()
	id := r.register(name, loopback, foreign, private)
	first := r.authorize(good(id, loopback))
	button := r.authorize(good(id, foreign))
	all := map[string]*httptest.ResponseRecorder{
		"broken":           r.send(http.MethodGet, "/authorize?a=%zz", ""),
		"incomplete":       r.send(http.MethodGet, "/authorize", ""),
		"unknown client":   r.authorize(good("client_X", loopback)),
		"wrong redirect":   r.authorize(good(id, "https://evil.example/cb")),
		"foretold":         r.authorize(good(r.register(name, foreign+"?iss=x"), foreign+"?iss=x")),
		"mistake":          r.authorize(good(id, foreign, "response_type", "token")),
		"private mistake":  r.authorize(good(id, private, "response_type", "token")),
		"leaving":          button,
		"leaving, private": r.authorize(good(id, private)),
		"on the way":       r.post("/authorize", url.Values{"request": {sealedIn(button)}}, setCookie(button)),
		"stale":            r.post("/authorize", url.Values{"request": {"x"}}),
		"garbled":          r.send(http.MethodPost, "/authorize", "", "Content-Type: -"),
	}
	h := r.documents(client.Trust{Hosts: []string{"127.0.0.1"}})
	all["bad document"] = r.authorize(good(h.id()+"?a", loopback))
	all["distrusted"] = r.authorize(good("https://claude.ai/client.json", loopback))
	h.fails.Store(true)
	all["unread document"] = r.authorize(good(h.id(), loopback))
	all["crowded"] = httptest.NewRecorder()
	r.page(all["crowded"], httptest.NewRequest(http.MethodGet, "/authorize", nil), http.StatusTooManyRequests, crowded)
	r.claim(r.redeem(id, loopback, codeIn(r.t, first.Header().Get("Location"))).access, "jane@example.com")
	all["as a guest"] = r.authorize(good(id, loopback), setCookie(first))
	r.store.Close()
	all["failed"] = r.authorize(good(id, loopback))
	return all
}

var styleTag = regexp.MustCompile(`(?s)<style>(.*?)</style>`)

// T51, T54, R-90, R-95: every header of every page. The one style that may be
// used is the one that is sent.
func TestPagesAreSealed(t *testing.T) {
	for name, w := range newRoom(t).pages("Inspector") {
		style := styleTag.FindStringSubmatch(w.Body.String())
		if style == nil {
			t.Fatalf("%s: no style: %d %s", name, w.Code, w.Body)
		}
		sum := sha256.Sum256([]byte(style[1]))
		want := http.Header{
			"Content-Type":  {"text/html; charset=utf-8"},
			"Cache-Control": {"no-store"},
			"Content-Security-Policy": {"default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
				"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"},
			"X-Frame-Options":            {"DENY"},
			"X-Content-Type-Options":     {"nosniff"},
			"Referrer-Policy":            {"no-referrer"},
			"Cross-Origin-Opener-Policy": {"same-origin"},
		}
		got := w.Header().Clone()
		got.Del("Set-Cookie")
		if refresh := got.Get("Refresh"); (refresh != "") != (name == "on the way") {
			t.Errorf("%s: Refresh: %q", name, refresh)
		}
		got.Del("Refresh")
		for header := range want {
			if !slices.Equal(got[header], want[header]) {
				t.Errorf("%s: %s: %q, want %q", name, header, got[header], want[header])
			}
			got.Del(header)
		}
		if len(got) != 0 {
			t.Errorf("%s: headers that nobody expects: %v", name, got)
		}
	}
}

// A page says where one is and what to do, to everyone, and needs nothing but
// HTML for it.
func TestPagesArePlain(t *testing.T) {
	for name, w := range newRoom(t).pages("Inspector") {
		body := w.Body.String()
		if !strings.HasPrefix(body, "<!doctype html>\n<html lang=\"en\">\n") || strings.Count(body, "<h1>") != 1 || strings.Count(body, "<main>") != 1 {
			t.Errorf("%s: no language, no heading or two:\n%s", name, body)
		}
		if title := html.EscapeString(heading(w)) + " – Notes"; !strings.Contains(body, "<title>"+title+"</title>") {
			t.Errorf("%s: no title %q:\n%s", name, title, body)
		}
		if !strings.Contains(body, `<meta name="viewport" content="width=device-width, initial-scale=1">`) {
			t.Errorf("%s: phones show it small", name)
		}
		for _, word := range []string{"<script", "javascript:", " on", "src=", "<link", "@import", "url(", "<iframe", "style="} {
			tags := regexp.MustCompile(`<[^>]*>`).FindAllString(body, -1)
			if slices.ContainsFunc(tags, func(tag string) bool { return strings.Contains(tag, word) }) || word != " on" && strings.Contains(body, word) {
				t.Errorf("%s: has %q:\n%s", name, word, body)
			}
		}
		for _, gap := range []string{"%!", "<no value>", "ZgotmplZ", " .", "..", "  ", "<p></p>", "“”"} {
			if text := regexp.MustCompile(`(?s)<style>.*</style>`).ReplaceAllString(body, ""); strings.Contains(text, gap) {
				t.Errorf("%s: has %q:\n%s", name, gap, text)
			}
		}
		if next := sealedIn(w) != "" || strings.Contains(body, "href=") || regexp.MustCompile(`Go back|Try again|Remove|remove|Close|close`).MatchString(body); !next {
			t.Errorf("%s: no next step:\n%s", name, body)
		}
	}
}

// T54, R-84: what a client calls itself is text, whatever it is, and looks like
// a name in quotation marks; what it sends is shown nowhere else.
func TestPagesEscapeWhatClientsSay(t *testing.T) {
	for _, test := range []struct{ name, shown string }{
		{`<script>alert(1)</script>`, `“&lt;script&gt;alert(1)&lt;/script&gt;”`},
		{`"><img src=x onerror=alert(1)>`, `“&gt;&lt;img src=x onerror=alert(1)&gt;”`},
		{`' onmouseover='x`, `“&#39; onmouseover=&#39;x”`},
		{"Claude” by Anthropic. Checked. “", `“Claude by Anthropic. Checked.”`},
		{"\u202egnihsihp\u202c\u2066", `“gnihsihp”`},
		{"{{.App}}", `“{{.App}}”`},
		{"line\nbreak\r\n\tand tab", `“line break and tab”`},
		{strings.Repeat("W", 200), `“` + strings.Repeat("W", 63) + `…”`},
		{"", "an app without a name"},
	} {
		for where, w := range newRoom(t).pages(test.name) {
			body := w.Body.String()
			if strings.Contains(body, "<script") || strings.Contains(body, "<img") || strings.ContainsAny(body, "\u202e\u202c\u2066\u0000") {
				t.Errorf("%s: %q is markup:\n%s", where, test.name, body)
			}
			named := slices.Contains([]string{"wrong redirect", "foretold", "mistake", "private mistake", "leaving", "leaving, private", "as a guest"}, where)
			if strings.Contains(body, test.shown) != named {
				t.Errorf("%s: shows %q: %v, want %v:\n%s", where, test.shown, !named, named, body)
			}
		}
	}
}

// What stands in a request is in no page but behind its seal, or escaped in its
// link.
func TestPagesShowNothingOfARequest(t *testing.T) {
	r := newRoom(t)
	id := r.register("Test", foreign)
	const evil = `"><script>alert(1)</script>`
	for name, q := range map[string]url.Values{
		"a client":        good(evil, foreign),
		"a redirect URI":  good(id, foreign+evil),
		"a state":         good(id, foreign, "state", evil),
		"a wrong state":   good(id, foreign, "state", evil, "response_type", "token"),
		"a response type": good(id, foreign, "response_type", evil),
		"a scope":         good(id, foreign, "scope", evil),
		"a resource":      good(id, foreign, "resource", evil),
		"a challenge":     good(id, foreign, "code_challenge", evil),
		"a method":        good(id, foreign, "code_challenge_method", evil),
		"a name":          good(id, foreign, evil, evil),
	} {
		if body := r.authorize(q).Body.String(); strings.Contains(body, "<script") || strings.Contains(body, "alert(1)") {
			t.Errorf("%s is shown:\n%s", name, body)
		}
	}
}

// whoever is asked sees where the button leads; a port that is not the
// usual one too.
func TestPagesNameTheDestination(t *testing.T) {
	for uri, want := range map[string]string{
		"https://app.example/cb":      "app.example",
		"https://APP.Example:443/cb":  "app.example",
		"https://app.example:8443/cb": "app.example:8443",
		"https://192.0.2.1/cb":        "192.0.2.1",
		"https://[2001:db8::1]/cb":    "[2001:db8::1]",
		"https://xn--pple-43d.com/cb": "xn--pple-43d.com", // never as the letters that it imitates
		"https://claude.ai/other":     "claude.ai",
		"com.example.app:/cb":         "com.example.app (an app on this device)",
		"claude://callback":           "claude (an app on this device)",
	} {
		r := newRoom(t)
		w := r.authorize(good(r.register("Test", uri), uri))
		if heading(w) != "Continue to "+want+"?" || !strings.Contains(w.Body.String(), "<button>Continue to "+want+"</button>") {
			t.Errorf("%s: %s\n%s", uri, outcome(w), w.Body)
		}
	}
}
