package mcpgate

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/internal/words"
)

// Versions of the protocol at which something changed that the gate has to know.
const (
	noBatches = "2025-06-18" // and after
	stateless = "2026-07-28" // and after
)

// eras returns the SDK's two ways to serve a server: each request for itself,
// and sessions. Neither way can do what the other does. Both answer in event
// streams, on which a call can tell of its progress, or ask its caller
// something; an [answer] that does neither goes out as JSON.
func eras(server *mcp.Server) (stateless, stateful http.Handler) {
	same := func(*http.Request) *mcp.Server { return server }
	// DisableLocalhostProtection: the front checks the host, also behind a proxy.
	return mcp.NewStreamableHTTPHandler(same, &mcp.StreamableHTTPOptions{Stateless: true, PropagateRequestCancellation: true, DisableLocalhostProtection: true}),
		mcp.NewStreamableHTTPHandler(same, &mcp.StreamableHTTPOptions{DisableLocalhostProtection: true})
}

// route serves a request that the gate lets through, if it does (MCP 2026-07-28,
// versioning, "Backward Compatibility"):
//
//	2026-07-28, by header or message    for itself; a session ID means nothing
//	initialize, of an older version     opens a session
//	with a session ID                   in that session
//	anything else                       for itself
func (g *Gate) route(w http.ResponseWriter, r *http.Request, c carried, b body) {
	modern := isModern(r) || b.modern()
	session := r.Header.Get("Mcp-Session-Id")
	switch {
	case b.batch && (modern || r.Header.Get("Mcp-Protocol-Version") >= noBatches):
		writeError(w, http.StatusBadRequest, nil, invalidRequest, words.NoBatches, nil)
	case g.refuses(w, r, c, b, modern):
	case !modern && session != "":
		g.inSession(w, r, c, b, session)
	case !modern && b.calls("initialize"):
		carry(w, r, g.stateful, c, b.id())
	default:
		plainName(r, b)
		carry(w, r, g.stateless, c, b.id())
	}
}

func isModern(r *http.Request) bool { return r.Header.Get("Mcp-Protocol-Version") >= stateless }

// plainName decodes a name that no header could carry as it is (MCP 2026-07-28,
// transports, "Value Encoding"), for the SDK to compare with the body's. The SDK
// does not do that itself.
func plainName(r *http.Request, b body) {
	coded, ok := strings.CutPrefix(r.Header.Get("Mcp-Name"), "=?base64?")
	coded, whole := strings.CutSuffix(coded, "?=")
	if !ok || !whole || len(b.messages) != 1 {
		return
	}
	name, err := base64.StdEncoding.DecodeString(coded)
	if p := b.messages[0].Params; err == nil && len(name) > 0 && (string(name) == p.Name || string(name) == p.URI) {
		r.Header.Set("Mcp-Name", string(name))
	}
}

// inSession serves a request in a session that its caller may use. To everyone
// else the session does not exist, and a client that is told so opens another.
func (g *Gate) inSession(w http.ResponseWriter, r *http.Request, c carried, b body, id string) {
	s := g.live.enter(id, c, g.Now())
	if s == nil {
		writeError(w, http.StatusNotFound, b.id(), http.StatusNotFound, words.NoSession, nil)
		return
	}
	defer g.live.leave(s, g.Now())
	switch {
	case r.Method == http.MethodGet:
		g.serveStream(w, r, c, s)
	case r.Method == http.MethodDelete:
		g.end(s)
		w.WriteHeader(http.StatusNoContent)
	case b.batch && s.version >= noBatches:
		writeError(w, http.StatusBadRequest, nil, invalidRequest, words.NoBatches, nil)
	default:
		carry(w, r, g.stateful, c, b.id())
	}
}
