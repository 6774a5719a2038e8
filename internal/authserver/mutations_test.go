package authserver

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// spoil changes a text in one of the ways in which requests are wrong.
func spoil(rng *rand.Rand, s string) string {
	odd := []string{"\x00", "\xff", "%", "%zz", "%00", "\r\n", " ", "\u202e", "'", `"`, "<script>", ";", "#", "?", "&", "=", "/../", "\\", "@", "🙂", "null", "-1", "[]", "{}",
		strings.Repeat("a", 5000), strings.Repeat("%41", 3000)}
	at := rng.IntN(len(s) + 1)
	switch rng.IntN(6) {
	case 0:
		return s[:at]
	case 1:
		return s[:at] + s + s[at:]
	case 2:
		if at < len(s) {
			return s[:at] + string(s[at]^byte(1<<rng.IntN(8))) + s[at+1:]
		}
		return s + s
	case 3:
		return strings.ToUpper(s)
	}
	return s[:at] + odd[rng.IntN(len(odd))] + s[at:]
}

// spoilForm changes one value, name or the number of a form's parameters.
func spoilForm(rng *rand.Rand, good url.Values) string {
	form := url.Values{}
	var names []string
	for name := range good {
		form[name] = append([]string(nil), good[name]...)
		names = append(names, name)
	}
	for range 1 + rng.IntN(3) {
		name := names[rng.IntN(len(names))]
		switch rng.IntN(5) {
		case 0:
			form.Del(name)
		case 1:
			form.Add(name, form.Get(name))
		case 2:
			form.Add(spoil(rng, name), form.Get(name))
		default:
			form.Set(name, spoil(rng, form.Get(name)))
		}
	}
	text := form.Encode()
	if rng.IntN(4) == 0 {
		text = spoil(rng, text)
	}
	return text
}

// Whatever comes, the answer is one that was thought of: never a fault, never
// HTML for a program, never a way to a place that was not registered.
func TestNoRequestIsAFault(t *testing.T) {
	const rounds = 6000
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	r := newRoom(t, confidential)
	id, issued := r.guest()
	open := r.register("Open", foreign, private)
	button := r.authorize(good(open, foreign))
	cookie := setCookie(button)
	code, assertion := r.code(id, loopback), r.assertion("signing")
	const metadata = `{"client_name":"Test","redirect_uris":["` + loopback + `","cursor://anysphere.cursor-mcp/oauth/callback"],"application_type":"native","scope":"a"}`
	for range rounds {
		method, target, body := http.MethodPost, "/token", ""
		headers := []string{}
		switch rng.IntN(10) {
		case 0, 1:
			method, target = http.MethodGet, "/authorize?"+spoilForm(rng, good(id, loopback))
		case 2:
			method, target = http.MethodGet, "/authorize?"+spoilForm(rng, good(open, []string{foreign, private}[rng.IntN(2)]))
		case 3:
			target, body = "/authorize", spoilForm(rng, url.Values{"request": {sealedIn(button)}, "x": {"y"}})
		case 4:
			target, body, headers = "/register", spoil(rng, spoil(rng, metadata)), []string{"Content-Type: application/json"}
		case 5:
			target, body = "/revoke", spoilForm(rng, url.Values{"client_id": {id}, "token": {"fya_x"}, "token_type_hint": {"access_token"}})
		case 6:
			body = spoilForm(rng, redemption(id, loopback, code, "resource", resource))
		case 7:
			body = spoilForm(rng, renewal(id, issued.refresh, "scope", "guest", "resource", resource))
		case 8:
			body = spoilForm(rng, renewal("signing", issued.refresh, "client_assertion_type", assertionType, "client_assertion", assertion))
		case 9:
			body = spoilForm(rng, renewal("secretive", issued.refresh, "client_secret", clientSecret))
			headers = []string{"Authorization: " + spoil(rng, strings.TrimPrefix(basic("secretive", clientSecret), "Authorization: "))}
		}
		if rng.IntN(3) == 0 {
			headers = append(headers, "Cookie: "+spoil(rng, strings.TrimPrefix(cookie, "Cookie: ")))
		} else {
			headers = append(headers, cookie)
		}
		if rng.IntN(10) == 0 {
			headers = append(headers, "Content-Type: "+spoil(rng, "application/x-www-form-urlencoded"))
		}
		w := r.sendAnything(method, target, body, headers...)
		if w == nil {
			continue
		}
		location := w.Header().Get("Location") + strings.TrimPrefix(w.Header().Get("Refresh"), "0; url=")
		path, _, _ := strings.Cut(target, "?")
		media := map[bool]string{true: "text/html; charset=utf-8", false: "application/json"}[path == "/authorize"]
		registered := strings.HasPrefix(location, "http://127.0.0.1:") || strings.HasPrefix(location, foreign+"?") || strings.HasPrefix(location, private+"?")
		if w.Code >= 500 || location != "" && (!registered || path != "/authorize") || w.Code != http.StatusFound && w.Header().Get("Content-Type") != media {
			t.Fatalf("%s %.2000q\n%.2000q\n%q\n%d %v\n%s", method, target, body, headers, w.Code, w.Header(), w.Body)
		}
	}
	if r.log.String() != "" {
		t.Errorf("a fault was logged: %.2000s", r.log)
	}
}

// sendAnything sends what no client library would. What is no URL at all never
// arrives, and is nil.
func (r *room) sendAnything(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	path, query, _ := strings.Cut(target, "?")
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	if strings.ContainsAny(query, "\x00\r\n #") { // a server refuses these before a handler sees them
		return nil
	}
	req.URL.RawQuery = query
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	r.mux.ServeHTTP(w, req)
	return w
}
