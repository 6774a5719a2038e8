package pages

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"example.com/foyer/gate"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// ConsentPath is that of the page which asks a person about a client, with the sealed
// request as its parameter.
const ConsentPath = "/consent"

// A question is what the page asks: may this client do that.
type question struct {
	sealed string
	asked  grant.Asked
	client store.Client
}

// consent handles "GET /consent". It changes nothing.
func (p *Pages) consent(w http.ResponseWriter, r *http.Request) {
	q, ok := p.question(w, r, r.URL.Query().Get("request"))
	if !ok {
		return
	}
	there, u, err := p.who(w, r)
	switch {
	case errors.Is(err, signin.ErrNoSession):
		p.firstSignIn(w, r, q, connectPage(p.App, q.name(), q.place()), "")
	case err == nil && q.asked.TooOld(there.AuthTime):
		p.firstSignIn(w, r, q, connectAnewPage(p.App, q.name(), q.place()), "login")
	case err != nil:
		p.fault(w, r, err)
	case !p.recall(w, r, q, there, u):
		p.ask(w, r, q, there, u)
	}
}

// question reads the request that a page carries, in the browser that it came by.
func (p *Pages) question(w http.ResponseWriter, r *http.Request, sealed string) (q question, ok bool) {
	browser, known := p.Browser(r)
	if q.asked, ok = p.Grants.Asked(sealed, browser); !ok || !known {
		p.write(w, r, http.StatusForbidden, lost)
		return question{}, false
	}
	if _, ok := p.MayLookUp(r, q.asked.ClientID); !ok {
		p.write(w, r, http.StatusTooManyRequests, crowded)
		return question{}, false
	}
	var err error
	if q.client, err = p.Clients.Lookup(r.Context(), q.asked.ClientID); err != nil || !oauth.MatchRedirectURI(q.client.RedirectURIs, q.asked.RedirectURI) {
		p.write(w, r, http.StatusForbidden, lost) // it has gone meanwhile, or has left the place
		return question{}, false
	}
	q.sealed = sealed
	return q, true
}

func (q question) path() string { return ConsentPath + "?request=" + url.QueryEscape(q.sealed) }

// about stands for the request in a form.
func (q question) about() string {
	sum := sha256.Sum256([]byte(q.sealed))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (q question) name() words.Text { return words.Client(q.client.ID, q.client.Name) }

func (q question) place() words.Text {
	return words.Destination(oauth.RedirectHost(q.asked.RedirectURI), oauth.IsLoopback(q.asked.RedirectURI))
}

// warnings are what a person has to know of the client, that it cannot say itself.
func (p *Pages) warnings(q question) []words.Text {
	if oauth.IsLoopback(q.asked.RedirectURI) {
		return []words.Text{words.LoopbackWarning()}
	}
	if !oauth.IsDocumentURL(q.client.ID) && !p.Clients.Listed(q.client.ID) {
		return []words.Text{words.UnverifiedWarning(q.place())}
	}
	return nil
}

// firstSignIn shows page with the way to sign in, to who came by a client.
func (p *Pages) firstSignIn(w http.ResponseWriter, r *http.Request, q question, page layout.Page, prompt string) {
	session := p.start(w, r)
	page, err := p.offer(page, way{session: session, next: q.path(), prompt: prompt})
	if err != nil {
		p.fault(w, r, err)
		return
	}
	if q.asked.Guests {
		page.Second = &layout.Form{Action: "/authorize", Hidden: []layout.Hidden{{Name: "request", Value: q.sealed}}, Buttons: []layout.Button{{Text: words.T("Look round as a guest"), Plain: true}}}
	}
	p.write(w, r, http.StatusOK, page)
}

// ask shows what the client asks for.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request, q question, there store.Session, u store.User) {
	if p.refusesLeaving(w, r, q, there, u) {
		return
	}
	hidden, err := p.seal(there.Hash, form{Next: q.path(), About: q.about()})
	if err != nil {
		p.fault(w, r, err)
		return
	}
	kept, err := p.Grants.Keeps(r.Context(), q.asked, u.ID)
	if err != nil {
		p.fault(w, r, err)
		return
	}
	if p.Consent != nil {
		p.askByOwn(w, r, q, u, hidden, kept)
		return
	}
	page := consentPage(p.App, q.name(), q.place(), mail.Masked(u.Email), p.inWords(kept))
	page.Warn = p.warnings(q)
	page.Form = &layout.Form{Action: ConsentPath, Legend: words.T("It may then:"), Choices: p.choices(q.asked.Scopes),
		Hidden: []layout.Hidden{hidden, {Name: "request", Value: q.sealed}},
		Buttons: []layout.Button{{Text: words.T("Allow"), Name: "decision", Value: "allow"}, {Text: words.T("Cancel"), Name: "decision", Value: "deny"},
			{Text: words.T("Use another account"), Name: "decision", Value: "other", Plain: true}}}
	if q.asked.Guests {
		page.Second = &layout.Form{Action: "/authorize", Hidden: []layout.Hidden{{Name: "request", Value: q.sealed}}, Buttons: []layout.Button{{Text: words.T("Look round as a guest"), Plain: true}}}
	}
	p.write(w, r, http.StatusOK, page)
}

