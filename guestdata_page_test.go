package foyer

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// kept connects a client of that name in a browser, keeps two drafts as its guest, and
// signs in in the chat. Whoever asks is not asked by the client, but sent to the page.
func (b *browser) kept(t *testing.T, name, address string) *guest {
	t.Helper()
	g := b.guest(t, b.client(t, name))
	g.draft(t, "The light went round.")
	g.draft(t, "The keeper waved.")
	g.signIn(t, address)
	b.advance(2 * time.Minute)
	return g
}

const takeAlong = "Take along: 2 drafts"

func offers(page response) bool { return strings.Contains(page.body, "as a guest") }

// T18, tr20: what a guest kept moves on a yes on the page about the grant, where the
// client cannot ask; once, and all of it. The page names the account and what moves.
func TestT18WhatAGuestKeptMovesOnThePage(t *testing.T) {
	h := newHouse(t)
	b := h.browser(t)
	g := b.kept(t, "Claude", "ann@example.com")
	told := g.call(t, "merge_guest_data", "")
	link := field(told.text, `open (\S+) in the browser in which they connected this app`)
	if !told.isError || link != h.issuer+g.path(t) {
		t.Fatalf("a client that cannot ask: %s", told.raw)
	}
	page := b.signsIn(t, b.open(t, strings.TrimPrefix(link, h.issuer)), "ann@example.com")
	wantsPage(t, "the offer", page, http.StatusOK, "<bdi>What you kept as a guest</bdi>", "Move 2 drafts, kept in Journal before signing in, to the account of a***@example.com?", ">"+takeAlong+"</button>", ">Leave it apart</button>")
	wantsPage(t, "a no", b.click(t, page, "Leave it apart"), http.StatusOK, "<h1>Left apart</h1>", "Nothing was moved")
	if mine := g.drafts(t); len(mine) != 0 {
		t.Errorf("after a no the user has %q", mine)
	}
	if page = b.open(t, g.path(t)); !offers(page) {
		t.Errorf("after a no it is over: %s", page.body)
	}
	wantsPage(t, "a yes", b.click(t, page, takeAlong), http.StatusOK, "<h1>Taken along</h1>", "Moved 2 drafts to the account of a***@example.com.")
	if mine := g.drafts(t); len(mine) != 2 {
		t.Errorf("after a yes the user has %q", mine)
	}
	wantsPage(t, "once more", b.click(t, page, takeAlong), http.StatusConflict, "It has changed meanwhile")
	if page = b.open(t, g.path(t)); offers(page) || len(g.drafts(t)) != 2 {
		t.Errorf("moved, it is still offered: %s", page.body)
	}
}

