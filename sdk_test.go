package foyer

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"
)

// A person's client: the SDK's own, with its own OAuth, and a browser that only
// follows redirects, because no page comes.
type sdkClient struct {
	session *mcp.ClientSession
	opened  *atomic.Int32 // how often the browser was opened
	handler auth.OAuthHandler
}

func (h *house) sdkClient(t *testing.T, options *mcp.ClientOptions) sdkClient {
	t.Helper()
	return h.sdkClientOf(t, &auth.AuthorizationCodeHandlerConfig{DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{
		Metadata: &oauthex.ClientRegistrationMetadata{ClientName: "The SDK", RedirectURIs: []string{redirectURI}}}}, options)
}

// sdkClientOf is sdkClient for a client that is known in another way.
func (h *house) sdkClientOf(t *testing.T, cfg *auth.AuthorizationCodeHandlerConfig, options *mcp.ClientOptions) sdkClient {
	t.Helper()
	c := sdkClient{opened: &atomic.Int32{}}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	cfg.RedirectURL = redirectURI
	cfg.AuthorizationCodeFetcher = func(ctx context.Context, a *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
		c.opened.Add(1)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL, nil)
		if err != nil {
			return nil, err
		}
		res, err := browser.Do(r)
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
	}
	if c.handler, err = auth.NewAuthorizationCodeHandler(cfg); err != nil {
		t.Fatal(err)
	}
	c.session = h.connect(t, c.handler, options)
	return c
}

func (h *house) connect(t *testing.T, handler auth.OAuthHandler, options *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, options).Connect(t.Context(),
		&mcp.StreamableClientTransport{Endpoint: h.issuer + "/mcp", OAuthHandler: handler, MaxRetries: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

func (c sdkClient) call(t *testing.T, tool string, arguments map[string]any) (*mcp.CallToolResult, string) {
	t.Helper()
	return callTool(t, c.session, tool, arguments)
}

func callTool(t *testing.T, session *mcp.ClientSession, tool string, arguments map[string]any) (*mcp.CallToolResult, string) {
	t.Helper()
	res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	text, ok := res.Content[0].(*mcp.TextContent)
	if !ok {
		t.Fatalf("%s answers a %T", tool, res.Content[0])
	}
	return res, text.Text
}

// The story of the README, played by the SDK's own client: it never lists again
// after it began, and hears no notification.
func TestTheSDKsOwnClientFinishesTheStory(t *testing.T) {
	h := newHouse(t)
	c := h.sdkClient(t, nil)
	locked := map[string]bool{}
	for tool, err := range c.session.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		locked[tool.Name] = tool.Meta["foyer/access"] != nil
	}
	if l, listed := locked["list_entries"]; !l || !listed || locked["writing_prompt"] {
		t.Errorf("locked = %v", locked)
	}
	before := accessToken(t, c.handler)

	if res, text := c.call(t, "writing_prompt", nil); res.IsError {
		t.Errorf("a public tool: %s", text)
	}
	if res, text := c.call(t, "list_entries", nil); !res.IsError || !strings.Contains(text, "call authenticate") {
		t.Errorf("a locked tool: %s", text)
	}
	if res, text := c.call(t, "authenticate", map[string]any{"email": "ann@example.com"}); res.IsError {
		t.Fatalf("authenticate: %s", text)
	}
	if res, text := c.call(t, "validate_token", map[string]any{"validationToken": digitsIn(t, h.mail(t, "ann@example.com"))}); res.IsError {
		t.Fatalf("validate_token: %s", text)
	}
	if res, text := c.call(t, "list_entries", nil); res.IsError {
		t.Errorf("the same call: %s", text)
	}
	if after := accessToken(t, c.handler); after != before {
		t.Error("the access token changed on the way")
	}
	if n := c.opened.Load(); n != 1 {
		t.Errorf("the browser was opened %d times, want once", n)
	}
}

// A client that keeps its tokens is the same user in its next life, and so it is
// after the server's.
func TestAClientThatRestartsIsTheSameUser(t *testing.T) {
	h := newHouse(t)
	c := h.sdkClient(t, nil)
	c.call(t, "authenticate", map[string]any{"email": "ann@example.com"})
	c.call(t, "validate_token", map[string]any{"code": digitsIn(t, h.mail(t, "ann@example.com"))})
	c.call(t, "create_entry", map[string]any{"title": "Kept", "content": "for later"})
	stored := accessToken(t, c.handler)
	c.session.Close()

	h.restart()
	again := h.connect(t, staticHandler{oauth2.StaticTokenSource(&oauth2.Token{AccessToken: stored})}, nil)
	_, who := callTool(t, again, "whoami", nil)
	res, _ := callTool(t, again, "list_entries", nil)
	data, err := json.Marshal(res.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	if who != "Signed in as a***@example.com." || !strings.Contains(string(data), `"Kept"`) {
		t.Errorf("after restarts: %s %s", who, data)
	}
}

// The rules decide lists alike for all kinds of item.
func TestListsOfTheSDKsClient(t *testing.T) {
	h := newHouse(t)
	c := h.sdkClient(t, nil)
	lists := func() []string {
		var names []string
		add := func(name string, meta mcp.Meta) {
			if meta["foyer/access"] != nil {
				name += " (locked)"
			}
			names = append(names, name)
		}
		for r, err := range c.session.Resources(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			add(r.URI, r.Meta)
		}
		for r, err := range c.session.ResourceTemplates(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			add(r.URITemplate, r.Meta)
		}
		for p, err := range c.session.Prompts(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			add(p.Name, p.Meta)
		}
		return names
	}
	want := []string{"journal://credits", "journal://entries (locked)", "journal://tags (locked)", "journal://user (locked)", "ui://foyer/one-time-code", "ui://journal/view",
		"journal://entries/{id} (locked)", "journal://tags/{id} (locked)",
		"first_entry", "reflect (locked)", "suggest_tags (locked)", "summarize_journal_entries (locked)"}
	if got := lists(); !slices.Equal(got, want) {
		t.Errorf("a guest's lists: %v\nwant %v", got, want)
	}
	if _, err := c.session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "journal://entries"}); err == nil || !strings.Contains(err.Error(), "call authenticate") {
		t.Errorf("a guest reads a locked resource: %v", err)
	}
	if _, err := c.session.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "reflect"}); err == nil || !strings.Contains(err.Error(), "call authenticate") {
		t.Errorf("a guest gets a locked prompt: %v", err)
	}
	c.call(t, "authenticate", map[string]any{"email": "ann@example.com"})
	c.call(t, "validate_token", map[string]any{"code": digitsIn(t, h.mail(t, "ann@example.com"))})
	for i := range want {
		want[i] = strings.TrimSuffix(want[i], " (locked)")
	}
	if got := lists(); !slices.Equal(got, want) {
		t.Errorf("a user's lists: %v\nwant %v", got, want)
	}
	if _, err := c.session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "journal://entries"}); err != nil {
		t.Errorf("a user reads: %v", err)
	}
}

func accessToken(t *testing.T, h auth.OAuthHandler) string {
	t.Helper()
	source, err := h.TokenSource(t.Context())
	if err != nil || source == nil {
		t.Fatalf("no token: %v", err)
	}
	token, err := source.Token()
	if err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

// A staticHandler has a token, and no way to another.
type staticHandler struct{ source oauth2.TokenSource }

func (h staticHandler) TokenSource(context.Context) (oauth2.TokenSource, error) { return h.source, nil }

func (h staticHandler) Authorize(context.Context, *http.Request, *http.Response) error {
	return context.Canceled
}
