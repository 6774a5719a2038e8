package signin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"example.com/foyer/gate"
	"example.com/foyer/internal/client"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// Letters writes the mails that rules have put into the outbox.
type Letters struct {
	*SignIn
	Clients *client.Clients
	App     string       // what people sign in to
	Words   []words.Text // the scopes of a claim, in the operator's words
	Scopes  gate.Scopes
	Speaks  *words.Languages // nil for ours

	Claim, Disconnect, Account string // URLs of our pages; what stands for a thing follows the first two
}

// An addressee is whom a mail is for, and in which language.
type addressee struct{ email, language string }

// Render writes one mail, out of what the store says when it is sent. A mail
// that nobody needs any more is not wanted: its challenge is dead, or its
// subject gone.
func (l *Letters) Render(ctx context.Context, out store.Outgoing) (m mail.Message, wanted bool, err error) {
	var letter words.Letter
	var to addressee
	err = l.Store.View(ctx, func(tx store.Tx) error {
		switch out.Kind {
		case MailCode:
			letter, to, err = l.code(ctx, tx, out)
		case MailBrowser:
			letter, to, err = l.browser(ctx, tx, out)
		case grant.MailReused:
			letter, to, err = l.reused(ctx, tx, out)
		case grant.MailLeaving:
			letter, to, err = l.leaving(ctx, tx, out)
		case grant.MailConnected:
			letter, to, err = l.connected(ctx, tx, out)
		default:
			err = fmt.Errorf("signin: no letter of kind %q", out.Kind)
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && to.email == "" {
		return mail.Message{}, false, nil
	} else if err != nil {
		return mail.Message{}, false, err
	}
	w, err := l.Speaks.Best(to.language).Write(letter)
	if err != nil {
		return mail.Message{}, false, err
	}
	address, err := mail.ParseAddress(to.email)
	return mail.Message{To: address, Subject: w.Subject, Text: w.Text, HTML: w.HTML}, true, err
}

func (l *Letters) code(ctx context.Context, tx store.Tx, out store.Outgoing) (words.Letter, addressee, error) {
	c, err := tx.Challenge(ctx, out.Subject)
	if err != nil {
		return words.Letter{}, addressee{}, err
	}
	gr, err := tx.Grant(ctx, c.GrantID)
	if err != nil {
		return words.Letter{}, addressee{}, err
	}
	name, err := l.Clients.Name(ctx, tx, gr.ClientID)
	if err != nil {
		return words.Letter{}, addressee{}, err
	}
	newest, err := tx.LatestChallenge(ctx, c.GrantID)
	code, ok := l.Keys.OneTimeCode(c.KeyID, c.ID, c.Digits)
	if err != nil || !ok || newest.ID != c.ID || l.next(c, gr, l.Now()) != nil {
		return words.Letter{}, addressee{}, err
	}
	link, _ := l.Keys.LinkToken(c.KeyID, c.ID)
	return words.CodeMail{App: l.App, Client: words.ClientName(name), Where: place(gr),
		Email: c.Email, Code: code.Reveal(), Time: c.Created, Lives: l.TTL, Scopes: l.Words, Link: l.Claim + link.Reveal()}.Letter(), addressee{c.Email, gr.Language}, nil
}

// browser is the mail for a page of ours.
func (l *Letters) browser(ctx context.Context, tx store.Tx, out store.Outgoing) (words.Letter, addressee, error) {
	there, err := tx.SessionByChallenge(ctx, out.Subject)
	if err != nil {
		return words.Letter{}, addressee{}, err
	}
	code, ok := l.Keys.OneTimeCode(there.KeyID, there.Challenge, there.Digits)
	if !ok || l.nextSession(there, l.Now()) != nil {
		return words.Letter{}, addressee{}, nil
	}
	return words.BrowserMail{App: l.App, Email: there.Email, Code: code.Reveal(), Time: there.Asked, Lives: l.TTL}.Letter(), addressee{there.Email, there.Language}, nil
}

func (l *Letters) reused(ctx context.Context, tx store.Tx, out store.Outgoing) (words.Letter, addressee, error) {
	gr, err := tx.Grant(ctx, out.Subject)
	if err != nil {
		return words.Letter{}, addressee{}, err
	}
	u, err := tx.User(ctx, gr.UserID)
	if err != nil {
		return words.Letter{}, addressee{}, err
	}
	name, err := l.Clients.Name(ctx, tx, gr.ClientID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return words.Letter{}, addressee{}, err
	}
	return words.ReusedMail{App: l.App, Client: words.ClientName(name), Where: place(gr),
		Email: u.Email, Time: out.Created}.Letter(), addressee{u.Email, gr.Language}, nil
}

// leaving is not wanted any more where the user stays.
func (l *Letters) leaving(ctx context.Context, tx store.Tx, out store.Outgoing) (words.Letter, addressee, error) {
	d, err := tx.Deletion(ctx, out.Subject)
	if err != nil {
		return words.Letter{}, addressee{}, err
	}
	u, err := tx.User(ctx, out.Subject)
	if err != nil {
		return words.Letter{}, addressee{}, err
	}
	return words.LeavingMail{App: l.App, Email: u.Email, Account: l.Account, Asked: d.Asked, Until: d.Until}.Letter(), addressee{u.Email, d.Language}, nil
}

// connected says to a user that a grant is theirs. Where it is over by now, or another's,
// nobody is told.
func (l *Letters) connected(ctx context.Context, tx store.Tx, out store.Outgoing) (words.Letter, addressee, error) {
	gr, link, err := l.Grants.Notice(ctx, tx, out)
	if errors.Is(err, grant.ErrUnknown) {
		return words.Letter{}, addressee{}, nil
	} else if err != nil {
		return words.Letter{}, addressee{}, err
	}
	u, err := tx.User(ctx, gr.UserID)
	if err != nil {
		return words.Letter{}, addressee{}, err
	}
	name, err := l.Clients.Name(ctx, tx, gr.ClientID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return words.Letter{}, addressee{}, err
	}
	return words.ConnectedMail{App: l.App, Client: words.Client(gr.ClientID, name), Where: place(gr), Email: u.Email, Time: out.Created, Approved: words.Approval(gr.ApprovedBy),
		Scopes: InWords(l.Scopes, gr.Scopes), Disconnect: l.Disconnect + link.Reveal(), Account: l.Account}.Letter(), addressee{u.Email, gr.Language}, nil
}

// InWords are what the scopes of those names, and those that they imply, let a client
// do: in the operator's words and order. One that the operator has no words for keeps
// its name.
func InWords(scopes gate.Scopes, names []string) (texts []words.Text) {
	all := scopes.With(names)
	for _, s := range scopes {
		if slices.Contains(all, s.Name) {
			texts = append(texts, words.AsIn(s.Words, s.WordsIn))
		}
	}
	for _, name := range all {
		if name != gate.Guest && !scopes.Known(name) {
			texts = append(texts, words.As(name))
		}
	}
	return texts
}

// place is where the codes of a grant were sent.
func place(gr store.Grant) words.Text {
	return words.Place(gr.RedirectHost, oauth.IsLoopback("http://"+gr.RedirectHost+"/"))
}
