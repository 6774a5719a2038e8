package authserver

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

const (
	authorizationCode = "authorization_code"
	refreshToken      = "refresh_token"
)

// token handles "POST /token" (RFC 6749 sections 4.1.3 and 6).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	form, problem := readForm(w, r)
	if problem != nil {
		respond(w, problem.status, problem.words)
		return
	}
	var exchange func(http.ResponseWriter, *http.Request, url.Values, store.Client, string) (grant.Issued, bool)
	switch grantType := form.Get("grant_type"); grantType {
	case authorizationCode:
		exchange = s.redeem
	case refreshToken:
		exchange = s.refresh
	case "":
		respond(w, http.StatusBadRequest, oauth.Error{Code: oauth.InvalidRequest, Description: "missing: grant_type"})
		return
	default:
		respond(w, http.StatusBadRequest, oauth.Error{Code: oauth.UnsupportedGrantType, Description: "grant_type must be authorization_code or refresh_token"})
		return
	}
	c, ok := s.client(w, r, form)
	if !ok {
		return
	}
	resource, known := s.resource(form["resource"], "")
	if !known {
		respond(w, http.StatusBadRequest, oauth.Error{Code: oauth.InvalidTarget, Description: "resource must be one of this server's: " + strings.Join(s.Resources, " ")})
		return
	}
	issued, ok := exchange(w, r, form, c, resource)
	if !ok {
		return
	}
	respond(w, http.StatusOK, oauth.Tokens{
		AccessToken:  issued.Access.Reveal(),
		TokenType:    "Bearer",
		ExpiresIn:    int(issued.ExpiresIn / time.Second),
		RefreshToken: issued.Refresh.Reveal(),
		Scope:        strings.Join(issued.Scopes, " "),
	})
}

// resource returns the canonical form of the one resource that is named, or
// absent where none is. It reports false for a resource of somebody else, and
// for several.
func (s *Server) resource(named []string, absent string) (string, bool) {
	if len(named) == 0 || len(named) == 1 && named[0] == "" {
		return absent, true
	}
	resource, err := oauth.CanonicalResource(named[0])
	return resource, err == nil && len(named) == 1 && s.issuesFor(resource)
}

func (s *Server) redeem(w http.ResponseWriter, r *http.Request, form url.Values, c store.Client, resource string) (grant.Issued, bool) {
	if !present(w, form, "code", "redirect_uri") { // a code_verifier that is missing is a wrong one
		return grant.Issued{}, false
	}
	if oauth.IsLoopback(form.Get("redirect_uri")) && !s.within(w, r, s.guests, "") { // many people share the addresses of hosted clients
		return grant.Issued{}, false
	}
	issued, err := s.Grants.Redeem(r.Context(), grant.Exchange{
		Code:        secret.Plain(form.Get("code")),
		ClientID:    c.ID,
		Client:      c,
		RedirectURI: form.Get("redirect_uri"),
		Verifier:    secret.Plain(form.Get("code_verifier")),
		Resource:    resource,
	})
	if err != nil {
		s.refuse(w, r, err)
	}
	return issued, err == nil
}

func (s *Server) refresh(w http.ResponseWriter, r *http.Request, form url.Values, c store.Client, resource string) (grant.Issued, bool) {
	if !present(w, form, "refresh_token") {
		return grant.Issued{}, false
	}
	asked, err := oauth.ParseScope(form.Get("scope"))
	if err != nil {
		respond(w, http.StatusBadRequest, err)
		return grant.Issued{}, false
	}
	issued, err := s.Grants.Refresh(r.Context(), grant.Renewal{
		RefreshToken: secret.Plain(form.Get("refresh_token")),
		ClientID:     c.ID,
		Client:       c,
		Resource:     resource,
		Scopes:       s.ofPerson(asked),
	})
	if err != nil {
		s.refuse(w, r, err)
	}
	return issued, err == nil
}

// ofPerson returns those of the scopes that open something of a person's.
// Clients ask for scopes that this server never heard of; those are dropped
// (RFC 6749 section 3.3).
func (s *Server) ofPerson(scopes []string) []string {
	return slices.DeleteFunc(scopes, func(name string) bool {
		return name == gate.Guest || name == gate.OfflineAccess || !s.Scopes.Known(name)
	})
}

func present(w http.ResponseWriter, form url.Values, names ...string) bool {
	for _, name := range names {
		if form.Get(name) == "" {
			respond(w, http.StatusBadRequest, oauth.Error{Code: oauth.InvalidRequest, Description: "missing: " + name})
			return false
		}
	}
	return true
}
