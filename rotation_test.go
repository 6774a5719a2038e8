package foyer

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/elicit"
	"example.com/foyer/gate"
)

// A pending thing was begun under one configuration of the secrets, and is
// finished under the next. finish says what came instead of what was to come,
// and the HTTP status of that.
type pending struct {
	name   string
	begin  func(t *testing.T, h *house) (finish func(t *testing.T) (status int, instead string))
	needs  bool // the secret under which it was begun
	status int  // of the refusal without it
}

const done = "" // what was to come came

var everythingPending = []pending{
	{name: "a user's access token", begin: func(t *testing.T, h *house) func(*testing.T) (int, string) {
		g := h.guest(t)
		g.signIn(t, "access@example.com")
		return func(t *testing.T) (int, string) { return g.still(t, g.access, "a***@example.com") }
	}},
	{name: "a guest's refresh token", begin: func(t *testing.T, h *house) func(*testing.T) (int, string) {
		g := h.guest(t)
		return func(t *testing.T) (int, string) { return g.goesOn(t, g.refresh, "", "") }
	}},
	{name: "a user's refresh token", begin: func(t *testing.T, h *house) func(*testing.T) (int, string) {
		g := h.guest(t)
		g.signIn(t, "refresh@example.com")
		g.renew(t) // so that it was derived
		return func(t *testing.T) (int, string) { return g.goesOn(t, g.refresh, "", "r***@example.com") }
	}},
	{name: "a refresh whose answer was lost", needs: true, status: http.StatusBadRequest, begin: func(t *testing.T, h *house) func(*testing.T) (int, string) {
		g := h.guest(t)
		g.signIn(t, "lost@example.com")
		old := g.refresh
		g.renew(t)
		return func(t *testing.T) (int, string) { return g.goesOn(t, old, g.access, "l***@example.com") }
	}},
	{name: "an authorization code", needs: true, status: http.StatusBadRequest, begin: func(t *testing.T, h *house) func(*testing.T) (int, string) {
		g := &guest{house: h, client: h.client(t, "Code")}
		code := h.code(t, g.client)
		return func(t *testing.T) (int, string) {
			status, body := h.token(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {g.client}, "code": {code},
				"redirect_uri": {redirectURI}, "code_verifier": {verifier}})
			if status != http.StatusOK {
				return status, fmt.Sprint(body)
			}
			return g.still(t, fmt.Sprint(body["access_token"]), "")
		}
	}},
	{name: "a page with a button", needs: true, status: http.StatusForbidden, begin: func(t *testing.T, h *house) func(*testing.T) (int, string) {
		const stranger = "https://stranger.example/callback"
		var registered struct {
			ID string `json:"client_id"`
		}
		h.postJSON(t, "/register", `{"redirect_uris":["`+stranger+`"]}`, http.StatusCreated, &registered)
		b := h.browser(t)
		page := b.authorize(t, registered.ID, "redirect_uri", stranger)
		if page.status != http.StatusOK || !strings.Contains(page.body, `name="request"`) {
			t.Fatalf("no page with a button: %d", page.status)
		}
		return func(t *testing.T) (int, string) {
			pressed := b.press(t, page)
			if strings.Contains(pressed.header.Get("Refresh"), stranger+"?code=") {
				return pressed.status, done
			}
			return pressed.status, pressed.body
		}
	}},
	{name: "a one-time code", needs: true, status: http.StatusOK, begin: func(t *testing.T, h *house) func(*testing.T) (int, string) {
		g := h.guest(t)
		digits := g.digits(t, "code@example.com")
		return func(t *testing.T) (int, string) {
			if a := g.call(t, "validate_token", `{"code":"`+digits+`"}`); a.isError {
				return a.status, a.text
			}
			return g.still(t, g.access, "c***@example.com")
		}
	}},
	{name: "a question that was asked", needs: true, status: http.StatusBadRequest, begin: func(t *testing.T, h *house) func(*testing.T) (int, string) {
		g := h.guest(t)
		_, asked := g.asks(t, "")
		_, rest, _ := strings.Cut(asked, `"requestState":"`)
		state, _, found := strings.Cut(rest, `"`)
		if !found {
			t.Fatalf("nothing is asked: %s", asked)
		}
		return func(t *testing.T) (int, string) {
			status, next := g.asks(t, `,"inputResponses":{"seat":{"action":"accept","content":{"place":"garden"}}},"requestState":"`+state+`"`)
			if strings.Contains(next, "In whose name?") {
				return status, done
			}
			return status, next
		}
	}},
	{name: "what a browser remembers", begin: func(t *testing.T, h *house) func(*testing.T) (int, string) {
		b := h.browser(t)
		client := h.client(t, "Browser")
		b.guest(t, client).signIn(t, "a@example.com")
		return func(t *testing.T) (int, string) {
			page := b.authorize(t, client)
			if asks(page) {
				return page.status, done
			}
			return page.status, page.body
		}
	}},
}

