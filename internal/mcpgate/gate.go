// Package mcpgate guards an MCP server. It looks the caller up once for each
// request, from the request's own token, and asks the rules about every item
// that the request touches: in front of the SDK, which alone can answer 401 and
// 403, and again in the SDK's middleware, which sees what the SDK has decoded
// and is the authority. Whatever it does not know it refuses.
//
// One URL serves every version of the protocol. Requests of 2026-07-28 stand for
// themselves. Older clients may open a session, which is theirs alone and is no
// proof of anything; they need none for single calls. What stays open, sessions
// and streams, is told when its grant changes, and ends with it.
package mcpgate

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/audit"
	"example.com/foyer/gate"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/limit"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
	"example.com/foyer/store"
)

// Config is what a gate is made of.
type Config struct {
	Items   *Items
	Scopes  gate.Scopes
	Levels  gate.Levels
	Decider gate.Decider // asked about what the rules allow; nil for none
	Own     []string     // names of the kit's own items, which the decider is not asked about
	Confirm Confirm      // what becomes of the call of a tool that is confirmed; nil refuses it
	Grants  *grant.Grants
	Calls   int                   // messages a minute for each grant, and for each address without a token; 0 for no limit
	Exempt  func(netip.Addr) bool // addresses without that limit; nil for none
	Now     func() time.Time
	Log     *slog.Logger
	Info    *mcp.Implementation // of the server, as its results name it; nil for not at all
	Trail   *audit.Trail        // records what is decided; nil for nobody
	Account string              // URL of the page on which users give their grants more; empty for none
}

// A Gate guards the endpoints of one server. It is safe for concurrent use.
type Gate struct {
	Config
	stateless http.Handler // the SDK's for single requests
	stateful  http.Handler // the SDK's for sessions
	live      *live
	chatGives []string // scopes that a claim in the chat gives
	loops     loops
	calls     *limit.Rate       // nil for no limit
	send      mcp.MethodHandler // of the SDK, to one session
	receive   mcp.MethodHandler // of the server, behind the gate
}

// New puts a gate in front of server, and into it: nothing that the server may
// be asked passes by its middleware from then on. What changes while sessions
// and streams are open is seen only while [Gate.Run] runs.
func New(cfg Config, server *mcp.Server) *Gate {
	g := &Gate{Config: cfg, live: newLive(), loops: loops{first: map[string]time.Time{}}}
	g.live.over = g.over
	g.chatGives = append(cfg.Scopes.With(cfg.Scopes.Defaults().Names()), cfg.Levels.Scopes(signin.Level)...)
	if cfg.Calls > 0 {
		g.calls = limit.NewRate(cfg.Calls, time.Minute)
	}
	server.AddReceivingMiddleware(g.Middleware)
	server.AddSendingMiddleware(g.sending)
	g.stateless, g.stateful = eras(server)
	return g
}

// An Endpoint is a protected resource.
type Endpoint struct {
	Resource    string   // canonical URL, which its tokens are for
	MetadataURL string   // of its document (RFC 9728)
	Lazy        bool     // a request without a token is a caller's without a grant, and not refused
	Asks        []string // scopes that a caller without a token, or with a bad one, is asked for; none means a guest's
}

const maxBody = 1 << 20 // bytes of a request

// Handler guards e.
func (g *Gate) Handler(e Endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", cacheControl)
		h.Set("Vary", "Authorization, Origin")
		h.Set("X-Content-Type-Options", "nosniff")
		var b body
		var bad *problem
		if r.Method == http.MethodPost {
			b, bad = read(w, r) // before who asks: an answer names the request that it is for
		}
		c, ok := g.authenticate(w, r, e, b.id())
		c.request = store.RequestOf(r.Context())
		if g.Decider != nil {
			c.decided = &sync.Map{}
		}
		switch {
		case !ok:
			return
		case bad != nil:
			writeError(w, bad.status, b.id(), bad.code, bad.text, nil)
			return
		}
		if wait, ok := g.mayCall(c, b); !ok {
			h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			writeError(w, http.StatusTooManyRequests, b.id(), http.StatusTooManyRequests, words.TooManyCalls(wait), nil)
			return
		}
		g.route(w, r, c, b)
	})
}

