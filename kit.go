// Package foyer puts just-in-time authorization in front of an MCP server: come
// in, look round, and say who you are only when a door asks.
//
// A [Kit] is an OAuth 2.1 authorization server, a gate in front of the items of
// an MCP server, and four tools by which a guest becomes a user in the chat. The
// tools of the server stay plain code of the MCP SDK, and ask
// [gate.CallerFrom] whose data to touch.
package foyer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/audit"
	"example.com/foyer/confirm"
	"example.com/foyer/elicit"
	"example.com/foyer/gate"
	"example.com/foyer/internal/archive"
	"example.com/foyer/internal/authserver"
	"example.com/foyer/internal/client"
	"example.com/foyer/internal/front"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/jwt"
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/mcpgate"
	"example.com/foyer/internal/outbox"
	"example.com/foyer/internal/pages"
	"example.com/foyer/internal/secret"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/signintools"
	"example.com/foyer/internal/words"
)

// A Kit is the authorization server and the gate of one MCP server. It is safe
// for concurrent use.
type Kit struct {
	cfg     Config
	keys    secret.Keys
	grants  *grant.Grants
	clients *client.Clients
	jwks    jwt.Set
	signin  *signin.SignIn
	front   *front.Front
	trail   *audit.Trail
	now     func() time.Time

	operations *confirm.Operations
	archives   *archive.Shelf
	purger     *purger
	look       *layout.Look
	languages  *words.Languages
	title      string            // what people call the server; set by Handler
	terms      map[string]string // input schema of each tool; set by Handler

	once   sync.Once // of Handler
	mail   *outbox.Outbox
	gate   *mcpgate.Gate
	stop   context.CancelFunc
	ctx    context.Context // of the work behind requests
	behind sync.WaitGroup
}

// New returns a kit for cfg, or an error that lists every problem of cfg.
func New(cfg Config) (*Kit, error) { return newAt(cfg, time.Now) }

func newAt(cfg Config, now func() time.Time) (*Kit, error) {
	keys, keysErr := secret.NewKeys(cfg.Secrets)
	if keysErr != nil {
		keysErr = fmt.Errorf("Secrets: %w", keysErr)
	}
	fetcher := cfg.MetadataDocuments.fetcher()
	clients, clientsErr := client.New(client.Config{Store: cfg.Store, Documents: cfg.MetadataDocuments.reader(fetcher), Fetch: fetcher.Body, Unused: unusedClient, MaxUnused: cfg.Registration.Max, Preregistered: preregistered(cfg.Clients),
		Issuer: cfg.Issuer, TokenEndpoint: cfg.Issuer + "/token", Now: now})
	look, languages, lookErr := cfg.look()
	if err := errors.Join(cfg.check(), keysErr, clientsErr, lookErr); err != nil {
		return nil, fmt.Errorf("foyer: bad config:\n%w", err)
	}
	cfg.Lifetimes = cfg.Lifetimes.withDefaults(cfg.GuestData != nil)
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if len(cfg.Endpoints) == 0 {
		cfg.Endpoints = defaultEndpoints
	}
	door, err := front.New(front.Config{Issuer: cfg.Issuer, Endpoints: paths(cfg.Endpoints), Origins: cfg.Origins, Proxies: cfg.TrustedProxies, Log: cfg.Log})
	if err != nil {
		return nil, fmt.Errorf("foyer: %w", err)
	}
	jwts, err := cfg.jwts(keys)
	if err != nil {
		return nil, fmt.Errorf("foyer: SigningKeys: %w", err)
	}
	l := cfg.Lifetimes
	trail, err := audit.New(audit.Config{Store: cfg.Store, Secrets: cfg.Secrets, Keep: l.Audit, Hooks: cfg.Hooks, Now: now, Log: cfg.Log})
	if err != nil {
		return nil, fmt.Errorf("foyer: Secrets: %w", err)
	}
	grants := grant.New(cfg.Store, keys, grant.Lifetimes{Code: l.Code, Access: l.Access, Idle: l.RefreshIdle, Absolute: l.Absolute,
		GuestIdle: l.GuestIdle, Overlap: l.Overlap, Client: l.ClientIdle, Browser: l.Browser}, jwts, now)
	ctx, stop := context.WithCancel(context.Background())
	k := &Kit{cfg: cfg, keys: keys, grants: grants, clients: clients, front: door, trail: trail, now: now, ctx: ctx, stop: stop, jwks: jwt.Published(jwts.Keys),
		signin: signin.New(signin.Config{Store: cfg.Store, Keys: keys, Grants: grants, Scopes: cfg.Scopes.Defaults().Names(), TTL: l.OneTimeCode,
			Now: now, Floods: signin.Floods{Exempt: cfg.exempt}, NoLimits: cfg.DangerouslyNoLimits})}
	k.look, k.languages = look, languages
	k.operations, k.archives, k.purger = k.newOperations(), archive.New(now), newPurger(k)
	return k, nil
}

// exempt reports whether the limits by client address, and the global ones, do
// not apply to addr.
func (cfg *Config) exempt(addr netip.Addr) bool {
	return cfg.DangerouslyNoLimits || cfg.DangerouslyExemptLoopback && addr.Unmap().IsLoopback()
}