// still expects that an access token is of the user with that masked address, or
// of a guest where there is none.
func (g *guest) still(t *testing.T, access, as string) (int, string) {
	t.Helper()
	a := g.callAs(t, access, "whoami", "")
	if got, _ := a.data["as"].(string); a.isError || got != as {
		return a.status, a.raw
	}
	return a.status, done
}

// goesOn expects that a refresh token gets an answer, the same where there was
// one, and that the family goes on from there.
func (g *guest) goesOn(t *testing.T, refresh, access, as string) (int, string) {
	t.Helper()
	status, body := g.refreshed(t, refresh)
	if status != http.StatusOK {
		return status, fmt.Sprint(body)
	}
	if access != "" && body["access_token"] != access {
		return status, "another pair than before"
	}
	if status, instead := g.still(t, fmt.Sprint(body["access_token"]), as); instead != done {
		return status, instead
	}
	if status, body := g.refreshed(t, fmt.Sprint(body["refresh_token"])); status != http.StatusOK {
		return status, fmt.Sprint(body)
	}
	return status, done
}

// asks calls the tool that asks.
func (g *guest) asks(t *testing.T, more string) (int, string) {
	t.Helper()
	res := g.send(t, g.asking(t, `{"name":"book_table","arguments":{}`+more+`}`))
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// Secrets are changed by putting a new one in front, and taking the old one away
// later: nobody is signed out by either. What is lost with the old one is what
// was begun under it and lives for minutes, and the second answer of a refresh.
func TestSecretsAreChangedWithoutSigningAnyoneOut(t *testing.T) {
	a, b := strings.Repeat("old ", 8), strings.Repeat("new ", 8)
	for _, change := range []struct {
		name     string
		from, to []string
		kept     bool // the secret that signed
	}{
		{"a new secret is put in front", []string{a}, []string{b, a}, true},
		{"the old one is taken away later", []string{b, a}, []string{b}, true},
		{"the change is taken back", []string{b, a}, []string{a, b}, true},
		{"the old one is replaced at once", []string{a}, []string{b}, false},
	} {
		t.Run(change.name, func(t *testing.T) {
			secrets := change.from
			h := newHouseWith(t, func(h *house) {
				elicit.AddTool(h.kit.Questions(), h.server, &mcp.Tool{Name: "book_table"}, bookTable)
			}, func(cfg *Config) {
				cfg.Secrets = secrets
				tools := gate.Rules{"book_table": gate.AnyGrant()}
				for name, rule := range cfg.Tools {
					tools[name] = rule
				}
				cfg.Tools = tools
			})
			var finish []func(*testing.T) (int, string)
			for _, p := range everythingPending {
				finish = append(finish, p.begin(t, h))
			}
			h.advance(30 * time.Second) // within every overlap
			secrets = change.to
			h.restart()
			for i, p := range everythingPending {
				status, instead := finish[i](t)
				switch want := change.kept || !p.needs; {
				case want && instead != done:
					t.Errorf("%s: %d %s", p.name, status, instead)
				case !want && (instead == done || status != p.status):
					t.Errorf("%s, without the secret: %d %q; want it refused with %d", p.name, status, instead, p.status)
				}
			}
			if n := h.count(t, "SELECT count(*) FROM foyer_grants WHERE revoked_at <> 0"); n > 0 {
				t.Errorf("%d grants were revoked", n)
			}
			if log := h.log.String(); strings.Contains(log, "fault") {
				t.Errorf("the log tells of faults: %s", log)
			}
		})
	}
}

// Who lost the answer of a refresh, and does not ask again before the secret is
// gone, connects anew; but who has the answer does not notice.
func TestALostAnswerIsLostWithItsSecret(t *testing.T) {
	a, b := strings.Repeat("old ", 8), strings.Repeat("new ", 8)
	secrets := []string{a}
	h := newHouse(t, func(cfg *Config) { cfg.Secrets = secrets })
	lost, had := h.guest(t), h.guest(t)
	lost.signIn(t, "lost@example.com")
	had.signIn(t, "had@example.com")
	before := lost.refresh
	lost.renew(t)
	had.renew(t)
	for _, change := range []struct {
		secrets []string
		wait    time.Duration
	}{{[]string{b, a}, 0}, {[]string{b}, 24 * time.Hour}} {
		secrets = change.secrets
		h.advance(change.wait)
		h.restart()
	}
	status, body := lost.refreshed(t, before)
	if status != http.StatusBadRequest || body["error"] != "invalid_grant" || !strings.Contains(fmt.Sprint(body["error_description"]), "begin again") {
		t.Errorf("who lost the answer: %d %v; want invalid_grant, and to begin again", status, body)
	}
	had.renew(t)
	lost.renew(t) // the answer itself is as good as ever: nothing was revoked
}
