package pages

import (
	"errors"
	"net/http"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

const (
	exportPath = AccountPath + "/export"
	deletePath = AccountPath + "/delete"
	leavePath  = deletePath + "/now"
	keepPath   = AccountPath + "/keep"

	aboutExport = "export" // what forms are about
	aboutDelete = "delete"
	aboutLeave  = "delete for good"
	aboutKeep   = "keep"
)

// yourData is the part of the account page by which users take their data away, or
// have it deleted.
func (p *Pages) yourData(there store.Session) (layout.Section, error) {
	download, err := p.button(there, exportPath, aboutExport, words.T("Download your data"))
	leave, leaveErr := p.button(there, deletePath, aboutDelete, words.T("Delete your account"))
	return layout.Section{Title: words.T("Your data"), Lines: []words.Text{words.T("You can take a copy of what is kept of you, as a zip file, and you can have it deleted.")}, Forms: []layout.Form{download, leave}}, errors.Join(err, leaveErr)
}

// button is a form of one plain button.
func (p *Pages) button(there store.Session, path, about string, text words.Text) (layout.Form, error) {
	hidden, err := p.seal(there.Hash, form{Next: AccountPath, About: about})
	return layout.Form{Action: path, Hidden: []layout.Hidden{hidden}, Buttons: []layout.Button{{Text: text, Plain: true}}}, err
}

// pressed reports whether r comes from a form of the account pages that is about that,
// and answers what does not.
func (p *Pages) pressed(w http.ResponseWriter, r *http.Request, about string) bool {
	f, _, ok := p.unseal(w, r)
	if ok = ok && f.Next == AccountPath && f.About == about; !ok {
		p.write(w, r, http.StatusForbidden, oldAccount)
	}
	return ok
}

// askToDelete handles "POST /account/delete": it shows what goes, and when. It takes the
// fresh sign-in that the next step takes, so that nobody reads it in vain.
func (p *Pages) askToDelete(w http.ResponseWriter, r *http.Request) {
	if !p.pressed(w, r, aboutDelete) {
		return
	}
	there, u, ok := p.signedIn(w, r)
	if !ok {
		return
	}
	if err := p.Grants.Fresh(grant.Visit{UserID: u.ID, AuthTime: there.AuthTime}); err != nil {
		p.refusedAccount(w, r, there, u, err)
		return
	}
	leave, err := p.button(there, leavePath, aboutLeave, words.T("Delete my account"))
	if err != nil {
		p.fault(w, r, err)
		return
	}
	page := p.leavePage(mail.Masked(u.Email))
	page.Form = &leave
	p.write(w, r, http.StatusOK, page)
}

// deleteAccount handles "POST /account/delete/now".
func (p *Pages) deleteAccount(w http.ResponseWriter, r *http.Request) {
	if !p.pressed(w, r, aboutLeave) {
		return
	}
	there, u, ok := p.signedIn(w, r)
	if !ok {
		return
	}
	d, err := p.Grants.Delete(r.Context(), grant.Visit{UserID: u.ID, AuthTime: there.AuthTime, Language: p.Look.Language(r).Tag})
	if err != nil {
		p.refusedAccount(w, r, there, u, err)
		return
	}
	p.Wake()
	p.setCookie(w, "", -1)
	p.write(w, r, http.StatusOK, p.left(d))
}

// farewell answers who is about to be deleted, whatever they have asked for.
func (p *Pages) farewell(w http.ResponseWriter, r *http.Request, there store.Session, u store.User, d store.Deletion) {
	status := http.StatusOK
	if r.Method != http.MethodGet {
		status = http.StatusForbidden // what they have pressed was not done
	}
	if grant.Begun(d, p.Now()) {
		p.write(w, r, status, goingPage)
		return
	}
	keep, err := p.button(there, keepPath, aboutKeep, words.T("Keep my account"))
	download, downloadErr := p.button(there, exportPath, aboutExport, words.T("Download your data"))
	if err := errors.Join(err, downloadErr); err != nil {
		p.fault(w, r, err)
		return
	}
	keep.Buttons[0].Plain = false
	page := leavingPage(p.App, mail.Masked(u.Email), d)
	page.Form, page.Second = &keep, &download
	p.write(w, r, status, page)
}

// keep handles "POST /account/keep".
func (p *Pages) keep(w http.ResponseWriter, r *http.Request) {
	if !p.pressed(w, r, aboutKeep) {
		return
	}
	_, u, ok := p.here(w, r)
	if !ok {
		return
	}
	err := p.Grants.Keep(r.Context(), u.ID, store.ByUser)
	switch {
	case errors.Is(err, grant.ErrTooLate):
		p.write(w, r, http.StatusConflict, goingPage)
	case err != nil && !errors.Is(err, grant.ErrNotLeaving): // who pressed twice stays
		p.fault(w, r, err)
	default:
		p.write(w, r, http.StatusOK, keptPage)
	}
}