// T18: only who is the user of the grant, in the browser by which it came, is offered
// anything: whoever signs a stranger's connection in to their own account has not
// that browser.
func TestT18OnlyTheUserInTheBrowserOfTheGuestIsOffered(t *testing.T) {
	h := newHouse(t)
	b, another, bobs := h.browser(t), h.browser(t), h.browser(t)
	g := b.kept(t, "Claude", "ann@example.com")
	page := b.signsIn(t, b.open(t, g.path(t)), "ann@example.com")
	h.advance(2 * time.Minute)
	other := another.guest(t, g.client) // another connection of the same client
	elsewhere := another.signsIn(t, another.open(t, g.path(t)), "ann@example.com")
	wantsPage(t, "her page elsewhere", elsewhere, http.StatusOK, "What “Claude” may do")
	if offers(elsewhere) {
		t.Errorf("in another browser: %s", elsewhere.body)
	}
	crossed := elsewhere // with the form of the page that offers, which is sealed for another browser
	crossed.body = page.body
	wantsPage(t, "the form in another browser", another.click(t, crossed, takeAlong), http.StatusForbidden, "no longer works")
	wantsPage(t, "from another site", b.click(t, page, takeAlong, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"), http.StatusForbidden, "no longer works")
	bob := bobs.kept(t, "Other", "bob@example.com")
	wantsPage(t, "another user", bobs.signsIn(t, bobs.open(t, g.path(t)), "bob@example.com"), http.StatusNotFound, "There is no such app here")
	wantsPage(t, "a guest's", b.open(t, other.path(t)), http.StatusNotFound, "There is no such app here")
	crossed = page
	crossed.body = strings.ReplaceAll(page.body, g.path(t), bob.path(t))
	wantsPage(t, "the form for another grant", b.click(t, crossed, takeAlong), http.StatusForbidden, "no longer works")
	for name, g := range map[string]*guest{"ann": g, "bob": bob} {
		if mine := g.drafts(t); len(mine) != 0 {
			t.Errorf("%s has %q", name, mine)
		}
	}
}

// T18: the offer is over with the sign-in, with the grant, and when it is not what was
// shown any more.
func TestT18WhatIsOverIsNotTakenAlong(t *testing.T) {
	for name, test := range map[string]struct {
		then   func(*browser, *guest)
		status int
	}{
		"signed out":            {func(_ *browser, g *guest) { g.call(t, "logout", "") }, http.StatusNotFound},
		"signed out and in":     {func(_ *browser, g *guest) { g.call(t, "logout", ""); g.signIn(t, "ann@example.com") }, http.StatusConflict},
		"disconnected":          {func(b *browser, g *guest) { b.click(t, b.open(t, g.path(t)), "Disconnect “Claude”") }, http.StatusNotFound},
		"moved in the chat":     {func(_ *browser, g *guest) { g.merge(t, moveIt) }, http.StatusConflict},
		"another number by now": {func(b *browser, g *guest) { b.keepMore(t, g) }, http.StatusConflict},
		"a newer connection":    {func(b *browser, g *guest) { b.guest(t, g.client) }, http.StatusConflict},
		"half an hour":          {func(b *browser, _ *guest) { b.advance(31 * time.Minute) }, http.StatusForbidden},
		"nobody is signed in":   {func(b *browser, _ *guest) { b.exec(t, "DELETE FROM foyer_sessions") }, http.StatusOK},
		"the browser's other cookie": {func(b *browser, _ *guest) {
			b.exec(t, "DELETE FROM foyer_browsers")
		}, http.StatusConflict},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			b := h.browser(t)
			g := b.kept(t, "Claude", "ann@example.com")
			page := b.signsIn(t, b.open(t, g.path(t)), "ann@example.com")
			h.advance(2 * time.Minute)
			before := h.moves(t)
			test.then(b, g)
			if name != "moved in the chat" {
				before = h.moves(t)
			} else {
				before += 2
			}
			if r := b.click(t, page, takeAlong); r.status != test.status || strings.Contains(r.body, "Taken along") {
				t.Errorf("%d %s", r.status, r.body)
			}
			if n := h.moves(t); n != before {
				t.Errorf("%d drafts have moved", n-before)
			}
		})
	}
}

// moves counts the drafts that belong to users.
func (h *house) moves(t testing.TB) (n int) {
	t.Helper()
	return h.countIn(t, "journal.db", "SELECT count(*) FROM drafts WHERE NOT guest")
}

// keepMore keeps one more draft for the guest of a user's grant: by a call that was on
// its way when the grant was claimed.
func (b *browser) keepMore(t testing.TB, g *guest) {
	t.Helper()
	b.execIn(t, "journal.db", "INSERT INTO drafts (owner, id, guest, text, updated) VALUES ('"+g.bearer(t).Grant.GuestID+"', 'late', TRUE, 'Late.', 0)")
}

// What goes on from a guest's connection in the browser has its guest: the offer passes
// on (tr20).
func TestTr20TheOfferPassesOnToWhatContinuesTheGrant(t *testing.T) {
	h := newHouse(t)
	b, client := h.browser(t), h.client(t, "Claude")
	b.guest(t, client).draft(t, "The light went round.")
	ann := b.allow(t, b.signsIn(t, b.follow(t, b.authorize(t, client, "scope", "journal:write")), "ann@example.com"), client)
	wantsPage(t, "a yes", b.click(t, b.open(t, ann.path(t)), "Take along: 1 draft"), http.StatusOK, "Moved 1 draft to the account of a***@example.com.")
	if mine := ann.drafts(t); len(mine) != 1 {
		t.Errorf("the user has %q", mine)
	}
}

