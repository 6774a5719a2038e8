package foyer

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// What an answer is, which says how it must look.
const (
	aPage      = "a page"
	aRedirect  = "a redirect to the client"
	aDocument  = "a document"
	anOAuth    = "an answer to a program"
	aPreflight = "an answer to a browser that asks first"
	anMCP      = "an answer of MCP"
	aRefusal   = "a refusal at the door"
)

// An exchange is a request and what the answer to it is.
type exchange struct {
	name, is string
	status   int
	ask      func() *http.Request
}

// explosive is a store that panics while it is told to, as no store should.
type explosive struct {
	store.Store
	lit atomic.Bool
}

func (e *explosive) View(ctx context.Context, fn func(store.Tx) error) error {
	e.burst()
	return e.Store.View(ctx, fn)
}

func (e *explosive) Update(ctx context.Context, fn func(store.Tx) error) error {
	e.burst()
	return e.Store.Update(ctx, fn)
}

func (e *explosive) Bearer(ctx context.Context, h store.Hash) (store.Bearer, error) {
	e.burst()
	return e.Store.Bearer(ctx, h)
}

func (e *explosive) burst() {
	if e.lit.Load() {
		panic("a secret place")
	}
}

// routes are all of a house, with clients, tokens and pages to ask them with.
type routes struct {
	*house
	t           *testing.T
	client      string
	elsewhere   string // whose redirect URI nobody vouches for
	guest, user *guest
	known       *http.Cookie // of a browser that knows a user of client
}

const strangerURI = "https://stranger.example/cb"

func newRoutes(t *testing.T, change ...func(*Config)) *routes {
	t.Helper()
	r := &routes{t: t, house: newHouse(t, append(change, func(cfg *Config) {
		cfg.Endpoints = []Endpoint{{Path: "/mcp"}, {Path: "/lazy/mcp", Entry: gate.Lazy}}
	})...)}
	r.guest, r.user = r.house.guest(t), r.house.guest(t)
	r.user.signIn(t, "ann@example.com")
	var registered struct {
		ID string `json:"client_id"`
	}
	r.postJSON(t, "/register", `{"client_name":"Elsewhere","redirect_uris":["`+strangerURI+`","`+strangerURI+`?iss=x"]}`, http.StatusCreated, &registered)
	r.client, r.elsewhere = r.guest.client, registered.ID
	w := r.answer(r.authorize(r.client))
	knows := &guest{house: r.house, client: r.client}
	knows.access, knows.refresh = r.redeem(t, r.client, codeIn(t, w.Header().Get("Location")))
	knows.signIn(t, "bob@example.com")
	r.known = w.Result().Cookies()[0]
	return r
}

func (r *routes) answer(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.handler.Load().(http.Handler).ServeHTTP(w, req)
	return w
}

