package foyer

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/foyer/gate"
)

// A visit is that of a person whom a client sends, whose codes go to a host elsewhere.
type visit struct {
	*browser
	client   string
	redirect string
}

const hosted = "https://app.example/callback"

// visit registers a client for some places, and opens a browser for it. The first place
// is where it asks for its codes.
func (h *house) visit(t testing.TB, places ...string) visit {
	t.Helper()
	var registered struct {
		ID string `json:"client_id"`
	}
	h.postJSON(t, "/register", `{"client_name":"Claude","redirect_uris":["`+strings.Join(places, `","`)+`"]}`, http.StatusCreated, &registered)
	return visit{h.browser(t), registered.ID, places[0]}
}

// comes opens what the client asks for, and returns the page that shows it, a minute
// after what was before.
func (v visit) comes(t testing.TB, more ...string) response {
	t.Helper()
	v.advance(time.Minute)
	return v.follow(t, v.authorize(t, v.client, append([]string{"redirect_uri", v.redirect, "state", "xyz"}, more...)...))
}

// gets redeems the code to which page leads.
func (v visit) gets(t testing.TB, page response) *guest {
	t.Helper()
	status, told := v.exchange(t, page)
	access, _ := told["access_token"].(string)
	refresh, _ := told["refresh_token"].(string)
	if status != http.StatusOK || access == "" {
		t.Fatalf("the code: %d %v", status, told)
	}
	return &guest{house: v.house, client: v.client, access: access, refresh: refresh}
}

func (v visit) exchange(t testing.TB, page response) (int, map[string]any) {
	t.Helper()
	to := strings.TrimPrefix(page.header.Get("Refresh"), "0; url=")
	if !strings.HasPrefix(to, v.redirect+"?") || !strings.Contains(to, "iss="+url.QueryEscape(v.issuer)) || !strings.Contains(to, "state=xyz") {
		t.Fatalf("the browser goes to %q: %d %s", to, page.status, page.body)
	}
	return v.token(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {v.client}, "code": {codeIn(t, to)}, "redirect_uri": {v.redirect}, "code_verifier": {verifier}})
}

// allows signs ann in and says yes to some scopes.
func (v visit) allows(t testing.TB, scopes ...string) *guest {
	t.Helper()
	page := v.comes(t, "scope", strings.Join(scopes, " "))
	if strings.Contains(page.body, "E-mail address") {
		page = v.signsIn(t, page, "ann@example.com")
	}
	return v.gets(t, v.fill(t, page, 0, url.Values{"decision": {"allow"}, "scope": scopes}))
}

func isAsked(page response) bool {
	return page.header.Get("Refresh") == "" && page.status == http.StatusOK && strings.Contains(page.body, ">Allow</button>")
}

// T43: who has allowed a client all that it asks for is not asked again, and is told so;
// the new grant takes the place of the one before, and can do no more.
func TestWhatWasAllowedIsNotAskedAgain(t *testing.T) {
	h := newHouse(t)
	v := h.visit(t, hosted)
	first := v.allows(t, "journal:write", "journal:export")
	before := first.bearer(t).Grant
	for _, scope := range []string{"journal:write journal:export", "journal:export", "journal:write nonsense guest"} {
		page := v.comes(t, "scope", scope)
		wantsPage(t, scope, page, http.StatusOK, "<h1>On the way</h1>", "“Claude” goes on to use Journal as a***@example.com", "not asked again", `<a href="/account">`)
		after := v.gets(t, page).bearer(t).Grant
		if after.Continues != before.ID || strings.Join(after.Scopes, " ") != strings.Join(before.Scopes, " ") || after.UserID != before.UserID || after.Level != "email" {
			t.Errorf("%s: %+v, after %+v", scope, after, before)
		}
		before = after
	}
	if n := h.count(t, "SELECT count(*) FROM foyer_grants WHERE revoked_at = 0"); n != 1 {
		t.Errorf("%d grants live", n)
	}
}

