package grant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/foyer/store"
)

// ErrGuest refuses to sign out who is not signed in.
var ErrGuest = errors.New("grant: nobody is signed in")

// SignOut makes the claimed grant behind an access token unclaimed again. What
// crosses belongs to a new guest, who sees neither the user's data nor the
// earlier guest's. It refuses with [ErrUnknown], [ErrRevoked] or [ErrGuest].
func (g *Grants) SignOut(ctx context.Context, access store.Hash) error {
	var refusal error
	var id string
	err := g.store.Update(ctx, func(tx store.Tx) error {
		now := g.now()
		t, gr, err := ByAccess(ctx, tx, access, now)
		id = gr.ID
		switch {
		case errors.Is(err, ErrUnknown), errors.Is(err, ErrRevoked):
			refusal = err
			return nil
		case err != nil:
			return err
		case gr.UserID == "":
			refusal = ErrGuest
			return nil
		}
		refusal = nil
		_, err = g.Leave(ctx, tx, t, gr, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("grant: sign out: %w", err)
	}
	if refusal == nil {
		g.Announce(id)
	}
	return refusal
}

// Leave makes gr, a claimed grant of which t is an access token, that of a new
// guest. It is part of a transaction whose owner announces the grant after it.
func (g *Grants) Leave(ctx context.Context, tx store.Tx, t store.Token, gr store.Grant, now time.Time) (store.Grant, error) {
	left := store.NewEvent(ctx, store.EventGrantSignedOut, now).Of(gr)
	gr.GuestID, gr.UserID, gr.Level, gr.ApprovedBy = newGuestID(), "", "", ""
	gr.AuthTime, gr.Scopes, gr.Elevations = time.Time{}, []string{Guest}, nil
	gr.Expires = g.expires(gr, now)
	left.GuestID = gr.GuestID
	if err := errors.Join(cross(ctx, tx, t, gr), tx.PutEvent(ctx, left)); err != nil {
		return store.Grant{}, err
	}
	gr.Epoch++
	return gr, nil
}
