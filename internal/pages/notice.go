package pages

import (
	"errors"
	"net/http"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// DisconnectPath begins that of the page to which a notice links. What stands for the
// connection follows.
const DisconnectPath = "/disconnect/"

// notice handles "GET /disconnect/{link}". It changes nothing, whoever opens it.
func (p *Pages) notice(w http.ResponseWriter, r *http.Request) {
	gr, name, ok := p.noticed(w, r)
	if !ok {
		return
	}
	u, err := p.userOf(r, gr)
	if err != nil {
		p.fault(w, r, err)
		return
	}
	hidden, err := p.seal(p.start(w, r), form{Next: r.URL.Path})
	if err != nil {
		p.fault(w, r, err)
		return
	}
	page := noticePage(p.App, name, words.Place(gr.RedirectHost, oauth.IsLoopback("http://"+gr.RedirectHost+"/")), mail.Masked(u.Email))
	page.Form = &layout.Form{Action: r.URL.Path, Hidden: []layout.Hidden{hidden}, Buttons: []layout.Button{{Text: words.T("Disconnect {client}", "client", name)}}}
	p.write(w, r, http.StatusOK, page)
}

// noticed returns the connection that the link is about, and what pages call its
// client.
func (p *Pages) noticed(w http.ResponseWriter, r *http.Request) (gr store.Grant, name words.Text, ok bool) {
	gr, err := p.Grants.Noticed(r.Context(), r.PathValue("link"))
	if err == nil {
		name, err = p.clientOf(r.Context(), gr)
	}
	if err != nil {
		p.refusedNotice(w, r, err)
		return gr, name, false
	}
	return gr, name, true
}

func (p *Pages) userOf(r *http.Request, gr store.Grant) (u store.User, err error) {
	err = p.Store.View(r.Context(), func(tx store.Tx) error {
		u, err = tx.User(r.Context(), gr.UserID)
		return err
	})
	return u, err
}

// endNoticed handles "POST /disconnect/{link}": the button of the page was pressed, in
// the browser that got it. Who holds the link needs no sign-in: it can end this one
// connection, and do nothing else.
func (p *Pages) endNoticed(w http.ResponseWriter, r *http.Request) {
	f, _, ok := p.unseal(w, r)
	if !ok || f.Next != r.URL.Path {
		p.write(w, r, http.StatusForbidden, oldLink)
		return
	}
	_, name, ok := p.noticed(w, r)
	if !ok {
		return
	}
	if err := p.Grants.EndNoticed(r.Context(), r.PathValue("link")); err != nil {
		p.refusedNotice(w, r, err)
		return
	}
	p.write(w, r, http.StatusOK, disconnected(name))
}

func (p *Pages) refusedNotice(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, grant.ErrUnknown) {
		p.write(w, r, http.StatusGone, noNotice)
		return
	}
	p.fault(w, r, err)
}