func (r *routes) authorize(client string, more ...string) *http.Request {
	query := url.Values{"response_type": {"code"}, "client_id": {client}, "redirect_uri": {redirectURI}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	for i := 0; i < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return r.request("GET", "/authorize?"+query.Encode(), "")
}

func (r *routes) posted(path string, params ...string) *http.Request {
	values := url.Values{}
	for i := 0; i < len(params); i += 2 {
		values.Set(params[i], params[i+1])
	}
	return r.request("POST", path, values.Encode(), "Content-Type", form)
}

// redemption is of a new code.
func (r *routes) redemption() *http.Request {
	return r.posted("/token", "grant_type", "authorization_code", "client_id", r.client, "code", r.code(r.t, r.client), "redirect_uri", redirectURI, "code_verifier", verifier)
}

// pressed posts the form of a page of ours, whose browser has the cookie of the
// page.
func (r *routes) pressed() *http.Request {
	w := r.answer(r.authorize(r.elsewhere, "redirect_uri", strangerURI))
	req := r.posted("/authorize", "request", field(w.Body.String(), `name="request" value="([^"]+)"`))
	req.AddCookie(w.Result().Cookies()[0])
	return req
}

func (r *routes) rpc(path, access, method, params string) *http.Request {
	req := mcpRequest(r.t, r.issuer+path, access, 1, method, params)
	of := r.request(req.Method, path, "")
	of.Body, of.ContentLength, of.Header = req.Body, req.ContentLength, req.Header
	return of
}

// authorizations are all outcomes of /authorize but its faults.
func (r *routes) authorizations() []exchange {
	to := func(more ...string) func() *http.Request {
		return func() *http.Request { return r.authorize(r.client, more...) }
	}
	stranger := func(more ...string) func() *http.Request {
		return func() *http.Request {
			return r.authorize(r.elsewhere, append([]string{"redirect_uri", strangerURI}, more...)...)
		}
	}
	plain := func(method, target string, headers ...string) func() *http.Request {
		return func() *http.Request { return r.request(method, target, "", headers...) }
	}
	return []exchange{
		{"a code at once", aRedirect, 302, to("state", "x")},
		{"an error at once", aRedirect, 302, to("response_type", "token")},
		{"a resource of nobody", aRedirect, 302, to("resource", "https://evil.example")},
		{"a broken query", aPage, 400, plain("GET", "/authorize?a=%zz")},
		{"nothing said", aPage, 400, plain("GET", "/authorize")},
		{"an unknown client", aPage, 400, to("client_id", "unknown")},
		{"a redirect URI of somebody else", aPage, 400, to("redirect_uri", strangerURI)},
		{"a redirect URI that foretells the answer", aPage, 400, stranger("redirect_uri", strangerURI+"?iss=x")},
		{"a mistake of a stranger", aPage, 400, stranger("response_type", "token")},
		{"a stranger", aPage, 200, stranger()},
		{"a browser that knows a user", aPage, 200, func() *http.Request {
			req := r.authorize(r.client)
			req.AddCookie(r.known)
			return req
		}},
		{"a scope that needs a person", aRedirect, 302, to("scope", "journal:export")},
		{"consent to nothing", aPage, 403, plain("GET", "/consent")},
		{"a yes to nothing", aPage, 403, plain("POST", "/consent", "Content-Type", "application/x-www-form-urlencoded")},
		{"a sign-in from nowhere", aPage, 403, plain("POST", "/sign-in", "Content-Type", "application/x-www-form-urlencoded")},
		{"digits from nowhere", aPage, 403, plain("POST", "/sign-in/code", "Content-Type", "application/x-www-form-urlencoded")},
		{"a sign-out from nowhere", aPage, 403, plain("POST", "/sign-out", "Content-Type", "application/x-www-form-urlencoded")},
		{"something to confirm, to nobody", aPage, 200, plain("GET", "/confirm/x")},
		{"a confirmation from nowhere", aPage, 403, plain("POST", "/confirm/x", "Content-Type", "application/x-www-form-urlencoded")},
		{"the connected apps, to nobody", aPage, 200, plain("GET", "/account")},
		{"one of them, to nobody", aPage, 200, plain("GET", "/account/x")},
		{"the end of all, from nowhere", aPage, 403, plain("POST", "/account", "Content-Type", "application/x-www-form-urlencoded")},
		{"the end of one, from nowhere", aPage, 403, plain("POST", "/account/x", "Content-Type", "application/x-www-form-urlencoded")},
		{"a copy, from nowhere", aPage, 403, plain("POST", "/account/export", "Content-Type", "application/x-www-form-urlencoded")},
		{"a deletion, from nowhere", aPage, 403, plain("POST", "/account/delete", "Content-Type", "application/x-www-form-urlencoded")},
		{"the second step of it, from nowhere", aPage, 403, plain("POST", "/account/delete/now", "Content-Type", "application/x-www-form-urlencoded")},
		{"to be kept, from nowhere", aPage, 403, plain("POST", "/account/keep", "Content-Type", "application/x-www-form-urlencoded")},
		{"the button", aPage, 200, r.pressed},
		{"the button of another browser", aPage, 403, func() *http.Request {
			req := r.pressed()
			req.Header.Del("Cookie")
			return req
		}},
		{"no form", aPage, 400, plain("POST", "/authorize", "Content-Type", "text/plain")},
		{"another method", aPage, 405, plain("PUT", "/authorize")},
		{"a browser that asks first", aPage, 405, plain("OPTIONS", "/authorize", "Access-Control-Request-Method", "GET")},
	}
}

// programs are the endpoints for programs, and the documents.
func (r *routes) programs() (all []exchange) {
	post := func(path string, params ...string) func() *http.Request {
		return func() *http.Request { return r.posted(path, params...) }
	}
	raw := func(method, path, media, body string) func() *http.Request {
		return func() *http.Request { return r.request(method, path, body, "Content-Type", media) }
	}
	for _, path := range []string{"/token", "/register", "/revoke"} {
		all = append(all, exchange{path + ", another method", anOAuth, 405, raw("GET", path, "", "")},
			exchange{path + ", nothing", anOAuth, 400, raw("POST", path, "", "")},
			exchange{path + ", a malformed Content-Type", anOAuth, 400, raw("POST", path, "application/;;=\"", "x")},
			exchange{path + ", two megabytes", anOAuth, 413, raw("POST", path, form, strings.Repeat("a", 2<<20))},
			exchange{path + ", a browser asks first", aPreflight, 204, raw("OPTIONS", path, "", "")})
	}
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/.well-known/oauth-protected-resource",
		"/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource/mcp/", "/.well-known/oauth-protected-resource/lazy/mcp"} {
		all = append(all, exchange{path, aDocument, 200, raw("GET", path, "", "")}, exchange{path + " posted to", anOAuth, 405, raw("POST", path, "", "")},
			exchange{path + ", a browser asks first", aPreflight, 204, raw("OPTIONS", path, "", "")})
	}
	return append(all,
		exchange{"an unknown document", anOAuth, 404, raw("GET", "/.well-known/oauth-authorization-server/mcp", "", "")},
		exchange{"an unknown document, a browser asks first", aPreflight, 204, raw("OPTIONS", "/.well-known/unknown", "", "")},
		exchange{"a code", anOAuth, 200, r.redemption},
		exchange{"a refresh", anOAuth, 200, post("/token", "grant_type", "refresh_token", "client_id", r.guest.client, "refresh_token", r.guest.refresh)}, // three times within the overlap
		exchange{"a wrong code", anOAuth, 400, post("/token", "grant_type", "authorization_code", "client_id", r.client, "code", "x", "redirect_uri", redirectURI)},
		exchange{"a wrong refresh token", anOAuth, 400, post("/token", "grant_type", "refresh_token", "client_id", r.client, "refresh_token", "x")},
		exchange{"an unknown client", anOAuth, 401, post("/token", "grant_type", "refresh_token", "client_id", "x", "refresh_token", "x")},
		exchange{"a registration", anOAuth, 201, raw("POST", "/register", inJSON, `{"redirect_uris":["`+redirectURI+`"]}`)},
		exchange{"a bad registration", anOAuth, 400, raw("POST", "/register", inJSON, `{"redirect_uris":["javascript:1"]}`)},
		exchange{"a revocation of nothing", anOAuth, 200, post("/revoke", "client_id", r.client, "token", "x")},
		exchange{"a revocation by nobody", anOAuth, 401, post("/revoke", "client_id", "x", "token", "x")},
		exchange{"a path of nobody", aRefusal, 404, raw("GET", "/unknown", "", "")},
		exchange{"the root", aRefusal, 404, raw("GET", "/", "", "")},
		exchange{"a path below an endpoint", aRefusal, 404, raw("POST", "/mcp/x", inJSON, "{}")},
		exchange{"a slash behind the token endpoint", aRefusal, 404, raw("POST", "/token/", form, "a=b")},
		exchange{"two slashes", aRefusal, 404, raw("POST", "//token", form, "a=b")},
		exchange{"two slashes and a host", aRefusal, 404, raw("GET", "//evil.example/authorize", "", "")},
		exchange{"a way up", aRefusal, 404, raw("GET", "/mcp/../authorize", "", "")},
		exchange{"an encoded way up", aRefusal, 404, raw("GET", "/mcp/%2e%2e/authorize", "", "")},
	)
}

