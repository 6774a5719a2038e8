package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	App     string   // what people sign in to
	Account string   // URL of the page where users see what is theirs
	Words   []string // the scopes of a claim, in the operator's words
}

// Render writes one mail, out of what the store says when it is sent. A mail
// that nobody needs any more is not wanted: its challenge is dead, or its
// subject gone.
func (l *Letters) Render(ctx context.Context, out store.Outgoing) (m mail.Message, wanted bool, err error) {
	var letter interface{ Write() (words.Mail, error) }
	var to string
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
		default:
			err = fmt.Errorf("signin: no letter of kind %q", out.Kind)
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && letter == nil {
		return mail.Message{}, false, nil
	} else if err != nil {
		return mail.Message{}, false, err
	}
	w, err := letter.Write()
	if err != nil {
		return mail.Message{}, false, err
	}
	address, err := mail.ParseAddress(to)
	return mail.Message{To: address, Subject: w.Subject, Text: w.Text, HTML: w.HTML}, true, err
}

func (l *Letters) code(ctx context.Context, tx store.Tx, out store.Outgoing) (interface{ Write() (words.Mail, error) }, string, error) {
	c, err := tx.Challenge(ctx, out.Subject)
	if err != nil {
		return nil, "", err
	}
	gr, err := tx.Grant(ctx, c.GrantID)
	if err != nil {
		return nil, "", err
	}
	name, err := l.Clients.Name(ctx, tx, gr.ClientID)
	if err != nil {
		return nil, "", err
	}
	newest, err := tx.LatestChallenge(ctx, c.GrantID)
	code, ok := l.Keys.OneTimeCode(c.KeyID, c.ID, c.Digits)
	if err != nil || !ok || newest.ID != c.ID || l.next(c, gr, l.Now()) != nil {
		return nil, "", err
	}
	return words.CodeMail{App: l.App, Client: words.ClientName(name), Where: place(gr),
		Email: c.Email, Code: code.Reveal(), Time: c.Created, Minutes: int(l.TTL / time.Minute), Scopes: l.Words}, c.Email, nil
}

// browser is the mail for a page of ours.
func (l *Letters) browser(ctx context.Context, tx store.Tx, out store.Outgoing) (interface{ Write() (words.Mail, error) }, string, error) {
	there, err := tx.SessionByChallenge(ctx, out.Subject)
	if err != nil {
		return nil, "", err
	}
	code, ok := l.Keys.OneTimeCode(there.KeyID, there.Challenge, there.Digits)
	if !ok || l.nextSession(there, l.Now()) != nil {
		return nil, "", nil
	}
	return words.BrowserMail{App: l.App, Email: there.Email, Code: code.Reveal(), Time: there.Asked, Minutes: int(l.TTL / time.Minute)}, there.Email, nil
}

func (l *Letters) reused(ctx context.Context, tx store.Tx, out store.Outgoing) (interface{ Write() (words.Mail, error) }, string, error) {
	gr, err := tx.Grant(ctx, out.Subject)
	if err != nil {
		return nil, "", err
	}
	u, err := tx.User(ctx, gr.UserID)
	if err != nil {
		return nil, "", err
	}
	name, err := l.Clients.Name(ctx, tx, gr.ClientID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, "", err
	}
	return words.ReusedMail{App: l.App, Client: words.ClientName(name), Where: place(gr),
		Email: u.Email, Time: out.Created}, u.Email, nil
}

// leaving is not wanted any more where the user stays.
func (l *Letters) leaving(ctx context.Context, tx store.Tx, out store.Outgoing) (interface{ Write() (words.Mail, error) }, string, error) {
	d, err := tx.Deletion(ctx, out.Subject)
	if err != nil {
		return nil, "", err
	}
	u, err := tx.User(ctx, out.Subject)
	if err != nil {
		return nil, "", err
	}
	return words.LeavingMail{App: l.App, Email: u.Email, Account: l.Account, Asked: d.Asked, Until: d.Until}, u.Email, nil
}

// place is where the codes of a grant were sent.
func place(gr store.Grant) string {
	return words.Place(gr.RedirectHost, oauth.IsLoopback("http://"+gr.RedirectHost+"/"))
}
