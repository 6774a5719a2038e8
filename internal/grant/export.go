package grant

import (
	"context"
	"errors"

	"example.com/foyer/store"
)

// maxActivity is how many events a copy of what is kept of a user has at most.
const maxActivity = 10_000

// Held is what is kept of a user. It has no secret, and no hash of one that anybody
// may show.
type Held struct {
	User     store.User
	Deletion store.Deletion // zero for none
	Grants   []store.Grant  // those that are over, too
	Sessions []store.Session
	Activity []store.Event
	Cut      bool // there is more activity than that
}

// Export returns what is kept of the user of v, who has just signed in. It refuses with
// [ErrStale], and as [Grants.ExportUser] does.
func (g *Grants) Export(ctx context.Context, v Visit) (Held, error) {
	if err := g.Fresh(v); err != nil {
		return Held{}, err
	}
	return g.export(ctx, v.UserID, store.ByUser)
}

// ExportUser returns what is kept of a user. It refuses with [ErrNoUser], and with
// [ErrTooLate] where the deletion of the user has begun: what is left is no whole.
func (g *Grants) ExportUser(ctx context.Context, userID string) (Held, error) {
	return g.export(ctx, userID, store.ByApp)
}

// export reads and notes in one transaction: no copy is without its event.
func (g *Grants) export(ctx context.Context, userID, by string) (held Held, err error) {
	now := g.now()
	err = g.store.Update(ctx, func(tx store.Tx) (err error) {
		held = Held{} // Update may run this again
		if held.User, err = tx.User(ctx, userID); err != nil {
			return err
		}
		held.Deletion, err = tx.Deletion(ctx, userID)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return err
		case Begun(held.Deletion, now):
			return ErrTooLate
		}
		exported := store.NewEvent(ctx, store.EventUserExported, now)
		exported.UserID, exported.By = userID, by
		return errors.Join(held.read(ctx, tx), tx.PutEvent(ctx, exported))
	})
	if errors.Is(err, store.ErrNotFound) {
		return Held{}, ErrNoUser
	} else if err != nil {
		return Held{}, refused("export", err, ErrTooLate)
	}
	return held, nil
}

func (h *Held) read(ctx context.Context, tx store.Tx) (err error) {
	if h.Grants, err = tx.GrantsOfUser(ctx, h.User.ID); err != nil {
		return err
	}
	if h.Sessions, err = tx.SessionsOfUser(ctx, h.User.ID); err != nil {
		return err
	}
	if h.Activity, err = tx.EventsOfUser(ctx, h.User.ID, maxActivity+1); err != nil {
		return err
	}
	if h.Cut = len(h.Activity) > maxActivity; h.Cut {
		h.Activity = h.Activity[:maxActivity]
	}
	return nil
}
