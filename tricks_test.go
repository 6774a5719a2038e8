package foyer

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tricks are the URIs of internal/oauth's table, by name.
func tricks(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.ReadFile("internal/oauth/testdata/tricks.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(file)) {
		name, quoted, ok := strings.Cut(strings.TrimSpace(line), `"`)
		if uri, err := strconv.Unquote(`"` + quoted); ok && err == nil && !strings.HasPrefix(line, "#") {
			all[strings.TrimSpace(name)] = uri
		}
	}
	if len(all) < 250 {
		t.Fatalf("%d tricks", len(all))
	}
	return all
}

// nowhere finds that an answer of /authorize keeps the browser here.
func nowhere(t *testing.T, name, uri string, r *routes, req *http.Request) {
	t.Helper()
	w := r.answer(req)
	body := w.Body.String()
	if w.Code != http.StatusBadRequest || w.Header().Get("Location") != "" || w.Header().Get("Refresh") != "" || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("%s: %q: %d %v", name, uri, w.Code, w.Header())
	}
	if strings.Contains(body, "href=") || strings.Contains(body, "<form") || strings.Contains(body, "evil") || !strings.HasPrefix(body, "<!doctype html>") {
		t.Errorf("%s: %q: the page leads on:\n%s", name, uri, body)
	}
}