// Handler serves server at the endpoints, guarded, and the authorization server
// beside it: /authorize, /token, /register, /revoke, the documents under
// /.well-known, and /introspect and /jwks where a resource server needs them; and the
// pages that people meet, of which /account is one to link to: there users see what
// they have allowed to whom, and take it back.
// Mount it at the root of its host.
//
// It adds the kit's own tools to server: authenticate, validate_token, whoami,
// logout and switch_account, with [Config.GuestData] merge_guest_data, and where a
// rule asks for a confirmation confirm_request, operation_status and
// cancel_request. Call it once, after everything else was added, middleware
// included: an item that comes later has no rule and is refused. An item without a
// rule, a rule without an item, and what [confirm.AddTool] found wrong are errors,
// all of them listed.
func (k *Kit) Handler(server *mcp.Server) (http.Handler, error) {
	err := errors.New("foyer: Handler was called before; make a kit for each server")
	var handler http.Handler
	k.once.Do(func() { handler, err = k.handler(server) })
	return handler, err
}

func (k *Kit) handler(server *mcp.Server) (http.Handler, error) {
	inv, err := takeInventory(k.ctx, server)
	if err != nil {
		return nil, fmt.Errorf("foyer: %w", err)
	}
	if k.cfg.Brand.Name != "" {
		inv.title = k.cfg.Brand.Name
	}
	if err := errors.Join(inv.check(k.cfg), k.operations.Check(k.cfg.Tools, inv.outputs)); err != nil {
		return nil, fmt.Errorf("foyer: the rules do not fit the server:\n%w", err)
	}
	k.mail = outbox.New(k.cfg.Store, k.cfg.Mail, (&signin.Letters{SignIn: k.signin, Clients: k.clients, App: inv.title, Words: inWords(k.cfg.Scopes.Defaults()), Scopes: k.cfg.Scopes, Speaks: k.languages,
		Claim: k.cfg.Issuer + pages.ClaimPath, Disconnect: k.cfg.Issuer + pages.DisconnectPath, Account: k.cfg.Issuer + pages.AccountPath}).Render, k.cfg.Log, k.now)
	tools := signintools.Tools{App: inv.title, SignIn: k.signin, Grants: k.grants, Unlocks: inv.unlocks(k.cfg.Tools), Account: k.cfg.Issuer + pages.AccountPath, Wake: k.mail.Wake, Asks: k.Questions(), Log: k.cfg.Log}
	if k.cfg.GuestData != nil {
		tools.Kept = k.cfg.GuestData.Kept
		k.addMerge(server, inv.title)
	}
	tools.Add(server)
	k.title, k.terms = inv.title, inv.terms
	if k.cfg.confirms() {
		k.operations.Add(server)
	}
	items, err := inv.items(k.cfg)
	if err != nil {
		return nil, fmt.Errorf("foyer: %w", err)
	}
	k.gate = mcpgate.New(mcpgate.Config{Items: items, Scopes: k.cfg.Scopes, Levels: k.cfg.levels(), Decider: k.cfg.Decider, Own: append([]string{signintools.DigitsURI}, ownTools...), Confirm: k.operations.Call,
		Grants: k.grants, Calls: k.cfg.calls(), Exempt: k.cfg.exempt, Now: k.now, Log: k.cfg.Log, Info: inv.info, Trail: k.trail, Account: k.cfg.Issuer + pages.AccountPath}, server)

	mux := http.NewServeMux()
	k.mount(mux)
	authorization := k.authServer(inv.title)
	authorization.Mount(mux)
	k.mountPages(mux, authorization)
	mux.HandleFunc("/", k.front.NotFound)
	k.behind.Go(func() { k.mail.Run(k.ctx) })
	k.behind.Go(func() { k.gate.Run(k.ctx) })
	k.behind.Go(func() { k.trail.Run(k.ctx) })
	k.behind.Go(func() { k.collect(k.ctx) })
	k.behind.Go(func() { k.purger.run(k.ctx) })
	k.behind.Go(func() { k.operations.Work(k.ctx) })
	return k.front.Handler(mux), nil
}

func (k *Kit) authServer(app string) *authserver.Server {
	return authserver.New(authserver.Config{App: app, Look: k.look, Issuer: k.cfg.Issuer, Resources: k.cfg.endpointURLs(), People: k.people(), Scopes: k.cfg.Scopes, Levels: k.cfg.levels(), Level: k.cfg.Identity.level(),
		Clients: k.clients, Registration: authserver.Registration{Off: k.cfg.Registration.Off, Tokens: k.cfg.Registration.hashes()}, Grants: k.grants, Keys: k.keys, Browser: k.cfg.Lifetimes.Browser, Consent: pages.ConsentPath, Exempt: k.cfg.exempt, Log: k.cfg.Log, Now: k.now,
		ResourceServers: k.cfg.resourceServers(), SigningKeys: k.jwks})
}

func inWords(scopes gate.Scopes) []words.Text {
	var all []words.Text
	for _, s := range scopes {
		all = append(all, words.AsIn(s.Words, s.WordsIn))
	}
	return all
}

// Questions returns what tools ask their user with; see [elicit.AddTool].
func (k *Kit) Questions() *elicit.Questions {
	return elicit.New(k.cfg.Store, k.keys, k.now, k.cfg.Log)
}

// Drain ends every MCP session and every stream, which would keep an
// [http.Server] from shutting down: register it by RegisterOnShutdown. Clients
// come back by themselves.
func (k *Kit) Drain() {
	if k.gate != nil {
		k.gate.Drain()
	}
}

// Close finishes what goes on behind requests: the mail that is being sent, notes
// that are being written, events that are to be sealed, and, for some seconds,
// hooks that run. Call it after the HTTP server was shut down, and
// before the store is closed. Mails that wait are sent by the next kit on the
// same store.
func (k *Kit) Close() error {
	k.stop()
	k.behind.Wait()
	k.operations.Close()
	k.grants.Close()
	k.trail.Close()
	return nil
}
