package pages

import (
	"errors"
	"net/http"

	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// askAddress shows how to sign in.
func (p *Pages) askAddress(w http.ResponseWriter, r *http.Request, by way) {
	page, err := p.offer(signInPage(p.App), by)
	if err != nil {
		p.fault(w, r, err)
		return
	}
	status := http.StatusOK
	if !by.problem.IsZero() {
		status = http.StatusUnprocessableEntity
	}
	p.write(w, r, status, page)
}

// askDigits shows the form for the digits that were mailed.
func (p *Pages) askDigits(w http.ResponseWriter, r *http.Request, session store.Hash, f form, status int, problem words.Text) {
	hidden, err := p.seal(session, form{Next: f.Next, Email: f.Email})
	if err != nil {
		p.fault(w, r, err)
		return
	}
	page := digitsPage(f.Email)
	page.Form = &layout.Form{Action: "/sign-in/code", Problem: problem, Hidden: []layout.Hidden{hidden},
		Fields:  []layout.Field{{Name: "code", Label: words.T("Code from the mail"), Hint: words.T("6 or 8 digits"), Type: "text", Autocomplete: "one-time-code", Keyboard: "numeric"}},
		Buttons: []layout.Button{{Text: words.T("Sign in")}, {Text: words.T("Use another address"), Name: "again", Value: "1", Plain: true}}}
	p.write(w, r, status, page)
}

// signIn handles "POST /sign-in": somebody has typed an address. What is answered is
// the same for every address.
func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) {
	f, session, ok := p.unseal(w, r)
	if !ok {
		p.write(w, r, http.StatusForbidden, stale)
		return
	}
	if p.Identity != nil {
		p.verified(w, r, f, session)
		return
	}
	email, err := mail.ParseAddress(r.PostForm.Get("email"))
	if problem := new(mail.AddressError); errors.As(err, &problem) {
		p.askAddress(w, r, way{session: session, next: f.Next, typed: r.PostForm.Get, problem: words.T(problem.Reason)})
		return
	}
	var begun signin.Begun
	if err == nil {
		begun, err = p.SignIn.BeginSession(r.Context(), p.visitor(r, session), email)
	}
	if text, refused := refusal(err); refused {
		if begun.Before {
			p.askDigits(w, r, session, form{Next: f.Next, Email: email.String()}, http.StatusUnprocessableEntity, text)
		} else {
			p.askAddress(w, r, way{session: session, next: f.Next, typed: r.PostForm.Get, problem: text})
		}
		return
	} else if err != nil {
		p.fault(w, r, err)
		return
	}
	p.Wake()
	p.askDigits(w, r, session, form{Next: f.Next, Email: email.String()}, http.StatusOK, words.Text{})
}

// visitor is the browser of r, as the rules know it.
func (p *Pages) visitor(r *http.Request, session store.Hash) signin.Visitor {
	v := signin.Visitor{Session: session, Addr: addr(r), Language: p.Look.Language(r).Tag}
	if browser, known := p.Browser(r); known {
		v.Browser = browser
	}
	return v
}

// code handles "POST /sign-in/code": somebody has typed digits.
func (p *Pages) code(w http.ResponseWriter, r *http.Request) {
	f, session, ok := p.unseal(w, r)
	switch {
	case !ok || f.Email == "":
		p.write(w, r, http.StatusForbidden, stale)
		return
	case r.PostForm.Get("again") != "":
		p.askAddress(w, r, way{session: session, next: f.Next})
		return
	}
	cookie, _, err := p.SignIn.VerifySession(r.Context(), p.visitor(r, session), r.PostForm.Get("code"))
	if text, refused := refusal(err); refused {
		if errors.As(err, new(signin.Wrong)) {
			p.askDigits(w, r, session, f, http.StatusUnprocessableEntity, text)
		} else {
			p.askAddress(w, r, way{session: session, next: f.Next, typed: func(string) string { return f.Email }, problem: text})
		}
		return
	} else if err != nil {
		p.fault(w, r, err)
		return
	}
	p.setCookie(w, cookie.Reveal(), 0)
	http.Redirect(w, r, f.Next, http.StatusSeeOther)
}

// signOut handles "POST /sign-out".
func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) {
	f, session, ok := p.unseal(w, r)
	if !ok {
		p.write(w, r, http.StatusForbidden, stale)
		return
	}
	if err := p.SignIn.EndSession(r.Context(), session); err != nil {
		p.fault(w, r, err)
		return
	}
	p.setCookie(w, "", -1)
	http.Redirect(w, r, f.Next, http.StatusSeeOther)
}

// refusal is what a person is told of a refusal of the rules.
func refusal(err error) (text words.Text, refused bool) {
	var wrong signin.Wrong
	var tooMany signin.TooMany
	switch {
	case err == nil:
		return words.Text{}, false
	case errors.As(err, &wrong):
		return words.WrongOnPage(wrong.Left), true
	case errors.As(err, &tooMany):
		return words.TooManyOnPage(tooMany.Wait), true
	}
	for _, row := range refusals {
		if errors.Is(err, row.refusal) {
			return row.words, true
		}
	}
	return words.Text{}, false
}

var refusals = []struct {
	refusal error
	words   words.Text
}{
	{signin.ErrNone, words.T("No code is expected in this browser. Type your address again.")},
	{signin.ErrExpired, words.T("That code has expired, or was used. Ask for a new one.")},
	{signin.ErrExhausted, words.T("That code is used up: too many tries were wrong. Ask for a new one.")},
	{signin.ErrOff, words.T("Too many tries were wrong in this browser. Try again tomorrow.")},
	{signin.ErrBusy, words.T("Too many people are signing in at the moment. Try again in an hour.")},
}
