package mcpgate_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/audit"
	"example.com/foyer/gate"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/mcpgate"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

const (
	modern   = "2026-07-28"
	older    = "2025-11-25"
	resource = "https://room.example/mcp"
	metadata = "https://room.example/.well-known/oauth-protected-resource/mcp"
	day      = 24 * time.Hour

	lazyResource  = "https://room.example/lazy/mcp"
	eagerResource = "https://room.example/eager/mcp"
)

// scopes and rules are those of every kind of item: "anyone" is a tool, a
// prompt, a resource (room://anyone), and a template (room://anyone/{id}).
var (
	scopes = gate.Scopes{{Name: "write", Words: "Write", Default: true}, {Name: "export", Words: "Export"}}
	rules  = gate.Rules{
		"anyone":      gate.Anyone(),
		"guests_only": gate.GuestsOnly(),
		"signed_in":   gate.SignedIn(),
		"default":     gate.Scope("write"),
		"not_default": gate.Scope("write", "export"),
		"hidden":      gate.Scope("write", "export").Hidden(),
	}
)

// A room is a small MCP server behind a gate, with real tokens from real rules
// on a SQLite file. It is served guarded at /mcp, with the middleware alone at
// /inside, and there without anyone who looks the caller up at /naked.
type room struct {
	t      testing.TB
	rules  gate.Rules
	url    string
	gate   *mcpgate.Gate
	grants *grant.Grants
	keys   secret.Keys
	store  store.Store
	server *mcp.Server
	log    *syncBuffer
	hooks  audit.Hooks
	seen   int // events

	mu  sync.Mutex
	at  time.Time
	ran []string // handlers of items, since the last request
}

var lifetimes = grant.Lifetimes{Code: time.Minute, Access: time.Hour, Idle: 30 * day, Absolute: 90 * day,
	GuestIdle: day, Overlap: time.Minute, Client: 90 * day, Browser: 30 * day}

func newRoom(t testing.TB, options ...func(*mcp.ServerOptions)) *room {
	t.Helper()
	return newRoomOf(t, rules, options...)
}

// newRoomOf is newRoom with the items of other rules; those of rules are among
// them.
func newRoomOf(t testing.TB, rules gate.Rules, options ...func(*mcp.ServerOptions)) *room {
	t.Helper()
	r := &room{t: t, rules: rules, log: &syncBuffer{}, at: time.Now()}
	var err error
	if r.store, err = sqlite.Open(filepath.Join(t.TempDir(), "room.db")); err != nil {
		t.Fatal(err)
	}
	keys, err := secret.NewKeys([]string{"a secret of the tests, and of nobody else"})
	if err != nil {
		t.Fatal(err)
	}
	r.keys = keys
	r.grants = grant.New(r.store, keys, lifetimes, grant.JWTs{}, r.now)
	r.serve(options...)
	return r
}

// trail returns a trail of its own, which has noted nothing.
func (r *room) trail() *audit.Trail {
	r.t.Helper()
	trail, err := audit.New(audit.Config{Store: r.store, Secrets: []string{"a secret of the tests, and of nobody else"}, Keep: 90 * day, Hooks: r.hooks, Now: r.now,
		Log: slog.New(slog.NewTextHandler(r.log, nil))})
	if err != nil {
		r.t.Fatal(err)
	}
	return trail
}

func (r *room) items() *mcpgate.Items {
	r.t.Helper()
	tools, resources, templates := maps.Clone(r.rules), gate.Rules{}, []string{}
	for _, name := range r.names() {
		resources["room://"+name], resources["room://"+name+"/{id}"] = r.rules[name], r.rules[name]
		templates = append(templates, "room://"+name+"/{id}")
	}
	tools["hidden_with_header"], tools["shaped"], tools["breaks"] = r.rules["hidden"], gate.SignedIn(), gate.Anyone()
	tools["with_grant"] = gate.AnyGrant()
	resources["room://{rule}/vault"] = gate.Scope("write", "export") // overlaps with all other templates
	resources["lit://~literal"], resources["lit://{letters}"] = gate.Anyone(), gate.SignedIn()
	templates = append(templates, "room://{rule}/vault", "lit://~literal", "lit://{letters}")
	items, err := mcpgate.NewItems(tools, resources, maps.Clone(r.rules), templates, mcpgate.Schemas{Outputs: map[string]bool{"shaped": true}})
	if err != nil {
		r.t.Fatal(err)
	}
	return items
}

