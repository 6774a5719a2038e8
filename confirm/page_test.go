package confirm_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/gate"
)

// A browser keeps cookies, and posts the forms of pages.
type browser struct {
	t    testing.TB
	s    *shop
	http *http.Client
}

func (s *shop) browser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, s, &http.Client{Jar: jar, Transport: s.house.HTTP.Transport}}
}

// A sheet is a page as a browser has it.
type sheet struct {
	status int
	header http.Header
	text   string
}

func (b *browser) do(req *http.Request) sheet {
	b.t.Helper()
	res, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return sheet{res.StatusCode, res.Header, string(text)}
}

func (b *browser) get(link string) sheet {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, link, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(req)
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	formHidden = regexp.MustCompile(`<input type="hidden" name="form" value="([^"]*)"`)
)

// post presses a button of the form of page, with what a person has filled in.
func (b *browser) post(page sheet, values url.Values, header ...string) sheet {
	b.t.Helper()
	action, hidden := formAction.FindStringSubmatch(page.text), formHidden.FindStringSubmatch(page.text)
	if action == nil || hidden == nil {
		b.t.Fatalf("no form in %d %s", page.status, page.text)
	}
	values.Set("form", html.UnescapeString(hidden[1]))
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.s.house.Issuer+html.UnescapeString(action[1]), strings.NewReader(values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return b.do(req)
}

// signsIn goes through the page that link shows to who is not signed in.
func (b *browser) signsIn(link, email string) sheet {
	b.t.Helper()
	digits := b.post(b.get(link), url.Values{"email": {email}})
	return b.post(digits, url.Values{"code": {b.s.house.Digits(b.t, email)}})
}

func byPage(cfg *foyer.Config) { cfg.Tools["book"] = gate.Scope("buy").ConfirmedBy(gate.ByPage) }

// asked has ann's chat ask for something, and returns the link and the token.
func asked(t *testing.T, s *shop, ann *mcp.ClientSession, what string) (link, token string) {
	t.Helper()
	r := call(t, ann, "book", thing{what})
	link, _ = r.data["link"].(string)
	if r.status() != "preview" || !strings.HasPrefix(link, s.house.Issuer+"/confirm/") || r.data["confirmation"] != "page" || !strings.Contains(r.text, "Ask the user to open "+link) {
		t.Fatalf("the preview: %s", r.raw)
	}
	return link, r.token()
}

// C3, R-109, R-111: what is confirmed on a page is shown to its user alone, who is
// found out there, and is done when the model comes back; once.
func TestTheUserConfirmsOnAPage(t *testing.T) {
	s := newShop(t, byPage)
	ann := s.house.SignIn(t, "ann@example.com")
	link, token := asked(t, s, ann, "tea")
	want(t, "too soon", confirms(t, ann, token), "needs_page", "the user has not confirmed it on the page")
	b := s.browser(t)
	clean := b.get(link)
	if clean.status != http.StatusOK || !strings.Contains(clean.text, "<h1>Sign in</h1>") || strings.Contains(clean.text, "tea") || strings.Contains(clean.text, "@example.com") {
		t.Errorf("a clean browser: %d %s", clean.status, clean.text)
	}
	page := b.signsIn(link, "Ann@Example.com")
	for _, text := range []string{"<h1>Confirm this?</h1>", "<blockquote>Get tea</blockquote>", "“foyertest”", "a***@example.com",
		`<button name="decision" value="yes">Confirm<`, `<button name="decision" value="no">Do not do it<`} { // a no weighs as much as a yes
		if !strings.Contains(page.text, text) {
			t.Errorf("the page lacks %q: %s", text, page.text)
		}
	}
	for range 20 { // a scanner, a preview, a reload (T21, T22)
		b.get(link)
	}
	want(t, "only looked at", confirms(t, ann, token), "needs_page", "has not confirmed")
	wantEffects(t, s, "before the yes")
	yes := b.post(page, url.Values{"decision": {"yes"}})
	if yes.status != http.StatusOK || !strings.Contains(yes.text, "<h1>Confirmed</h1>") {
		t.Errorf("a yes: %d %s", yes.status, yes.text)
	}
	wantEffects(t, s, "before the model comes back")
	want(t, "the model comes back", confirms(t, ann, token), "succeeded", "Done: Get tea.")
	want(t, "and again", confirms(t, ann, token), "succeeded", "Done: Get tea.")
	wantEffects(t, s, "after all", "tea")
	lately := b.get(s.house.Issuer + "/account")
	if n := strings.Count(lately.text, "asked for was confirmed here"); n != 1 {
		t.Errorf("the account page tells %d times of the yes: %s", n, lately.text)
	}
	if done := b.get(link); done.status != http.StatusNotFound || !strings.Contains(done.text, "Nothing waits for you here") {
		t.Errorf("after it: %d %s", done.status, done.text)
	}
}

func TestANoOnThePageIsANo(t *testing.T) {
	s := newShop(t, byPage)
	ann := s.house.SignIn(t, "ann@example.com")
	link, token := asked(t, s, ann, "tea")
	b := s.browser(t)
	if no := b.post(b.signsIn(link, "ann@example.com"), url.Values{"decision": {"no"}}); !strings.Contains(no.text, "<h1>Not done</h1>") {
		t.Errorf("a no: %s", no.text)
	}
	want(t, "the model comes back", confirms(t, ann, token), "declined", "the user said no")
	want(t, "and asks again", call(t, ann, "book", thing{"tea"}), "refused", "has just said no")
	wantEffects(t, s, "after a no")
	if lately := b.get(s.house.Issuer + "/account"); !strings.Contains(lately.text, "asked for was denied here") {
		t.Errorf("the account page does not tell of the no: %s", lately.text)
	}
}

// T50, T53, R-111: a form is good in the browser that got it, from our own page, for
// what it showed, and for its user.
func TestT50T53OfAnotherBrowserSiteUserOrThingNothingIsConfirmed(t *testing.T) {
	s := newShop(t, byPage)
	ann, bob := s.house.SignIn(t, "ann@example.com"), s.house.SignIn(t, "bob@example.com")
	link, token := asked(t, s, ann, "tea")
	other, _ := asked(t, s, bob, "gin")
	hers, his := s.browser(t), s.browser(t)
	page := hers.signsIn(link, "ann@example.com")
	theirs := his.signsIn(other, "bob@example.com")
	yes := func() url.Values { return url.Values{"decision": {"yes"}} }
	for name, r := range map[string]sheet{
		"another browser":     his.post(page, yes()),
		"no cookies":          s.browser(t).post(page, yes()),
		"another site":        hers.post(page, yes(), "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"),
		"a form of elsewhere": hers.post(sheet{text: strings.Replace(theirs.text, other[strings.LastIndex(other, "/"):], link[strings.LastIndex(link, "/"):], 1)}, yes()),
	} {
		if r.status != http.StatusForbidden || !strings.Contains(r.text, "no longer works") {
			t.Errorf("%s: %d %s", name, r.status, r.text)
		}
	}
	if r := his.get(link); r.status != http.StatusNotFound || strings.Contains(r.text, "tea") || strings.Contains(r.text, "ann") {
		t.Errorf("another user: %d %s", r.status, r.text)
	}
	want(t, "after all", confirms(t, ann, token), "needs_page", "has not confirmed")

	stranger, victim := s.browser(t), s.browser(t)
	asks := stranger.post(stranger.get(link), url.Values{"email": {"ann@example.com"}})
	digits := s.house.Digits(t, "ann@example.com")
	if r := victim.post(asks, url.Values{"code": {digits}}); r.status != http.StatusForbidden {
		t.Errorf("digits in another browser: %d %s", r.status, r.text)
	}
	for n := range 5 {
		r := stranger.post(asks, url.Values{"code": {"00000" + string(rune('0'+n))}})
		if strings.Contains(r.text, "Confirm this") {
			t.Fatalf("guessed: %s", r.text)
		}
	}
	if r := stranger.post(asks, url.Values{"code": {digits}}); !strings.Contains(r.text, "used up") {
		t.Errorf("the right digits after five wrong ones: %d %s", r.status, r.text)
	}
}

// T51, T54, R-90, R-91, R-95: every page is sealed, and carries what it must.
func TestPagesOfConfirmationAreSealed(t *testing.T) {
	s := newShop(t, byPage)
	ann := s.house.SignIn(t, "ann@example.com")
	link, _ := asked(t, s, ann, "<script>alert(1)</script>")
	b := s.browser(t)
	first := b.get(link)
	digits := b.post(first, url.Values{"email": {"ann@example.com"}})
	wrong := b.post(digits, url.Values{"code": {"1"}})
	page := b.post(digits, url.Values{"code": {s.house.Digits(t, "ann@example.com")}})
	for name, p := range map[string]sheet{"sign in": first, "digits": digits, "wrong digits": wrong, "confirm": page, "stale": b.post(sheet{text: strings.Replace(page.text, `name="form" value="`, `name="form" value="x`, 1)}, url.Values{})} {
		h := p.header
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %s", name, csp)
		}
		if h.Get("X-Frame-Options") != "DENY" || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" || strings.Contains(p.text, "<script") {
			t.Errorf("%s: %v %s", name, h, p.text)
		}
	}
	if !strings.Contains(page.text, "&lt;script&gt;") {
		t.Errorf("the page: %s", page.text)
	}
	for _, text := range []string{`autocomplete="one-time-code"`, `inputmode="numeric"`, `<label for="code">`} {
		if !strings.Contains(digits.text, text) {
			t.Errorf("no %s in %s", text, digits.text)
		}
	}
	if !strings.Contains(wrong.text, `role="alert"`) || wrong.status != http.StatusUnprocessableEntity {
		t.Errorf("wrong digits: %d %s", wrong.status, wrong.text)
	}
}

