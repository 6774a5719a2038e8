package foyer

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/foyer/gate"
)

// fill posts the n-th form of a page, with what a person has filled in.
func (b *browser) fill(t testing.TB, page response, n int, values url.Values, header ...string) response {
	t.Helper()
	forms := strings.Split(page.body, "<form ")
	if len(forms) <= n+1 {
		t.Fatalf("there is no form %d: %d %s", n, page.status, page.body)
	}
	form := forms[n+1]
	for _, name := range []string{"form", "request"} {
		if value := field(form, `name="`+name+`" value="([^"]+)"`); value != "" {
			values.Set(name, html.UnescapeString(value))
		}
	}
	action := html.UnescapeString(field(form, `action="([^"]+)"`))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.issuer+action, strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.issuer)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.do(t, r)
}

// follow opens where a page leads by a redirect.
func (b *browser) follow(t testing.TB, page response) response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.issuer+page.header.Get("Location"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return b.do(t, r)
}

// signsIn signs in on the page, and returns what comes then.
func (b *browser) signsIn(t testing.TB, page response, address string) response {
	t.Helper()
	digits := b.fill(t, page, 0, url.Values{"email": {address}})
	done := b.fill(t, digits, 0, url.Values{"code": {digitsIn(t, b.mail(t, address))}})
	if done.status != http.StatusSeeOther {
		t.Fatalf("the digits: %d %s", done.status, done.body)
	}
	return b.follow(t, done)
}

// ticked are the scopes whose boxes a page has ticked.
func ticked(page response) (names []string) {
	for _, box := range strings.Split(page.body, `<input type="checkbox"`)[1:] {
		box, _, _ = strings.Cut(box, ">")
		if strings.HasSuffix(box, " checked") {
			names = append(names, field(box, `value="([^"]+)"`))
		}
	}
	return names
}

// allow says yes to page, with the boxes as they are, and redeems the code.
func (b *browser) allow(t testing.TB, page response, client string) *guest {
	t.Helper()
	return b.redeemed(t, b.fill(t, page, 0, url.Values{"decision": {"allow"}, "scope": ticked(page)}), client)
}

func (b *browser) redeemed(t testing.TB, page response, client string) *guest {
	t.Helper()
	to, err := url.Parse(strings.TrimPrefix(page.header.Get("Refresh"), "0; url="))
	if err != nil || to.Query().Get("code") == "" || to.Query().Get("iss") != b.issuer {
		t.Fatalf("no code: %d %v %s", page.status, page.header, page.body)
	}
	status, told := b.token(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {to.Query().Get("code")}, "redirect_uri": {redirectURI}, "code_verifier": {verifier}})
	access, _ := told["access_token"].(string)
	refresh, _ := told["refresh_token"].(string)
	if status != http.StatusOK || access == "" {
		t.Fatalf("the code: %d %v", status, told)
	}
	return &guest{house: b.house, client: client, access: access, refresh: refresh}
}

// A person who has never been here connects at the eager entry: signs in, consents,
// and is who they are there, at level email, with what they ticked.
func TestAPersonConnectsAtTheEagerEntry(t *testing.T) {
	h := newHouse(t, func(cfg *Config) {
		cfg.Endpoints = []Endpoint{{Path: "/mcp"}, {Path: "/eager/mcp", Entry: gate.Eager}}
	})
	b, client := h.browser(t), h.client(t, "App")
	asks := b.authorize(t, client, "resource", h.issuer+"/eager/mcp", "scope", "journal:write", "state", "xyz")
	if asks.status != http.StatusFound || !strings.HasPrefix(asks.header.Get("Location"), "/consent?request=") {
		t.Fatalf("authorize: %d %v", asks.status, asks.header)
	}
	first := b.follow(t, asks)
	if first.status != http.StatusOK || !strings.Contains(first.body, "Sign in to Journal") || strings.Contains(first.body, "as a guest") {
		t.Errorf("the first page: %d %s", first.status, first.body)
	}
	page := b.signsIn(t, first, "ann@example.com")
	for _, text := range []string{"act as a***@example.com", "Write, change and delete", "an app on this device",
		`<button name="decision" value="allow">Allow<`, `<button name="decision" value="deny">Cancel<`} { // a no weighs as much as a yes
		if !strings.Contains(page.body, text) {
			t.Errorf("the page of consent lacks %q: %s", text, page.body)
		}
	}
	if got := ticked(page); !slices.Equal(got, []string{"journal:write"}) {
		t.Errorf("ticked: %q", got)
	}
	ann := b.allow(t, page, client)
	res := h.send(t, mcpRequest(t, h.issuer+"/eager/mcp", ann.access, 1, "tools/call", `{"name":"whoami","arguments":{}}`))
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	body := string(raw)
	if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(body, `"as":"a***@example.com"`) || !strings.Contains(body, `"level":"email"`) {
		t.Errorf("whoami: %d %s", res.StatusCode, body)
	}
	if stored := ann.bearer(t).Grant; stored.ApprovedBy != "browser" || stored.Level != "email" || !slices.Contains(stored.Scopes, "journal:write") || slices.Contains(stored.Scopes, "journal:export") {
		t.Errorf("the grant: %+v", stored)
	}
}