// messages are asked of every endpoint, at which a request without a token is
// answered by what the entry says.
func (r *routes) messages(path string, entry gate.Entry) []exchange {
	rpc := func(access, method, params string) func() *http.Request {
		return func() *http.Request { return r.rpc(path, access, method, params) }
	}
	plain := func(method, access string, headers ...string) func() *http.Request {
		return func() *http.Request {
			req := r.request(method, path, "", headers...)
			if access != "" {
				req.Header.Set("Authorization", "Bearer "+access)
			}
			return req
		}
	}
	none, user := 401, r.user.access
	if entry == gate.Lazy {
		none = 200
	}
	all := []exchange{
		{"a list without a token", anMCP, none, rpc("", "tools/list", "{}")},
		{"a locked tool without a token", anMCP, 401, rpc("", "tools/call", `{"name":"list_entries"}`)},
		{"a bad token", anMCP, 401, rpc("x", "tools/list", "{}")},
		{"a token for another method", anMCP, 401, plain("PUT", "x")},
		{"a stream with a bad token", anMCP, 401, plain("GET", "x")},
		{"no JSON", anMCP, 401, plain("POST", "x", "Content-Type", inJSON)},
	}
	if entry != gate.Lazy { // a token is for its endpoint alone
		all = append(all,
			exchange{"another method without a token", anMCP, 401, plain("PUT", "")},
			exchange{"a list", anMCP, 200, rpc(user, "tools/list", "{}")},
			exchange{"a call", anMCP, 200, rpc(user, "tools/call", `{"name":"list_entries","arguments":{}}`)},
			exchange{"an unknown tool", anMCP, 400, rpc(user, "tools/call", `{"name":"unknown"}`)},
			exchange{"an unknown method", anMCP, 404, rpc(user, "unknown", "{}")},
			exchange{"a scope that needs a person", anMCP, 403, rpc(user, "tools/call", `{"name":"export_journal","arguments":{}}`)},
			exchange{"no JSON of a user", anMCP, 400, plain("POST", user, "Content-Type", inJSON)},
			exchange{"another method of a user", anMCP, 405, plain("PUT", user)},
			exchange{"a session of nobody", anMCP, 404, plain("GET", user, "Mcp-Session-Id", "x")})
	}
	return all
}

