package authserver

import (
	"net/http"

	"example.com/foyer/internal/secret"
)

// revoke handles "POST /revoke" (RFC 7009 section 2). It ends the whole grant
// of the token, and answers 200 to a token that means nothing, because then
// there is nothing left to revoke.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	form, problem := readForm(w, r)
	if problem != nil {
		respond(w, problem.status, problem.words)
		return
	}
	if !present(w, form, "token") {
		return
	}
	c, ok := s.client(w, r, form)
	if !ok {
		return
	}
	if err := s.Grants.Revoke(r.Context(), c.ID, secret.HashOf(form.Get("token"))); err != nil {
		s.refuse(w, r, err)
		return
	}
	respond(w, http.StatusOK, struct{}{})
}
