package authserver

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// A ResourceServer serves a resource elsewhere, and may ask about the tokens for
// it, and no others.
type ResourceServer struct {
	ID       string       // its name in HTTP Basic
	Resource string       // canonical
	Secrets  []store.Hash // of its passwords; any of them will do
}

// issuesFor reports whether this server gives tokens for resource, which is
// canonical.
func (s *Server) issuesFor(resource string) bool {
	return slices.Contains(s.Resources, resource) ||
		slices.ContainsFunc(s.ResourceServers, func(rs ResourceServer) bool { return rs.Resource == resource })
}

// mountIntrospection adds the endpoint where there is who may ask. It is for
// servers: no page may read its answers.
func (s *Server) mountIntrospection(mux *http.ServeMux) {
	if !s.mayIntrospect() {
		return
	}
	mux.Handle("POST /introspect", s.program(unreadByPages(s.introspect)))
	mux.Handle("/introspect", s.program(unreadByPages(methodNotAllowed("POST"))))
}

func (s *Server) mayIntrospect() bool {
	return slices.ContainsFunc(s.ResourceServers, func(rs ResourceServer) bool { return len(rs.Secrets) > 0 })
}

func unreadByPages(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Del("Access-Control-Allow-Origin")
		w.Header().Del("Access-Control-Expose-Headers")
		next(w, r)
	}
}

// introspect handles "POST /introspect" (RFC 7662 section 2). Whatever the
// resource server may not use gets one answer, byte for byte, so that it learns
// nothing about tokens for others, nor whether a token ever was.
func (s *Server) introspect(w http.ResponseWriter, r *http.Request) {
	server, ok := s.resourceServer(r)
	if !ok {
		if s.within(w, r, s.strangers, "") { // who has the secret is not counted, whoever shares the address
			w.Header().Set("WWW-Authenticate", `Basic realm="foyer"`)
			respond(w, http.StatusUnauthorized, oauth.Error{Code: oauth.InvalidClient, Description: "introspection is for the resource servers of this server: send ID and secret by HTTP Basic"})
		}
		return
	}
	form, problem := readForm(w, r)
	if problem != nil {
		respond(w, problem.status, problem.words)
		return
	}
	if !present(w, form, "token") {
		return
	}
	in, err := s.Grants.Introspect(r.Context(), form.Get("token"), server.Resource)
	switch {
	case errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked):
		respond(w, http.StatusOK, oauth.Introspection{})
	case err != nil:
		s.refuse(w, r, err)
	default:
		respond(w, http.StatusOK, s.introspection(in, server.Resource))
	}
}

func (s *Server) introspection(in grant.Introspection, resource string) oauth.Introspection {
	live := oauth.Introspection{Active: true, Scope: strings.Join(in.Scopes, " "), ClientID: in.ClientID, Subject: in.Subject, Audience: resource,
		Issuer: s.Issuer, Expires: in.Expires.Unix(), Issued: in.Issued.Unix(), TokenType: "Bearer", Level: in.Level}
	if !in.AuthTime.IsZero() {
		live.AuthTime = in.AuthTime.Unix()
	}
	return live
}

// resourceServer returns who asks. A password counts as it is, and as RFC 6749
// section 2.3.1 has it encoded: half of the libraries do not encode, and what
// openssl prints holds a plus.
func (s *Server) resourceServer(r *http.Request) (ResourceServer, bool) {
	id, password, ok := r.BasicAuth()
	if !ok || len(r.Header.Values("Authorization")) > 1 {
		return ResourceServer{}, false
	}
	given := []store.Hash{secret.HashOf(password)}
	if decoded, err := url.QueryUnescape(password); err == nil {
		given = append(given, secret.HashOf(decoded))
	}
	for _, rs := range s.ResourceServers {
		if rs.ID == id && rs.ID != "" && rs.knows(given) {
			return rs, true
		}
	}
	return ResourceServer{}, false
}

func (rs ResourceServer) knows(given []store.Hash) bool {
	known := 0
	for _, h := range rs.Secrets {
		for _, g := range given {
			known |= subtle.ConstantTimeCompare(h[:], g[:])
		}
	}
	return known == 1
}
