package authserver

import (
	"encoding/json"
	"net/http"

	"example.com/foyer/internal/oauth"
)

// register handles "POST /register": dynamic client registration (RFC 7591
// section 3). What it answers is what the server will do, whatever was asked: a
// public client that uses the code flow. Limits are for records: hosted clients
// register anew for each of their people, and that adds none.
func (s *Server) register(w http.ResponseWriter, r *http.Request) {
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
	if !known && (!s.within(w, r, s.registers, "") || !s.within(w, r, s.registersInAll, "all")) {
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
			TokenEndpointAuthMethod: "none",
			ApplicationType:         m.ApplicationType,
		},
	})
}
