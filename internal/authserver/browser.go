package authserver

import (
	"net/http"
	"strings"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// browser returns the hash of the cookie by which the store knows the browser,
// and gives it one where it has none. The cookie is random and means nothing by
// itself: it signs nobody in, and proves nothing about who began a request.
//
// A cookie that is there is set again, for as long as a new one: it must not
// end before what the store remembers by it.
func (s *Server) browser(w http.ResponseWriter, r *http.Request) store.Hash {
	value, known := s.cookie(r)
	if !known {
		value = secret.NewText()
	}
	http.SetCookie(w, &http.Cookie{
		Name:     s.cookieName(),
		Value:    value.Reveal(),
		Path:     "/",
		MaxAge:   int(s.Browser / time.Second),
		Secure:   s.secure(),
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
	return value.Hash()
}

// KnownBrowser is browser for an answer that sets no cookie. It reports false
// where there is none.
func (s *Server) KnownBrowser(r *http.Request) (store.Hash, bool) {
	value, known := s.cookie(r)
	return value.Hash(), known
}

func (s *Server) cookie(r *http.Request) (secret.Text, bool) {
	c, err := r.Cookie(s.cookieName())
	if err != nil || len(c.Value) != len(secret.NewText().Reveal()) {
		return secret.Text{}, false
	}
	return secret.Plain(c.Value), true
}

// cookieName has the prefix that makes browsers keep a cookie to this host and
// to TLS (RFC 6265bis section 4.1.3.2), but where there is no TLS: on loopback.
func (s *Server) cookieName() string {
	if s.secure() {
		return "__Host-foyer"
	}
	return "foyer"
}

func (s *Server) secure() bool { return strings.HasPrefix(s.Issuer, "https:") }