// A no takes the client nothing, and tells it (RFC 6749 section 4.1.2.1).
func TestANoGivesNothing(t *testing.T) {
	h := newHouse(t)
	b, client := h.browser(t), h.client(t, "App")
	page := b.signsIn(t, b.follow(t, b.authorize(t, client, "scope", "journal:export", "state", "xyz")), "ann@example.com")
	no := b.fill(t, page, 0, url.Values{"decision": {"deny"}})
	to := strings.TrimPrefix(no.header.Get("Refresh"), "0; url=")
	if !strings.HasPrefix(to, redirectURI+"?error=access_denied&") || !strings.Contains(to, "state=xyz") || !strings.Contains(to, "iss=") || strings.Contains(to, "code=") {
		t.Errorf("a no: %s", to)
	}
}

// D8, tr8, tr11: a guest whose call needs more steps up in the browser: the new grant
// continues the guest's, which ends, and has the guest with what that kept.
func TestAGuestStepsUpInTheBrowser(t *testing.T) {
	h := newHouse(t)
	b, client := h.browser(t), h.client(t, "App")
	g := b.guest(t, client)
	g.draft(t, "The light went round.")
	before := g.bearer(t).Grant
	if a := g.call(t, "export_journal", ""); a.status != http.StatusForbidden {
		t.Fatalf("a guest's export: %d %s", a.status, a.raw)
	}
	page := b.signsIn(t, b.follow(t, b.authorize(t, client, "scope", "guest journal:export")), "ann@example.com")
	if got := ticked(page); !slices.Equal(got, []string{"journal:export"}) {
		t.Errorf("what the person came for is not ticked: %q", got)
	}
	ann := b.allow(t, page, client)
	if a := ann.call(t, "export_journal", ""); a.isError {
		t.Errorf("after the step-up: %s", a.raw)
	}
	if a := g.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
		t.Errorf("the guest's token still works: %d %s", a.status, a.raw)
	}
	after := ann.bearer(t).Grant
	if after.Continues != before.ID || after.GuestID != before.GuestID {
		t.Errorf("the grant does not continue the guest's: %+v", after)
	}
	if a := ann.call(t, "whoami", ""); a.data["kept_as_guest"] != "1 draft" {
		t.Errorf("what the guest kept is not offered: %s", a.raw)
	}
	again := b.follow(t, b.authorize(t, client, "scope", "guest journal:write"))
	more := b.allow(t, again, client)
	if last := more.bearer(t).Grant; last.Continues != after.ID || !slices.Contains(last.Scopes, "journal:export") || !slices.Contains(last.Scopes, "journal:write") {
		t.Errorf("scopes do not add up: %+v", last)
	}
}

// T56, T57: who could consent can still look round as a guest, and gets a guest's
// token, also in a browser where somebody is signed in.
func TestT56AGuestIsAGuestInWhoeversBrowser(t *testing.T) {
	h := newHouse(t)
	b, client := h.browser(t), h.client(t, "App")
	page := b.signsIn(t, b.follow(t, b.authorize(t, client, "scope", "journal:export")), "ann@example.com")
	g := b.redeemed(t, b.fill(t, page, 1, url.Values{}), client)
	if gr := g.bearer(t).Grant; gr.UserID != "" || !slices.Equal(gr.Scopes, []string{"guest"}) || gr.Continues != "" {
		t.Errorf("a guest: %+v", gr)
	}
	other := h.browser(t)
	first := other.follow(t, other.authorize(t, client, "scope", "journal:export"))
	if g := other.redeemed(t, other.fill(t, first, 1, url.Values{}), client); g.bearer(t).Grant.UserID != "" {
		t.Error("a guest who did not sign in is somebody")
	}
}