// C4: what takes a fresh sign-in of the strongest level is refused to a weaker one,
// by the page and by the tool.
func TestAPageRefusesAWeakerSignIn(t *testing.T) {
	s := newShop(t, func(cfg *foyer.Config) { cfg.Tools["book"] = gate.Scope("buy").ConfirmedBy(gate.ByFreshPage) })
	ann := s.house.SignIn(t, "ann@example.com")
	r := call(t, ann, "book", thing{"tea"})
	link, _ := r.data["link"].(string)
	if page := s.browser(t).signsIn(link, "ann@example.com"); page.status != http.StatusForbidden || !strings.Contains(page.text, "This takes a stronger sign-in") || strings.Contains(page.text, "tea") {
		t.Errorf("%d %s", page.status, page.text)
	}
	want(t, "by the tool", confirms(t, ann, r.token()), "needs_page", "has not confirmed")
	wantEffects(t, s, "after all")
}

// C4: the operator's own check can be the strongest, and then confirms; after ten minutes
// it has to be made anew.
func TestAFreshSignInOfTheStrongestLevelConfirms(t *testing.T) {
	var since atomic.Pointer[time.Time]
	s := newShop(t, func(cfg *foyer.Config) {
		cfg.Tools["book"] = gate.Scope("buy").ConfirmedBy(gate.ByFreshPage)
		cfg.Identity = &foyer.Identity{Page: "https://shop.example/sign-in", Level: "passkey", Current: func(*http.Request) (foyer.Person, error) {
			return foyer.Person{Email: "ann@example.com", AuthTime: *since.Load()}, nil
		}}
	})
	ann := s.house.SignIn(t, "ann@example.com")
	r := call(t, ann, "book", thing{"tea"})
	link, _ := r.data["link"].(string)
	b := s.browser(t)
	since.Store(new(time.Now().Add(-11 * time.Minute)))
	if page := b.get(link); page.status != http.StatusForbidden || strings.Contains(page.text, "tea") {
		t.Errorf("eleven minutes after the sign-in: %d %s", page.status, page.text)
	}
	since.Store(new(time.Now()))
	page := b.get(link)
	if page.status != http.StatusOK || !strings.Contains(page.text, "tea") {
		t.Fatalf("just now: %d %s", page.status, page.text)
	}
	b.post(page, url.Values{"decision": {"yes"}})
	want(t, "the model comes back", confirms(t, ann, r.token()), "succeeded", "Done")
}
