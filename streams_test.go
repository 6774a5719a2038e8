package foyer

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// An open stream of a guest's client.
type openStream struct {
	t     *testing.T
	lines *bufio.Scanner
}

// listens opens a stream for the tools alone, and waits until it is there.
func (g *guest) listens(t *testing.T, version string) openStream {
	t.Helper()
	c := &rawClient{house: g.house, version: version, caller: caller{bearer: g.access}}
	r := c.request(http.MethodPost, "subscriptions/listen", `{"notifications":{"toolsListChanged":true}}`)
	if version != modern {
		c.connects()
		r = c.request(http.MethodGet, "", "{}")
		r.Body, r.ContentLength = http.NoBody, 0
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	res := g.send(t, r.WithContext(ctx))
	t.Cleanup(func() { res.Body.Close() })
	s := openStream{t, bufio.NewScanner(res.Body)}
	if !s.lines.Scan() {
		t.Fatalf("%d: no stream", res.StatusCode)
	}
	if version == modern {
		s.next()
	}
	return s
}

// next returns the method of the next message; "" at the end.
func (s openStream) next() string {
	s.t.Helper()
	for s.lines.Scan() {
		if data, found := strings.CutPrefix(s.lines.Text(), "data: "); found {
			var m struct {
				Method string `json:"method"`
			}
			if err := json.Unmarshal([]byte(data), &m); err != nil {
				s.t.Fatal(err)
			}
			return m.Method
		}
	}
	return ""
}

// heard skips to the news about tools, of which a session brings more kinds.
func (s openStream) heard() bool {
	s.t.Helper()
	for {
		switch s.next() {
		case "notifications/tools/list_changed":
			return true
		case "":
			return false
		}
	}
}

// A sign-in and a sign-out in the chat are heard on the streams of their grant,
// of either kind, and on those of another grant nothing is.
func TestASignInIsHeardOnEveryStreamOfItsGrant(t *testing.T) {
	h := newHouse(t)
	g, other := h.guest(t), h.guest(t)
	own := []openStream{g.listens(t, modern), g.listens(t, "2025-11-25"), g.listens(t, "2025-03-26")}
	theirs := []openStream{other.listens(t, modern), other.listens(t, "2025-11-25")}
	g.signIn(t, "ann@example.com")
	for i, s := range own {
		if !s.heard() {
			t.Errorf("stream %d does not hear the sign-in", i)
		}
	}
	if a := g.call(t, "logout", ""); a.isError {
		t.Fatal(a.text)
	}
	for i, s := range own {
		if !s.heard() {
			t.Errorf("stream %d does not hear the sign-out", i)
		}
	}
	h.kit.Drain()
	for i, s := range append(own, theirs...) {
		if s.heard() {
			t.Errorf("stream %d hears more", i)
		}
	}
}

// Whatever ends a grant ends its streams: the client's revocation, a refresh
// token used twice, a code used twice.
func TestWhateverEndsAGrantEndsItsStreams(t *testing.T) {
	for name, end := range map[string]func(*house, *guest){
		"revocation": func(h *house, g *guest) {
			res := h.send(t, h.form(t, "/revoke", url.Values{"token": {g.refresh}, "client_id": {g.client}}))
			res.Body.Close()
		},
		"a refresh token used twice": func(h *house, g *guest) {
			stolen := g.refresh
			g.renew(t)
			g.renew(t)
			g.refreshed(t, stolen)
		},
		"a code used twice": func(h *house, g *guest) {
			code := h.code(t, g.client)
			g.access, g.refresh = h.redeem(t, g.client, code)
			s := g.listens(t, modern)
			h.token(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {g.client}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {verifier}})
			if s.heard() {
				t.Error("the stream brings news")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			g := h.guest(t)
			var streams []openStream
			if name != "a code used twice" {
				streams = []openStream{g.listens(t, modern), g.listens(t, "2025-06-18")}
			}
			end(h, g)
			for _, s := range streams {
				if s.heard() {
					t.Error("a stream brings news")
				}
			}
		})
	}
}

// The official client hears of its own sign-in, in every version.
func TestTheSDKsOwnClientHearsOfItsSignIn(t *testing.T) {
	h := newHouse(t)
	heard := make(chan struct{}, 10)
	c := h.sdkClient(t, nil)
	for _, version := range []string{"2025-11-25", "2025-06-18", "2025-03-26"} {
		session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ClientOptions{
			ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { heard <- struct{}{} }}).Connect(t.Context(),
			&mcp.StreamableClientTransport{Endpoint: h.issuer + "/mcp", OAuthHandler: c.handler, MaxRetries: -1}, &mcp.ClientSessionOptions{ProtocolVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		address := "ann-" + version + "@example.com"
		callTool(t, session, "authenticate", map[string]any{"email": address})
		callTool(t, session, "validate_token", map[string]any{"code": digitsIn(t, h.mail(t, address))})
		select {
		case <-heard:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: nothing is heard", version)
		}
		callTool(t, session, "logout", nil)
		<-heard
		session.Close()
	}
}