// everything is every route with every outcome.
func (r *routes) everything() (all []exchange) {
	all = append(r.authorizations(), r.programs()...)
	for _, e := range r.kit.cfg.Endpoints {
		for _, path := range []string{e.Path, e.Path + "/"} {
			for _, x := range r.messages(path, e.Entry) {
				x.name = path + ": " + x.name
				all = append(all, x)
			}
		}
	}
	return all
}

// What holds of every answer, whoever asks. (T51, T54, T55; X27, X29, X37, X67, X68, X69)
func TestT55EveryAnswerOfEveryRouteIsSealed(t *testing.T) {
	r := newRoutes(t)
	for _, x := range r.everything() {
		for _, origin := range []string{"", r.issuer, "https://evil.example", "null"} {
			req := x.ask()
			if origin != "" {
				req.Header.Set("Origin", origin)
			}
			r.checkAnswer(t, x, origin, req, r.answer(req))
		}
	}
}

// checkAnswer knows how each sort of answer looks.
func (r *routes) checkAnswer(t *testing.T, x exchange, origin string, req *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	if x.is == anMCP && origin != "" && origin != r.issuer {
		x.status = http.StatusForbidden // pages of others may not call
	}
	if x.name == "the button" && origin != "" && origin != r.issuer {
		x.status = http.StatusForbidden
	}
	if w.Code != x.status {
		t.Errorf("%s, Origin %q: %d, want %d: %v\n%.300s", x.name, origin, w.Code, x.status, w.Header(), w.Body)
		return
	}
	for _, problem := range slices.Concat(unsealed(x.is, w), unshared(x.is, origin, w), mistyped(x.is, w)) {
		t.Errorf("%s (%s), Origin %q: %s: %v\n%.300s", x.name, x.is, origin, problem, w.Header(), w.Body)
	}
	if c := w.Header().Get("Set-Cookie"); c != "" && !strings.HasPrefix(req.URL.Path, "/authorize") && !strings.HasPrefix(req.URL.Path, "/confirm/") && !strings.HasPrefix(req.URL.Path, "/account") {
		t.Errorf("%s: sets a cookie", x.name)
	}
}

