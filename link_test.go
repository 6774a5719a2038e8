package foyer

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/foyer/store"
)

// asked is what a guest got that has asked for a mail: the pairing code of its chat, and
// from the mail the path of the link and the digits.
type asked struct{ pairing, link, digits string }

func (g *guest) linked(t testing.TB, address string) asked {
	t.Helper()
	a := g.call(t, "authenticate", `{"email":"`+address+`"}`)
	pairing, _ := a.data["pairing_code"].(string)
	text := g.mail(t, address)
	link := field(text, `(?m)^`+regexp.QuoteMeta(g.issuer)+`(/claim/[A-Z2-7]+\.[A-Za-z0-9_-]{22})\r?$`)
	if a.isError || len(pairing) != 4 || link == "" || !strings.Contains(a.text, pairing) || regexp.MustCompile(`\b`+pairing+`\b`).MatchString(text) {
		t.Fatalf("authenticate: %s\n%s", a.raw, text)
	}
	return asked{pairing, link, digitsIn(t, text)}
}

// types types a pairing code into the page of a link.
func (b *browser) types(t testing.TB, page response, pairing string, header ...string) response {
	t.Helper()
	return b.fill(t, page, 0, url.Values{"pairing": {pairing}}, header...)
}

// expected is what is expected of the guest.
func (g *guest) expected(t testing.TB) (c store.Challenge) {
	t.Helper()
	id := g.bearer(t).Grant.ID
	err := g.store.View(t.Context(), func(tx store.Tx) (err error) {
		c, err = tx.LatestChallenge(t.Context(), id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// tr7: the link of the mail and the pairing code of the chat sign in as the digits do:
// the same grant under the same access token, level chat, the scopes that the mail
// named, news on the grant's stream, and the offer to take along what the guest kept.
// Once: the digits are used up by it.
func TestTr7TheLinkSignsInAsTheDigitsDo(t *testing.T) {
	h := newHouse(t)
	g := &guest{house: h, client: h.client(t, "Claude")}
	g.access, g.refresh = h.redeem(t, g.client, h.code(t, g.client))
	g.draft(t, "The light went round.")
	news := g.listens(t, modern)
	before := g.bearer(t).Grant
	asked := g.linked(t, "ann@example.com")
	b := h.browser(t)
	page := b.open(t, asked.link)
	wantsPage(t, "the page", page, http.StatusOK, "<h1>Sign in to Journal in your chat?</h1>", "“Claude”, on the device where it was set up (127.0.0.1:33418)", "a***@example.com",
		"<li>Write, change and delete your journal entries</li>", "nobody has checked", "Who sends you one wants to get into your account")
	done := b.types(t, page, " "+strings.ToLower(asked.pairing[:2])+"-"+asked.pairing[2:])
	wantsPage(t, "the right code", done, http.StatusOK, "<h1>Signed in</h1>", "Return to your chat: “Claude” now acts as a***@example.com")
	a := g.call(t, "whoami", "")
	if a.data["as"] != "a***@example.com" || a.data["level"] != "chat" || a.data["kept_as_guest"] != "1 draft" {
		t.Errorf("whoami under the same token: %s", a.raw)
	}
	if !news.heard() {
		t.Error("the stream hears nothing of the claim")
	}
	g.works(t, "after the claim")
	if a := g.call(t, "validate_token", `{"code":"`+asked.digits+`"}`); a.data["status"] != "signed_in" || !strings.Contains(a.text, "Already") {
		t.Errorf("the digits after the link: %s", a.raw)
	}
	g.renew(t)
	after := g.bearer(t).Grant
	if after.ID != before.ID || after.GuestID != before.GuestID || after.Epoch != before.Epoch+1 || after.ApprovedBy != "link" || !slices.Equal(after.Scopes, []string{"guest", "journal:write"}) {
		t.Errorf("the grant: %+v", after)
	}
	wantsPage(t, "the link again", b.open(t, asked.link), http.StatusGone, "This link was used already")
	wantsPage(t, "the page again", b.types(t, page, asked.pairing), http.StatusGone, "This link was used already")
	if n := h.count(t, `SELECT count(*) FROM foyer_events WHERE kind = 'grant_claimed'`); n != 1 {
		t.Errorf("%d events of a claim", n)
	}
	if regexp.MustCompile(`\b`+asked.pairing+`\b`).MatchString(h.log.String()) || strings.Contains(h.log.String(), asked.link) {
		t.Error("the log has the pairing code, or the link")
	}
	h.kit.Drain()
}

// T10, T21, T53: who got the mail, or its link, has nothing without the pairing code of
// the chat, whatever cookies the browser holds: the page asks for it always. Nobody is
// signed in in the browser by it, either.
func TestT10T21AForwardedLinkIsNothingWithoutThePairingCode(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	asked := g.linked(t, "ann@example.com")
	planted, hers := h.browser(t), h.browser(t)
	planted.authorize(t, g.client) // the cookie of a flow that somebody began in this browser
	planted.signsIn(t, planted.open(t, "/account"), "bob@example.com")
	hers.signsIn(t, hers.open(t, "/account"), "zoe@example.com")
	for name, b := range map[string]*browser{"no cookie": h.browser(t), "planted cookies": planted, "signed in": hers} {
		page := b.open(t, asked.link)
		wantsPage(t, name, page, http.StatusOK, "Pairing code")
		wantsPage(t, name+", nothing typed", b.types(t, page, ""), http.StatusForbidden, "Type the pairing code that your chat shows")
	}
	if c := g.expected(t); c.Attempts != 0 || c.State != "pending" {
		t.Errorf("what was not typed counts: %+v", c)
	}
	b, other := h.browser(t), h.browser(t)
	page := b.open(t, asked.link)
	other.open(t, asked.link)
	elsewhere := b.open(t, h.guest(t).linked(t, "eve@example.com").link)
	elsewhere.body = strings.Replace(elsewhere.body, `action="`, `action="`+asked.link+`" data-was="`, 1)
	for name, r := range map[string]response{
		"no page of ours":     b.fill(t, response{body: `<form action="` + asked.link + `">`}, 0, url.Values{"pairing": {asked.pairing}}),
		"another browser":     other.types(t, page, asked.pairing),
		"no cookies":          h.browser(t).types(t, page, asked.pairing),
		"another site":        b.types(t, page, asked.pairing, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"),
		"another link's page": b.types(t, elsewhere, asked.pairing),
		"a forged form":       b.types(t, response{body: strings.Replace(page.body, `name="form" value="`, `name="form" value="A`, 1)}, asked.pairing),
	} {
		wantsPage(t, name, r, http.StatusForbidden, "That button no longer works")
	}
	if gr := g.bearer(t).Grant; gr.UserID != "" {
		t.Fatalf("somebody has got the grant: %+v", gr)
	}
	wantsPage(t, "then", b.types(t, page, asked.pairing), http.StatusOK, "Signed in")
	wantsPage(t, "the browser", b.open(t, "/account"), http.StatusOK, "<h1>Sign in</h1>")
}

// T10: three wrong pairing codes, and the challenge is dead, digits and all. They count
// as wrong digits do.
func TestT10ThreeWrongPairingCodesEndTheChallenge(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	asked := g.linked(t, "ann@example.com")
	b := h.browser(t)
	page := b.open(t, asked.link)
	wantsPage(t, "one", b.types(t, page, "AAAA"), http.StatusForbidden, "That is not the pairing code. 2 tries are left.") // which has no A
	if a := g.call(t, "validate_token", `{"code":"x"}`); a.data["tries_left"] != 3.0 {
		t.Errorf("digits after one wrong pairing code: %s", a.raw)
	}
	wantsPage(t, "three", b.types(t, page, asked.digits), http.StatusGone, "This link is used up")
	for name, r := range map[string]response{"the right one": b.types(t, page, asked.pairing), "the page": b.open(t, asked.link)} {
		wantsPage(t, name, r, http.StatusGone, "This link is used up")
	}
	if a := g.call(t, "validate_token", `{"code":"`+asked.digits+`"}`); !a.isError || !strings.Contains(a.text, "used up") {
		t.Errorf("the digits afterwards: %s", a.raw)
	}
	if c := g.expected(t); c.Attempts != 3 || c.State != "exhausted" {
		t.Errorf("the challenge: %+v", c)
	}
	if n := h.count(t, `SELECT count(*) FROM foyer_events WHERE kind = 'sign_in_failed'`); n != 3 {
		t.Errorf("%d events of failures", n)
	}
	if n := h.count(t, `SELECT total FROM foyer_counters WHERE id LIKE 'failed-for:%'`); n != 3 {
		t.Errorf("%d wrong answers are counted for the address", n)
	}
}

// T22: whoever loads the page, however often, changes nothing; the person's own post
// still counts.
func TestT22ALinkThatIsLoadedAHundredTimesIsStillGood(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	asked := g.linked(t, "ann@example.com")
	tables := func() (all []int) {
		for _, table := range []string{"foyer_events", "foyer_counters", "foyer_sessions", "foyer_browsers", "foyer_outgoing", "foyer_users"} {
			all = append(all, h.count(t, "SELECT count(*) FROM "+table))
		}
		return all
	}
	challenge, before := g.expected(t), tables()
	for i := range 100 {
		method := []string{http.MethodGet, http.MethodHead}[i%2]
		r, err := http.NewRequestWithContext(t.Context(), method, h.issuer+asked.link, nil)
		if err != nil {
			t.Fatal(err)
		}
		page := h.browser(t).do(t, r)
		if page.status != http.StatusOK || strings.Contains(page.body, "<script") || page.header.Get("Referrer-Policy") != "no-referrer" || page.header.Get("Cache-Control") != "no-store" ||
			!strings.Contains(page.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") || (method == http.MethodHead) != (page.body == "") {
			t.Fatalf("%s %d: %d %v", method, i, page.status, page.header)
		}
	}
	if c := g.expected(t); c != challenge || !slices.Equal(tables(), before) {
		t.Errorf("%+v, %v; before %+v, %v", c, tables(), challenge, before)
	}
	b := h.browser(t)
	wantsPage(t, "the person", b.types(t, b.open(t, asked.link), asked.pairing), http.StatusOK, "Signed in")
}

// A link that works no more has a plain page with one next step. What is another's is
// answered as what never was, byte for byte.
func TestLinksThatWorkNoMoreSayWhatToDo(t *testing.T) {
	h := newHouse(t)
	g, other := h.guest(t), h.guest(t)
	first := g.linked(t, "ann@example.com")
	theirs := other.linked(t, "bob@example.com")
	id, _, _ := strings.Cut(first.link, ".")
	_, mac, _ := strings.Cut(theirs.link, ".")
	b := h.browser(t)
	nothing := b.open(t, "/claim/NOTHING.AAAAAAAAAAAAAAAAAAAAAA")
	wantsPage(t, "unknown", nothing, http.StatusNotFound, "This link leads nowhere", "go back to your chat")
	for _, link := range []string{id + "." + mac, id, id + ".", first.link[:len(first.link)-1], "/claim/" + first.digits} {
		if r := b.open(t, link); r.body != nothing.body || r.status != nothing.status {
			t.Errorf("%s is answered otherwise: %d %s", link, r.status, r.body)
		}
	}
	page := b.open(t, first.link)
	h.advance(61 * time.Second)
	second := g.linked(t, "ann@example.com")
	wantsPage(t, "replaced", b.open(t, first.link), http.StatusGone, "This link has expired", "ask there for a new mail")
	wantsPage(t, "replaced, and typed", b.types(t, page, first.pairing), http.StatusGone, "This link has expired")
	h.advance(10 * time.Minute)
	wantsPage(t, "expired", b.open(t, second.link), http.StatusGone, "This link has expired")
	third, over := g.linked(t, "ann@example.com"), other.linked(t, "bob@example.com")
	page = b.open(t, third.link)
	if err := h.kit.Revoke(t.Context(), g.bearer(t).Grant.ID); err != nil {
		t.Fatal(err)
	}
	wantsPage(t, "of a connection that is over", b.types(t, page, third.pairing), http.StatusGone, "This link has expired")
	if a := other.call(t, "validate_token", `{"code":"`+over.digits+`"}`); a.isError {
		t.Fatal(a.raw)
	}
	wantsPage(t, "used by the digits", b.open(t, over.link), http.StatusGone, "This link was used already")
}

// T54, T64: whatever a client calls itself, the page shows a name.
func TestT54TheLinksPageShowsANameAsAName(t *testing.T) {
	h := newHouse(t)
	g := &guest{house: h, client: h.client(t, `<script>alert(1)</script>\u202e”\" onclick=x`)}
	g.access, g.refresh = h.redeem(t, g.client, h.code(t, g.client))
	b := h.browser(t)
	asked := g.linked(t, "ann@example.com")
	page := b.open(t, asked.link)
	for name, p := range map[string]response{"asked": page, "done": b.types(t, page, asked.pairing)} {
		if strings.Contains(p.body, "<script") || strings.Contains(p.body, "\u202e") || strings.Contains(p.body, "\" onclick") || !strings.Contains(p.body, "“&lt;script&gt;") {
			t.Errorf("%s: %s", name, p.body)
		}
	}
}