// T41, T43: whatever is not the same is asked about.
func TestT41T43WhenAPersonIsAskedAgain(t *testing.T) {
	same := []string{"scope", "journal:export"}
	for name, test := range map[string]struct {
		then func(*testing.T, *visit, *guest) // what happens between
		asks []string
	}{
		"more scopes":                        {nil, []string{"scope", "journal:export journal:write"}},
		"no scope, which means the defaults": {nil, []string{"scope", "", "resource", "/eager/mcp"}},
		"another resource":                   {nil, []string{"scope", "journal:export", "resource", "/eager/mcp"}},
		"another host":                       {func(_ *testing.T, v *visit, _ *guest) { v.redirect = "https://other.example/callback" }, same},
		"prompt=consent":                     {nil, append([]string{"prompt", "consent"}, same...)},
		"prompt=login":                       {nil, append([]string{"prompt", "login"}, same...)},
		"another prompt":                     {nil, append([]string{"prompt", "none select_account"}, same...)},
		"max_age":                            {nil, append([]string{"max_age", "600"}, same...)},
		"acr_values":                         {nil, append([]string{"acr_values", "email"}, same...)},
		"a level":                            {nil, []string{"scope", "journal:export acr:email"}},
		"the grant was revoked": {func(t *testing.T, v *visit, g *guest) {
			v.click(t, v.open(t, g.path(t)), "Disconnect “Claude”")
		}, same},
		"the grant was ended by its client": {func(t *testing.T, v *visit, g *guest) {
			res := v.send(t, v.form(t, "/revoke", url.Values{"token": {g.refresh}, "client_id": {v.client}}))
			res.Body.Close()
		}, same},
		"the scope was taken back": {func(t *testing.T, v *visit, g *guest) {
			v.click(t, v.open(t, g.path(t)), "Take back “Take a copy")
		}, same},
		"the user has signed out in the chat": {func(t *testing.T, _ *visit, g *guest) { g.call(t, "logout", "") }, same},
		"another client": {func(t *testing.T, v *visit, _ *guest) {
			v.client = v.house.visit(t, hosted, "https://third.example/callback").client
		}, same},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, func(cfg *Config) { cfg.Endpoints = []Endpoint{{Path: "/mcp"}, {Path: "/eager/mcp", Entry: gate.Eager}} })
			v := h.visit(t, hosted, "https://other.example/callback")
			g := v.allows(t, "journal:export")
			if test.then != nil {
				test.then(t, &v, g)
			}
			asks := append([]string(nil), test.asks...)
			for i := range asks {
				if strings.HasPrefix(asks[i], "/") {
					asks[i] = h.issuer + asks[i]
				}
			}
			if page := v.comes(t, asks...); !isAsked(page) {
				t.Errorf("nobody is asked: %d %v %s", page.status, page.header, page.body)
			}
		})
	}
}

// T41: what ends on the user's device has no name that could be known again.
func TestT41AnAppOnTheDeviceAsksEachTime(t *testing.T) {
	h := newHouse(t, func(cfg *Config) { cfg.DangerouslyNoLimits = true }) // so many mails
	for _, place := range []string{redirectURI, "http://localhost/callback", "https://localhost/callback", "http://[::1]/callback", "com.example.app:/callback", "cursor://anysphere.cursor-mcp/oauth/callback"} {
		v := h.visit(t, place)
		v.allows(t, "journal:export")
		if page := v.comes(t, "scope", "journal:export"); !isAsked(page) {
			t.Errorf("%s: nobody is asked: %d %v", place, page.status, page.header)
		}
	}
}

// T43, T53: a consent is known again in the browser in which it was given, for who gave
// it there, and after no sign-in that belongs to the same request.
func TestT43T53AConsentIsOfOneBrowserAndOneSession(t *testing.T) {
	h := newHouse(t, func(cfg *Config) { cfg.DangerouslyNoLimits = true }) // so many mails
	v := h.visit(t, hosted)
	v.allows(t, "journal:export")
	if page := (visit{h.browser(t), v.client, hosted}).comes(t, "scope", "journal:export"); strings.Contains(page.body, "On the way") {
		t.Errorf("a browser without cookies: %s", page.body)
	}
	elsewhere := visit{h.browser(t), v.client, hosted}
	if page := elsewhere.signsIn(t, elsewhere.open(t, "/account"), "ann@example.com"); page.status != http.StatusOK {
		t.Fatal(page.body)
	}
	if page := elsewhere.comes(t, "scope", "journal:export"); !isAsked(page) {
		t.Errorf("the user in another browser: %s", page.body)
	}
	v.advance(61 * time.Minute) // the session is over
	page := v.comes(t, "scope", "journal:export")
	wantsPage(t, "nobody is signed in", page, http.StatusOK, "E-mail address")
	v.advance(time.Second)
	if page = v.signsIn(t, page, "ann@example.com"); !isAsked(page) {
		t.Errorf("after a sign-in for this request: %s", page.body)
	}
	v.fill(t, page, 0, url.Values{"decision": {"deny"}})
	page = v.comes(t, "scope", "journal:export", "prompt", "consent")
	if page = v.signsIn(t, v.fill(t, page, 0, url.Values{"decision": {"other"}}), "bob@example.com"); !isAsked(page) {
		t.Errorf("another account: %s", page.body)
	}
	if page := v.comes(t, "scope", "journal:export"); !isAsked(page) || !strings.Contains(page.body, "act as b***@example.com") {
		t.Errorf("the next request of the other account: %s", page.body)
	}
}

