package authserver

import "net/http"

const jwksPath = "/jwks"

// mountKeys serves the keys by which others verify access tokens (RFC 7517
// section 5), where there are any. Verifiers ask again about a key that they do
// not know, so a new one may sign at once.
func (s *Server) mountKeys(mux *http.ServeMux) {
	if len(s.SigningKeys.Keys) > 0 {
		s.document(mux, jwksPath, s.SigningKeys)
	}
}
