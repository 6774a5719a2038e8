package authserver

import (
	"net/http"
	"net/url"
	"slices"

	"example.com/foyer/gate"
	"example.com/foyer/internal/client"
	"example.com/foyer/internal/oauth"
)

// mountMetadata serves the authorization server's document at the paths of RFC
// 8414 and of OpenID Connect Discovery, and each resource's at its own path and
// at the root (RFC 9728 section 3.1).
func (s *Server) mountMetadata(mux *http.ServeMux) {
	methods := s.Clients.Methods()
	server := oauth.ServerMetadata{
		Issuer:                 s.Issuer,
		AuthorizationEndpoint:  s.Issuer + "/authorize",
		TokenEndpoint:          s.Issuer + "/token",
		RevocationEndpoint:     s.Issuer + "/revoke",
		ScopesSupported:        []string{gate.Guest, gate.OfflineAccess}, // clients ask for all that is listed, and more would cost a guest a page
		ResponseTypesSupported: []string{"code"},
		ResponseModesSupported: []string{"query"},
		GrantTypesSupported:    []string{authorizationCode, refreshToken},
		TokenAuthMethods:       methods,
		RevocationAuthMethods:  methods,
		CodeChallengeMethods:   []string{oauth.S256},
		IssParameterSupported:  true,
		MetadataDocuments:      s.Clients.ReadsDocuments(),
	}
	if s.mayIntrospect() {
		server.IntrospectionEndpoint, server.IntrospectionAuthMethods = s.Issuer+"/introspect", []string{"client_secret_basic"}
	}
	if len(s.SigningKeys.Keys) > 0 {
		server.JWKSURI = s.Issuer + jwksPath
	}
	if !s.Registration.Off {
		server.RegistrationEndpoint = s.Issuer + "/register"
	}
	if slices.Contains(methods, client.PrivateKeyJWT) {
		server.TokenAuthAlgorithms, server.RevocationAuthAlgorithms = client.Algorithms, client.Algorithms
	}
	s.document(mux, "/.well-known/oauth-authorization-server", server)
	s.document(mux, "/.well-known/openid-configuration", server)
	const wellKnown = "/.well-known/oauth-protected-resource"
	for i, resource := range s.Resources {
		scopes := []string{gate.Guest}
		if asked, people := s.People[resource]; people {
			scopes = asked
		}
		doc := oauth.ResourceMetadata{
			Resource:               resource,
			AuthorizationServers:   []string{s.Issuer},
			ScopesSupported:        scopes,
			BearerMethodsSupported: []string{"header"},
			ResourceName:           s.App,
		}
		if i == 0 {
			s.document(mux, wellKnown, doc)
		}
		if u, err := url.Parse(resource); err == nil && u.Path != "" {
			s.document(mux, wellKnown+u.Path, doc)
			s.document(mux, wellKnown+u.Path+"/{$}", doc) // the endpoint is served with a slash, too
		}
	}
	mux.HandleFunc("/.well-known/", s.noDocument)
}

// noDocument answers a guess. Pages guess, too, and have to see that it was
// wrong.
func (s *Server) noDocument(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		preflight("GET").ServeHTTP(w, r)
		return
	}
	s.program(func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusNotFound, oauth.Error{Code: oauth.InvalidRequest, Description: "there is no such document"})
	}).ServeHTTP(w, r)
}

func (s *Server) document(mux *http.ServeMux, path string, doc any) {
	mux.Handle("GET "+path, s.program(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=300")
		w.Header().Del("Pragma")
		respond(w, http.StatusOK, doc)
	}))
	mux.Handle("OPTIONS "+path, preflight("GET"))
	mux.Handle(path, s.program(methodNotAllowed("GET")))
}
