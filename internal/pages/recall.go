package pages

import (
	"net/http"
	"net/url"

	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// recall takes the browser to the client without a question, where the user has allowed
// before all that is asked for. It reports false where they have to be asked, and has
// written nothing then.
//
// A page of anybody's can send a browser here, as with every server that remembers a
// consent. Nothing is changed by that: the code goes to the client's own redirect URI,
// and is worth something there alone.
func (p *Pages) recall(w http.ResponseWriter, r *http.Request, q question, there store.Session, u store.User) (done bool) {
	a := approved(q, there, u)
	a.Scopes, a.Recalled = p.scopes(q.asked.Scopes).Names(), true
	ok, err := p.Grants.Recalls(r.Context(), q.asked, a)
	if err != nil {
		p.fault(w, r, err)
		return true
	} else if !ok {
		return false
	}
	code, err := p.Grants.Code(a)
	if err != nil {
		p.fault(w, r, err)
		return true
	}
	p.leave(w, r, q, onTheWayAgain(p.App, q.name(), q.place(), mail.Masked(u.Email)), url.Values{"code": {code.Reveal()}})
	return true
}