// names are those of the rules.
func (r *room) names() []string { return slices.Sorted(maps.Keys(r.rules)) }

func (r *room) serve(options ...func(*mcp.ServerOptions)) {
	o := &mcp.ServerOptions{
		CompletionHandler: func(context.Context, *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
			r.note("completion")
			return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: []string{"x"}}}, nil
		},
		SubscribeHandler:   func(context.Context, *mcp.SubscribeRequest) error { r.note("subscribe"); return nil },
		UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
	}
	for _, option := range options {
		option(o)
	}
	r.server = mcp.NewServer(&mcp.Implementation{Name: "room", Version: "1"}, o)
	for _, name := range r.names() {
		r.addTool(&mcp.Tool{Name: name, Description: "<" + name + "> & so on", Meta: mcp.Meta{"own": name}, InputSchema: json.RawMessage(`{"type":"object"}`)})
		r.server.AddPrompt(&mcp.Prompt{Name: name}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			r.note("prompt " + name)
			return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{{Role: "user", Content: &mcp.TextContent{Text: "x"}}}}, nil
		})
		r.server.AddResource(&mcp.Resource{Name: name, URI: "room://" + name}, r.read)
		r.addTemplate("room://" + name + "/{id}")
	}
	r.addTool(&mcp.Tool{Name: "hidden_with_header", InputSchema: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string","x-mcp-header":"City"}}}`)})
	r.addTool(&mcp.Tool{Name: "with_grant", InputSchema: json.RawMessage(`{"type":"object"}`)})
	r.addTool(&mcp.Tool{Name: "shaped", InputSchema: json.RawMessage(`{"type":"object"}`),
		OutputSchema: json.RawMessage(`{"type":"object","required":["sum"],"properties":{"sum":{"type":"number"}}}`)})
	r.server.AddTool(&mcp.Tool{Name: "breaks", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			panic("fyr_the-secret-in-a-panic")
		})
	for _, uri := range []string{"room://{rule}/vault", "lit://~literal", "lit://{letters}"} {
		r.addTemplate(uri)
	}
	r.gate = mcpgate.New(mcpgate.Config{Items: r.items(), Scopes: scopes, Levels: gate.StandardLevels, Grants: r.grants, Now: r.now, Info: &mcp.Implementation{Name: "room", Version: "1"},
		Log: slog.New(slog.NewTextHandler(r.log, nil))}, r.server)
	r.gate.Trail = r.trail()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.gate.Run(ctx) })
	mcp.AddReceivingCustomMethod(r.server, "room/custom", func(context.Context, *mcp.ServerSession, *customParams) (*customResult, error) {
		r.note("custom")
		return &customResult{}, nil
	})
	mcp.AddReceivingCustomMethod(r.server, "notifications/custom", func(context.Context, *mcp.ServerSession, *customParams) (*customResult, error) {
		r.note("custom")
		return &customResult{}, nil
	})

	e := mcpgate.Endpoint{Resource: resource, MetadataURL: metadata}
	mux := http.NewServeMux()
	mux.Handle("/mcp", r.gate.Handler(e))
	mux.Handle("/inside", r.gate.Unguarded(e))
	mux.Handle("/naked", r.gate.Naked())
	mux.Handle("/lazy/mcp", r.gate.Handler(mcpgate.Endpoint{Resource: lazyResource, MetadataURL: metadata, Lazy: true}))
	mux.Handle("/eager/mcp", r.gate.Handler(mcpgate.Endpoint{Resource: eagerResource, MetadataURL: metadata, Asks: []string{"write"}}))
	server := httptest.NewServer(mux)
	r.url = server.URL
	r.t.Cleanup(func() {
		r.gate.EndAll()
		server.Close()
		stop()
		running.Wait()
		r.grants.Close()
		if err := r.store.Close(); err != nil {
			r.t.Error(err)
		}
	})
}