// A consent by the mail's digits is none in the browser: the grant may be one that
// somebody has planted.
func TestT10WhatWasClaimedInTheChatIsAskedAbout(t *testing.T) {
	h := newHouse(t)
	v := h.visit(t, hosted)
	g := v.gets(t, v.press(t, v.authorize(t, v.client, "redirect_uri", hosted, "state", "xyz")))
	g.signIn(t, "ann@example.com")
	v.advance(2 * time.Minute)
	v.signsIn(t, v.open(t, "/account"), "ann@example.com")
	if page := v.comes(t, "scope", "journal:write"); !isAsked(page) {
		t.Errorf("nobody is asked: %s", page.body)
	}
}

// A code for which nobody was asked is worth something only while the consent stands:
// what is disconnected or taken back stays so, also for a code on its way.
func TestACodeForWhichNobodyWasAskedEndsWithTheConsent(t *testing.T) {
	h := newHouse(t)
	v := h.visit(t, hosted)
	for name, end := range map[string]func(*guest){
		"disconnected": func(g *guest) { v.click(t, v.open(t, g.path(t)), "Disconnect “Claude”") },
		"taken back":   func(g *guest) { v.click(t, v.open(t, g.path(t)), "Take back “Take a copy") },
	} {
		g := v.allows(t, "journal:export")
		page := v.comes(t, "scope", "journal:export")
		end(g)
		if status, told := v.exchange(t, page); status != http.StatusBadRequest || told["error"] != "invalid_grant" {
			t.Errorf("%s: %d %v", name, status, told)
		}
	}
	v.allows(t, "journal:export")
	one := v.comes(t, "scope", "journal:export")
	other := v.follow(t, v.authorize(t, v.client, "redirect_uri", hosted, "scope", "journal:export", "state", "xyz"))
	v.gets(t, one)
	v.gets(t, other) // continues what the first has brought
}

// T43, T50: a page of another site can send a browser through both pages. Nothing is
// written by that, and the code goes to the client's own place alone, for its verifier.
func TestT43T50ADriveByOfWhatWasAllowedGivesNobodyAnything(t *testing.T) {
	h := newHouse(t)
	evil := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(evil.Close)
	v := h.visit(t, hosted)
	v.allows(t, "journal:export")
	v.advance(30 * time.Second) // the use of the session is noted by the minute
	written := func() int {
		return h.count(t, "SELECT (SELECT count(*) FROM foyer_grants) + (SELECT count(*) FROM foyer_tokens) + (SELECT count(*) FROM foyer_events) + (SELECT count(*) FROM foyer_redemptions)")
	}
	before := written()
	link := v.authorize(t, v.client, "redirect_uri", hosted, "scope", "journal:export", "state", "of evil's")
	page := v.follow(t, link)
	to := strings.TrimPrefix(page.header.Get("Refresh"), "0; url=")
	if !strings.HasPrefix(to, hosted+"?code=") || page.header.Get("X-Frame-Options") != "DENY" {
		t.Errorf("%q %v", to, page.header)
	}
	if n := written(); n != before {
		t.Errorf("%d rows were written", n-before)
	}
	for name, form := range map[string]url.Values{
		"another verifier": {"client_id": {v.client}, "redirect_uri": {hosted}, "code_verifier": {strings.Repeat("x", 43)}},
		"another client":   {"client_id": {h.client(t, "Evil")}, "redirect_uri": {hosted}, "code_verifier": {verifier}},
		"another place":    {"client_id": {v.client}, "redirect_uri": {evil.URL}, "code_verifier": {verifier}},
	} {
		form.Set("grant_type", "authorization_code")
		form.Set("code", codeIn(t, to))
		if status, told := h.token(t, form); status != http.StatusBadRequest {
			t.Errorf("%s: %d %v", name, status, told)
		}
	}
	stranger := h.browser(t)
	stranger.authorize(t, v.client, "redirect_uri", hosted) // a cookie of its own
	wantsPage(t, "in another browser", stranger.follow(t, link), http.StatusForbidden, "no longer works")
}
