package grant

import (
	"context"
	"errors"

	"example.com/foyer/store"
)

// ErrElsewhere refuses what is the guest's of a grant that came by another browser.
var ErrElsewhere = errors.New("grant: the grant did not come by this browser")

// GuestOf returns whose guest a user was before signing in on the live grant id: in the
// browser, with cookie h, from which its client got it. Whoever sits elsewhere may have
// signed in on a connection that another person has begun, and must not be handed what
// that person kept.
//
// It refuses with [ErrUnknown], also where the grant is over, a guest's or another's,
// and with [ErrElsewhere].
func (g *Grants) GuestOf(ctx context.Context, userID, id string, h store.Hash) (guestID string, err error) {
	now := g.now()
	err = g.store.View(ctx, func(tx store.Tx) error {
		gr, err := ofUser(ctx, tx, userID, id, now)
		if err != nil {
			return err
		}
		there, err := remembered(ctx, tx, h, gr.ClientID, now)
		if errors.Is(err, store.ErrNotFound) || err == nil && there.ID != gr.ID {
			return ErrElsewhere
		}
		guestID = gr.GuestID
		return err
	})
	if err != nil {
		return "", refused("guest of a grant", err, ErrUnknown, ErrElsewhere)
	}
	return guestID, nil
}