type customParams struct{ mcp.ParamsBase }
type customResult struct{ mcp.ResultBase }

func (r *room) addTool(tool *mcp.Tool) {
	r.server.AddTool(tool, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		r.note("tool " + tool.Name)
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "ran"}}}, nil
	})
}

func (r *room) addTemplate(uri string) {
	r.server.AddResourceTemplate(&mcp.ResourceTemplate{Name: uri, URITemplate: uri}, r.read)
}

func (r *room) read(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	r.note("resource " + req.Params.URI)
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: req.Params.URI, Text: "x"}}}, nil
}

func (r *room) note(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ran = append(r.ran, what)
}

// took returns which handlers ran since it was asked last.
func (r *room) took() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	ran := r.ran
	r.ran = nil
	return ran
}

func (r *room) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

func (r *room) wait(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = r.at.Add(d)
}

// issue returns the tokens of a new guest for a resource.
func (r *room) issue(audience string) grant.Issued {
	r.t.Helper()
	const verifier = "a-verifier-has-43-to-128-characters-of-RFC-7636"
	sum := sha256.Sum256([]byte(verifier))
	code, err := r.grants.Code(grant.Authorization{ClientID: "c1", RedirectURI: "http://127.0.0.1/cb", Resource: audience,
		CodeChallenge: base64.RawURLEncoding.EncodeToString(sum[:])})
	if err != nil {
		r.t.Fatal(err)
	}
	issued, err := r.grants.Redeem(r.t.Context(), grant.Exchange{Code: code, ClientID: "c1", RedirectURI: "http://127.0.0.1/cb",
		Verifier: secret.Plain(verifier), Resource: audience})
	if err != nil {
		r.t.Fatal(err)
	}
	return issued
}

func (r *room) guest() string { return r.issue(resource).Access.Reveal() }

// refresh exchanges the refresh token of a pair.
func (r *room) refresh(t testing.TB, issued grant.Issued) grant.Issued {
	t.Helper()
	renewed, err := r.grants.Refresh(t.Context(), grant.Renewal{RefreshToken: issued.Refresh, ClientID: "c1"})
	if err != nil {
		t.Fatal(err)
	}
	return renewed
}

// grantOf returns the ID of the grant behind an access token.
func (r *room) grantOf(t testing.TB, token string) string {
	t.Helper()
	b, err := r.store.Bearer(t.Context(), secret.HashOf(token))
	if err != nil {
		t.Fatal(err)
	}
	return b.Grant.ID
}

// user returns the token of a guest who has signed in, and has these scopes.
func (r *room) user(scopes ...string) string {
	r.t.Helper()
	token := r.guest()
	r.claim(token, scopes...)
	return token
}

func (r *room) claim(token string, scopes ...string) {
	r.t.Helper()
	r.claimAt(token, 1, scopes...)
}

func (r *room) claimAt(token string, epoch int, scopes ...string) {
	r.t.Helper()
	r.claimAs(token, store.User{}, grant.Proof{Level: "chat", Scopes: scopes, Epoch: epoch})
}

// claimAs claims the grant behind a token by a proof, for a user who is new and
// otherwise like u.
func (r *room) claimAs(token string, u store.User, p grant.Proof) {
	r.t.Helper()
	hash := secret.HashOf(token)
	u.ID = base64.RawURLEncoding.EncodeToString(hash[:])
	u.Email, u.Created = u.ID+"@example.com", r.now()
	p.UserID, p.ApprovedBy = u.ID, "mail"
	err := r.store.Update(r.t.Context(), func(tx store.Tx) error {
		_, err := r.grants.Claim(r.t.Context(), tx, hash, p, r.now())
		return errors.Join(err, tx.PutUser(r.t.Context(), u))
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// A syncBuffer takes the log of many goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
