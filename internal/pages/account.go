package pages

import (
	"context"
	"errors"
	"net/http"

	"example.com/foyer/gate"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// AccountPath is that of the page on which users see what they have allowed to whom.
const AccountPath = "/account"

const (
	activity = 20    // events that the page shows
	aboutAll = "all" // what a form is about that ends all grants
)

// GrantPath is that of the page about a grant, for its user.
func GrantPath(id string) string { return AccountPath + "/" + id }

// account handles "GET /account": the live grants of the user, and what happened
// lately.
func (p *Pages) account(w http.ResponseWriter, r *http.Request) {
	there, u, ok := p.signedIn(w, r)
	if !ok {
		return
	}
	live, err := p.Grants.OfUser(r.Context(), u.ID)
	if err != nil {
		p.fault(w, r, err)
		return
	}
	events, err := p.Grants.Activity(r.Context(), u.ID, activity)
	if err != nil {
		p.fault(w, r, err)
		return
	}
	names, err := p.names(r.Context(), live, events)
	if err != nil {
		p.fault(w, r, err)
		return
	}
	page := accountPage(p.App, mail.Masked(u.Email), len(live))
	for _, gr := range live {
		section, sealErr := p.summary(there, gr, names[gr.ClientID])
		page.Sections, err = append(page.Sections, section), errors.Join(err, sealErr)
	}
	browser, sealErr := p.thisBrowser(there, len(live))
	yours, yoursErr := p.yourData(there)
	page.Sections = append(append(page.Sections, browser...), yours)
	if err := errors.Join(err, sealErr, yoursErr); err != nil {
		p.fault(w, r, err)
		return
	}
	if items := p.happened(events, names); len(items) > 0 {
		page.Sections = append(page.Sections, layout.Section{Title: words.T("Lately"), Items: items})
	}
	p.write(w, r, http.StatusOK, page)
}

// names are what pages call the clients of some grants and events, by their IDs.
func (p *Pages) names(ctx context.Context, grants []store.Grant, events []store.Event) (map[string]words.Text, error) {
	names := map[string]words.Text{}
	err := p.Store.View(ctx, func(tx store.Tx) error {
		for _, gr := range grants {
			names[gr.ClientID] = words.Text{}
		}
		for _, e := range events {
			names[e.ClientID] = words.Text{}
		}
		for id := range names {
			name, err := p.Clients.Name(ctx, tx, id)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			names[id] = words.Client(id, name)
		}
		return nil
	})
	return names, err
}

// summary is what the page says of one grant.
func (p *Pages) summary(there store.Session, gr store.Grant, name words.Text) (layout.Section, error) {
	hidden, err := p.sealGrant(there, gr)
	return layout.Section{Title: name, Facts: p.facts(gr), Path: GrantPath(gr.ID), PathText: words.T("Change what {client} may do", "client", name),
		Forms: []layout.Form{{Action: GrantPath(gr.ID), Hidden: []layout.Hidden{hidden},
			Buttons: []layout.Button{{Text: words.T("Disconnect {client}", "client", name), Name: "do", Value: "disconnect", Plain: true}}}}}, err
}

// thisBrowser is what can be done besides: to sign out, and to end everything.
func (p *Pages) thisBrowser(there store.Session, connected int) ([]layout.Section, error) {
	leave, err := p.seal(there.Hash, form{Next: AccountPath})
	all, allErr := p.seal(there.Hash, form{Next: AccountPath, About: aboutAll})
	var sections []layout.Section
	if connected > 1 {
		sections = append(sections, layout.Section{Title: words.T("All apps"), Forms: []layout.Form{{Action: AccountPath, Hidden: []layout.Hidden{all},
			Buttons: []layout.Button{{Text: words.T("Disconnect all {n} apps", "n", connected), Plain: true}}}}})
	}
	if p.Identity.elsewhere() { // where people sign out, too
		return sections, errors.Join(err, allErr)
	}
	sections = append(sections, layout.Section{Title: words.T("This browser"), Lines: []words.Text{words.T("Signed in since {time}. To sign out here disconnects no app.", "time", there.AuthTime)},
		Forms: []layout.Form{{Action: "/sign-out", Hidden: []layout.Hidden{leave}, Buttons: []layout.Button{{Text: words.T("Sign out of this browser"), Plain: true}}}}})
	return sections, errors.Join(err, allErr)
}

// facts are what the store knows of a grant, in words.
func (p *Pages) facts(gr store.Grant) []layout.Fact {
	place := words.Destination(gr.RedirectHost, oauth.IsLoopback("http://"+gr.RedirectHost+"/"))
	facts := []layout.Fact{{Term: words.T("Where"), Texts: []words.Text{place}}, {Term: words.T("Connected"), Texts: []words.Text{words.Moment(gr.Created)}}}
	if !gr.Refreshed.IsZero() {
		facts = append(facts, layout.Fact{Term: words.T("Last renewed its access"), Texts: []words.Text{words.Moment(gr.Refreshed)}})
	}
	may := p.inWords(gr.Scopes)
	if len(may) == 0 {
		may = []words.Text{words.T("What needs no more than to be signed in")}
	}
	facts = append(facts, layout.Fact{Term: words.T("Approved"), Texts: []words.Text{words.Approval(gr.ApprovedBy)}},
		layout.Fact{Term: words.T("Signed in"), Texts: []words.Text{words.List([]words.Text{words.Level(gr.Level), words.Moment(gr.AuthTime)})}}, layout.Fact{Term: words.T("It may"), Texts: may})
	if len(gr.Elevations) > 0 {
		facts = append(facts, layout.Fact{Term: words.T("For a while"), Texts: p.elevations(gr)})
	}
	return facts
}

func (p *Pages) elevations(gr store.Grant) (texts []words.Text) {
	for _, e := range gr.Elevations {
		what := words.T("The role {role}", "role", e.Role)
		if e.Scope != "" {
			what = words.List(p.inWords([]string{e.Scope}))
		}
		texts = append(texts, words.T("{what}, until {time}", "what", what, "time", e.Until))
	}
	return texts
}

func wordsOf(s gate.ScopeInfo) words.Text { return words.AsIn(s.Words, s.WordsIn) }

// inWords are what scopes, and those that they imply, let a client do.
func (p *Pages) inWords(scopes []string) []words.Text { return signin.InWords(p.Scopes, scopes) }

// happened are events in words.
func (p *Pages) happened(events []store.Event, names map[string]words.Text) (items []words.Text) {
	for _, e := range events {
		if text := words.Happened(e, names[e.ClientID], p.inWords(e.Scopes)); !text.IsZero() {
			items = append(items, words.T("{time}: {event}.", "time", e.At, "event", text))
		}
	}
	return items
}

// disconnectAll handles "POST /account".
func (p *Pages) disconnectAll(w http.ResponseWriter, r *http.Request) {
	if !p.pressed(w, r, aboutAll) {
		return
	}
	there, u, ok := p.signedIn(w, r)
	if !ok {
		return
	}
	n, err := p.Grants.DisconnectAll(r.Context(), grant.Visit{UserID: u.ID, AuthTime: there.AuthTime}, "")
	if err != nil {
		p.refusedAccount(w, r, there, u, err)
		return
	}
	p.write(w, r, http.StatusOK, disconnectedAll(n))
}
