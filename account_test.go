package foyer

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/foyer/store"
)

// get opens a page of the server.
func (b *browser) open(t testing.TB, path string) response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.issuer+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b.do(t, r)
}

// buttons are the buttons of a page that send something, by their texts.
func (r response) buttons() map[string]url.Values {
	all := map[string]url.Values{}
	for _, button := range strings.Split(r.body, "<button")[1:] {
		attributes, text, _ := strings.Cut(button, ">")
		text, _, _ = strings.Cut(text, "<")
		all[text] = url.Values{field(attributes, `name="([^"]+)"`): {field(attributes, `value="([^"]+)"`)}}
	}
	return all
}

// click presses the button of page that begins so.
func (b *browser) click(t testing.TB, page response, text string, header ...string) response {
	t.Helper()
	for n, form := range strings.Split(page.body, "<form ")[1:] {
		for label, values := range (response{body: form}).buttons() {
			if strings.HasPrefix(label, text) {
				return b.fill(t, page, n, values, header...)
			}
		}
	}
	t.Fatalf("no button %q: %d %s", text, page.status, page.body)
	return response{}
}

// chat is a client of that name, in whose chat somebody has signed in.
func (h *house) chat(t testing.TB, name, address string) *guest {
	t.Helper()
	g := &guest{house: h, client: h.client(t, name)}
	g.access, g.refresh = h.redeem(t, g.client, h.code(t, g.client))
	h.advance(2 * time.Minute) // else the next mail to the address would have to wait
	g.signIn(t, address)
	h.advance(2 * time.Minute)
	return g
}

// path is that of the page about the grant.
func (g *guest) path(t testing.TB) string { return "/account/" + g.bearer(t).Grant.ID }

func wantsPage(t *testing.T, what string, page response, status int, texts ...string) {
	t.Helper()
	_, main, _ := strings.Cut(page.body, "<main>")
	for _, text := range texts {
		if !strings.Contains(main, text) {
			t.Errorf("%s: no %q in %d %s", what, text, page.status, main)
		}
	}
	if page.status != status {
		t.Errorf("%s: %d, want %d: %s", what, page.status, status, main)
	}
}

// S12, S17, S18: users see what they have allowed to whom, and nobody else's; guests
// have no such page.
func TestUsersSeeWhatIsConnected(t *testing.T) {
	h := newHouse(t)
	h.guest(t)
	h.chat(t, "Other", "bob@example.com")
	ann := h.chat(t, "Claude", "ann@example.com")
	ann.renew(t)
	if err := h.kit.Elevate(t.Context(), Elevation{GrantID: ann.bearer(t).Grant.ID, Scope: "journal:export", For: time.Hour, Reason: "r", Approver: "bob"}); err != nil {
		t.Fatal(err)
	}
	b := h.browser(t)
	first := b.open(t, "/account")
	wantsPage(t, "nobody", first, http.StatusOK, "<h1>Sign in</h1>")
	if strings.Contains(first.body, "Claude") {
		t.Errorf("a stranger sees %s", first.body)
	}
	page := b.signsIn(t, first, "ann@example.com")
	wantsPage(t, "ann", page, http.StatusOK, "<h1>Connected apps</h1>", "You are signed in as a***@example.com", "<bdi>“Claude”</bdi>", "127.0.0.1:33418 (an app on this device)",
		"21 November 2026, 14:", "in the chat, with the code from a mail", "with a code that was typed in the chat", "Write, change and delete", "For a while", "until 21 November 2026, 15:",
		"Last renewed its access", ">Disconnect “Claude”</button>", ">Sign out of this browser</button>", "“Claude” was connected, in the chat", "Signed in in a browser")
	if strings.Contains(page.body, "Other") || strings.Contains(page.body, "all 1") || strings.Contains(page.body, "ann@") {
		t.Errorf("ann sees %s", page.body)
	}
	out := b.click(t, page, "Sign out of this browser")
	if out.status != http.StatusSeeOther || out.header.Get("Location") != "/account" {
		t.Errorf("the sign-out: %d %v", out.status, out.header)
	}
	wantsPage(t, "after the sign-out", b.open(t, "/account"), http.StatusOK, "<h1>Sign in</h1>")
	ann.works(t, "the chat after the browser's sign-out")
	wantsPage(t, "who has nothing", b.signsIn(t, b.open(t, "/account"), "zoe@example.com"), http.StatusOK, "No app can act as you")
}

