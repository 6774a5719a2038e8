// Package front is the door of the house: it stands before every route, and
// turns away what no route has to look at.
package front

import (
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/foyer/internal/oauth"
	"example.com/foyer/store"
)

// Config is what a front is made of.
type Config struct {
	Issuer    string         // scheme and host; the host is the one that requests are for
	Endpoints []string       // paths of MCP, where refusals are JSON-RPC errors
	Origins   []string       // of pages that may call the endpoints, besides the issuer's
	Proxies   []netip.Prefix // whose X-Forwarded-For is believed
	Log       *slog.Logger
}

// A Front stands before the routes. It is safe for concurrent use.
type Front struct {
	Config
	host     string // of the issuer, with its port
	loopback bool   // the issuer is on this device
}

// New returns a front of cfg, whose issuer is well formed.
func New(cfg Config) (*Front, error) {
	u, err := url.Parse(cfg.Issuer)
	if err != nil {
		return nil, err
	}
	return &Front{cfg, u.Host, isLoopback(u.Hostname())}, nil
}

const slowest = 30 * time.Second // for a request to arrive

// Handler serves next to requests that are meant for this host. That keeps out
// pages which make a browser take this server for theirs (DNS rebinding): they
// can choose the address behind a name, and not the name.
func (f *Front) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &answer{ResponseWriter: w}
		w = answer
		defer f.recover(answer, r)
		seal(w.Header())
		hurry(w, r)
		if !f.isHere(r.Host) {
			f.refuse(w, r, http.StatusForbidden, "this server is not "+host(r.Host)+": use "+f.Issuer)
			return
		}
		if !isClean(r.URL.Path) {
			f.NotFound(w, r)
			return
		}
		r.RemoteAddr = f.peer(r)
		next.ServeHTTP(w, r.WithContext(store.WithRequest(r.Context(), strconv.FormatUint(rand.Uint64(), 36))))
	})
}

// seal is what holds for every answer whose route says nothing else: no cache
// keeps it, no browser guesses what it is, runs it, frames it, or tells others
// where it was.
func seal(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}

// isClean reports whether a mux serves path as it is. For any other, such as
// //token, it would send clients elsewhere, and those that post get lost on the
// way.
func isClean(requested string) bool {
	clean := path.Clean(requested)
	return strings.HasPrefix(requested, "/") && (requested == clean || requested == clean+"/")
}

// NotFound answers a request for which there is no route.
func (f *Front) NotFound(w http.ResponseWriter, r *http.Request) {
	f.refuse(w, r, http.StatusNotFound, "there is nothing here; "+f.Issuer+"/.well-known/oauth-protected-resource says where the MCP server is")
}

// hurry gives the body of r a moment to arrive. The server takes the deadline
// away when the body has: what the handler does then may take longer.
func hurry(w http.ResponseWriter, r *http.Request) {
	if r.Body != nil && r.Body != http.NoBody {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(slowest)) // a writer without deadlines needs none
	}
}

// isHere reports whether a request for host is for this server: it names the
// issuer's host, or this very device, which no page of others can be at.
func (f *Front) isHere(requested string) bool {
	return strings.EqualFold(requested, f.host) || isLoopback(host(requested))
}

// Pages lets pages of allowed origins call next from a browser, and refuses
// those of others, with or without a preflight (MCP 2026-07-28, transports,
// "Security & Endpoint"). Programs send no origin.
func (f *Front) Pages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin == "" && len(r.Header.Values("Origin")) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		if !f.mayCall(origin) || len(r.Header.Values("Origin")) > 1 {
			f.refuse(w, r, http.StatusForbidden, "pages of this origin may not call this server")
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Add("Vary", "Origin")
		h.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Mcp-Session-Id, Mcp-Protocol-Version, Retry-After")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
			h.Set("Access-Control-Allow-Headers", allowHeaders(r))
			h.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (f *Front) mayCall(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin {
		return false
	}
	return origin == f.Issuer || slices.Contains(f.Origins, origin) || f.loopback && isLoopback(u.Hostname())
}

// allowHeaders are the headers of MCP that a page asks for. The names of
// Mcp-Param-… depend on the tool.
func allowHeaders(r *http.Request) string {
	allowed := []string{"Content-Type", "Authorization", "Accept", "Last-Event-ID"}
	for name := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
		name = strings.TrimSpace(name)
		if strings.HasPrefix(strings.ToLower(name), "mcp-") && !strings.ContainsAny(name, " \t\r\n\"(),/:;<=>?@[\\]{}") {
			allowed = append(allowed, name)
		}
	}
	return strings.Join(allowed, ", ")
}

// peer is the address that r comes from: that of the last hop that is no proxy
// of ours. What stands before it in X-Forwarded-For, the sender has written.
func (f *Front) peer(r *http.Request) string {
	direct, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !f.trusted(direct.Addr()) {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	last := direct.Addr()
	for _, hop := range slices.Backward(hops) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		last = addr.Unmap().WithZone("") // one address has one spelling
		if !f.trusted(addr) {
			break
		}
	}
	return netip.AddrPortFrom(last, 0).String()
}

func (f *Front) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(f.Proxies, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}

// host returns the host of a Host header without its port.
func host(hostport string) string {
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		return h
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// refuse answers in the words of the protocol that is spoken at r's path: a
// JSON-RPC error, without which an MCP client gives up the connection, or one of
// OAuth (RFC 6749 section 5.2).
func (f *Front) refuse(w http.ResponseWriter, r *http.Request, status int, message string) {
	var body any = oauth.Error{Code: codes[status], Description: message}
	if slices.Contains(f.Endpoints, r.URL.Path) || slices.Contains(f.Endpoints, strings.TrimSuffix(r.URL.Path, "/")) {
		body = map[string]any{"jsonrpc": "2.0", "id": nil, "error": map[string]any{"code": status, "message": message}}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // an error means that the client has gone
}

var codes = map[int]string{
	http.StatusForbidden:           oauth.AccessDenied,
	http.StatusNotFound:            oauth.InvalidRequest,
	http.StatusInternalServerError: oauth.ServerError,
}