// refusesLeaving shows to who is about to be deleted that nothing can be allowed, and
// reports whether it did. The rule that gives grants refuses them, too.
func (p *Pages) refusesLeaving(w http.ResponseWriter, r *http.Request, q question, there store.Session, u store.User) bool {
	d, leaving, err := p.Grants.Deletion(r.Context(), u.ID)
	if err == nil && !leaving {
		return false
	}
	hidden, sealErr := p.seal(there.Hash, form{Next: q.path(), About: q.about()})
	if err := errors.Join(err, sealErr); err != nil {
		p.fault(w, r, err)
		return true
	}
	page := leavingConsent(q.name(), mail.Masked(u.Email), d)
	page.Form = &layout.Form{Action: ConsentPath, Hidden: []layout.Hidden{hidden, {Name: "request", Value: q.sealed}},
		Buttons: []layout.Button{{Text: words.T("Use another account"), Name: "decision", Value: "other"}}}
	p.write(w, r, http.StatusForbidden, page)
	return true
}

// scopes are those that are asked for, or the default ones where none is.
func (p *Pages) scopes(asked []string) gate.Scopes {
	if len(asked) == 0 {
		return p.Scopes.Defaults()
	}
	return slices.DeleteFunc(slices.Clone(p.Scopes), func(s gate.ScopeInfo) bool { return !slices.Contains(asked, s.Name) })
}

// choices are a box for each scope. Ticked are the default ones; others only where no
// default one is asked for, because then they are what the person came for.
func (p *Pages) choices(asked []string) (boxes []layout.Choice) {
	scopes := p.scopes(asked)
	usual := len(scopes.Defaults()) > 0
	for _, s := range scopes {
		boxes = append(boxes, layout.Choice{Name: "scope", Value: s.Name, Label: wordsOf(s), Ticked: s.Default || !usual})
	}
	return boxes
}

// decideConsent handles "POST /consent": a button of the page was pressed, in the
// browser that got the page, by the user whom it showed.
func (p *Pages) decideConsent(w http.ResponseWriter, r *http.Request) {
	f, session, ok := p.unseal(w, r)
	if !ok {
		p.write(w, r, http.StatusForbidden, lost)
		return
	}
	q, ok := p.question(w, r, r.PostForm.Get("request"))
	if !ok {
		return
	}
	there, u, err := p.who(w, r)
	if err != nil || f.About != q.about() || q.asked.TooOld(there.AuthTime) {
		p.write(w, r, http.StatusForbidden, lost)
		return
	}
	switch r.PostForm.Get("decision") {
	case "allow":
		if !p.refusesLeaving(w, r, q, there, u) {
			p.allow(w, r, q, there, u)
		}
	case "other":
		p.askAddress(w, r, way{session: session, next: q.path(), prompt: "select_account"})
	default:
		p.leave(w, r, q, onTheWay(q.place()), url.Values{"error": {oauth.AccessDenied}, "error_description": {"the person said no"}})
	}
}

// allow gives the client a code for what the user has ticked.
func (p *Pages) allow(w http.ResponseWriter, r *http.Request, q question, there store.Session, u store.User) {
	a := approved(q, there, u)
	for _, s := range p.scopes(q.asked.Scopes) {
		if slices.Contains(r.PostForm["scope"], s.Name) {
			a.Scopes = append(a.Scopes, s.Name)
		}
	}
	code, err := p.SignIn.Approve(r.Context(), a)
	if err != nil {
		p.fault(w, r, err)
		return
	}
	p.leave(w, r, q, onTheWay(q.place()), url.Values{"code": {code.Reveal()}})
}

// approved is the authorization of q by the user of a session, for no scope yet.
func approved(q question, there store.Session, u store.User) grant.Authorization {
	a := q.asked.Authorization()
	a.UserID, a.Level, a.AuthTime = u.ID, there.Level, there.AuthTime
	return a
}

// leave shows page, and takes the browser from it to the client, with an authorization
// response. It is no redirect: browsers hold the whole chain behind a form against
// form-action.
func (p *Pages) leave(w http.ResponseWriter, r *http.Request, q question, page layout.Page, params url.Values) {
	to := oauth.Response(q.asked.RedirectURI, p.Issuer, string(q.asked.State), params)
	w.Header().Set("Refresh", "0; url="+to)
	page.Back, page.BackText = template.URL(to), words.T("Continue to {place}", "place", q.place())
	p.write(w, r, http.StatusOK, page)
}
