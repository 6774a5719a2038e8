package grant

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"example.com/foyer/store"
)

// ErrNotYours refuses to revoke another client's token.
var ErrNotYours = errors.New("grant: the token was issued to another client")

// MailReused is the kind of the mail which tells a user that a grant was
// revoked because one of its refresh tokens came back.
const MailReused = "reused"

// Revoke ends the grant of a token of clientID, every token of it included (RFC
// 7009 section 2.1). A token that is unknown, or dead already, is nothing to
// revoke: no error. It refuses with [ErrNotYours].
func (g *Grants) Revoke(ctx context.Context, clientID string, h store.Hash) error {
	var refusal error
	var ended string
	err := g.store.Update(ctx, func(tx store.Tx) error {
		refusal, ended = nil, ""
		now := g.now()
		t, gr, err := byToken(ctx, tx, h)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return nil
		case err != nil:
			return err
		case gr.ClientID != clientID:
			refusal = ErrNotYours
			return nil
		case t.Epoch != gr.Epoch, !now.Before(gr.Expires), t.Kind == store.Access && !now.Before(t.Expires):
			return nil // left behind or over: who holds it has no say any more
		}
		ended = gr.ID
		return end(ctx, tx, gr, "", store.ByClient, now)
	})
	if err != nil {
		return fmt.Errorf("grant: revoke: %w", err)
	}
	if ended != "" {
		g.Announce(ended)
	}
	return refusal
}

// End revokes the live grant id, a guest's or a user's, for whoever runs the
// server. It refuses with [ErrUnknown] and [ErrRevoked].
func (g *Grants) End(ctx context.Context, id string) error {
	now := g.now()
	err := g.store.Update(ctx, func(tx store.Tx) error {
		gr, err := Live(ctx, tx, id, now)
		if err != nil {
			return err
		}
		return end(ctx, tx, gr, "", store.ByApp, now)
	})
	if err != nil {
		return refused("end", err, ErrUnknown, ErrRevoked)
	}
	g.Announce(id)
	return nil
}

func revokeByID(ctx context.Context, tx store.Tx, id, why string, now time.Time) error {
	gr, err := tx.Grant(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil // it expired meanwhile
	} else if err != nil {
		return err
	}
	return end(ctx, tx, gr, why, "", now)
}

// end revokes gr: why, and who asked for it, if somebody did. That it was revoked
// before stays as it was.
func end(ctx context.Context, tx store.Tx, gr store.Grant, why, by string, now time.Time) error {
	if !gr.RevokedAt.IsZero() {
		return nil
	}
	gr.RevokedAt = now
	revoked := store.NewEvent(ctx, store.EventGrantRevoked, now).Of(gr)
	revoked.Reason, revoked.By = why, by
	return errors.Join(tx.PutGrant(ctx, gr), tx.PutEvent(ctx, revoked))
}

// endReused revokes gr because of reuse, and writes to its user.
func endReused(ctx context.Context, tx store.Tx, gr store.Grant, now time.Time) error {
	if gr.UserID != "" {
		err := tx.PutOutgoing(ctx, store.Outgoing{ID: rand.Text(), Kind: MailReused, Subject: gr.ID, Due: now, Created: now,
			Expires: now.Add(24 * time.Hour)})
		if err != nil {
			return err
		}
	}
	return end(ctx, tx, gr, store.ReasonRefreshReused, "", now)
}
