package authserver

import (
	"net/http"
	"strings"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// browser returns the hash of the cookie by which the store knows the browser,
// and gives it one where it has none. The cookie is random and means nothing by
// itself: it signs nobody in, and proves nothing about who began a request.
func (s *Server) browser(w http.ResponseWriter, r *http.Request) store.Hash {
	if c, err := r.Cookie(s.cookieName()); err == nil && len(c.Value) == len(secret.NewText().Reveal()) {
		return secret.HashOf(c.Value)
	}
	value := secret.NewText()
	http.SetCookie(w, &http.Cookie{
		Name:     s.cookieName(),
		Value:    value.Reveal(),
		Path:     "/",
		MaxAge:   30 * 24 * 60 * 60, // seconds
		Secure:   s.secure(),
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
	return value.Hash()
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
