// Package mcpgate guards an MCP server. It looks the caller up once for each
// request, from the request's own token, and asks the rules about every item
// that the request touches: in front of the SDK, which alone can answer 401 and
// 403, and again in the SDK's middleware, which sees what the SDK has decoded
// and is the authority. Whatever it does not know it refuses.
package mcpgate

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
	"example.com/foyer/store"
)

// A Gate guards the endpoints of one server. It is safe for concurrent use.
type Gate struct {
	Items  *Items
	Scopes gate.Scopes
	Grants *grant.Grants
	Now    func() time.Time
	Log    *slog.Logger
}

// An Endpoint is a protected resource.
type Endpoint struct {
	Resource    string // canonical URL, which its tokens are for
	MetadataURL string // of its document (RFC 9728)
}

const maxBody = 1 << 20 // bytes of a request

const writeTimeout = 2 * time.Minute // for a call and its answer; streams have none

// Handler guards e. Next is the SDK's handler of a server that has the
// middleware of g.
func (g *Gate) Handler(e Endpoint, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", cacheControl)
		h.Set("Vary", "Authorization, Origin")
		h.Set("X-Content-Type-Options", "nosniff")
		var m message
		var bad *problem
		if r.Method == http.MethodPost {
			m, bad = read(w, r) // before who asks: an answer names the request that it is for
		}
		c, ok := g.authenticate(w, r, e, m.ID)
		switch {
		case !ok:
			return
		case r.Method != http.MethodPost:
			carry(w, r, next, c, nil) // the SDK answers 405
			return
		case bad != nil:
			writeError(w, bad.status, m.ID, bad.code, bad.text, nil)
			return
		case m.called() && classOf(m.Method) == unheard:
			unheardOf(w, r, m)
			return
		}
		if m.Method != "subscriptions/listen" {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout)) // a writer without deadlines needs none
		}
		if ref := g.Items.refused(c.caller, m); ref != nil && !g.inResult(c.caller, ref.decision) {
			g.refuse(w, r, m, c, *ref)
			return
		}
		carry(w, r, next, c, m.ID)
	})
}

// A carried is what the gate knows of a request's bearer, on its way through the
// SDK.
type carried struct {
	caller   gate.Caller
	asker    signin.Asker
	expires  time.Time // of the access token
	endpoint Endpoint
}

// authenticate looks up who asks. A token that does not work is refused on every
// request, and never taken for none (MCP 2026-07-28, authorization, "Token
// Handling"). Another scheme brings no token (RFC 6750 section 3.1).
func (g *Gate) authenticate(w http.ResponseWriter, r *http.Request, e Endpoint, id json.RawMessage) (carried, bool) {
	values := r.Header.Values("Authorization")
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	isBearer := strings.EqualFold(scheme, "Bearer")
	if len(values) == 0 || len(values) == 1 && !isBearer {
		e.challenge(w, http.StatusUnauthorized, "", []string{gate.Guest}, id, words.NoToken)
		return carried{}, false
	}
	if len(values) > 1 || strings.TrimSpace(token) == "" {
		e.challenge(w, http.StatusUnauthorized, oauth.InvalidToken, []string{gate.Guest}, id, words.BadToken)
		return carried{}, false
	}
	b, err := g.Grants.Check(r.Context(), strings.TrimSpace(token), e.Resource)
	switch {
	case errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked):
		e.challenge(w, http.StatusUnauthorized, oauth.InvalidToken, []string{gate.Guest}, id, words.BadToken)
		return carried{}, false
	case err != nil:
		g.fault(r, err)
		writeError(w, http.StatusServiceUnavailable, id, http.StatusServiceUnavailable, "the server failed; try again in a moment", nil)
		return carried{}, false
	}
	addr, _ := netip.ParseAddrPort(r.RemoteAddr)
	asker := signin.Asker{Access: b.Token.Hash, GrantID: b.Grant.ID, ClientID: b.Grant.ClientID, Addr: addr.Addr()}
	return carried{caller(b), asker, b.Token.Expires, e}, true
}

func caller(b store.Bearer) gate.Caller {
	return gate.Caller{
		GrantID: b.Grant.ID,
		GuestID: b.Grant.GuestID,
		UserID:  b.Grant.UserID,
		Email:   b.User.Email,
		Level:   b.Grant.Level,
		Scopes:  slices.Clone(b.Grant.Scopes),
	}
}

const carriedKey = "foyer"

// carry puts c where the SDK's middleware finds it. RequireBearerToken is the
// only way there; the token was checked before.
func carry(w http.ResponseWriter, r *http.Request, next http.Handler, c carried, id json.RawMessage) {
	info := func(context.Context, string, *http.Request) (*auth.TokenInfo, error) {
		return &auth.TokenInfo{Extra: map[string]any{carriedKey: c}}, nil
	}
	auth.RequireBearerToken(info, &auth.RequireBearerTokenOptions{AllowMissingExpiration: true})(next).ServeHTTP(&answer{ResponseWriter: w, id: id}, r)
}

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
