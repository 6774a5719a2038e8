package foyertest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"example.com/foyer/internal/words"
)

// A Client is somebody's MCP client: the SDK's own, with the SDK's OAuth, and a
// browser that only follows the redirect, because no page comes to a guest. It
// keeps its token from one connection to the next.
type Client struct {
	URL     string             // of the endpoint
	Options *mcp.ClientOptions // such as an ElicitationHandler; nil for none
	Version string             // of the protocol; empty for the newest

	http  *http.Client
	oauth auth.OAuthHandler // nil for no token
}

// Guest connects a new client to the first endpoint, where it becomes a guest: it
// registers, gets a code by PKCE, and redeems it.
func (h *House) Guest(t testing.TB) *mcp.ClientSession {
	t.Helper()
	return h.Client(t).Connect(t)
}

// SignIn is [House.Guest] and then [House.Claim].
func (h *House) SignIn(t testing.TB, email string) *mcp.ClientSession {
	t.Helper()
	session := h.Guest(t)
	h.Claim(t, session, email)
	return session
}

// Nobody connects a client without a token, to the first lazy endpoint.
func (h *House) Nobody(t testing.TB) *mcp.ClientSession {
	t.Helper()
	return (&Client{URL: h.open, http: h.HTTP}).Connect(t)
}

// Claim signs the guest of a session in, as a model would: by the tool
// authenticate, the digits of the mail, and the tool validate_token.
func (h *House) Claim(t testing.TB, session *mcp.ClientSession, email string) {
	t.Helper()
	h.mails.next(normalised(t, email), anyMail) // what came before has other digits
	asked := call(t, session, words.Authenticate, map[string]any{"email": email})
	if said, _ := asked.StructuredContent.(map[string]any); asked.IsError || said["status"] != "pending" { // else no mail comes
		t.Fatalf("%s: %s", words.Authenticate, texts(asked))
	}
	if text, isError := Call(t, session, words.ValidateToken, map[string]any{"code": h.Digits(t, email)}); isError {
		t.Fatalf("%s: %s", words.ValidateToken, text)
	}
}

// Call calls a tool, and returns the texts of its answer and whether it is an
// error, such as a refusal that a model can act upon. An error of the protocol
// ends the test.
func Call(t testing.TB, session *mcp.ClientSession, tool string, arguments map[string]any) (text string, isError bool) {
	t.Helper()
	res := call(t, session, tool, arguments)
	return texts(res), res.IsError
}

func call(t testing.TB, session *mcp.ClientSession, tool string, arguments map[string]any) *mcp.CallToolResult {
	t.Helper()
	res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	return res
}

func texts(res *mcp.CallToolResult) string {
	var all []string
	for _, c := range res.Content {
		if text, ok := c.(*mcp.TextContent); ok {
			all = append(all, text.Text)
		}
	}
	return strings.Join(all, "\n")
}

// Client is a new client for the first endpoint, not yet connected: for a test
// that sets its fields, connects it twice, or wants its token.
func (h *House) Client(t testing.TB) *Client {
	t.Helper()
	const callback = "http://127.0.0.1:33418/callback" // nobody listens there
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		RedirectURL: callback,
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{
			Metadata: &oauthex.ClientRegistrationMetadata{ClientName: "foyertest", RedirectURIs: []string{callback}}},
		AuthorizationCodeFetcher: h.browse,
		Client:                   h.HTTP,
	})
	if err != nil {
		t.Fatalf("foyertest: %v", err)
	}
	return &Client{URL: h.URL, http: h.HTTP, oauth: handler}
}

// Connect opens an MCP session, which ends with the test.
func (c *Client) Connect(t testing.TB) *mcp.ClientSession {
	t.Helper()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "foyertest", Version: "1"}, c.Options).Connect(t.Context(),
		&mcp.StreamableClientTransport{Endpoint: c.URL, HTTPClient: c.http, OAuthHandler: c.oauth, MaxRetries: -1},
		&mcp.ClientSessionOptions{ProtocolVersion: c.Version})
	if err != nil {
		t.Fatalf("foyertest: connect: %v", err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

// Token is the access token that the first connection got.
func (c *Client) Token(t testing.TB) string {
	t.Helper()
	source, err := c.oauth.TokenSource(t.Context())
	if err != nil || source == nil {
		t.Fatalf("foyertest: no token yet: %v", err)
	}
	token, err := source.Token()
	if err != nil {
		t.Fatalf("foyertest: %v", err)
	}
	return token.AccessToken
}

// browse is what a browser does with an authorization that needs no person.
func (h *House) browse(ctx context.Context, a *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL, nil)
	if err != nil {
		return nil, err
	}
	res, err := h.HTTP.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	location, err := res.Location()
	if err != nil {
		return nil, fmt.Errorf("the browser shows a page for a person, and is sent nowhere: %s", res.Status)
	}
	if location.Path == "/consent" {
		return nil, errors.New("the browser shows a page for a person, who has to sign in and consent")
	}
	q := location.Query()
	if problem := q.Get("error"); problem != "" {
		return nil, fmt.Errorf("the authorization was refused: %s: %s", problem, q.Get("error_description"))
	}
	return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
}
