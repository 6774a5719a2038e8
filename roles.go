package foyer

import (
	"context"
	"errors"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/grant"
	"example.com/foyer/store"
)

// Refusals of [Kit.SetRoles] and [Kit.Elevate].
var (
	ErrNoUser    = errors.New("foyer: there is no such user")
	ErrNoGrant   = errors.New("foyer: there is no such grant of a user, or it is over")
	ErrRoles     = errors.New("foyer: a role has no name, or a space in it, or there are more than 50")
	ErrElevation = errors.New("foyer: an elevation names one scope or one role, a time of at most 24 hours, a reason, and who approved it; a grant has at most 16")
)

// SetRoles gives a user exactly these roles ([gate.Role]), which count from the
// next request on: on every grant of the user, and in every process. Streams of
// this process hear of it at once, if a list looks different now; others within
// ten seconds. The user is [gate.Caller.UserID] of a call. It refuses with
// [ErrNoUser] and [ErrRoles].
func (k *Kit) SetRoles(ctx context.Context, userID string, roles ...string) error {
	switch err := k.grants.SetRoles(ctx, userID, roles); {
	case errors.Is(err, grant.ErrNoUser):
		return ErrNoUser
	case errors.Is(err, grant.ErrRoles):
		return ErrRoles
	default:
		return err
	}
}

// An Elevation is a scope or a role that one grant of a user has for a while: for
// the hour in which somebody repairs something, with somebody else's approval.
type Elevation struct {
	GrantID  string        // [gate.Caller.GrantID] of the user's call
	Scope    string        // one of Config.Scopes; or empty
	Role     string        // or empty
	For      time.Duration // at most 24 hours
	Reason   string        // in words
	Approver string        // who has approved it
}

// Elevate gives e.GrantID what e says, from the next request on. It ends by
// itself, at that moment, everywhere, and at a sign-out; the same elevation again
// replaces the one before. It refuses with [ErrNoGrant] and [ErrElevation].
func (k *Kit) Elevate(ctx context.Context, e Elevation) error {
	if _, level := gate.LevelOf(e.Scope); level || e.Scope != "" && !k.cfg.Scopes.Known(e.Scope) {
		return ErrElevation
	}
	err := k.grants.Elevate(ctx, e.GrantID, store.Elevation{Scope: e.Scope, Role: e.Role, Until: k.now().Add(e.For), Reason: e.Reason, By: e.Approver})
	switch {
	case errors.Is(err, grant.ErrElevation), errors.Is(err, grant.ErrElevated):
		return ErrElevation
	case errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked), errors.Is(err, grant.ErrGuest):
		return ErrNoGrant
	}
	return err
}