// mayCall counts the messages of b for whoever sends them (MCP 2026-07-28, tools,
// "Security Considerations": servers limit how often they are called). Of a batch
// that is refused, some are counted.
func (g *Gate) mayCall(c carried, b body) (wait time.Duration, ok bool) {
	if g.calls == nil || c.caller.GrantID == "" && g.Exempt != nil && g.Exempt(c.asker.Addr) {
		return 0, true
	}
	key := c.key()
	for range b.messages {
		if wait, ok := g.calls.Allow(key, g.Now()); !ok {
			return wait, false
		}
	}
	return 0, true
}

// refuses answers b where one of its messages is refused, and that can be told
// without the SDK. Of a batch, one refused message refuses the whole, and nothing of it runs: there is one
// status for all (MCP 2025-03-26, basic, "Batching").
func (g *Gate) refuses(w http.ResponseWriter, r *http.Request, c carried, b body, modern bool) bool {
	for _, m := range b.messages {
		if m.called() && (classOf(m.Method) == unheard || !ofItsEra(m.Method, modern)) {
			unheardOf(w, r, m)
			return true
		}
	}
	var first *refusal
	var of message
	var scopes []string
	for _, m := range b.messages {
		rule := g.rule(r.Context(), c, m)
		ref := rule.refused()
		switch {
		case ref == nil:
			continue // the middleware asks again, and notes it
		case !b.batch && (g.inResult(c.caller, ref.decision) || g.loops.again(c.caller, ref.decision, g.Now())):
			if modern != isModern(r) || !tellable(r, m) {
				return false // the middleware tells it
			}
			g.note(c, m.Method, rule)
			g.tell(w, r, m, c, *ref)
			return true
		}
		g.note(c, m.Method, rule)
		if first == nil || ref.decision.Outcome < first.decision.Outcome {
			first, of = ref, m
		}
		for _, scope := range ref.decision.Scopes {
			if !slices.Contains(scopes, scope) {
				scopes = append(scopes, scope)
			}
		}
	}
	if first == nil {
		return false
	}
	first.decision.Scopes = scopes
	g.refuse(w, r, of, c, *first)
	return true
}

// A carried is what the gate knows of a request's bearer, on its way through the
// SDK.
type carried struct {
	caller   gate.Caller
	asker    signin.Asker
	expires  time.Time // of the access token; zero without one
	endpoint Endpoint
	answer   *answer   // of a request that one message answers; nil for others
	decided  *sync.Map // what the decider has said about this request, or nil
	request  string    // names the request in events
}

// key names whom sessions and streams are counted for: the grant, or without a
// token the address.
func (c carried) key() string {
	if c.caller.GrantID != "" {
		return c.caller.GrantID
	}
	return limit.ClientKey(c.asker.Addr)
}

// left is how long a stream of the bearer may be open. Without a token nothing
// ends it but its own age.
func (g *Gate) left(c carried) time.Duration {
	if c.expires.IsZero() {
		return tokenless
	}
	return c.expires.Sub(g.Now())
}

const tokenless = time.Hour

