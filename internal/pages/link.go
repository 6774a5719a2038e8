package pages

import (
	"context"
	"errors"
	"net/http"

	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// ClaimPath begins that of the page to which the mail of a chat's sign-in links. What
// stands for the challenge follows.
const ClaimPath = "/claim/"

// claim handles "GET /claim/{link}". It changes nothing, whoever opens it: mail
// scanners do, and whoever the mail was forwarded to.
func (p *Pages) claim(w http.ResponseWriter, r *http.Request) {
	if c, gr, ok := p.linked(w, r); ok {
		p.askPairing(w, r, p.start(w, r), c, gr, http.StatusOK, words.Text{})
	}
}

// linked returns what the link is about, or tells why it works no more.
func (p *Pages) linked(w http.ResponseWriter, r *http.Request) (store.Challenge, store.Grant, bool) {
	c, gr, err := p.SignIn.Linked(r.Context(), r.PathValue("link"))
	if err != nil {
		p.refusedLink(w, r, err)
		return c, gr, false
	}
	return c, gr, true
}

// askPairing says who asks and for what, as the mail does, and asks for the pairing
// code: whatever cookies the browser holds, which prove nothing about who began.
func (p *Pages) askPairing(w http.ResponseWriter, r *http.Request, session store.Hash, c store.Challenge, gr store.Grant, status int, problem words.Text) {
	hidden, err := p.seal(session, form{Next: r.URL.Path})
	if err != nil {
		p.fault(w, r, err)
		return
	}
	name, err := p.clientOf(r.Context(), gr)
	if err != nil {
		p.fault(w, r, err)
		return
	}
	place := words.Place(gr.RedirectHost, oauth.IsLoopback("http://"+gr.RedirectHost+"/"))
	page := claimPage(p.App, name, place, mail.Masked(c.Email), c.Created, p.inWords(p.SignIn.Scopes))
	page.Form = &layout.Form{Action: r.URL.Path, Problem: problem, Hidden: []layout.Hidden{hidden},
		Fields:  []layout.Field{{Name: "pairing", Label: words.T("Pairing code"), Hint: words.T("4 letters and digits, which your chat shows"), Type: "text", Autocomplete: "off"}},
		Buttons: []layout.Button{{Text: words.T("Sign in")}}}
	p.write(w, r, status, page)
}

// clientOf is what pages call the client of a grant.
func (p *Pages) clientOf(ctx context.Context, gr store.Grant) (words.Text, error) {
	names, err := p.names(ctx, []store.Grant{gr}, nil)
	return names[gr.ClientID], err
}

// decideClaim handles "POST /claim/{link}": somebody has typed a pairing code into our
// page, in the browser that got it.
func (p *Pages) decideClaim(w http.ResponseWriter, r *http.Request) {
	f, session, ok := p.unseal(w, r)
	if !ok || f.Next != r.URL.Path {
		p.write(w, r, http.StatusForbidden, oldLink)
		return
	}
	c, gr, ok := p.linked(w, r)
	if !ok {
		return
	}
	pairing := r.PostForm.Get("pairing")
	if pairing == "" { // no answer, and none that counts
		p.askPairing(w, r, session, c, gr, http.StatusForbidden, words.T("Type the pairing code that your chat shows."))
		return
	}
	u, err := p.SignIn.VerifyLink(r.Context(), addr(r), r.PathValue("link"), pairing)
	if wrong := (signin.Wrong{}); errors.As(err, &wrong) {
		p.askPairing(w, r, session, c, gr, http.StatusForbidden, words.WrongPairing(wrong.Left))
		return
	} else if err != nil {
		p.refusedLink(w, r, err)
		return
	}
	name, err := p.clientOf(r.Context(), gr)
	if err != nil {
		p.fault(w, r, err)
		return
	}
	p.write(w, r, http.StatusOK, claimed(p.App, name, mail.Masked(u.Email)))
}

// refusedLink answers a refusal of the rules.
func (p *Pages) refusedLink(w http.ResponseWriter, r *http.Request, err error) {
	for _, row := range linkRefusals {
		if errors.Is(err, row.refusal) {
			p.write(w, r, row.status, row.page)
			return
		}
	}
	p.fault(w, r, err)
}
