package foyer

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/chromium"
)

// A webApp is where an app gets its codes: a page of its own, at a host elsewhere. It
// knows who comes by the state that they were sent with.
type webApp struct {
	*httptest.Server
	visits sync.Map // of state to *arrivals
}

type arrivals struct {
	came  chan url.Values
	quiet atomic.Bool // it answers with no page, so that the browser stays where it is
}

func newWebApp(t *testing.T) *webApp {
	t.Helper()
	app := &webApp{}
	app.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, known := app.visits.Load(r.URL.Query().Get("state"))
		if r.URL.Path != "/callback" || !known {
			http.NotFound(w, r)
			return
		}
		to.(*arrivals).came <- r.URL.Query()
		if to.(*arrivals).quiet.Load() {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<title>The app</title><h1>Connected</h1>")
	}))
	t.Cleanup(app.Close)
	return app
}

// A person sits at a browser, before a server, with an app that sends them there.
type person struct {
	chromium.Tab
	*house
	t      *testing.T
	app    *arrivals
	state  string
	client string
	other  string // what another client calls itself: where no picture is kept, tricks
}

// sent opens what the app asks for.
func (p person) sent(scope string) {
	p.t.Helper()
	p.Goes(p.issuer + p.asked(scope))
}

// eagerly calls the endpoint that lets no guest in, and returns the status.
func (p person) eagerly(token string) int {
	p.t.Helper()
	res := p.send(p.t, mcpRequest(p.t, p.issuer+"/eager/mcp", token, 1, "tools/call", `{"name":"list_entries","arguments":{}}`))
	res.Body.Close()
	return res.StatusCode
}

func (p person) asked(scope string) string {
	query := url.Values{"response_type": {"code"}, "client_id": {p.client}, "redirect_uri": {hosted}, "code_challenge": {challenge},
		"code_challenge_method": {"S256"}, "scope": {scope}, "state": {p.state}, "resource": {p.issuer + "/mcp"}}
	return "/authorize?" + query.Encode()
}

// signsIn does so, from the page that asks for an address: the fields have the focus.
func (p person) signsIn() {
	p.t.Helper()
	p.Types("ann@example.com\r")
	p.Shows("h1", "Look into your mail")
	p.Types(digitsIn(p.t, p.mail(p.t, "ann@example.com")) + "\r")
}

// back is what the browser has brought to the app.
func (p person) back() url.Values {
	p.t.Helper()
	select {
	case q := <-p.app.came:
		if q.Get("state") != p.state || q.Get("iss") != p.issuer {
			p.t.Errorf("the app was sent %v", q)
		}
		return q
	case <-time.After(time.Minute):
		p.t.Fatal("the browser did not go on to the app")
		return nil
	}
}

// connected is the app with what the browser has brought.
func (p person) connected() *guest {
	p.t.Helper()
	status, told := p.token(p.t, url.Values{"grant_type": {"authorization_code"}, "client_id": {p.client}, "code": {p.back().Get("code")},
		"redirect_uri": {hosted}, "code_verifier": {verifier}})
	if status != http.StatusOK {
		p.t.Fatalf("the code: %d %v", status, told)
	}
	return &guest{house: p.house, client: p.client, access: told["access_token"].(string), refresh: told["refresh_token"].(string)}
}

func (p person) scopes(g *guest, want ...string) {
	p.t.Helper()
	if got := g.bearer(p.t).Grant.Scopes; !slices.Equal(got, want) {
		p.t.Errorf("the app may %q, want %q", got, want)
	}
}

// What people meet, from the first page to the app, and each refusal on the way (expired,
// wrong, denied, limited, cookies lost): by keyboard, on a phone and at a desk, in light
// and in dark, with scripts and without. axe looks at every page, at both widths and in
// both themes, and every answer has the headers that a page must have.
func TestPeopleByKeyboard(t *testing.T) {
	app := newWebApp(t)
	ctx := chromium.Start(t, "app.example "+app.Listener.Addr().String())
	for how, way := range chromium.Ways() {
		for name, story := range stories {
			t.Run(how+"/"+name, func(t *testing.T) {
				t.Parallel()
				newPerson(ctx, t, app, way).plays(story)
			})
		}
	}
}

func newPerson(ctx context.Context, t *testing.T, app *webApp, way chromium.Way) person {
	t.Helper()
	h := newHouse(t, func(cfg *Config) {
		cfg.Lifetimes.OneTimeCode = 8 * time.Minute // sooner over than the request
		cfg.Endpoints = []Endpoint{{Path: "/mcp"}, {Path: "/eager/mcp", Entry: gate.Eager}}
	})
	h.handler.Store(http.HandlerFunc(chromium.Checked(t, h.handler.Load().(http.Handler)).ServeHTTP))
	var registered struct {
		ID string `json:"client_id"`
	}
	h.postJSON(t, "/register", `{"client_name":"A diary helper with quite a long name","redirect_uris":["`+hosted+`"]}`, http.StatusCreated, &registered)
	p := person{chromium.OpenIn(ctx, t, way, "about:blank"), h, t, &arrivals{came: make(chan url.Values, 9)}, rand.Text(), registered.ID, "Cursor"}
	if way.NoScripts {
		p.other = `<b>` + strings.Repeat("Long", 20) + `\u202e`
	}
	app.visits.Store(p.state, p.app)
	return p
}

func (p person) plays(story func(person)) {
	story(p)
	select {
	case q := <-p.app.came:
		p.t.Errorf("the browser came to the app once more, with %v", q)
	default:
	}
}

// signedInChat is the app after its guest has kept two drafts and signed in in the chat.
func (p person) signedInChat() *guest {
	p.t.Helper()
	p.sent("guest")
	p.Shows("h1", "Continue to app.example?")
	p.Presses("Continue to app.example")
	p.Shows("h1", "Connected")
	g := p.connected()
	g.draft(p.t, "The light went round.")
	g.draft(p.t, "The keeper waved.")
	g.signIn(p.t, "ann@example.com")
	p.advance(2 * time.Minute)
	return g
}
