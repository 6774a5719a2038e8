package pages

import (
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/operation"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

const fresh = 5 * time.Minute // that a sign-in may be old for [gate.ByFreshPage]

// confirm handles "GET /confirm/{id}". It changes nothing, whoever opens it, and
// shows what is asked to its user alone.
func (p *Pages) confirm(w http.ResponseWriter, r *http.Request) {
	there, u, ok := p.signedIn(w, r)
	if !ok {
		return
	}
	op, by, ok := p.shown(w, r, there, u)
	if !ok {
		return
	}
	name, place, err := p.asker(r.Context(), op)
	if err != nil {
		p.fault(w, r, err)
		return
	}
	hidden, err := p.seal(there.Hash, form{Next: r.URL.Path, About: about(op)})
	if err != nil {
		p.fault(w, r, err)
		return
	}
	page := confirmPage(p.App, op.Summary, name, words.Place(place, oauth.IsLoopback("http://"+place+"/")), mail.Masked(u.Email), p.Operations.Left(op))
	if op.Confirmed >= int(by) {
		page = confirmed(op.Summary)
	} else {
		page.Form = &layout.Form{Action: r.URL.Path, Hidden: []layout.Hidden{hidden}, Buttons: []layout.Button{
			{Text: words.T("Confirm"), Name: "decision", Value: "yes"}, {Text: words.T("Do not do it"), Name: "decision", Value: "no"}}}
	}
	p.write(w, r, http.StatusOK, page)
}

// about stands for what a person has seen.
func about(op store.Operation) string {
	return op.ID + " " + base64.RawURLEncoding.EncodeToString(op.Digest[:])
}

// shown returns what waits for the user, and how strongly this page confirms it. To
// anybody else there is nothing, whether there is or not.
func (p *Pages) shown(w http.ResponseWriter, r *http.Request, there store.Session, u store.User) (store.Operation, gate.Confirmation, bool) {
	op, err := p.Operations.Shown(r.Context(), r.PathValue("id"), u.ID)
	switch {
	case errors.Is(err, operation.ErrGone):
		page, err := p.another(nothing(mail.Masked(u.Email)), way{session: there.Hash, next: r.URL.Path, prompt: "select_account"})
		if err != nil {
			p.fault(w, r, err)
			return op, 0, false
		}
		p.write(w, r, http.StatusNotFound, page)
		return op, 0, false
	case err != nil:
		p.fault(w, r, err)
		return op, 0, false
	}
	by := gate.ByPage
	if p.Confirms(op.Tool) == gate.ByFreshPage {
		strongest := p.Levels[len(p.Levels)-1]
		if there.Level != strongest || p.Now().Sub(there.AuthTime) > fresh {
			p.write(w, r, http.StatusForbidden, tooWeak(p.App, strongest))
			return op, 0, false
		}
		by = gate.ByFreshPage
	}
	return op, by, true
}

// decide handles "POST /confirm/{id}": the user has pressed a button of the page that
// showed what is asked, in the browser that got the page.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request) {
	f, _, ok := p.unseal(w, r)
	if !ok || f.Next != r.URL.Path {
		p.write(w, r, http.StatusForbidden, stale)
		return
	}
	there, u, ok := p.signedIn(w, r)
	if !ok {
		return
	}
	op, by, ok := p.shown(w, r, there, u)
	if !ok {
		return
	}
	if f.About != about(op) {
		p.write(w, r, http.StatusForbidden, stale)
		return
	}
	if r.PostForm.Get("decision") != "yes" {
		if _, err := p.Operations.Deny(r.Context(), op.ID, u.ID); err != nil {
			p.told(w, r, err)
			return
		}
		p.write(w, r, http.StatusOK, declined(op.Summary))
		return
	}
	if _, err := p.Operations.Approve(r.Context(), op.ID, u.ID, by); err != nil {
		p.told(w, r, err)
		return
	}
	p.write(w, r, http.StatusOK, confirmed(op.Summary))
}

// told answers an error of the rules after a decision.
func (p *Pages) told(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, operation.ErrGone) {
		p.write(w, r, http.StatusConflict, tooLate)
		return
	}
	p.fault(w, r, err)
}
