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
// at again. It returns those that the user had, and has now, each once and in
// order. It refuses with [ErrNoUser] and [ErrRoles].
func (g *Grants) SetRoles(ctx context.Context, userID string, roles []string) (was, is []string, err error) {
	is = slices.Compact(slices.Sorted(slices.Values(roles)))
	if len(is) > maxRoles || slices.ContainsFunc(is, func(r string) bool { return r == "" || strings.ContainsAny(r, " \x00") }) {
		return nil, nil, ErrRoles
	}
	var grants []store.Grant
	err = g.store.Update(ctx, func(tx store.Tx) error {
		u, err := tx.User(ctx, userID)
		if err != nil {
			return err
		}
		was, u.Roles = u.Roles, is
		given := store.NewEvent(ctx, store.EventRolesSet, g.now())
		given.UserID, given.Roles, given.By = userID, is, store.ByApp
		grants, err = tx.GrantsOfUser(ctx, userID)
		return errors.Join(err, tx.PutUser(ctx, u), tx.PutEvent(ctx, given))
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, ErrNoUser
	} else if err != nil {
		return nil, nil, fmt.Errorf("grant: set roles: %w", err)
	}
	for _, gr := range grants {
		g.Announce(gr.ID)
	}
	return was, is, nil
}
