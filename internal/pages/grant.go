package pages

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"example.com/foyer/gate"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// aboutGrant begins what a form is about that changes a grant. The scopes follow that
// its user has seen.
const aboutGrant = "grant "

func (p *Pages) sealGrant(there store.Session, gr store.Grant) (layout.Hidden, error) {
	return p.seal(there.Hash, form{Next: GrantPath(gr.ID), About: aboutGrant + strings.Join(gr.Scopes, " ")})
}

// connection handles "GET /account/{grant}": what one client may do, and could.
func (p *Pages) connection(w http.ResponseWriter, r *http.Request) {
	there, u, ok := p.signedIn(w, r)
	if !ok {
		return
	}
	gr, name, others, ok := p.connected(w, r, u)
	if !ok {
		return
	}
	hidden, err := p.sealGrant(there, gr)
	if err != nil {
		p.fault(w, r, err)
		return
	}
	page := connectionPage(p.App, name, mail.Masked(u.Email))
	page.Sections = append(p.offerKept(r, there, u, gr), layout.Section{Title: words.T("The connection"), Facts: p.facts(gr)})
	ask := func(title, line words.Text, buttons []layout.Button) {
		if len(buttons) > 0 {
			page.Sections = append(page.Sections, layout.Section{Title: title, Lines: []words.Text{line},
				Forms: []layout.Form{{Action: r.URL.Path, Hidden: []layout.Hidden{hidden}, Buttons: buttons}}})
		}
	}
	ask(words.T("Take back"), words.T("It counts from the next thing that {client} does. The app stays connected.", "client", name), p.takeable(gr, name))
	ask(words.T("Give more"), words.T("Give more only to an app that you have connected yourself: apps choose their own names."), p.giveable(gr, name))
	ends := []layout.Button{{Text: words.T("Disconnect {client}", "client", name), Name: "do", Value: "disconnect", Plain: true}}
	if others > 0 {
		ends = append(ends, layout.Button{Text: words.T("Disconnect all but {client}", "client", name), Name: "do", Value: "others", Plain: true})
	}
	ask(words.T("Disconnect"), words.T("It counts at once. The app can be connected again."), ends)
	p.write(w, r, http.StatusOK, page)
}

// connected returns the live grant of the user that the path names, what pages call
// its client, and how many others the user has. Of what is another's, or over, there
// is nothing, whether there is or not.
func (p *Pages) connected(w http.ResponseWriter, r *http.Request, u store.User) (gr store.Grant, name words.Text, others int, ok bool) {
	live, err := p.Grants.OfUser(r.Context(), u.ID)
	if err != nil {
		p.fault(w, r, err)
		return gr, name, 0, false
	}
	i := slices.IndexFunc(live, func(gr store.Grant) bool { return gr.ID == r.PathValue("grant") })
	if i < 0 {
		p.write(w, r, http.StatusNotFound, noGrant(mail.Masked(u.Email)))
		return gr, name, 0, false
	}
	names, err := p.names(r.Context(), live[i:i+1], nil)
	if err != nil {
		p.fault(w, r, err)
		return gr, name, 0, false
	}
	return live[i], names[live[i].ClientID], len(live) - 1, true
}

// takeable is a button for each scope of a grant, which says what goes with it.
func (p *Pages) takeable(gr store.Grant, name words.Text) (buttons []layout.Button) {
	has := p.Scopes.With(gr.Scopes)
	for _, scope := range has {
		if scope == gate.Guest {
			continue
		}
		left := p.Scopes.With(p.narrowed(gr.Scopes, scope))
		text := words.T("Take back {scope} from {client}", "scope", words.Quoted(p.called(scope)), "client", name)
		lost := slices.DeleteFunc(slices.Clone(has), func(s string) bool { return s == scope || slices.Contains(left, s) })
		if len(lost) > 0 {
			text = words.T("Take back {scope}, and with it {more} from {client}", "scope", words.Quoted(p.called(scope)), "more", words.Quoted(p.called(lost...)), "client", name)
		}
		buttons = append(buttons, layout.Button{Text: text, Name: "take", Value: scope, Plain: true})
	}
	return buttons
}