// unsealed are the headers that keep an answer from caches, frames, guesses and
// strangers, and are not right.
func unsealed(is string, w *httptest.ResponseRecorder) (problems []string) {
	want := map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
	switch is {
	case aPage:
		want["Cross-Origin-Opener-Policy"] = "same-origin"
	case aDocument:
		want["Cache-Control"] = "public, max-age=300"
	}
	for name, value := range want {
		got := w.Header().Values(name)
		if is == anMCP && name == "Cache-Control" && len(got) == 1 && strings.HasPrefix(got[0], "no-store, private") {
			continue // which says more
		}
		if len(got) != 1 || got[0] != value {
			problems = append(problems, name+" is "+strings.Join(got, " and ")+", not "+value)
		}
	}
	csp := w.Header().Values("Content-Security-Policy")
	if len(csp) != 1 || !strings.HasPrefix(csp[0], "default-src 'none'; ") || !strings.Contains(csp[0], "frame-ancestors 'none'") {
		problems = append(problems, "Content-Security-Policy is "+strings.Join(csp, " and "))
	}
	return problems
}

// unshared are the answers that a page may read and must not, or the other way
// round.
func unshared(is, origin string, w *httptest.ResponseRecorder) (problems []string) {
	h := w.Header()
	allowed, exposed := "", ""
	switch {
	case is == anOAuth, is == aDocument:
		allowed, exposed = "*", "WWW-Authenticate, Retry-After"
	case is == aPreflight:
		allowed = "*"
	case is == anMCP && w.Code != http.StatusForbidden && origin != "", is == anMCP && h.Get("WWW-Authenticate") != "" && origin != "":
		allowed, exposed = origin, "WWW-Authenticate, Mcp-Session-Id, Mcp-Protocol-Version, Retry-After"
	}
	if got := h.Get("Access-Control-Allow-Origin"); got != allowed || len(h.Values("Access-Control-Allow-Origin")) > 1 {
		problems = append(problems, "pages of "+got+" may read it, and not of "+allowed)
	}
	if got := h.Get("Access-Control-Expose-Headers"); got != exposed {
		problems = append(problems, "they may read the headers "+got+", and not "+exposed)
	}
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") && allowed == "" || name == "Access-Control-Allow-Credentials" {
			problems = append(problems, "it has "+name)
		}
	}
	if vary := strings.Join(h.Values("Vary"), ", "); is == anMCP && allowed != "" && !strings.Contains(vary, "Origin") {
		problems = append(problems, "it varies by "+vary)
	}
	return problems
}

// mistyped is what is wrong with the body, or the place to which it leads.
func mistyped(is string, w *httptest.ResponseRecorder) []string {
	body, media, location := w.Body.String(), w.Header().Get("Content-Type"), w.Header().Get("Location")
	problem := ""
	switch {
	case is != aRedirect && location != "":
		problem = "it leads to " + location
	case is == aPage && (media != "text/html; charset=utf-8" || !strings.HasPrefix(body, "<!doctype html>")):
		problem = "it is no page"
	case is == aRedirect && strings.HasPrefix(location, "/consent?request=") && body == "":
	case is == aRedirect && (!strings.HasPrefix(location, redirectURI+"?") || body != ""):
		problem = "it leads to " + location
	case is == aPreflight && body != "":
		problem = "it has a body"
	case is == anOAuth, is == aDocument, is == aRefusal:
		problem = strangeOAuth(w.Code, media, body)
	case is == anMCP:
		problem = strangeMCP(w.Code, w.Header(), body)
	}
	if problem == "" {
		return nil
	}
	return []string{problem}
}

