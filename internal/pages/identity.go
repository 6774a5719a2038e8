package pages

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
	"example.com/foyer/store"
)

// An Identity is how people say who they are in the place of mailed digits: by fields
// that the operator verifies, or on a page of the operator's. A nil Identity is mailed
// digits.
type Identity struct {
	Fields []layout.Field
	Verify func(ctx context.Context, values map[string]string) (signin.Proven, error)

	Page    string // URL; empty where there are Fields
	Current func(*http.Request) (signin.Proven, error)
}

// ErrNobody is what Verify and Current return for who is nobody there.
var ErrNobody = errors.New("pages: nobody is known so")

// elsewhere reports whether people sign in on a page of the operator's.
func (i *Identity) elsewhere() bool { return i != nil && i.Page != "" }

const (
	maxValue = 1 << 10 // bytes of a field
	checking = 10 * time.Second
)

// A way is one to sign in.
type way struct {
	session store.Hash
	next    string                   // path of the page to come back to
	prompt  string                   // "login" for anew, "select_account" for another, or empty (OpenID Connect Core 3.1.2.1)
	typed   func(name string) string // what was typed before; nil for nothing
	problem words.Text               // with that
}

// offer completes page with the way to sign in: a form, or the operator's page.
func (p *Pages) offer(page layout.Page, by way) (layout.Page, error) {
	if p.Identity.elsewhere() {
		page.Back, page.BackText = p.elsewhere(by), words.T("Sign in")
		return page, nil
	}
	hidden, err := p.seal(by.session, form{Next: by.next})
	button, fields := words.T("Mail me a code"), []layout.Field{{Name: "email", Label: words.T("E-mail address"), Type: "email", Autocomplete: "email"}}
	if p.Identity != nil {
		button, fields = words.T("Sign in"), append([]layout.Field(nil), p.Identity.Fields...)
	} else {
		page.Lines = append(page.Lines, words.T("We mail you a code; there is no password."))
	}
	for i := range fields {
		if by.typed != nil && fields[i].Type != "password" {
			fields[i].Value = by.typed(fields[i].Name)
		}
	}
	page.Form = &layout.Form{Action: "/sign-in", Problem: by.problem, Hidden: []layout.Hidden{hidden}, Fields: fields, Buttons: []layout.Button{{Text: button}}}
	return page, err
}

// another completes page with the way to another account.
func (p *Pages) another(page layout.Page, by way) (layout.Page, error) {
	if p.Identity.elsewhere() {
		page.Back, page.BackText = p.elsewhere(by), words.T("Use another account")
		return page, nil
	}
	hidden, err := p.seal(by.session, form{Next: by.next})
	page.Form = &layout.Form{Action: "/sign-out", Hidden: []layout.Hidden{hidden}, Buttons: []layout.Button{{Text: words.T("Use another account"), Plain: true}}}
	return page, err
}

// elsewhere is the operator's page, which brings the browser back.
func (p *Pages) elsewhere(by way) template.URL {
	query := url.Values{"next": {p.Issuer + by.next}}
	if by.prompt != "" {
		query.Set("prompt", by.prompt)
	}
	joint := "?"
	if strings.Contains(p.Identity.Page, "?") {
		joint = "&"
	}
	return template.URL(p.Identity.Page + joint + query.Encode())
}

// verified handles "POST /sign-in" where the operator verifies fields. What is answered
// is the same for whoever is not known.
func (p *Pages) verified(w http.ResponseWriter, r *http.Request, f form, session store.Hash) {
	visitor, values := p.visitor(r, session), map[string]string{}
	for _, field := range p.Identity.Fields {
		value := r.PostForm.Get(field.Name)
		if len(value) > maxValue || value == "" && !field.Optional {
			p.askAddress(w, r, way{session: session, next: f.Next, typed: r.PostForm.Get, problem: words.T("Something is missing, or too long.")})
			return
		}
		values[field.Name] = value
	}
	err := p.SignIn.Try(r.Context(), visitor)
	if text, refused := refusal(err); refused {
		p.askAddress(w, r, way{session: session, next: f.Next, typed: r.PostForm.Get, problem: text})
		return
	} else if err != nil {
		p.fault(w, r, err)
		return
	}
	proven, err := p.verify(r.Context(), values)
	if errors.Is(err, ErrNobody) {
		p.SignIn.Failed(visitor)
		p.askAddress(w, r, way{session: session, next: f.Next, typed: r.PostForm.Get, problem: words.T("That is not right. Check what you have typed, and try again.")})
		return
	}
	if err == nil {
		_, _, err = p.open(w, r, session, proven)
	}
	if err != nil {
		p.fault(w, r, err)
		return
	}
	http.Redirect(w, r, f.Next, http.StatusSeeOther)
}

// verify asks the operator, for ten seconds. A check that breaks down names nobody.
func (p *Pages) verify(ctx context.Context, values map[string]string) (proven signin.Proven, err error) {
	ctx, cancel := context.WithTimeout(ctx, checking)
	defer cancel()
	defer func() {
		if failed := recover(); failed != nil {
			err = fmt.Errorf("pages: Identity.Verify panics: %v", failed)
		}
	}()
	return p.Identity.Verify(ctx, values)
}

// open signs in, under a cookie that is new.
func (p *Pages) open(w http.ResponseWriter, r *http.Request, before store.Hash, proven signin.Proven) (store.Session, store.User, error) {
	cookie, there, u, err := p.SignIn.OpenOwn(r.Context(), p.visitor(r, before), proven)
	if err == nil {
		p.setCookie(w, cookie.Reveal(), 0)
	}
	return there, u, err
}

// current is who is signed in at the operator's. What counts is that, and not what a
// session here still says; a form that another has opened is nobody's.
func (p *Pages) current(w http.ResponseWriter, r *http.Request, there store.Session, u store.User, known error) (store.Session, store.User, error) {
	if known != nil && !errors.Is(known, signin.ErrNoSession) {
		return there, u, known
	}
	proven, err := p.asked(r)
	switch {
	case errors.Is(err, ErrNobody):
		return there, u, signin.ErrNoSession
	case err != nil:
		return there, u, err
	case known == nil && u.Email == proven.Email.String():
		there.Level, there.AuthTime = proven.Level, proven.AuthTime
		return there, u, nil
	case r.Method != http.MethodGet:
		return there, u, signin.ErrNoSession
	}
	return p.open(w, r, there.Hash, proven)
}

func (p *Pages) asked(r *http.Request) (proven signin.Proven, err error) {
	defer func() {
		if failed := recover(); failed != nil {
			err = fmt.Errorf("pages: Identity.Current panics: %v", failed)
		}
	}()
	return p.Identity.Current(r)
}
