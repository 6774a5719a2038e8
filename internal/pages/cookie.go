package pages

import (
	"net/http"
	"strings"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// start returns the hash of the cookie of the browser's session, and gives it one
// where it has none: before any mail is sent, so that digits are good in the browser
// alone that asked for them.
func (p *Pages) start(w http.ResponseWriter, r *http.Request) store.Hash {
	cookie, ok := p.cookie(r)
	if !ok {
		cookie = secret.NewText()
		p.setCookie(w, cookie.Reveal(), 0)
	}
	return cookie.Hash()
}

// setCookie sets the cookie until the browser is closed; the session ends sooner. A
// negative age takes it away.
func (p *Pages) setCookie(w http.ResponseWriter, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: p.cookieName(), Value: value, Path: "/", MaxAge: age, Secure: p.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func (p *Pages) cookie(r *http.Request) (secret.Text, bool) {
	c, err := r.Cookie(p.cookieName())
	if err != nil || len(c.Value) != len(secret.NewText().Reveal()) {
		return secret.Text{}, false
	}
	return secret.Plain(c.Value), true
}

// cookieName has the prefix that keeps a cookie to this host and to TLS (RFC 6265bis
// section 4.1.3.2), but where there is no TLS: on loopback.
func (p *Pages) cookieName() string {
	if p.secure() {
		return "__Host-foyer-session"
	}
	return "foyer-session"
}

func (p *Pages) secure() bool { return strings.HasPrefix(p.Issuer, "https:") }
