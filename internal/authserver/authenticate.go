package authserver

import (
	"errors"
	"net/http"
	"net/url"

	"example.com/foyer/internal/client"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// client returns the client that makes a request of a program, or writes why it
// is refused. Who has tried to authenticate is told by what means it can (RFC
// 6749 section 5.2).
func (s *Server) client(w http.ResponseWriter, r *http.Request, form url.Values) (store.Client, bool) {
	cred := credentials(r, form)
	if !cred.Header && cred.AssertionType == "" && cred.Assertion.Reveal() == "" && !present(w, form, "client_id") {
		return store.Client{}, false
	}
	if wait, ok := s.MayLookUp(r, cred.Names()); !ok {
		tooMany(w, wait)
		return store.Client{}, false
	}
	c, err := s.Clients.Authenticate(r.Context(), cred)
	if err == nil {
		return c, true
	}
	if cred.Header || errors.Is(err, client.ErrPublic) || errors.Is(err, client.ErrCredentials) {
		w.Header().Set("WWW-Authenticate", `Basic realm="foyer"`)
	}
	s.refuse(w, r, err)
	return store.Client{}, false
}

// credentials reads what a request says of its client. A header that cannot be
// read is one all the same, and names nobody.
func credentials(r *http.Request, form url.Values) client.Credentials {
	cred := client.Credentials{
		ClientID:      form.Get("client_id"),
		Secret:        secret.Plain(form.Get("client_secret")),
		AssertionType: form.Get("client_assertion_type"),
		Assertion:     secret.Plain(form.Get("client_assertion")),
		Header:        len(r.Header.Values("Authorization")) > 0,
	}
	user, password, basic := r.BasicAuth()
	if !basic || len(r.Header.Values("Authorization")) != 1 {
		return cred
	}
	id, idErr := url.QueryUnescape(user) // RFC 6749 section 2.3.1
	text, textErr := url.QueryUnescape(password)
	if idErr == nil && textErr == nil {
		cred.User, cred.Password = id, secret.Plain(text)
	}
	return cred
}