// tr15, S17: a client that its user disconnects is refused on its next call, its streams
// end, and its refresh token is dead. Others go on.
func TestTr15WhatIsDisconnectedIsRefusedAtOnce(t *testing.T) {
	h := newHouse(t)
	ann, other := h.chat(t, "Claude", "ann@example.com"), h.chat(t, "Other", "ann@example.com")
	streams := []openStream{ann.listens(t, modern), ann.listens(t, "2025-11-25")}
	b := h.browser(t)
	page := b.signsIn(t, b.open(t, "/account"), "ann@example.com")
	h.advance(20 * time.Minute) // one's end takes no fresh sign-in
	wantsPage(t, "disconnect", b.click(t, page, "Disconnect “Claude”"), http.StatusOK, "<h1>Disconnected</h1>", "“Claude” can no longer act as you")
	if a := ann.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
		t.Errorf("its next call: %d %s", a.status, a.raw)
	}
	for i, s := range streams {
		for s.next() != "" {
		}
		t.Logf("stream %d has ended", i)
	}
	if status, _ := ann.refreshed(t, ann.refresh); status != http.StatusBadRequest {
		t.Errorf("its refresh: %d", status)
	}
	other.works(t, "the other client")
	wantsPage(t, "once more", b.click(t, page, "Disconnect “Claude”"), http.StatusNotFound, "There is no such app here")
	wantsPage(t, "afterwards", b.open(t, "/account"), http.StatusOK, "“Claude” was disconnected here", "Disconnect “Other”")
}