// T43, T50, T53: consent is bound to the browser, to the request that was shown and to
// who is signed in; another site's form gives nothing.
func TestT43T50T53ConsentIsOfOneBrowserOneRequestAndOneUser(t *testing.T) {
	t.Run("on our page", func(t *testing.T) { isOfOneBrowserOneRequestAndOneUser(t, newHouse(t)) })
	t.Run("on the operator's", func(t *testing.T) { isOfOneBrowserOneRequestAndOneUser(t, newHouse(t, ownConsent(&Consent{}))) })
}

func isOfOneBrowserOneRequestAndOneUser(t *testing.T, h *house) {
	t.Helper()
	hers, his, client := h.browser(t), h.browser(t), h.client(t, "App")
	link := hers.authorize(t, client, "scope", "journal:export")
	his.authorize(t, client) // gives him a cookie of his own
	if r := his.follow(t, link); r.status != http.StatusForbidden || !strings.Contains(r.body, "no longer works") {
		t.Errorf("a link that was forwarded: %d %s", r.status, r.body)
	}
	page := hers.signsIn(t, hers.follow(t, link), "ann@example.com")
	his.signsIn(t, his.follow(t, his.authorize(t, client, "scope", "journal:export")), "bob@example.com")
	second := hers.follow(t, hers.authorize(t, h.client(t, "Another"), "scope", "journal:export"))
	yes := func() url.Values { return url.Values{"decision": {"allow"}, "scope": {"journal:export"}} }
	swapped := page
	swapped.body = strings.Replace(page.body, field(page.body, `name="request" value="([^"]+)"`), field(second.body, `name="request" value="([^"]+)"`), 1)
	for name, r := range map[string]response{
		"another browser": his.fill(t, page, 0, yes()),
		"another site":    hers.fill(t, page, 0, yes(), "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"),
		"another request": hers.fill(t, swapped, 0, yes()),
		"no cookies":      h.browser(t).fill(t, page, 0, yes()),
	} {
		if r.status != http.StatusForbidden || r.header.Get("Refresh") != "" {
			t.Errorf("%s: %d %v", name, r.status, r.header)
		}
	}
	extra := hers.fill(t, page, 0, url.Values{"decision": {"allow"}, "scope": {"journal:export", "journal:write", "acr:passkey", "guest"}})
	if gr := hers.redeemed(t, extra, client).bearer(t).Grant; slices.Contains(gr.Scopes, "journal:write") || slices.Contains(gr.Scopes, "acr:passkey") {
		t.Errorf("scopes that nobody asked for: %q", gr.Scopes)
	}
	h.advance(11 * time.Minute)
	if r := hers.fill(t, page, 0, yes()); r.status != http.StatusForbidden {
		t.Errorf("after eleven minutes: %d", r.status)
	}
}

// What signs in in a browser has its own session: an hour idle, twelve in all, and
// over at a sign-out.
func TestABrowsersSessionEnds(t *testing.T) {
	h := newHouse(t)
	b, client := h.browser(t), h.client(t, "App")
	signed := func() bool {
		page := b.follow(t, b.authorize(t, client, "scope", "journal:export"))
		return strings.Contains(page.body, "act as a***@example.com")
	}
	b.signsIn(t, b.follow(t, b.authorize(t, client, "scope", "journal:export")), "ann@example.com")
	for n := range 13 {
		h.advance(55 * time.Minute)
		if !signed() {
			t.Fatalf("over after %d times 55 minutes", n+1)
		}
	}
	h.advance(6 * time.Minute)
	if signed() {
		t.Error("a session lasts for more than twelve hours")
	}
	b.signsIn(t, b.follow(t, b.authorize(t, client, "scope", "journal:export")), "ann@example.com")
	if !signed() {
		t.Error("signed in anew, and not")
	}
	h.advance(61 * time.Minute)
	if signed() {
		t.Error("a session lasts for an hour without use")
	}
}