// What fails, and what panics, is sealed like everything else, tells nothing,
// and speaks the protocol of its path.
func TestT60WhatFailsIsSealedAndTellsNothing(t *testing.T) {
	f, e := &faulty{}, &explosive{}
	r := newRoutes(t, func(cfg *Config) { f.Store, e.Store = cfg.Store, f; cfg.Store = e })
	redemption, pressed := r.redemption(), r.pressed()
	again := func(req *http.Request, values url.Values) func() *http.Request {
		return func() *http.Request {
			body := r.request("POST", req.URL.Path, values.Encode(), "Content-Type", form)
			body.Header = req.Header
			return body
		}
	}
	if err := redemption.ParseForm(); err != nil {
		t.Fatal(err)
	}
	if err := pressed.ParseForm(); err != nil {
		t.Fatal(err)
	}
	all := []exchange{
		{"/authorize", aPage, 500, func() *http.Request { return r.authorize(r.client) }},
		{"/register", anOAuth, 500, func() *http.Request {
			return r.request("POST", "/register", `{"redirect_uris":["`+redirectURI+`"]}`, "Content-Type", inJSON)
		}},
		{"/token", anOAuth, 500, again(redemption, redemption.PostForm)},
		{"/revoke", anOAuth, 500, func() *http.Request {
			return r.posted("/revoke", "client_id", r.client, "token", r.guest.refresh)
		}},
		{"/mcp", anMCP, 503, func() *http.Request { return r.rpc("/mcp", r.user.access, "tools/list", "{}") }},
		{"/mcp/", anMCP, 503, func() *http.Request { return r.rpc("/mcp/", r.user.access, "tools/list", "{}") }},
	}
	for _, origin := range []string{"", r.issuer} {
		for _, x := range all {
			for how, broken := range map[string]*atomic.Bool{"fails": &f.off, "panics": &e.lit} {
				x := x
				x.name += " " + how
				if how == "panics" {
					x.status = 500
					if x.is == aPage {
						x.is = aRefusal
					}
				}
				req := x.ask()
				if origin != "" {
					req.Header.Set("Origin", origin)
				}
				broken.Store(true)
				w := r.answer(req)
				broken.Store(false)
				r.checkAnswer(t, x, origin, req, w)
				if strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), "goroutine") {
					t.Errorf("%s: %s", x.name, w.Body)
				}
			}
		}
	}
	if log := r.log.String(); !strings.Contains(log, "msg=panic") || !strings.Contains(log, "msg=fault") || strings.Contains(log, "a secret place") {
		t.Errorf("the log has %s", log)
	}
}

// A page of ours at a name that is ours to nobody but a DNS server gets nothing
// of any route. (T52, X9)
func TestT52NoRouteAnswersToAnotherName(t *testing.T) {
	r := newRoutes(t)
	for _, x := range r.everything() {
		for _, host := range []string{"evil.example", "evil.example:80", "127.0.0.1.nip.io", "localhost.evil.example", ""} {
			req := x.ask()
			req.Host = host
			w := r.answer(req)
			var body struct {
				Error json.RawMessage `json:"error"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &body); w.Code != http.StatusForbidden || err != nil || body.Error == nil {
				t.Errorf("%s, at %q: %d %s", x.name, host, w.Code, w.Body)
			}
			for name := range w.Header() {
				if strings.HasPrefix(name, "Access-Control-") || name == "Set-Cookie" || name == "Location" {
					t.Errorf("%s, at %q: has %s", x.name, host, name)
				}
			}
		}
	}
}