// tr15: all, and all others, are disconnected after a sign-in of the last ten minutes.
// Of what was pressed before nothing is kept.
func TestTr15ToDisconnectAllPeopleSignInAgain(t *testing.T) {
	h := newHouse(t, func(cfg *Config) { cfg.DangerouslyNoLimits = true }) // so many mails
	one, two, three := h.chat(t, "One", "ann@example.com"), h.chat(t, "Two", "ann@example.com"), h.chat(t, "Three", "ann@example.com")
	bob := h.chat(t, "Bobs", "bob@example.com")
	b := h.browser(t)
	page := b.signsIn(t, b.open(t, "/account"), "ann@example.com")
	about := b.open(t, one.path(t))
	h.advance(11 * time.Minute)
	for name, again := range map[string]response{"all": b.click(t, page, "Disconnect all 3 apps"), "all others": b.click(t, about, "Disconnect all but “One”")} {
		wantsPage(t, name, again, http.StatusForbidden, "Sign in again", "E-mail address")
	}
	for _, g := range []*guest{one, two, three} {
		g.works(t, "before a fresh sign-in")
	}
	about = b.signsIn(t, b.click(t, about, "Disconnect all but “One”"), "ann@example.com")
	wantsPage(t, "the way back", about, http.StatusOK, "What “One” may do")
	wantsPage(t, "all others", b.click(t, about, "Disconnect all but “One”"), http.StatusOK, "2 apps can no longer act as you")
	one.works(t, "the one that was kept")
	for name, g := range map[string]*guest{"two": two, "three": three} {
		if a := g.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	four := h.chat(t, "Four", "ann@example.com")
	wantsPage(t, "all", b.click(t, b.open(t, "/account"), "Disconnect all 2 apps"), http.StatusOK, "2 apps can no longer act as you")
	for name, g := range map[string]*guest{"one": one, "four": four} {
		if a := g.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	bob.works(t, "another user's client")
	wantsPage(t, "then", b.open(t, "/account"), http.StatusOK, "No app can act as you")
}

// D8, R-30: a scope that is given on the page opens its tools at once, under the token
// that the client has; one that is taken back closes them at once. Open streams hear
// both.
func TestScopesAreGivenAndTakenBackUnderTheSameToken(t *testing.T) {
	h := newHouse(t)
	ann := h.chat(t, "Claude", "ann@example.com")
	news := ann.listens(t, modern)
	refused := ann.call(t, "export_journal", "")
	if refused.status != http.StatusForbidden || !strings.Contains(refused.raw, "open "+h.issuer+"/account ") {
		t.Errorf("before: %d %s", refused.status, refused.raw)
	}
	before := ann.bearer(t)
	b := h.browser(t)
	page := b.signsIn(t, b.open(t, ann.path(t)), "ann@example.com")
	given := b.click(t, page, "Let “Claude” do this: “Take a copy")
	wantsPage(t, "given", given, http.StatusOK, "<h1>Given</h1>", "“Claude” may now do this: “Take a copy")
	if a := ann.call(t, "export_journal", ""); a.isError {
		t.Errorf("after it was given: %d %s", a.status, a.raw)
	}
	if !news.heard() {
		t.Error("the stream hears nothing of the gift")
	}
	after := ann.bearer(t)
	if after.Token.Epoch != before.Token.Epoch || after.Grant.Level != before.Grant.Level || after.Grant.ID != before.Grant.ID {
		t.Errorf("more than the scope has changed: %+v", after.Grant)
	}
	page = b.open(t, ann.path(t))
	if slices.ContainsFunc(labels(page), func(l string) bool { return strings.HasPrefix(l, "Let ") }) {
		t.Errorf("there is more to give: %q", labels(page))
	}
	h.advance(20 * time.Minute) // to take back takes no fresh sign-in
	wantsPage(t, "taken", b.click(t, page, "Take back “Take a copy"), http.StatusOK, "<h1>Taken back</h1>", "“Claude” may no longer do this")
	if a := ann.call(t, "export_journal", ""); !a.isError && a.status == http.StatusOK {
		t.Errorf("after it was taken back: %s", a.raw)
	}
	if !news.heard() {
		t.Error("the stream hears nothing of the loss")
	}
	ann.works(t, "what is left")
	wantsPage(t, "the trail", b.open(t, "/account"), http.StatusOK, "was given more here: “Take a copy", "was taken back here: “Take a copy")
	h.kit.Drain()
}

func labels(page response) (all []string) {
	for text := range page.buttons() {
		all = append(all, text)
	}
	return all
}

// To give takes a sign-in of the last ten minutes, a scope of the operator's, and the
// scopes that the page showed.
func TestScopesAreGivenAfterAFreshSignInAlone(t *testing.T) {
	h := newHouse(t)
	ann := h.chat(t, "Claude", "ann@example.com")
	b := h.browser(t)
	page := b.signsIn(t, b.open(t, ann.path(t)), "ann@example.com")
	for name, values := range map[string]url.Values{
		"a level": {"give": {"acr:passkey"}}, "no scope of ours": {"give": {"root"}}, "a guest's": {"take": {"guest x"}}, "nothing": {}, "what it has not": {"take": {"journal:export"}},
	} {
		wantsPage(t, name, b.fill(t, page, 0, values), http.StatusConflict, "It has changed meanwhile")
	}
	h.advance(11 * time.Minute)
	wantsPage(t, "after eleven minutes", b.click(t, page, "Let “Claude”"), http.StatusForbidden, "Sign in again")
	other := h.browser(t)
	theirs := other.signsIn(t, other.open(t, ann.path(t)), "ann@example.com")
	wantsPage(t, "in another browser", other.click(t, theirs, "Take back “Write"), http.StatusOK, "Taken back")
	wantsPage(t, "of what was taken back", other.click(t, theirs, "Let “Claude”"), http.StatusConflict, "It has changed meanwhile")
	if got := ann.bearer(t).Grant.Scopes; !slices.Equal(got, []string{"guest"}) {
		t.Errorf("after all: %q", got)
	}
}

// what implies a scope goes with it, and what comes with one comes; the buttons
// say so.
func TestImpliedScopesGoTogether(t *testing.T) {
	h := newBank(t)
	ann := h.chat(t, "Claude", "ann@example.com")
	b := h.browser(t)
	page := b.signsIn(t, b.open(t, ann.path(t)), "ann@example.com")
	wantsPage(t, "given", b.click(t, page, "Let “Claude” do this: “Write the ledger”"), http.StatusOK, "Given")
	page = b.open(t, ann.path(t))
	wantsPage(t, "both", page, http.StatusOK, ">Take back “Read the ledger”, and with it “Write the ledger” from “Claude”<", ">Take back “Write the ledger” from “Claude”<")
	wantsPage(t, "taken back", b.click(t, page, "Take back “Read the ledger”, and with it"), http.StatusOK, "may no longer do this: “Read the ledger”, “Write the ledger”.")
	if a := ann.call(t, "read_ledger", ""); !a.isError && a.status == http.StatusOK {
		t.Errorf("what was taken back is still implied: %s", a.raw)
	}
	b.click(t, b.open(t, ann.path(t)), "Let “Claude” do this: “Write the ledger”, and with it “Read the ledger”")
	if a := ann.call(t, "read_ledger", ""); a.isError {
		t.Errorf("what comes with it: %s", a.raw)
	}
	wantsPage(t, "implied", b.open(t, ann.path(t)), http.StatusOK, ">Take back “Write the ledger”, and with it “Read the ledger” from “Claude”<")
}

// T50, T53: a form is good in the browser that got it, from our own page, for half an
// hour, and for its grant. Another's grant, one that has another user by now, and none
// at all are alike.
func TestT50T53OfAnotherBrowserSiteUserOrGrantNothingIsChanged(t *testing.T) {
	h := newHouse(t)
	ann, bob := h.chat(t, "Claude", "ann@example.com"), h.chat(t, "Other", "bob@example.com")
	hers, his := h.browser(t), h.browser(t)
	list := hers.signsIn(t, hers.open(t, "/account"), "ann@example.com")
	about := hers.open(t, ann.path(t))
	bobs := his.signsIn(t, his.open(t, bob.path(t)), "bob@example.com")
	crossed := list
	crossed.body = strings.ReplaceAll(list.body, ann.path(t), bob.path(t))
	forged := about
	forged.body = strings.ReplaceAll(about.body, `name="form" value="`, `name="form" value="A`)
	all := list
	all.body = strings.ReplaceAll(list.body, `action="`+ann.path(t)+`"`, `action="/account"`)
	for name, r := range map[string]response{
		"another browser":       his.click(t, about, "Disconnect “Claude”"),
		"no cookies":            h.browser(t).click(t, about, "Disconnect “Claude”"),
		"another site":          hers.click(t, about, "Disconnect “Claude”", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"),
		"a forged form":         hers.click(t, forged, "Disconnect “Claude”"),
		"a form of one grant":   hers.click(t, crossed, "Disconnect “Claude”"),
		"a form of another act": hers.click(t, all, "Disconnect “Claude”"),
		"a form of another's":   hers.click(t, bobs, "Disconnect “Other”"),
	} {
		wantsPage(t, name, r, http.StatusForbidden, "no longer works")
	}
	over := h.chat(t, "Over", "ann@example.com")
	gone := over.path(t)
	if err := h.kit.Revoke(t.Context(), over.bearer(t).Grant.ID); err != nil {
		t.Fatal(err)
	}
	nothing := ""
	for _, path := range []string{"/account/none", gone, bob.path(t), h.guest(t).path(t)} {
		r := hers.open(t, path)
		wantsPage(t, path, r, http.StatusNotFound, "There is no such app here")
		if nothing != "" && r.body != nothing {
			t.Errorf("%s is answered otherwise: %s", path, r.body)
		}
		nothing = r.body
	}
	id := ann.bearer(t).Grant.ID
	about = hers.open(t, "/account/"+id)
	ann.call(t, "logout", "")
	wantsPage(t, "after a sign-out in the chat", hers.click(t, about, "Disconnect “Claude”"), http.StatusNotFound, "There is no such app here")
	h.advance(2 * time.Minute)
	ann.signIn(t, "bob@example.com")
	wantsPage(t, "of who is there now", hers.click(t, about, "Disconnect “Claude”"), http.StatusNotFound, "There is no such app here")
	ann.works(t, "after all")
	bob.works(t, "after all")
	about = his.open(t, bob.path(t))
	h.advance(31 * time.Minute)
	wantsPage(t, "after half an hour", his.click(t, about, "Disconnect “Other”"), http.StatusForbidden, "no longer works")
	bob.works(t, "after that")
}

// T51, T54, R-90, R-91, R-95: the pages are sealed, carry no script, and show a name
// that a client has chosen as a name.
func TestT51T54AccountPagesAreSealed(t *testing.T) {
	h := newHouse(t)
	ann := h.chat(t, `<script>alert(1)</script>\u202e”\" onclick=x`, "ann@example.com")
	b := h.browser(t)
	list := b.signsIn(t, b.open(t, "/account"), "ann@example.com")
	about := b.open(t, ann.path(t))
	for name, p := range map[string]response{"the list": list, "about one": about, "taken back": b.click(t, about, "Take back"), "changed": b.click(t, about, "Take back"), "disconnected": b.click(t, about, "Disconnect"), "nothing": b.open(t, "/account/x")} {
		csp := p.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") || p.header.Get("X-Frame-Options") != "DENY" ||
			p.header.Get("Cache-Control") != "no-store" || p.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", name, p.header)
		}
		if strings.Contains(p.body, "<script") || strings.Contains(p.body, "\u202e") || strings.Contains(p.body, "\" onclick") {
			t.Errorf("%s: %s", name, p.body)
		}
	}
	if !strings.Contains(list.body, "“&lt;script&gt;") {
		t.Errorf("the name: %s", list.body)
	}
}

// A client that cannot be helped by the page is not sent there: a guest, and what takes
// a stronger sign-in.
func TestOnlyWhoCanGiveIsSentToTheAccountPage(t *testing.T) {
	h := newBank(t)
	g, ann := h.guest(t), h.chat(t, "Claude", "ann@example.com")
	for name, a := range map[string]answer{"a guest": g.call(t, "export_journal", ""), "a level": ann.call(t, "statement", "")} {
		if !strings.Contains(a.raw, "not run") || strings.Contains(a.raw, "/account") {
			t.Errorf("%s: %s", name, a.raw)
		}
	}
}

// The store knows which grant was refreshed when.
func TestARefreshIsSeenOnTheGrant(t *testing.T) {
	h := newHouse(t)
	ann := h.chat(t, "Claude", "ann@example.com")
	seen := func() (gr store.Grant) { return ann.bearer(t).Grant }
	if !seen().Refreshed.IsZero() {
		t.Errorf("before: %v", seen().Refreshed)
	}
	ann.renew(t)
	if !seen().Refreshed.Equal(h.clock()) {
		t.Errorf("after: %v", seen().Refreshed)
	}
}
