package foyer

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// noticed returns the path of the link in a notice.
func (h *house) noticed(t testing.TB, text string) string {
	t.Helper()
	link := field(text, `(?m)^`+regexp.QuoteMeta(h.issuer)+`(/disconnect/[A-Za-z0-9_-]+)\r?$`)
	if link == "" {
		t.Fatalf("no link in\n%s", text)
	}
	return link
}

// wantsNotices waits for the minute after which a notice comes.
func (h *house) wantsNotices(t testing.TB, what, address string, n int) (texts []string) {
	t.Helper()
	h.advance(time.Minute)
	if texts = h.notices(t, address); len(texts) != n {
		t.Fatalf("%s: %s got %d notices, want %d: %q", what, address, len(texts), n, texts)
	}
	return texts
}

// T10, tr15: who has given the digits to somebody else's chat is told a minute later
// which app acts for them, since when and for what, and ends that one without a sign-in.
// Reading the page ends nothing. Once; then the page leads to the connected apps.
func TestT10Tr15TheNoticeEndsItsConnectionAlone(t *testing.T) {
	h := newHouse(t)
	other := h.chat(t, "Other", "ann@example.com")
	ann := &guest{house: h, client: h.client(t, "Claude")}
	ann.access, ann.refresh = h.redeem(t, ann.client, h.code(t, ann.client))
	ann.signIn(t, "ann@example.com")
	h.advance(59 * time.Second)
	if texts := h.notices(t, "ann@example.com"); len(texts) != 1 {
		t.Errorf("%d notices after a minute less a second, want that of the other", len(texts))
	}
	text := h.wantsNotices(t, "after a minute", "ann@example.com", 2)[1]
	for _, want := range []string{"“Claude”, on the device where it was set up (127.0.0.1:33418), is now connected to Journal and acts as ann@example.com", "21 November 2026, 14:",
		"in the chat, with the code from a mail", "- Write, change and delete your journal entries", h.issuer + "/account"} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if regexp.MustCompile(`(?m)^\s*[0-9]{6}\s*$`).MatchString(text) {
		t.Errorf("a line of six digits in\n%s", text)
	}
	b, link := h.browser(t), h.noticed(t, text)
	for range 50 {
		wantsPage(t, "the page", h.browser(t).open(t, link), http.StatusOK, "<h1>Disconnect “Claude”?</h1>", "acts as a***@example.com in Journal")
		if res := h.send(t, head(t, h.issuer+link)); res.StatusCode != http.StatusOK {
			t.Errorf("HEAD: %d", res.StatusCode)
		}
	}
	ann.works(t, "a page that was read")
	page := b.open(t, link)
	wantsPage(t, "disconnect", b.click(t, page, "Disconnect “Claude”"), http.StatusOK, "<h1>Disconnected</h1>", "“Claude” can no longer act as you", `href="/account"`)
	if a := ann.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
		t.Errorf("its next call: %d %s", a.status, a.raw)
	}
	if status, _ := ann.refreshed(t, ann.refresh); status != http.StatusBadRequest {
		t.Errorf("its refresh: %d", status)
	}
	other.works(t, "the other connection")
	for name, r := range map[string]response{"again": b.click(t, page, "Disconnect “Claude”"), "the page again": b.open(t, link), "made up": b.open(t, "/disconnect/AAAA"), "cut off": b.open(t, link[:len(link)-1])} {
		wantsPage(t, name, r, http.StatusGone, "There is nothing to disconnect", `href="/account"`)
	}
	wantsPage(t, "the trail", b.signsIn(t, b.open(t, "/account"), "ann@example.com"), http.StatusOK, "“Claude” was disconnected here", "Disconnect “Other”")
	if strings.Contains(h.log.String(), link) {
		t.Error("the log has the link")
	}
}

