package pages

import (
	"net/http"

	"example.com/foyer/gate"
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// An Ask is what a client asks of a user, for an operator's page in the place of ours,
// and is documented where it is public.
type Ask struct {
	App     string
	Client  string
	Listed  bool
	From    string
	Host    string
	Device  bool
	Account string
	Scopes  gate.Scopes
	Ticked  []string
	Kept    []string
	Guest   bool
	Hidden  map[string]string
}

// askByOwn has the operator's page ask what ours would. Only that is theirs: who comes
// here, and what comes back, is checked as ever.
func (p *Pages) askByOwn(w http.ResponseWriter, r *http.Request, q question, u store.User, hidden layout.Hidden, kept []string) {
	ask := Ask{App: p.App, Client: words.Tame(q.client.Name), Listed: p.Clients.Listed(q.client.ID), From: oauth.DocumentHost(q.client.ID), Host: oauth.RedirectHost(q.asked.RedirectURI),
		Device: oauth.IsLoopback(q.asked.RedirectURI), Account: mail.Masked(u.Email), Scopes: p.scopes(q.asked.Scopes), Kept: kept, Guest: q.asked.Guests,
		Hidden: map[string]string{hidden.Name: hidden.Value, "request": q.sealed}}
	for _, box := range p.choices(q.asked.Scopes) {
		if box.Ticked {
			ask.Ticked = append(ask.Ticked, box.Value)
		}
	}
	layout.Seal(w.Header(), "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	p.Consent(w, r, ask)
}
