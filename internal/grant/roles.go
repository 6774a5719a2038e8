package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.com/foyer/store"
)

// Refusals of SetRoles.
var (
	ErrNoUser = errors.New("grant: there is no such user")
	ErrRoles  = errors.New("grant: a role has no name, or a space in it, or there are too many")
)

const maxRoles = 50 // of a user

// SetRoles gives a user exactly these roles, and has all grants of the user looked
// at again. It refuses with [ErrNoUser] and [ErrRoles].
func (g *Grants) SetRoles(ctx context.Context, userID string, roles []string) error {
	roles = slices.Compact(slices.Sorted(slices.Values(roles)))
	if len(roles) > maxRoles || slices.ContainsFunc(roles, func(r string) bool { return r == "" || strings.ContainsAny(r, " \x00") }) {
		return ErrRoles
	}
	var grants []store.Grant
	err := g.store.Update(ctx, func(tx store.Tx) error {
		u, err := tx.User(ctx, userID)
		if err != nil {
			return err
		}
		u.Roles = roles
		given := store.NewEvent(ctx, store.EventRolesSet, g.now())
		given.UserID, given.Roles, given.By = userID, roles, store.ByApp
		grants, err = tx.GrantsOfUser(ctx, userID)
		return errors.Join(err, tx.PutUser(ctx, u), tx.PutEvent(ctx, given))
	})
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoUser
	} else if err != nil {
		return fmt.Errorf("grant: set roles: %w", err)
	}
	for _, gr := range grants {
		g.Announce(gr.ID)
	}
	return nil
}