func head(t testing.TB, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// T50, T53: the button counts in the browser that got the page, from our own page, for
// its own link, and within a day.
func TestT50T53ANoticeIsAnsweredOnItsOwnPageWithinADay(t *testing.T) {
	h := newHouse(t)
	ann, bob := h.chat(t, "Claude", "ann@example.com"), h.chat(t, "Other", "bob@example.com")
	link, his := h.noticed(t, h.notices(t, "ann@example.com")[0]), h.noticed(t, h.notices(t, "bob@example.com")[0])
	b, other := h.browser(t), h.browser(t)
	page := b.open(t, link)
	other.open(t, link)
	crossed := page
	crossed.body = strings.ReplaceAll(page.body, link, his)
	for name, r := range map[string]response{
		"another browser": other.click(t, page, "Disconnect"),
		"no cookies":      h.browser(t).click(t, page, "Disconnect"),
		"another site":    b.click(t, page, "Disconnect", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"),
		"another link":    b.click(t, crossed, "Disconnect"),
		"no form":         b.fill(t, response{body: `<form action="` + link + `">`}, 0, url.Values{}),
	} {
		wantsPage(t, name, r, http.StatusForbidden, "That button no longer works")
	}
	ann.works(t, "after all")
	bob.works(t, "after all")
	h.advance(24*time.Hour - 7*time.Minute)
	wantsPage(t, "within the day", b.open(t, link), http.StatusOK, "Disconnect “Claude”?")
	page = b.open(t, link)
	h.advance(7 * time.Minute)
	wantsPage(t, "after a day", b.open(t, link), http.StatusGone, "There is nothing to disconnect")
	wantsPage(t, "after a day, and pressed", b.click(t, page, "Disconnect"), http.StatusGone, "There is nothing to disconnect")
	ann.renew(t)
	ann.works(t, "after a day")
}

// A connection that is over within its minute, or another's by then, is no news. A link
// is its user's time on the grant: who comes after is not disconnected by it.
func TestNobodyIsToldOfAConnectionThatIsOver(t *testing.T) {
	h := newHouse(t)
	over, g := h.guest(t), h.guest(t)
	over.signIn(t, "ann@example.com")
	if err := h.kit.Revoke(t.Context(), over.bearer(t).Grant.ID); err != nil {
		t.Fatal(err)
	}
	g.signIn(t, "bob@example.com")
	g.call(t, "logout", "")
	g.signIn(t, "zoe@example.com")
	h.wantsNotices(t, "of what was ended", "ann@example.com", 0)
	h.wantsNotices(t, "of whom has signed out", "bob@example.com", 0)
	link := h.noticed(t, h.wantsNotices(t, "of whom is there", "zoe@example.com", 1)[0])
	g.call(t, "logout", "")
	h.advance(2 * time.Minute)
	b := h.browser(t)
	wantsPage(t, "of a guest", b.open(t, link), http.StatusGone, "There is nothing to disconnect")
	g.signIn(t, "bob@example.com")
	wantsPage(t, "of the next user", b.open(t, link), http.StatusGone, "There is nothing to disconnect")
	g.works(t, "the next user")
}

// A consent that makes a new grant is told, also where it goes on with a guest's. One
// that goes on with a grant of the same user and client is not: nothing new can act.
func TestTr15AConsentIsTold(t *testing.T) {
	h := newHouse(t)
	b, client := h.browser(t), h.client(t, "Claude")
	b.guest(t, client)
	page := b.signsIn(t, b.follow(t, b.authorize(t, client, "scope", "guest journal:export")), "ann@example.com")
	b.allow(t, page, client)
	text := h.wantsNotices(t, "a new connection", "ann@example.com", 1)[0]
	for _, want := range []string{"“Claude”", "Approved: in the browser", "- Take a copy"} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	more := b.allow(t, b.follow(t, b.authorize(t, client, "scope", "guest journal:write")), client)
	h.wantsNotices(t, "the same, with more", "ann@example.com", 1)
	wantsPage(t, "the link of the first", b.open(t, h.noticed(t, text)), http.StatusGone, "There is nothing to disconnect")
	more.works(t, "the second")
	h.advance(time.Hour)
	elsewhere := h.browser(t)
	third := elsewhere.allow(t, elsewhere.signsIn(t, elsewhere.follow(t, elsewhere.authorize(t, client, "scope", "guest journal:write")), "ann@example.com"), client)
	link := h.noticed(t, h.wantsNotices(t, "in another browser", "ann@example.com", 2)[1])
	wantsPage(t, "its end", b.click(t, b.open(t, link), "Disconnect “Claude”"), http.StatusOK, "Disconnected")
	if a := third.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
		t.Errorf("after it: %d", a.status)
	}
	more.renew(t)
	more.works(t, "the one before")
}

// T30: who allows one app after the other fills no mailbox.
func TestT30ConsentsFloodNoMailbox(t *testing.T) {
	h := newHouse(t)
	b := h.browser(t)
	b.signsIn(t, b.open(t, "/account"), "ann@example.com")
	connect := func(n int) {
		for range n {
			client := h.client(t, fmt.Sprint("App ", h.clock().UnixNano(), n))
			b.allow(t, b.follow(t, b.authorize(t, client, "scope", "journal:write")), client)
			h.advance(time.Second)
		}
	}
	connect(8)
	anHour := func() {
		for range 3 { // the browser is used
			h.advance(20 * time.Minute)
			b.open(t, "/account")
		}
	}
	h.wantsNotices(t, "eight at once", "ann@example.com", 5)
	anHour()
	connect(8)
	h.wantsNotices(t, "eight an hour later", "ann@example.com", 10)
	anHour()
	connect(2)
	h.wantsNotices(t, "the rest of the day", "ann@example.com", 10)
}

// T54, T64: whatever a client calls itself, the notice and its page show a name.
func TestT64ANoticeShowsANameAsAName(t *testing.T) {
	h := newHouse(t)
	for i, name := range []string{`<script>alert(1)</script>\u202e”\" onclick=x`, `482913`, `\n\n482913\r\nBcc: eve@example.com`} {
		address := fmt.Sprintf("ann%d@example.com", i)
		h.chat(t, name, address)
		text := h.notices(t, address)[0]
		if regexp.MustCompile(`(?m)^\s*[0-9]{6}\s*$`).MatchString(text) || strings.Contains(text, "\u202e") || regexp.MustCompile(`(?m)^Bcc`).MatchString(text) {
			t.Errorf("%q: %s", name, text)
		}
		page := h.browser(t).open(t, h.noticed(t, text))
		wantsPage(t, name, page, http.StatusOK, "Disconnect “")
		if strings.Contains(page.body, "<script") || strings.Contains(page.body, "\" onclick") || strings.Contains(page.body, "\u202e") {
			t.Errorf("%q: %s", name, page.body)
		}
		if csp := page.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || page.header.Get("X-Frame-Options") != "DENY" || page.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%q: %v", name, page.header)
		}
	}
}
