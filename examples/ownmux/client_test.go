package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// Whatever answers does so at once, streams too: only their end takes time.
var wire = &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: 10 * time.Second}}

// A client is the SDK's own OAuth, with a browser that only follows the
// redirect, because no page comes.
type client struct{ handler auth.OAuthHandler }

func newClient(t *testing.T) client {
	t.Helper()
	const callback = "http://127.0.0.1:33418/callback"
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		RedirectURL: callback,
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{
			Metadata: &oauthex.ClientRegistrationMetadata{ClientName: "Test", RedirectURIs: []string{callback}}},
		AuthorizationCodeFetcher: func(ctx context.Context, a *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL, nil)
			if err != nil {
				return nil, err
			}
			res, err := wire.Transport.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			defer res.Body.Close()
			location, err := res.Location()
			if err != nil {
				return nil, err
			}
			q := location.Query()
			return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client{handler}
}

// token returns the access token, which a first connection got.
func (c client) token(t *testing.T) string {
	t.Helper()
	source, err := c.handler.TokenSource(t.Context())
	if err != nil || source == nil {
		t.Fatalf("no token: %v", err)
	}
	token, err := source.Token()
	if err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

// A session calls tools, and hears when their list changes.
type session struct {
	*mcp.ClientSession
	changed chan struct{}
}

func (c client) connect(t *testing.T, url, version string) session {
	t.Helper()
	return connect(t, url, c.handler, version)
}

func connect(t *testing.T, url string, handler auth.OAuthHandler, version string) session {
	t.Helper()
	changed := make(chan struct{}, 10)
	s, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ClientOptions{
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { changed <- struct{}{} }}).Connect(t.Context(),
		&mcp.StreamableClientTransport{Endpoint: url, HTTPClient: wire, OAuthHandler: handler, MaxRetries: -1}, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return session{s, changed}
}

func (s session) call(t *testing.T, tool string, arguments map[string]any) (text string, isError bool) {
	t.Helper()
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	return res.Content[0].(*mcp.TextContent).Text, res.IsError
}

func (s session) ok(t *testing.T, tool string, arguments map[string]any, want string) {
	t.Helper()
	if text, isError := s.call(t, tool, arguments); isError || !strings.Contains(text, want) {
		t.Errorf("%s: %s, want %s", tool, text, want)
	}
}

func (s session) refused(t *testing.T, tool string, arguments map[string]any, want string) {
	t.Helper()
	if text, isError := s.call(t, tool, arguments); !isError || !strings.Contains(text, want) {
		t.Errorf("%s: %s, want it refused: %s", tool, text, want)
	}
}

func (s session) signIn(t *testing.T, r running, email string) {
	t.Helper()
	s.ok(t, "authenticate", map[string]any{"email": email}, "")
	s.ok(t, "validate_token", map[string]any{"code": digits(t, filepath.Join(r.data, "mail", email, "000001.eml"))}, "")
}

// digits waits for the mail, which goes out behind the answer.
func digits(t *testing.T, path string) string {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-tick.C {
		text, err := os.ReadFile(path)
		if found := regexp.MustCompile(`(?m)^([0-9]{6})\r?$`).FindSubmatch(text); err == nil && found != nil {
			return string(found[1])
		}
	}
	t.Fatalf("no mail with six digits came to %s", path)
	return ""
}

// post sends one message of 2026-07-28, for which the SDK's client has no method.
func (c client) post(t *testing.T, url, method, params string) *http.Response {
	t.Helper()
	if params != "" {
		params += ","
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":{`+params+
		`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": method, "Authorization": "Bearer " + c.token(t)} {
		r.Header.Set(name, value)
	}
	res, err := wire.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func listen(t *testing.T, res *http.Response) *bufio.Scanner {
	t.Helper()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("no stream: %s", res.Status)
	}
	return bufio.NewScanner(res.Body)
}

// next returns the method of the next message; "" at the end.
func next(t *testing.T, events *bufio.Scanner) string {
	t.Helper()
	for events.Scan() {
		if data, found := strings.CutPrefix(events.Text(), "data: "); found {
			var m struct {
				Method string `json:"method"`
			}
			if err := json.Unmarshal([]byte(data), &m); err != nil {
				t.Fatal(err)
			}
			return m.Method
		}
	}
	return ""
}
