package foyer

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/foyer/gate"
)

// asksFor is what a challenge tells a client to ask for, as parameters of /authorize.
func (g *guest) asksFor(t testing.TB, tool string) (more []string) {
	t.Helper()
	res := g.send(t, mcpRequest(t, g.issuer+"/mcp", g.access, 1, "tools/call", `{"name":"`+tool+`","arguments":{}}`))
	defer res.Body.Close()
	said := res.Header.Get("WWW-Authenticate")
	if res.StatusCode != http.StatusForbidden || said == "" {
		t.Fatalf("%s: %d %q", tool, res.StatusCode, said)
	}
	for _, name := range []string{"scope", "acr_values", "max_age"} {
		if value := field(said, `[ ,]`+name+`="([^"]*)"`); value != "" {
			more = append(more, name, value)
		}
	}
	return more
}

// RFC 9470: a client that is sent for a fresh sign-in gets one. A session of longer ago
// signs in again, whatever it is used for meanwhile, and the call goes through.
func TestAFreshSignInIsAskedForInTheBrowser(t *testing.T) {
	h := newBank(t)
	b, client := h.browser(t), h.client(t, "App")
	ann := b.allow(t, b.signsIn(t, b.follow(t, b.authorize(t, client, "scope", "journal:write")), "ann@example.com"), client)
	if a := ann.call(t, "new_payee", ""); a.isError {
		t.Fatalf("right after the sign-in: %s", a.raw)
	}
	h.advance(11 * time.Minute)
	more := ann.asksFor(t, "new_payee")
	page := b.follow(t, b.authorize(t, client, more...))
	wantsPage(t, "a session of eleven minutes ago", page, http.StatusOK, "<h1>Sign in again</h1>", "“App”", "from just now")
	if strings.Contains(page.body, "Allow") {
		t.Errorf("the page asks for a yes at once: %s", page.body)
	}
	other := b.follow(t, b.authorize(t, client, "scope", "journal:write"))
	wantsPage(t, "a request without an age", other, http.StatusOK, "act as a***@example.com")
	asks := b.signsIn(t, page, "ann@example.com")
	wantsPage(t, "after the sign-in", asks, http.StatusOK, "act as a***@example.com")
	h.advance(5 * time.Minute) // who takes their time over the page is not asked again
	fresh := b.allow(t, asks, client)
	if a := fresh.call(t, "new_payee", ""); a.isError {
		t.Errorf("after the step-up: %s", a.raw)
	}
	if again := b.follow(t, b.authorize(t, client, more...)); !strings.Contains(again.body, "act as a***@example.com") {
		t.Errorf("a session of five minutes ago signs in again: %s", again.body)
	}
	if now := b.follow(t, b.authorize(t, client, "max_age", "0")); !strings.Contains(now.body, "<h1>Sign in again</h1>") {
		t.Errorf("no age at all: %s", now.body)
	}
}

// A yes on a page of consent counts for the request that the page showed: not for one
// that asks for a later sign-in.
func TestAnOlderSessionSaysNoYesForAFreshSignIn(t *testing.T) {
	h := newBank(t)
	b, client := h.browser(t), h.client(t, "App")
	old := b.signsIn(t, b.follow(t, b.authorize(t, client, "scope", "journal:write")), "ann@example.com")
	h.advance(time.Minute)
	link := b.authorize(t, client, "scope", "journal:write", "max_age", "30")
	swapped := old
	swapped.body = strings.Replace(old.body, field(old.body, `name="request" value="([^"]+)"`), field(link.header.Get("Location"), `request=([^&]+)`), 1)
	if r := b.fill(t, swapped, 0, url.Values{"decision": {"allow"}, "scope": {"journal:write"}}); r.status != http.StatusForbidden || r.header.Get("Refresh") != "" {
		t.Errorf("a form of another request: %d %v", r.status, r.header)
	}
	// The page of the right request, in a session that is older than the request allows.
	fresh := b.signsIn(t, b.follow(t, link), "ann@example.com")
	h.exec(t, "UPDATE foyer_sessions SET auth_time = auth_time - 3600000000 WHERE user_id <> ''")
	if r := b.fill(t, fresh, 0, url.Values{"decision": {"allow"}, "scope": {"journal:write"}}); r.status != http.StatusForbidden || r.header.Get("Refresh") != "" {
		t.Errorf("a session that is older than what is asked for: %d %v", r.status, r.header)
	}
}

// A level is asked for in the browser by what the challenge names, and a guest who
// brings it back does not become another guest; one that no sign-in here gives is
// refused, and the client is told.
func TestALevelIsAskedForInTheBrowser(t *testing.T) {
	h := newBank(t, func(cfg *Config) { cfg.Tools["new_payee"] = gate.SignedIn().Level("email") })
	b, client := h.browser(t), h.client(t, "App")
	g := b.guest(t, client)
	g.signIn(t, "ann@example.com")
	h.advance(2 * time.Minute)
	page := b.follow(t, b.authorize(t, client, g.asksFor(t, "new_payee")...))
	wantsPage(t, "a level", page, http.StatusOK, "<h1>Sign in to ")
	ann := b.allow(t, b.signsIn(t, page, "ann@example.com"), client)
	if a := ann.call(t, "new_payee", ""); a.isError {
		t.Errorf("after the step-up: %s", a.raw)
	}
	for _, more := range [][]string{{"acr_values", "passkey"}, {"scope", "journal:write acr:passkey"}} {
		r := b.authorize(t, client, append(more, "state", "xyz")...)
		if to := r.header.Get("Location"); r.status != http.StatusFound || !strings.HasPrefix(to, redirectURI+"?error=unmet_authentication_requirements&") || !strings.Contains(to, "state=xyz") {
			t.Errorf("%q: %d %s", more, r.status, to)
		}
	}
}
