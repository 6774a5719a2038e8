package grant

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"strings"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// MailConnected is the kind of the mail which tells a user that a grant has become
// theirs. It is about a grant at an epoch, in the words of [noticed.subject].
const MailConnected = "connected"

const (
	noticeAfter  = time.Minute    // who has just typed a code need not read it at that moment
	noticeLives  = 24 * time.Hour // and the link in it
	sealedNotice = "link that disconnects"
)

// noticed is what a notice is about: a grant for as long as its user has it.
type noticed struct {
	Grant string
	Epoch int       // of the grant while it is that user's
	Until time.Time // after that, the notice is news no more
}

func (n noticed) subject() string { return n.Grant + " " + strconv.Itoa(n.Epoch) }

// live returns the grant, if it works and nobody else has got it meanwhile. It refuses
// with [ErrUnknown].
func (n noticed) live(ctx context.Context, tx store.Tx, now time.Time) (store.Grant, error) {
	if !now.Before(n.Until) {
		return store.Grant{}, ErrUnknown
	}
	gr, err := Live(ctx, tx, n.Grant, now)
	if errors.Is(err, ErrRevoked) || err == nil && (gr.UserID == "" || gr.Epoch != n.Epoch) {
		return store.Grant{}, ErrUnknown
	}
	return gr, err
}

// Tell puts the mail into the outbox which says to the user of gr that it is theirs
// now. It is part of the transaction that makes it so.
func Tell(ctx context.Context, tx store.Tx, gr store.Grant, now time.Time) error {
	due := now.Add(noticeAfter)
	return tx.PutOutgoing(ctx, store.Outgoing{ID: rand.Text(), Kind: MailConnected, Subject: noticed{Grant: gr.ID, Epoch: gr.Epoch}.subject(),
		Due: due, Created: now, Expires: now.Add(noticeLives)})
}

// Notice returns the grant that a waiting mail of [MailConnected] is about, and what
// stands for it in a link that ends it, for a day. It refuses with [ErrUnknown] where
// the grant is over, or is not that user's any more.
func (g *Grants) Notice(ctx context.Context, tx store.Tx, out store.Outgoing) (store.Grant, secret.Text, error) {
	id, epoch, _ := strings.Cut(out.Subject, " ")
	n := noticed{Grant: id, Until: out.Created.Add(noticeLives)}
	n.Epoch, _ = strconv.Atoi(epoch)
	gr, err := n.live(ctx, tx, g.now())
	if err != nil {
		return store.Grant{}, secret.Text{}, err
	}
	link, err := g.keys.Seal(sealedNotice, n)
	return gr, link, err
}

// Noticed returns the grant that the link of a notice is about, which it changes in
// nothing. It refuses with [ErrUnknown] a link that nobody has sealed, one that is
// older than a day, and one whose grant is over, or has another user.
func (g *Grants) Noticed(ctx context.Context, link string) (gr store.Grant, err error) {
	n, err := g.notice(link)
	if err != nil {
		return store.Grant{}, err
	}
	err = g.store.View(ctx, func(tx store.Tx) (err error) {
		gr, err = n.live(ctx, tx, g.now())
		return err
	})
	if err != nil {
		return store.Grant{}, refused("read a notice", err, ErrUnknown)
	}
	return gr, nil
}

// EndNoticed revokes the grant that the link of a notice is about, as
// [Grants.Disconnect] does. It refuses as [Grants.Noticed] does.
func (g *Grants) EndNoticed(ctx context.Context, link string) error {
	n, err := g.notice(link)
	if err != nil {
		return err
	}
	now := g.now()
	err = g.store.Update(ctx, func(tx store.Tx) error {
		gr, err := n.live(ctx, tx, now)
		if err != nil {
			return err
		}
		return end(ctx, tx, gr, "", store.ByUser, now)
	})
	if err != nil {
		return refused("disconnect", err, ErrUnknown)
	}
	g.Announce(n.Grant)
	return nil
}

func (g *Grants) notice(link string) (n noticed, err error) {
	if g.keys.Open(sealedNotice, link, &n) != nil {
		return noticed{}, ErrUnknown
	}
	return n, nil
}
