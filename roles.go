package foyer

import (
	"context"
	"errors"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/grant"
	"example.com/foyer/store"
)

// Refusals of what the application does with users and grants.
var (
	ErrNoUser      = errors.New("foyer: there is no such user")
	ErrNoGrant     = errors.New("foyer: there is no such grant, it is over, or it is a guest's")
	ErrRoles       = errors.New("foyer: a role has no name, or a space in it, or there are more than 50")
	ErrElevation   = errors.New("foyer: an elevation names one scope or one role, a time of at most 24 hours, a reason, and who approved it; a grant has at most 16")
	ErrNotLeaving  = errors.New("foyer: the user is not about to be deleted, or the deletion has begun")
	ErrNotElevated = errors.New("foyer: the grant has no such elevation")
)

// SetRoles gives a user exactly these roles ([gate.Role]), which count from the
// next request on: on every grant of the user, and in every process. Streams of
// this process hear of it at once, if a list looks different now; others within
// ten seconds. The user is [gate.Caller.UserID] of a call. It refuses with
// [ErrNoUser] and [ErrRoles].
func (k *Kit) SetRoles(ctx context.Context, userID string, roles ...string) error {
	_, _, err := k.grants.SetRoles(ctx, userID, roles)
	return refusalOf(err)
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
// replaces the one before. Streams hear of its beginning and of its end as they do
// of roles. It refuses with [ErrNoGrant] and [ErrElevation].
func (k *Kit) Elevate(ctx context.Context, e Elevation) error {
	if _, level := gate.LevelOf(e.Scope); level || e.Scope != "" && !k.cfg.Scopes.Known(e.Scope) {
		return ErrElevation
	}
	return refusalOf(k.grants.Elevate(ctx, e.GrantID, store.Elevation{Scope: e.Scope, Role: e.Role, Until: k.now().Add(e.For), Reason: e.Reason, By: e.Approver}))
}

// Lower ends an elevation of a grant before its time: the one to scope, or to
// role, or all of them where both are empty. It refuses with [ErrNotElevated] where
// there is none, with [ErrNoGrant], and with [ErrElevation] a scope and a role at
// once.
func (k *Kit) Lower(ctx context.Context, grantID, scope, role string) error {
	_, err := k.grants.Lower(ctx, grantID, scope, role)
	return refusalOf(err)
}

// refusalOf says err in the words of this package. A fault stays as it is.
func refusalOf(err error) error {
	switch {
	case errors.Is(err, grant.ErrNoUser):
		return ErrNoUser
	case errors.Is(err, grant.ErrRoles):
		return ErrRoles
	case errors.Is(err, grant.ErrElevation), errors.Is(err, grant.ErrElevated):
		return ErrElevation
	case errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked), errors.Is(err, grant.ErrGuest):
		return ErrNoGrant
	case errors.Is(err, grant.ErrNotLeaving), errors.Is(err, grant.ErrTooLate):
		return ErrNotLeaving
	case errors.Is(err, grant.ErrNotElevated):
		return ErrNotElevated
	}
	return err
}
