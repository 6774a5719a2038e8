package foyer

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"
)

// An xClient is a client that golang.org/x/oauth2 speaks for. The library does
// not check what an authorization response says; its host does.
type xClient struct {
	*house
	oauth2.Config
	resource   oauth2.AuthCodeOption
	revocation string
}

// xClient finds the authorization server and registers a client. How clients
// authenticate is left to the library to find out, as it is by default.
func (h *house) xClient(t *testing.T) *xClient {
	t.Helper()
	server, err := oauthex.GetAuthServerMeta(t.Context(), h.issuer+"/.well-known/oauth-authorization-server", h.issuer, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	client, err := oauthex.RegisterClient(t.Context(), server.RegistrationEndpoint,
		&oauthex.ClientRegistrationMetadata{ClientName: "x/oauth2", RedirectURIs: []string{redirectURI}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &xClient{house: h, resource: oauth2.SetAuthURLParam("resource", h.issuer+"/mcp"), revocation: server.RevocationEndpoint,
		Config: oauth2.Config{ClientID: client.ClientID, RedirectURL: redirectURI, Scopes: []string{"guest", "offline_access"},
			Endpoint: oauth2.Endpoint{AuthURL: server.AuthorizationEndpoint, TokenURL: server.TokenEndpoint}}}
}

// answer opens the authorization URL and returns the parameters of the answer.
func (c *xClient) answer(t *testing.T, options ...oauth2.AuthCodeOption) url.Values {
	t.Helper()
	const state = "a state of the host"
	to, err := url.Parse(c.AuthCodeURL(state, options...))
	if err != nil {
		t.Fatal(err)
	}
	res := c.get(t, "/authorize?"+to.RawQuery)
	defer res.Body.Close()
	location, err := res.Location()
	if err != nil {
		t.Fatalf("/authorize: %s, %v", res.Status, err)
	}
	q := location.Query()
	if !strings.HasPrefix(location.String(), redirectURI+"?") || q.Get("iss") != c.issuer || q.Get("state") != state {
		t.Fatalf("the browser is led to %s", location)
	}
	return q
}

// code asks for a code, and returns it with its verifier.
func (c *xClient) code(t *testing.T) (code, verifier string) {
	t.Helper()
	verifier = oauth2.GenerateVerifier()
	return c.answer(t, oauth2.S256ChallengeOption(verifier), c.resource).Get("code"), verifier
}

func (c *xClient) exchange(t *testing.T) *oauth2.Token {
	t.Helper()
	code, verifier := c.code(t)
	token, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier), c.resource)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// source is the library's source of tokens after the end of token. What it
// returns first comes from a refresh.
func (c *xClient) source(ctx context.Context, token *oauth2.Token) oauth2.TokenSource {
	ended := *token
	ended.Expiry = time.Now().Add(-time.Hour)
	return c.TokenSource(ctx, &ended)
}

func (c *xClient) refresh(t *testing.T, token *oauth2.Token) (*oauth2.Token, error) {
	t.Helper()
	return c.source(t.Context(), token).Token()
}

// ended expects that neither token is worth anything.
func (c *xClient) ended(t *testing.T, after string, token *oauth2.Token) {
	t.Helper()
	if a := c.callAs(t, token.AccessToken, "whoami", ""); a.status != http.StatusUnauthorized {
		t.Errorf("after %s the access token is answered %d %s, want 401", after, a.status, a.raw)
	}
	_, err := c.refresh(t, token)
	refusedAs(t, "a refresh after "+after, err, "invalid_grant")
}

func refusedAs(t *testing.T, what string, err error, code string) {
	t.Helper()
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || refused.ErrorCode != code || refused.Response.StatusCode != http.StatusBadRequest {
		t.Errorf("%s: %v, want 400 %s", what, err, code)
	}
}

// The story with the library that Go programs use: its HTTP client carries the
// token and renews it, and the SDK's client knows nothing of OAuth.
func TestTheClientOfXOAuth2FinishesTheStory(t *testing.T) {
	h := newHouse(t)
	c := h.xClient(t)
	token := c.exchange(t)
	if token.Type() != "Bearer" || token.Extra("scope") != "guest" || token.ExpiresIn != 3600 || token.RefreshToken == "" {
		t.Errorf("a guest's token is %s, for %v, and lives %d s", token.Type(), token.Extra("scope"), token.ExpiresIn)
	}
	connect := func(source oauth2.TokenSource) *mcp.ClientSession {
		session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(),
			&mcp.StreamableClientTransport{Endpoint: h.issuer + "/mcp", HTTPClient: oauth2.NewClient(t.Context(), source), MaxRetries: -1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { session.Close() })
		return session
	}
	session := connect(c.TokenSource(t.Context(), token))
	if res, text := callTool(t, session, "list_entries", nil); !res.IsError || !strings.Contains(text, "call authenticate") {
		t.Errorf("a locked tool: %s", text)
	}
	if res, text := callTool(t, session, "authenticate", map[string]any{"email": "ann@example.com"}); res.IsError {
		t.Fatalf("authenticate: %s", text)
	}
	if res, text := callTool(t, session, "validate_token", map[string]any{"code": digitsIn(t, h.mail(t, "ann@example.com"))}); res.IsError {
		t.Fatalf("validate_token: %s", text)
	}
	if res, text := callTool(t, session, "list_entries", nil); res.IsError {
		t.Errorf("the same call: %s", text)
	}

	h.advance(2 * time.Hour)
	if a := h.callAs(t, token.AccessToken, "whoami", ""); a.status != http.StatusUnauthorized {
		t.Errorf("an access token that has ended is answered %d", a.status)
	}
	source := c.source(t.Context(), token)
	if _, who := callTool(t, connect(source), "whoami", nil); who != "Signed in as a***@example.com." {
		t.Errorf("the client that renews its token by itself: %s", who)
	}
	renewed, err := source.Token()
	if err != nil {
		t.Fatal(err)
	}
	if renewed.AccessToken == token.AccessToken || renewed.RefreshToken == token.RefreshToken || renewed.Extra("scope") != "guest journal:write" {
		t.Errorf("a refresh gives scope %v, and perhaps the same tokens", renewed.Extra("scope"))
	}

	form := url.Values{"token": {renewed.RefreshToken}, "client_id": {c.ClientID}}
	if status, body := h.postForm(t, strings.TrimPrefix(c.revocation, h.issuer), form); status != http.StatusOK {
		t.Errorf("revocation: %d %v", status, body)
	}
	c.ended(t, "revocation", renewed)
}

func TestWhatXOAuth2IsRefused(t *testing.T) {
	h := newHouse(t)
	c := h.xClient(t)
	elsewhere := oauth2.SetAuthURLParam("resource", "https://elsewhere.example/mcp")
	if q := c.answer(t, c.resource); q.Get("error") != "invalid_request" || q.Has("code") {
		t.Errorf("without PKCE: %v", q)
	}
	if q := c.answer(t, oauth2.S256ChallengeOption(verifier), elsewhere); q.Get("error") != "invalid_target" || q.Has("code") {
		t.Errorf("for another resource: %v", q)
	}

	code, verifier := c.code(t)
	_, err := c.Exchange(t.Context(), code, c.resource)
	refusedAs(t, "no verifier", err, "invalid_grant")
	_, err = c.Exchange(t.Context(), code, oauth2.VerifierOption(oauth2.GenerateVerifier()), c.resource)
	refusedAs(t, "another verifier", err, "invalid_grant")
	_, err = c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier), elsewhere)
	refusedAs(t, "another resource", err, "invalid_target")
	token, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier), c.resource)
	if err != nil {
		t.Fatalf("the same code after all of these: %v", err)
	}
	_, err = c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier), c.resource)
	refusedAs(t, "the code once more", err, "invalid_grant")
	c.ended(t, "a second use of the code", token)

	first := c.exchange(t)
	second, err := c.refresh(t, first)
	if err != nil {
		t.Fatal(err)
	}
	third, err := c.refresh(t, second)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.refresh(t, first)
	refusedAs(t, "a refresh token whose successor was used", err, "invalid_grant")
	c.ended(t, "reuse of a refresh token", third)
}
