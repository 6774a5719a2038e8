package authserver

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"example.com/foyer/internal/client"
	"example.com/foyer/internal/limit"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// A Registration says who may register. The zero value lets anybody.
type Registration struct {
	Off    bool         // nobody may
	Tokens []store.Hash // of initial access tokens (RFC 7591 section 3), of which one is needed; none means that none is
}

// mountRegister serves /register, or says why it does not.
func (s *Server) mountRegister(mux *http.ServeMux) {
	if !s.Registration.Off {
		s.mountPost(mux, "/register", s.register)
		return
	}
	mux.Handle("/register", s.program(func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusNotFound, oauth.Error{Code: oauth.InvalidRequest,
			Description: "clients do not register here: ask whoever runs this server for a client_id, and configure it in the client"})
	}))
}

// register handles "POST /register": dynamic client registration (RFC 7591
// section 3). What it answers is what the server will do, whatever was asked: a
// public client that uses the code flow. Limits are for records: hosted clients
// register anew for each of their people, and that adds none.
func (s *Server) register(w http.ResponseWriter, r *http.Request) {
	if !s.invited(w, r) {
		return
	}
	body, problem := readBody(w, r, maxRegistration)
	if problem != nil {
		respond(w, problem.status, problem.words)
		return
	}
	var m oauth.ClientMetadata
	if err := json.Unmarshal(body, &m); err != nil {
		respond(w, http.StatusBadRequest, oauth.Error{Code: oauth.InvalidClientMetadata, Description: "the body must be a JSON object of client metadata (RFC 7591 section 2)"})
		return
	}
	known, err := s.Clients.Known(r.Context(), m)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if !known && !s.within(w, r, s.registerRate(m), site(peer(r))) {
		return
	}
	c, err := s.Clients.Register(r.Context(), m)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	respond(w, http.StatusCreated, oauth.ClientInformation{
		ClientID: c.ID,
		IssuedAt: c.Created.Unix(),
		ClientMetadata: oauth.ClientMetadata{
			RedirectURIs:            c.RedirectURIs,
			ClientName:              c.Name,
			GrantTypes:              []string{authorizationCode, refreshToken},
			ResponseTypes:           []string{"code"},
			TokenEndpointAuthMethod: client.None,
			ApplicationType:         m.ApplicationType,
		},
	})
}

// invited reports whether r has an initial access token, where one is needed
// (RFC 7591 section 3), and says so otherwise (RFC 6750 section 3).
func (s *Server) invited(w http.ResponseWriter, r *http.Request) bool {
	if len(s.Registration.Tokens) == 0 {
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && secret.Plain(strings.TrimSpace(token)).Among(s.Registration.Tokens) {
		return true
	}
	challenge := `Bearer realm="foyer"`
	if r.Header.Get("Authorization") != "" {
		challenge += `, error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	respond(w, http.StatusUnauthorized, oauth.Error{Code: oauth.InvalidToken,
		Description: "to register takes an initial access token, as a Bearer token: ask whoever runs this server for one, or for a client_id"})
	return false
}

// registerRate is how often clients like m may be new at one address. Whoever
// lies about being hosted gets no further than the wider limit, and a client that
// sends its people elsewhere.
func (s *Server) registerRate(m oauth.ClientMetadata) *limit.Rate {
	elsewhere := func(uri string) bool {
		return !strings.HasPrefix(uri, "https://") || oauth.IsLoopback(uri) || !oauth.TrustedRedirect(uri)
	}
	if len(m.RedirectURIs) == 0 || slices.ContainsFunc(m.RedirectURIs, elsewhere) {
		return s.registers
	}
	return s.hosted
}

// site is what registrations are counted under. An IPv6 address counts for the
// 56 bits that one customer has, because 65,536 networks of 64 bits come with a
// free tunnel. There is no limit for everybody: a handful of addresses would use
// it up and shut all others out. What bounds the records is how many may be
// unused.
func site(addr netip.Addr) string {
	if addr = addr.Unmap(); addr.Is6() {
		network, _ := addr.Prefix(56) // fails for no address of 128 bits
		addr = network.Addr()
	}
	return limit.ClientKey(addr)
}