// authenticate looks up who asks. A token that does not work is refused on every
// request, and never taken for none (MCP 2026-07-28, authorization, "Token
// Handling"). Another scheme brings no token (RFC 6750 section 3.1).
func (g *Gate) authenticate(w http.ResponseWriter, r *http.Request, e Endpoint, id json.RawMessage) (carried, bool) {
	addr, _ := netip.ParseAddrPort(r.RemoteAddr)
	token, sent := credential(r.Header.Values("Authorization"))
	if !sent {
		if e.Lazy {
			return carried{asker: signin.Asker{Addr: addr.Addr()}, endpoint: e}, true
		}
		e.challenge(w, http.StatusUnauthorized, "", e.asks(), id, e.noToken())
		return carried{}, false
	}
	if token == "" {
		e.challenge(w, http.StatusUnauthorized, oauth.InvalidToken, e.asks(), id, words.BadToken)
		return carried{}, false
	}
	b, err := g.Grants.Check(r.Context(), token, e.Resource)
	switch {
	case errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked):
		e.challenge(w, http.StatusUnauthorized, oauth.InvalidToken, e.asks(), id, words.BadToken)
		return carried{}, false
	case err != nil:
		g.fault(r, err)
		writeError(w, http.StatusServiceUnavailable, id, http.StatusServiceUnavailable, "the server failed; try again in a moment", nil)
		return carried{}, false
	}
	asker := signin.Asker{Access: b.Token.Hash, GrantID: b.Grant.ID, ClientID: b.Grant.ClientID, Addr: addr.Addr()}
	return carried{caller: g.caller(b), asker: asker, expires: b.Token.Expires, endpoint: e}, true
}

// caller is who b stands for, now.
func (g *Gate) caller(b store.Bearer) gate.Caller {
	now := g.Now()
	scopes, roles := grant.Elevated(b.Token, b.Grant, now)
	return gate.Caller{
		GrantID:  b.Grant.ID,
		GuestID:  b.Grant.GuestID,
		UserID:   b.Grant.UserID,
		Email:    b.User.Email,
		Level:    b.Grant.Level,
		Scopes:   append(g.Scopes.With(append(grant.Scopes(b.Token, b.Grant), scopes...)), g.Levels.Scopes(b.Grant.Level)...),
		Roles:    append(slices.Clone(b.User.Roles), roles...),
		AuthTime: b.Grant.AuthTime,
		At:       now,
	}
}

const carriedKey = "foyer"

// carry hands r to the SDK.
func carry(w http.ResponseWriter, r *http.Request, sdk http.Handler, c carried, id json.RawMessage) {
	a := newAnswer(w, id, nil)
	if len(id) > 0 {
		c.answer = a
	}
	a.of(sdk, r, c)
}

// of has the SDK answer r, with c where the SDK's middleware finds it, and
// without the token, which is no tool's to see (MCP 2026-07-28, authorization,
// "Token Passthrough"). RequireBearerToken is the only way for c: it is shown a
// token of no use.
func (a *answer) of(sdk http.Handler, r *http.Request, c carried) {
	defer a.end()
	r = r.WithContext(r.Context())
	r.Header = maps.Clone(r.Header)
	r.Header["Authorization"] = checked
	info := func(context.Context, string, *http.Request) (*auth.TokenInfo, error) {
		return &auth.TokenInfo{Extra: map[string]any{carriedKey: c}}, nil
	}
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		delete(r.Header, "Authorization")
		sdk.ServeHTTP(w, r)
	})
	auth.RequireBearerToken(info, anyExpiry)(bare).ServeHTTP(a, r)
}

var (
	checked   = []string{"Bearer checked"}
	anyExpiry = &auth.RequireBearerTokenOptions{AllowMissingExpiration: true}
)

// carriedBy reads what [Gate.Handler] has put into a request. The context of a
// session is that of its first request and knows nothing of this one; the
// request does.
func carriedBy(req mcp.Request) carried {
	extra := req.GetExtra()
	if extra == nil || extra.TokenInfo == nil {
		return carried{}
	}
	c, _ := extra.TokenInfo.Extra[carriedKey].(carried)
	return c
}

func (g *Gate) fault(r *http.Request, err error) {
	if r.Context().Err() == nil { // else the client has gone
		g.Log.ErrorContext(r.Context(), "fault", "method", r.Method, "path", r.URL.Path, "err", err)
	}
}
