package foyer

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A browser follows no redirects, and keeps cookies.
type browser struct {
	*house
	jar      http.CookieJar
	language string // Accept-Language, or empty
}

func (h *house) browser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{house: h, jar: jar}
}

func (b *browser) do(t testing.TB, r *http.Request) response {
	t.Helper()
	if b.language != "" {
		r.Header.Set("Accept-Language", b.language)
	}
	client := &http.Client{Transport: b.wire, Jar: b.jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{res.StatusCode, res.Header, string(body)}
}

// asks is the path of a client's authorization request.
func (h *house) asks(client string, more ...string) string {
	query := url.Values{"response_type": {"code"}, "client_id": {client}, "redirect_uri": {redirectURI}, "code_challenge": {challenge},
		"code_challenge_method": {"S256"}, "scope": {"guest offline_access"}, "resource": {h.issuer + "/mcp"}}
	for i := 0; i < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return "/authorize?" + query.Encode()
}

// authorize opens the page of a client's authorization request.
func (b *browser) authorize(t testing.TB, client string, more ...string) response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.issuer+b.asks(client, more...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return b.do(t, r)
}

// press presses the button of a page.
func (b *browser) press(t testing.TB, page response) response {
	t.Helper()
	form := url.Values{"request": {field(page.body, `name="request" value="([^"]+)"`)}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.issuer+"/authorize", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.issuer)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(t, r)
}

// guest opens the browser for a client, and redeems the code that it brings, or
// that the button of the page does.
func (b *browser) guest(t testing.TB, client string) *guest {
	t.Helper()
	page := b.authorize(t, client)
	to := page.header.Get("Location")
	if page.status == http.StatusOK {
		to = strings.TrimPrefix(b.press(t, page).header.Get("Refresh"), "0; url=")
	}
	g := &guest{house: b.house, client: client}
	g.access, g.refresh = b.redeem(t, client, codeIn(t, to))
	return g
}

func codeIn(t testing.TB, to string) string {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil || u.Query().Get("code") == "" {
		t.Fatalf("no code in %q: %v", to, err)
	}
	return u.Query().Get("code")
}

func field(text, pattern string) string {
	if found := regexp.MustCompile(pattern).FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return ""
}

// client registers a client of that name.
func (h *house) client(t testing.TB, name string) string {
	t.Helper()
	var registered struct {
		ID string `json:"client_id"`
	}
	h.postJSON(t, "/register", `{"client_name":"`+name+`","redirect_uris":["`+redirectURI+`"]}`, http.StatusCreated, &registered)
	return registered.ID
}

// asks reports whether the page asks whether to go on as a guest, and names who
// is known.
func asks(page response) bool {
	return page.status == http.StatusOK && strings.Contains(page.body, "a***@example.com") && strings.Contains(page.body, `name="request"`) &&
		page.header.Get("Location") == "" && page.header.Get("Refresh") == ""
}

func TestABrowserThatKnowsAUserMakesNoGuestInSilence(t *testing.T) {
	h := newHouse(t)
	one, other := h.client(t, "One"), h.client(t, "Other")
	b := h.browser(t)
	g := b.guest(t, one)
	if page := b.authorize(t, one); page.status != http.StatusFound {
		t.Errorf("before the claim: %d, want no page", page.status)
	}
	g.signIn(t, "ann@example.com")
	if page := b.authorize(t, one); !asks(page) {
		t.Errorf("after the claim: %d %v\n%s", page.status, page.header, page.body)
	}
	if page := b.authorize(t, other); page.status != http.StatusFound {
		t.Errorf("another client: %d, want no page", page.status)
	}
	if page := h.browser(t).authorize(t, one); page.status != http.StatusFound {
		t.Errorf("another browser: %d, want no page", page.status)
	}
	g.call(t, "logout", "")
	if page := b.authorize(t, one); page.status != http.StatusFound {
		t.Errorf("after the sign-out: %d, want no page", page.status)
	}
}

func TestAClientThatLostItsTokensIsAGuestAndThenTheSameUser(t *testing.T) {
	h := newHouse(t)
	client := h.client(t, "Forgetful")
	b := h.browser(t)
	g := b.guest(t, client)
	g.signIn(t, "ann@example.com")
	g.call(t, "create_entry", `{"title":"Kept","content":"for later"}`)

	page := b.authorize(t, client, "state", "xyz")
	if !asks(page) {
		t.Fatalf("the client asks again: %d\n%s", page.status, page.body)
	}
	done := b.press(t, page)
	to := strings.TrimPrefix(done.header.Get("Refresh"), "0; url=")
	if done.status != http.StatusOK || !strings.HasPrefix(to, redirectURI+"?") || !strings.Contains(to, "state=xyz") || !strings.Contains(to, "iss=") {
		t.Fatalf("the button: %d %v", done.status, done.header)
	}
	again := &guest{house: h, client: client}
	again.access, again.refresh = h.redeem(t, client, codeIn(t, to))
	if a := again.call(t, "list_entries", ""); !a.isError || strings.Contains(a.raw, "Kept") {
		t.Errorf("a guest lists: %s", a.raw)
	}
	g.works(t, "the grant that was left behind")
	h.advance(61 * time.Second)
	again.signIn(t, "ann@example.com")
	if a := again.call(t, "list_entries", ""); !strings.Contains(a.raw, "Kept") {
		t.Errorf("the same user lists: %s", a.raw)
	}
}

func TestTheButtonWorksOnlyInItsOwnBrowserAndInTime(t *testing.T) {
	h := newHouse(t)
	client := h.client(t, "One")
	b := h.browser(t)
	b.guest(t, client).signIn(t, "ann@example.com")
	page := b.authorize(t, client)
	thief := h.browser(t)
	thief.authorize(t, client)
	for name, done := range map[string]response{
		"another browser":     thief.press(t, page),
		"no cookie at all":    h.browser(t).press(t, page),
		"no sealed request":   b.press(t, response{}),
		"a changed request":   b.press(t, response{body: strings.Replace(page.body, `name="request" value="`, `name="request" value="A`, 1)}),
		"a code in its place": b.press(t, response{body: `name="request" value="` + h.code(t, client) + `"`}),
	} {
		if done.status != http.StatusForbidden || done.header.Get("Refresh") != "" || strings.Contains(done.body, "code=") {
			t.Errorf("%s: %d %v", name, done.status, done.header)
		}
	}
	h.advance(10*time.Minute + time.Second)
	if done := b.press(t, page); done.status != http.StatusForbidden {
		t.Errorf("after ten minutes: %d", done.status)
	}
	if done := b.press(t, b.authorize(t, client)); done.status != http.StatusOK {
		t.Errorf("a new page: %d", done.status)
	}
}

// What a browser remembers ends with the grant, by revocation or by time, and
// after thirty days.
func TestABrowserForgets(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *guest){
		"a revoked grant": func(t *testing.T, g *guest) {
			g.postForm(t, "/revoke", url.Values{"client_id": {g.client}, "token": {g.refresh}})
		},
		"an idle grant": func(_ *testing.T, g *guest) { g.advance(31 * 24 * time.Hour) },
		"thirty days, though the grant lives": func(t *testing.T, g *guest) {
			g.advance(20 * 24 * time.Hour)
			g.renew(t)
			g.advance(11 * 24 * time.Hour)
			if status, _ := g.refreshed(t, g.refresh); status != http.StatusOK {
				t.Errorf("the grant is over: %d", status)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			client := h.client(t, "One")
			b := h.browser(t)
			g := b.guest(t, client)
			g.signIn(t, "ann@example.com")
			end(t, g)
			if page := b.authorize(t, client); page.status != http.StatusFound {
				t.Errorf("%d, want no page", page.status)
			}
		})
	}
}