// Two yeses at once, on the page and in the chat, move everything once.
func TestT18ManyYesesMoveOnce(t *testing.T) {
	h := newHouse(t)
	b := h.browser(t)
	g := b.kept(t, "Claude", "ann@example.com")
	page := b.signsIn(t, b.open(t, g.path(t)), "ann@example.com")
	statuses := make([]int, 6)
	atOnce(len(statuses), func(i int) {
		statuses[i] = b.click(t, page, takeAlong).status
	})
	moved := 0
	for _, status := range statuses {
		switch status {
		case http.StatusOK:
			moved++
		case http.StatusConflict:
		default:
			t.Errorf("%d", status)
		}
	}
	if mine := g.drafts(t); moved == 0 || len(mine) != 2 || h.moves(t) != 2 {
		t.Errorf("%d said that they moved; the user has %q", moved, mine)
	}
}

// A brokenShelf keeps two drafts for everybody, and cannot give them away.
type brokenShelf struct{ kept error }

func (s brokenShelf) Kept(context.Context, string) (string, error) { return "2 drafts", s.kept }

func (brokenShelf) Move(context.Context, string, string) error {
	return errors.New("the shelf of guest_secret is stuck")
}

// A fault of the application's is logged, moves nothing, and is not told. Where it
// cannot say what was kept, the rest of the page is there all the same.
func TestAMoveThatFailsOnThePageIsNotTold(t *testing.T) {
	h := newHouse(t, func(cfg *Config) { cfg.GuestData = brokenShelf{} })
	b := h.browser(t)
	g := b.kept(t, "Claude", "ann@example.com")
	page := b.signsIn(t, b.open(t, g.path(t)), "ann@example.com")
	failed := b.click(t, page, takeAlong)
	wantsPage(t, "a move that fails", failed, http.StatusInternalServerError, "Something went wrong here")
	if strings.Contains(failed.body, "stuck") || !strings.Contains(h.log.String(), "is stuck") {
		t.Errorf("told: %s\nlogged: %s", failed.body, h.log.String())
	}
	if mine := g.drafts(t); len(mine) != 0 {
		t.Errorf("the user has %q", mine)
	}
	unread := newHouse(t, func(cfg *Config) { cfg.GuestData = brokenShelf{errors.New("dark")} })
	b = unread.browser(t)
	g = b.kept(t, "Claude", "ann@example.com")
	page = b.signsIn(t, b.open(t, g.path(t)), "ann@example.com")
	wantsPage(t, "nobody knows what was kept", page, http.StatusOK, "What “Claude” may do", "Disconnect “Claude”")
	if offers(page) || !strings.Contains(unread.log.String(), "dark") {
		t.Errorf("offered: %s\nlogged: %s", page.body, unread.log.String())
	}
}

// Whose application keeps nothing for guests has no such offer, and no form of another
// time moves anything.
func TestWithoutGuestDataThePageOffersNothing(t *testing.T) {
	h := newHouse(t)
	b := h.browser(t)
	g := b.kept(t, "Claude", "ann@example.com")
	page := b.signsIn(t, b.open(t, g.path(t)), "ann@example.com")
	h.change = func(cfg *Config) { cfg.GuestData = nil }
	h.restart()
	wantsPage(t, "a form of before", b.click(t, page, takeAlong), http.StatusConflict, "It has changed meanwhile")
	if page = b.open(t, g.path(t)); offers(page) {
		t.Errorf("offered: %s", page.body)
	}
	wantsPage(t, "another button", b.fill(t, page, 0, url.Values{"do": {"take"}}), http.StatusConflict, "It has changed meanwhile")
}