// giveable is a button for each scope that a grant lacks.
func (p *Pages) giveable(gr store.Grant, name words.Text) (buttons []layout.Button) {
	has := p.Scopes.With(gr.Scopes)
	for _, s := range p.Scopes {
		if slices.Contains(has, s.Name) {
			continue
		}
		text := words.T("Let {client} do this: {scope}", "client", name, "scope", words.Quoted(p.called(s.Name)))
		more := slices.DeleteFunc(p.Scopes.With([]string{s.Name}), func(n string) bool { return n == s.Name || slices.Contains(has, n) })
		if len(more) > 0 {
			text = words.T("Let {client} do this: {scope}, and with it {more}", "client", name, "scope", words.Quoted(p.called(s.Name)), "more", words.Quoted(p.called(more...)))
		}
		buttons = append(buttons, layout.Button{Text: text, Name: "give", Value: s.Name, Plain: true})
	}
	return buttons
}

// called are the operator's words for scopes, or their names.
func (p *Pages) called(scopes ...string) (texts []words.Text) {
	for _, name := range scopes {
		i := slices.IndexFunc(p.Scopes, func(s gate.ScopeInfo) bool { return s.Name == name })
		if i >= 0 {
			texts = append(texts, wordsOf(p.Scopes[i]))
		} else {
			texts = append(texts, words.As(name))
		}
	}
	return texts
}

// narrowed are those of scopes that do not give scope: a scope that implies it goes,
// too.
func (p *Pages) narrowed(scopes []string, scope string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(name string) bool { return slices.Contains(p.Scopes.With([]string{name}), scope) })
}

// change handles "POST /account/{grant}": the user has pressed a button of a page that
// showed the grant, in the browser that got the page.
func (p *Pages) change(w http.ResponseWriter, r *http.Request) {
	f, _, ok := p.unseal(w, r)
	seen, scopes := strings.CutPrefix(f.About, aboutGrant)
	guests, kept := strings.CutPrefix(f.About, aboutKept)
	if !ok || !scopes && !kept || f.Next != r.URL.Path {
		p.write(w, r, http.StatusForbidden, oldAccount)
		return
	}
	there, u, ok := p.signedIn(w, r)
	if !ok {
		return
	}
	gr, name, _, ok := p.connected(w, r, u)
	if !ok {
		return
	}
	if kept {
		p.takeAlong(w, r, u, gr, guests)
		return
	}
	page, err := p.press(r, grant.Visit{UserID: u.ID, AuthTime: there.AuthTime}, gr.ID, name, strings.Fields(seen))
	if err != nil {
		p.refusedAccount(w, r, there, u, err)
		return
	}
	p.write(w, r, http.StatusOK, page)
}

// press does what a button of the page says, and returns the page that tells it.
func (p *Pages) press(r *http.Request, v grant.Visit, id string, name words.Text, seen []string) (layout.Page, error) {
	ctx, do, take, give := r.Context(), r.PostForm.Get("do"), r.PostForm.Get("take"), r.PostForm.Get("give")
	switch {
	case do == "disconnect":
		return disconnected(name), p.Grants.Disconnect(ctx, v.UserID, id)
	case do == "others":
		n, err := p.Grants.DisconnectAll(ctx, v, id)
		return disconnectedAll(n), err
	case take != "" && slices.Contains(p.Scopes.With(seen), take):
		is := p.narrowed(seen, take)
		lost := slices.DeleteFunc(p.Scopes.With(seen), func(s string) bool { return slices.Contains(p.Scopes.With(is), s) })
		return narrowedPage(name, p.called(lost...), id), p.Grants.SetScopes(ctx, v, grant.Change{GrantID: id, Was: seen, Is: is})
	case p.Scopes.Known(give):
		return widenedPage(name, p.called(give), id), p.Grants.SetScopes(ctx, v, grant.Change{GrantID: id, Was: seen, Is: append(slices.Clone(seen), give)})
	}
	return layout.Page{}, grant.ErrChanged // no page of ours has such a button now
}

// refusedAccount answers an error of the rules after a button of the account pages.
// Who signed in too long ago signs in again first; of what was pressed nothing is
// kept but the way back.
func (p *Pages) refusedAccount(w http.ResponseWriter, r *http.Request, there store.Session, u store.User, err error) {
	switch {
	case errors.Is(err, grant.ErrStale):
		page, err := p.offer(signInAgain, way{session: there.Hash, next: back(r), prompt: "login"})
		if err != nil {
			p.fault(w, r, err)
			return
		}
		p.write(w, r, http.StatusForbidden, page)
	case errors.Is(err, grant.ErrChanged):
		p.write(w, r, http.StatusConflict, changedGrant(r.URL.Path))
	case errors.Is(err, grant.ErrUnknown):
		p.write(w, r, http.StatusNotFound, noGrant(mail.Masked(u.Email)))
	default:
		p.fault(w, r, err)
	}
}
