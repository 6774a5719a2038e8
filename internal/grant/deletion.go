package grant

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"example.com/foyer/store"
)

// Refusals around the deletion of users.
var (
	ErrLeaving    = errors.New("grant: the user is about to be deleted")
	ErrNotLeaving = errors.New("grant: the user is not about to be deleted")
	ErrTooLate    = errors.New("grant: the deletion of the user has begun")
)

// MailLeaving is the kind of the mail which tells a user that they are about to be
// deleted. It is about the user.
const MailLeaving = "leaving"

// leaves is how long a deletion can be taken back.
const leaves = 7 * 24 * time.Hour

// Fresh refuses with [ErrStale] a visit whose sign-in is too old for what harms most.
func (g *Grants) Fresh(v Visit) error {
	if !v.fresh(g.now()) {
		return ErrStale
	}
	return nil
}

// Delete is [Grants.DeleteUser] for the user themselves, who has just signed in. It
// refuses also with [ErrStale].
func (g *Grants) Delete(ctx context.Context, v Visit) (store.Deletion, error) {
	if err := g.Fresh(v); err != nil {
		return store.Deletion{}, err
	}
	return g.delete(ctx, v.UserID, store.ByUser, v.Language)
}

// DeleteUser ends everything that a user has allowed, every session in a browser, and
// what browsers remember. In seven days all that is kept of the user is deleted;
// [Grants.Keep] takes that back until then, and nothing else. The user is told by
// mail. Who is about to be deleted already stays so, and nothing changes. It refuses
// with [ErrNoUser].
func (g *Grants) DeleteUser(ctx context.Context, userID string) (store.Deletion, error) {
	return g.delete(ctx, userID, store.ByApp, "")
}

func (g *Grants) delete(ctx context.Context, userID, by, language string) (d store.Deletion, err error) {
	now := g.now()
	var ended []string
	err = g.store.Update(ctx, func(tx store.Tx) (err error) {
		ended = nil // Update may run this again
		d, err = tx.Deletion(ctx, userID)
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if _, err := tx.User(ctx, userID); err != nil {
			return err
		}
		d = store.Deletion{UserID: userID, Asked: now, Until: now.Add(leaves), Due: now.Add(leaves), Language: language}
		ended, err = leave(ctx, tx, &d, by)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return store.Deletion{}, ErrNoUser
	} else if err != nil {
		return store.Deletion{}, fmt.Errorf("grant: delete a user: %w", err)
	}
	for _, id := range ended {
		g.Announce(id)
	}
	return d, nil
}

// leave puts d, in a language of its user's, and ends what its user has. It returns the grants that it ended.
func leave(ctx context.Context, tx store.Tx, d *store.Deletion, by string) (ended []string, err error) {
	ended, err = endAll(ctx, tx, d.UserID, "", by, d.Asked)
	if err != nil {
		return nil, err
	}
	all, err := tx.GrantsOfUser(ctx, d.UserID)
	for _, gr := range all {
		err = errors.Join(err, tx.ForgetGrant(ctx, gr.ID))
		d.Language = cmp.Or(d.Language, gr.Language) // the newest is the first
	}
	if err != nil {
		return nil, err
	}
	sessions, err := tx.SessionsOfUser(ctx, d.UserID)
	for _, there := range sessions {
		over := store.NewEvent(ctx, store.EventSessionEnded, d.Asked)
		over.UserID, over.Level, over.By = d.UserID, there.Level, by
		err = errors.Join(err, tx.DeleteSession(ctx, there.Hash), tx.PutEvent(ctx, over))
	}
	event := store.NewEvent(ctx, store.EventUserLeaves, d.Asked)
	event.UserID, event.Until, event.By = d.UserID, d.Until, by
	return ended, errors.Join(err, tx.PutDeletion(ctx, *d), tx.PutEvent(ctx, event),
		tx.PutOutgoing(ctx, store.Outgoing{ID: rand.Text(), Kind: MailLeaving, Subject: d.UserID, Due: d.Asked, Created: d.Asked, Expires: d.Asked.Add(24 * time.Hour)}))
}

// Keep takes the deletion of a user back, for whom by names: the user, or the
// application. What has ended stays ended. It refuses with [ErrNotLeaving], and with
// [ErrTooLate] once it has begun.
func (g *Grants) Keep(ctx context.Context, userID, by string) error {
	now := g.now()
	err := g.store.Update(ctx, func(tx store.Tx) error {
		d, err := tx.Deletion(ctx, userID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return ErrNotLeaving
		case err != nil:
			return err
		case Begun(d, now):
			return ErrTooLate
		}
		event := store.NewEvent(ctx, store.EventUserKept, now)
		event.UserID, event.By = userID, by
		return errors.Join(tx.DropDeletion(ctx, userID), tx.PutEvent(ctx, event))
	})
	if err != nil {
		return refused("keep a user", err, ErrNotLeaving, ErrTooLate)
	}
	return nil
}

// Begun reports whether d can no longer be taken back. Another process may have begun
// it, whose clock is ahead.
func Begun(d store.Deletion, now time.Time) bool { return d.Tries > 0 || !now.Before(d.Until) }

// Deletion returns the deletion of a user, and whether there is one.
func (g *Grants) Deletion(ctx context.Context, userID string) (d store.Deletion, leaving bool, err error) {
	err = g.store.View(ctx, func(tx store.Tx) (err error) {
		d, err = tx.Deletion(ctx, userID)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return store.Deletion{}, false, nil
	} else if err != nil {
		return store.Deletion{}, false, fmt.Errorf("grant: deletion of a user: %w", err)
	}
	return d, true, nil
}

// stays refuses with [ErrLeaving] a user who is about to be deleted.
func stays(ctx context.Context, tx store.Tx, userID string) error {
	if userID == "" {
		return nil
	}
	_, err := tx.Deletion(ctx, userID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return ErrLeaving
}