// Over HTTP: a trick is never registered, not even beside a good URI, which it
// does not sink; and whatever else is asked, it never becomes a place to which
// a browser is sent. (T49, R-42, R-44, X1, X14, X16)
func TestT49NoTrickIsRegisteredOrLedTo(t *testing.T) {
	r := newRoutes(t)
	register := func(uris ...string) (status int, registered []string, client string) {
		body, err := json.Marshal(map[string]any{"redirect_uris": uris})
		if err != nil {
			t.Fatal(err)
		}
		w := r.answer(r.request("POST", "/register", string(body), "Content-Type", inJSON))
		var answer struct {
			ID    string   `json:"client_id"`
			URIs  []string `json:"redirect_uris"`
			Error string   `json:"error"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || (w.Code == http.StatusCreated) != (answer.Error == "") {
			t.Errorf("%q: %d %s", uris, w.Code, w.Body)
		}
		return w.Code, answer.URIs, answer.ID
	}
	for name, uri := range tricks(t) {
		if status, _, _ := register(uri); status != http.StatusBadRequest {
			t.Errorf("%s: %q is registered: %d", name, uri, status)
		}
		status, uris, client := register(uri, redirectURI, uri)
		if status != http.StatusCreated || !slices.Equal(uris, []string{redirectURI}) {
			t.Errorf("%s: %q beside a good one: %d %q", name, uri, status, uris)
		}
		for _, id := range []string{client, r.client, r.elsewhere} {
			nowhere(t, name, uri, r, r.authorize(id, "redirect_uri", uri))
			nowhere(t, name+", with a mistake", uri, r, r.authorize(id, "redirect_uri", uri, "response_type", "token"))
		}
		nowhere(t, name+", of nobody", uri, r, r.authorize("unknown", "redirect_uri", uri))
	}
}

// near are URIs that begin, end or sound like the registered one.
func near(uri string) []string {
	u := strings.TrimPrefix(uri, "http://127.0.0.1:33418")
	return []string{uri + "/", uri + "?", uri + "?code=evil", uri + "x", uri + "%2f", uri + "/../evil", uri + "#", uri + "#code=evil", uri + "%23", uri + ";x", uri + ".", uri + " ", uri + "\r\nX-Evil: 1", uri + "@evil.example",
		strings.ToUpper(uri), strings.Replace(uri, "http:", "https:", 1), strings.Replace(uri, "127.0.0.1", "localhost", 1), strings.Replace(uri, "127.0.0.1", "[::1]", 1), strings.Replace(uri, "127.0.0.1", "127.0.0.2", 1),
		"http://127.0.0.1:33418@evil.example" + u, "http://evil.example" + u, "http://evil.example/" + uri, "http://127.0.0.1:33418.evil.example" + u, "http://127.0.0.1:33418\\@evil.example" + u, "//127.0.0.1:33418" + u, u,
		strings.Replace(uri, "callback", "%63allback", 1), strings.Replace(uri, "callback", "Callback", 1), strings.Replace(uri, "callback", "./callback", 1), strings.Replace(uri, "/callback", "//callback", 1), uri + "," + uri, uri + " " + uri}
}

func TestT49WhatIsNearARegisteredURIIsNotIt(t *testing.T) {
	r := newRoutes(t)
	for _, uri := range near(redirectURI) {
		nowhere(t, "near", uri, r, r.authorize(r.client, "redirect_uri", uri))
	}
	for _, extra := range []string{"&redirect_uri=" + url.QueryEscape("https://evil.example/"), "&redirect_uri=", "&client_id=" + r.elsewhere} { // which of two counts?
		req := r.authorize(r.client)
		nowhere(t, "twice", extra, r, r.request("GET", req.RequestURI+extra, ""))
	}
	for port, ok := range map[string]bool{"http://127.0.0.1:1/callback": true, "http://127.0.0.1:65535/callback": true, "http://127.0.0.1/callback": true, "http://127.0.0.1:0/callback": false} {
		w := r.answer(r.authorize(r.client, "redirect_uri", port))
		if location := w.Header().Get("Location"); strings.HasPrefix(location, port+"?code=") != ok {
			t.Errorf("%s leads to %q", port, location)
		}
	}
}

// The order of parameters means nothing, and an answer holds those of an answer
// alone, each once, whatever the request says. (X70, R-47)
func TestT49NoRequestWritesTheAnswer(t *testing.T) {
	r := newRoutes(t)
	req := r.authorize(r.client, "state", "x&code=evil&iss=evil#&error=evil", "code", "evil", "iss", "evil", "error", "evil", "error_description", "evil")
	pairs := strings.Split(req.URL.RawQuery, "&")
	for range len(pairs) {
		pairs = append(pairs[1:], pairs[0])
		location := r.answer(r.request("GET", "/authorize?"+strings.Join(pairs, "&"), "")).Header().Get("Location")
		u, err := url.Parse(location)
		if err != nil || !strings.HasPrefix(location, redirectURI+"?") || u.Fragment != "" {
			t.Fatalf("%s, %v", location, err)
		}
		q := u.Query()
		if len(q) != 3 || len(q["code"]) != 1 || q.Get("code") == "evil" || !slices.Equal(q["iss"], []string{r.issuer}) || !slices.Equal(q["state"], req.URL.Query()["state"]) {
			t.Errorf("the answer is %s", location)
		}
	}
}

// What a client says of itself beside its name is nobody's to follow: not kept,
// not told, and on no page. (X26)
func TestX26NothingOfARegistrationIsALink(t *testing.T) {
	r := newRoutes(t)
	body := `{"redirect_uris":["` + strangerURI + `"],"client_name":"Links"`
	for _, member := range []string{"client_uri", "logo_uri", "policy_uri", "tos_uri", "jwks_uri", "software_statement", "initiate_login_uri", "client_uri#de"} {
		body += `,"` + member + `":"javascript:alert('` + member + `')"`
	}
	w := r.answer(r.request("POST", "/register", body+"}", "Content-Type", inJSON))
	var registered struct {
		ID string `json:"client_id"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &registered); err != nil || w.Code != http.StatusCreated || strings.Contains(w.Body.String(), "javascript") {
		t.Fatalf("%d %s, %v", w.Code, w.Body, err)
	}
	for _, more := range [][]string{nil, {"response_type", "token"}, {"redirect_uri", "https://other.example/"}} {
		page := r.answer(r.authorize(registered.ID, append([]string{"redirect_uri", strangerURI}, more...)...)).Body.String()
		if !strings.Contains(page, "Links") || strings.Contains(page, "javascript") {
			t.Errorf("%v: %s", more, page)
		}
	}
	for _, p := range append(r.files(t), r.dump(t, "foyer.db")...) {
		if strings.Contains(p.text, "javascript:alert") {
			t.Errorf("%s keeps it", p.name)
		}
	}
}

// What the documents hold is https, or this device, and a path: a client that
// gives it to a shell, or to whatever opens URLs, does no more than that. (X10)
func TestX10DocumentsHoldPlainURLsAlone(t *testing.T) {
	r := newRoutes(t)
	plain := regexp.MustCompile(`^https?://[a-z0-9.-]+(?::[0-9]+)?(?:/[a-z0-9._/-]*)?$`)
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/lazy/mcp"} {
		text := r.answer(r.request("GET", path, "")).Body.String()
		urls := regexp.MustCompile(`"([a-z]+:[^"]*)"`).FindAllStringSubmatch(text, -1)
		for _, u := range urls {
			if !plain.MatchString(u[1]) {
				t.Errorf("%s has %s", path, u[1])
			}
		}
		if len(urls) < 2 {
			t.Errorf("%s has no URLs: %s", path, text)
		}
	}
}
