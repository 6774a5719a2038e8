// Package authserver serves the endpoints of the authorization server (RFC
// 6749), and the documents by which clients find it. A handler parses, asks one
// rule, and writes what the rule answered.
package authserver

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/client"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/jwt"
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/limit"
	"example.com/foyer/internal/secret"
)

// Config is what a server is made of.
type Config struct {
	App          string              // what people call what they sign in to
	Look         *layout.Look        // of its pages
	Issuer       string              // RFC 8414 section 2
	Resources    []string            // canonical URLs of the endpoints; the first is meant where none is named
	People       map[string][]string // those of Resources that no guest gets into, with the scopes that they ask for
	Scopes       gate.Scopes         // that exist, besides those of the kit
	Levels       gate.Levels         // that rules may ask for
	Level        string              // that a sign-in in the browser gives
	Clients      *client.Clients
	Registration Registration
	Grants       *grant.Grants
	Keys         secret.Keys
	Browser      time.Duration         // how long a browser is remembered
	Consent      string                // path of the page that asks a person
	Exempt       func(netip.Addr) bool // from the limits by client address and the global ones
	Log          *slog.Logger
	Now          func() time.Time

	ResourceServers []ResourceServer // of resources elsewhere
	SigningKeys     jwt.Set          // published for them; none where no access token is a JWT
}

// Limits, kept in the process.
const (
	registersPerAddr  = 20  // new ones an hour
	registersOfHosted = 400 // the same for a hosted client, which has few addresses for many people
	guestsPerAddr     = 60  // grants an hour
	strangersPerAddr  = 60  // introspections without a right secret, an hour
	documentsPerAddr  = 10  // metadata documents that are not at hand, a minute
)

const (
	maxForm         = 64 << 10 // bytes
	maxRegistration = 16 << 10 // bytes
)

// A Server is an authorization server. It is safe for concurrent use.
type Server struct {
	Config
	registers *limit.Rate
	hosted    *limit.Rate // registrations
	guests    *limit.Rate
	strangers *limit.Rate
	documents *limit.Rate
}

// New returns a server of cfg.
func New(cfg Config) *Server {
	return &Server{cfg, limit.NewRate(registersPerAddr, time.Hour), limit.NewRate(registersOfHosted, time.Hour), limit.NewRate(guestsPerAddr, time.Hour),
		limit.NewRate(strangersPerAddr, time.Hour), limit.NewRate(documentsPerAddr, time.Minute)}
}

// Mount adds the routes to mux. The paths of the endpoints are those that
// clients of 2025-03-26 guess, who read no metadata.
func (s *Server) Mount(mux *http.ServeMux) {
	s.mountMetadata(mux)
	s.mountKeys(mux)
	s.mountIntrospection(mux)
	for path, h := range map[string]http.HandlerFunc{"/token": s.token, "/revoke": s.revoke} {
		s.mountPost(mux, path, h)
	}
	s.mountRegister(mux)
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /authorize", s.approve)
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", "GET, POST")
		s.page(w, r, http.StatusMethodNotAllowed, broken)
	})
}

func (s *Server) mountPost(mux *http.ServeMux, path string, h http.HandlerFunc) {
	mux.Handle("POST "+path, s.program(h))
	mux.Handle("OPTIONS "+path, preflight("POST"))
	mux.Handle(path, s.program(methodNotAllowed("POST")))
}
