package grant

import (
	"context"
	"errors"
	"fmt"

	"example.com/foyer/store"
)

// UserByEmail returns the user with a normalised address. It refuses with
// [ErrNoUser].
func (g *Grants) UserByEmail(ctx context.Context, email string) (u store.User, err error) {
	err = g.store.View(ctx, func(tx store.Tx) (err error) {
		u, err = tx.UserByEmail(ctx, email)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, ErrNoUser
	} else if err != nil {
		return store.User{}, fmt.Errorf("grant: user by address: %w", err)
	}
	return u, nil
}

// OfUser returns the grants of a user that work, the newest first, with the
// elevations that are not over. It refuses with [ErrNoUser].
func (g *Grants) OfUser(ctx context.Context, userID string) (live []store.Grant, err error) {
	now := g.now()
	err = g.store.View(ctx, func(tx store.Tx) error {
		if _, err := tx.User(ctx, userID); err != nil {
			return err
		}
		all, err := tx.GrantsOfUser(ctx, userID)
		live = nil
		for _, gr := range all {
			if gr.RevokedAt.IsZero() && now.Before(gr.Expires) {
				gr.Elevations = running(gr, now)
				live = append(live, gr)
			}
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoUser
	} else if err != nil {
		return nil, fmt.Errorf("grant: grants of a user: %w", err)
	}
	return live, nil
}
