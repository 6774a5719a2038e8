package foyer

import (
	"context"
	"errors"
	"html"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// byNumber is an operator whose customers have a number and a PIN.
func byNumber(cfg *Config) {
	cfg.Identity = &Identity{
		Level: "oidc",
		Fields: []Field{{Name: "customer", Label: "Customer number", Hint: "It stands on your card", Autocomplete: "username"},
			{Name: "pin", Label: "PIN", Type: "password", Autocomplete: "current-password"}, {Name: "branch", Label: "Branch", Optional: true}},
		Verify: func(ctx context.Context, values map[string]string) (Person, error) {
			if _, limited := ctx.Deadline(); !limited || len(values) != 3 {
				return Person{}, errors.New("no deadline, or other fields")
			}
			switch values["customer"] + " " + values["pin"] {
			case "42 1234":
				return Person{Email: "Ann@Example.com"}, nil
			case "43 1234":
				return Person{Email: "no address"}, nil
			case "44 1234":
				panic("the database of PINs: 1234")
			case "45 1234":
				return Person{}, errors.New("the database is away")
			}
			return Person{}, ErrNobody
		},
	}
}

// K5, K6: people sign in by what the operator asks for, at the level that it gives, and
// are the same user as in the chat.
func TestPeopleSignInByTheFieldsOfTheOperator(t *testing.T) {
	h := newHouse(t, byNumber)
	chat := h.chat(t, "Claude", "ann@example.com")
	b, client := h.browser(t), h.client(t, "App")
	first := b.follow(t, b.authorize(t, client, "scope", "journal:export"))
	wantsPage(t, "the first page", first, http.StatusOK, `<label for="customer">Customer number</label>`, `type="password"`, `autocomplete="current-password"`, "It stands on your card", "Look round as a guest")
	if strings.Contains(first.body, "mail") || strings.Count(first.body, "autofocus") != 1 || strings.Count(first.body, " required") != 2 {
		t.Errorf("the first page: %s", first.body)
	}
	page := b.fill(t, first, 0, url.Values{"customer": {"42"}, "pin": {"1234"}})
	if page.status != http.StatusSeeOther {
		t.Fatalf("the right PIN: %d %s", page.status, page.body)
	}
	page = b.follow(t, page)
	wantsPage(t, "consent", page, http.StatusOK, "act as a***@example.com")
	ann := b.allow(t, page, client)
	if gr := ann.bearer(t).Grant; gr.Level != "oidc" || gr.UserID != chat.bearer(t).Grant.UserID {
		t.Errorf("the grant: %+v", gr)
	}
	wantsPage(t, "the account", b.open(t, "/account"), http.StatusOK, "“Claude”", "“App”", "by oidc", "Sign out of this browser")
}

// T31, K24: whoever is not known, and whoever gave a wrong PIN, is told the same; no PIN
// is shown again or logged; tries are counted; a check that breaks down lets nobody in.
func TestT31TheOperatorsCheckTellsNothing(t *testing.T) {
	h := newHouse(t, byNumber)
	b := h.browser(t)
	first := b.open(t, "/account")
	wrong := func(customer, pin string) response {
		return b.fill(t, first, 0, url.Values{"customer": {customer}, "pin": {pin}, "branch": {"north"}})
	}
	main := func(r response) string {
		_, body, _ := strings.Cut(r.body, "<main>")
		return field(body, `(<p class="problem"[^>]*>[^<]*)`)
	}
	known, unknown := wrong("42", "9999"), wrong("99", "9999")
	if known.status != http.StatusUnprocessableEntity || main(known) != main(unknown) || !strings.Contains(main(known), "That is not right") || !strings.Contains(known.body, `value="north"`) {
		t.Errorf("%d %q, %d %q", known.status, main(known), unknown.status, main(unknown))
	}
	for name, r := range map[string]response{"nothing": wrong("", ""), "too long": wrong("42", strings.Repeat("1", 1025))} {
		if r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "Something is missing, or too long.") {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	for _, customer := range []string{"43", "44", "45"} {
		r := wrong(customer, "1234")
		if r.status != http.StatusInternalServerError || r.header.Get("Set-Cookie") != "" || strings.Contains(r.body, "database") || strings.Contains(r.body, "no address") {
			t.Errorf("a check that breaks down (%s): %d %s", customer, r.status, r.body)
		}
	}
	for name, r := range map[string]response{
		"another site":    b.fill(t, first, 0, url.Values{"customer": {"42"}, "pin": {"1234"}}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"),
		"another browser": h.browser(t).fill(t, first, 0, url.Values{"customer": {"42"}, "pin": {"1234"}}),
	} {
		if r.status != http.StatusForbidden || r.header.Get("Location") != "" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	for range 5 { // ten, with those that broke down
		if r := wrong("42", "9999"); strings.Contains(r.body, "9999") {
			t.Errorf("the PIN is shown: %s", r.body)
		}
	}
	if r := wrong("42", "1234"); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "Too many tries were wrong in this browser") {
		t.Errorf("the right PIN after ten wrong ones: %d %s", r.status, r.body)
	}
	fresh := h.browser(t)
	if r := fresh.fill(t, fresh.open(t, "/account"), 0, url.Values{"customer": {"42"}, "pin": {"1234"}}); r.status != http.StatusSeeOther {
		t.Errorf("in another browser: %d %s", r.status, r.body)
	}
	if log := h.log.String(); strings.Contains(log, "9999") || !strings.Contains(log, "the database is away") {
		t.Errorf("the log: %s", log)
	}
}

// An operatorsSession is who is signed in on the operator's side of every browser.
type operatorsSession struct{ atomic.Pointer[Person] }

func (s *operatorsSession) config(cfg *Config) {
	cfg.Identity = &Identity{Page: cfg.Issuer + "/our/sign-in", Level: "oidc", Current: func(*http.Request) (Person, error) {
		if p := s.Load(); p != nil {
			return *p, nil
		}
		return Person{}, ErrNobody
	}}
}

// Whoever is signed in at the operator's is signed in here, at once and no longer; who
// is not is sent there, and comes back.
func TestPeopleSignInOnTheOperatorsPage(t *testing.T) {
	s := &operatorsSession{}
	h := newHouse(t, s.config)
	b, client := h.browser(t), h.client(t, "App")
	asks := b.authorize(t, client, "scope", "journal:export")
	first := b.follow(t, asks)
	wantsPage(t, "nobody", first, http.StatusOK, "Sign in to Journal", ">Sign in</a>")
	link, err := url.Parse(html.UnescapeString(field(first.body, `href="([^"]+)"`)))
	if err != nil || link.Path != "/our/sign-in" || link.Query().Get("next") != h.issuer+asks.header.Get("Location") {
		t.Errorf("the link leads to %s: %v", link, err)
	}
	s.Store(&Person{Email: "ann@example.com", AuthTime: h.clock()})
	page := b.follow(t, asks)
	ann := b.allow(t, page, client)
	if gr := ann.bearer(t).Grant; gr.Level != "oidc" || !gr.AuthTime.Equal(h.clock()) {
		t.Errorf("the grant: %+v", gr)
	}
	account := b.open(t, "/account")
	wantsPage(t, "the account", account, http.StatusOK, "a***@example.com", "“App”")
	if strings.Contains(account.body, "Sign out") {
		t.Error("one can sign out here, and is signed in again")
	}
	about := b.open(t, ann.path(t))
	h.advance(11 * time.Minute)
	stale := b.click(t, about, "Let “App” do this: “Write")
	wantsPage(t, "long ago", stale, http.StatusForbidden, "Sign in again", "prompt=login")
	s.Store(&Person{Email: "ann@example.com", AuthTime: h.clock()})
	wantsPage(t, "just now", b.click(t, about, "Let “App” do this: “Write"), http.StatusOK, "Given")
	s.Store(&Person{Email: "bob@example.com", AuthTime: h.clock()})
	wantsPage(t, "a form of ann's, as bob", b.click(t, about, "Disconnect “App”"), http.StatusOK, "Sign in")
	ann.works(t, "what another would have ended")
	wantsPage(t, "bob", b.open(t, "/account"), http.StatusOK, "b***@example.com", "No app")
	s.Store(nil)
	wantsPage(t, "after a sign-out there", b.open(t, "/account"), http.StatusOK, "<h1>Sign in</h1>")
	s.Store(&Person{Email: "ann@example.com"})
	if r := b.open(t, "/account"); r.status != http.StatusInternalServerError {
		t.Errorf("nobody knows when ann signed in: %d", r.status)
	}
	for _, level := range []string{"root", "passkey"} {
		s.Store(&Person{Email: "ann@example.com", Level: level, AuthTime: h.clock()})
		if r := b.open(t, "/account"); r.status != http.StatusInternalServerError {
			t.Errorf("a level that is not the operator's to give (%s): %d", level, r.status)
		}
	}
	s.Store(&Person{Email: "ann@example.com", Level: "email", AuthTime: h.clock()})
	wantsPage(t, "a weaker level", b.open(t, "/account"), http.StatusOK, "a***@example.com")
}

// tr21, tr22: a copy and a deletion take a sign-in of the operator's kind from just now.
// Who signs in there stays signed in there, and can keep the account.
func TestTr21Tr22TheFreshSignInIsTheOperators(t *testing.T) {
	byPIN := newHouse(t, byNumber)
	hers := byPIN.browser(t)
	pin := func(page response) response {
		return hers.follow(t, hers.fill(t, page, 0, url.Values{"customer": {"42"}, "pin": {"1234"}}))
	}
	page := pin(hers.open(t, "/account"))
	byPIN.advance(11 * time.Minute)
	for _, button := range []string{"Download your data", "Delete your account"} {
		stale := hers.click(t, page, button)
		wantsPage(t, button, stale, http.StatusForbidden, "<h1>Sign in again</h1>", `<label for="pin">PIN</label>`)
		page = pin(stale)
		wantsPage(t, "the way back", page, http.StatusOK, "<h1>Connected apps</h1>")
		if file := hers.click(t, page, "Download your data"); !strings.HasPrefix(file.body, "PK") {
			t.Errorf("after it: %d %s", file.status, file.body)
		}
		byPIN.advance(11 * time.Minute)
	}

	s := &operatorsSession{}
	h := newHouse(t, s.config)
	b := h.browser(t)
	signsIn := func() { s.Store(&Person{Email: "ann@example.com", AuthTime: h.clock()}) }
	signsIn()
	page = b.open(t, "/account")
	asked := b.click(t, page, "Delete your account")
	wantsPage(t, "asked", asked, http.StatusOK, "At once: no app can act as you any more.")
	h.advance(11 * time.Minute)
	for name, r := range map[string]response{"a copy": b.click(t, page, "Download your data"), "the first button": b.click(t, page, "Delete your account"), "the second": b.click(t, asked, "Delete my account")} {
		wantsPage(t, name, r, http.StatusForbidden, "<h1>Sign in again</h1>", "/our/sign-in?next="+url.QueryEscape(h.issuer+"/account")+"&amp;prompt=login")
	}
	signsIn()
	left := b.click(t, asked, "Delete my account")
	wantsPage(t, "left", left, http.StatusOK, "Your account will be deleted on", "See how to keep it")
	if strings.Contains(asked.body+left.body, "signed out") {
		t.Error("nobody was signed out there")
	}
	leaving := b.open(t, "/account")
	wantsPage(t, "leaving", leaving, http.StatusOK, "Your account will be deleted on")
	wantsPage(t, "kept", b.click(t, leaving, "Keep my account"), http.StatusOK, "Your account is kept")
}

// T53: consent that one user saw is given by no other, though the browser is the same.
func TestT53ConsentIsOfTheUserWhoSawIt(t *testing.T) {
	s := &operatorsSession{}
	h := newHouse(t, s.config)
	s.Store(&Person{Email: "ann@example.com", AuthTime: h.clock()})
	b, client := h.browser(t), h.client(t, "App")
	page := b.follow(t, b.authorize(t, client, "scope", "journal:export"))
	s.Store(&Person{Email: "bob@example.com", AuthTime: h.clock()})
	if r := b.fill(t, page, 0, url.Values{"decision": {"allow"}, "scope": {"journal:export"}}); r.status != http.StatusForbidden || r.header.Get("Refresh") != "" {
		t.Errorf("as bob: %d %v", r.status, r.header)
	}
	other := b.follow(t, b.authorize(t, client, "scope", "journal:export"))
	wantsPage(t, "another account", b.fill(t, other, 0, url.Values{"decision": {"other"}}), http.StatusOK, "prompt=select_account")
}

func TestAnIdentityThatDoesNotFitIsRefused(t *testing.T) {
	verify := func(context.Context, map[string]string) (Person, error) { return Person{}, ErrNobody }
	current := func(*http.Request) (Person, error) { return Person{}, ErrNobody }
	good := []Field{{Name: "a", Label: "A"}}
	h := newHouse(t)
	for want, i := range map[string]*Identity{
		"takes Fields and Verify, or Page and Current": {},
		"it takes Fields and Verify":                   {Fields: good, Verify: verify, Page: "https://a.example/", Current: current},
		"or Page and Current":                          {Fields: good, Current: current},
		`"ftp://a.example/" is no https URL`:           {Page: "ftp://a.example/", Current: current},
		`"/sign-in" is no https URL`:                   {Page: "/sign-in", Current: current},
		`"root" is none of Levels`:                     {Fields: good, Verify: verify, Level: "root"},
		`"a" needs a name that comes once`:             {Fields: append(good, good...), Verify: verify},
		`"form" needs a name`:                          {Fields: []Field{{Name: "form", Label: "Form"}}, Verify: verify},
		`"b" needs`:                                    {Fields: []Field{{Name: "b", Label: "B", Type: "file"}}, Verify: verify},
	} {
		cfg := h.kit.cfg
		cfg.Identity = i
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", i, err, want)
		}
	}
}
