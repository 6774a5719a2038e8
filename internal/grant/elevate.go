package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/foyer/store"
)

// Refusals of Elevate and Lower.
var (
	ErrElevation   = errors.New("grant: an elevation names one scope or one role, a reason, who approved it, and a moment of the next 24 hours")
	ErrElevated    = errors.New("grant: the grant has too many elevations")
	ErrNotElevated = errors.New("grant: the grant has no such elevation")
)

const (
	maxElevations = 16 // of a grant, at once
	maxElevation  = 24 * time.Hour
	maxReason     = 500
)

// Elevate gives the live grant id of a user what e says, until e.Until. It ends
// by itself, and with the grant; a sign-out ends it, too. It refuses with
// [ErrElevation], [ErrElevated], [ErrGuest], [ErrUnknown] and [ErrRevoked].
func (g *Grants) Elevate(ctx context.Context, id string, e store.Elevation) error {
	now := g.now()
	if (e.Scope == "") == (e.Role == "") || strings.TrimSpace(e.Reason) == "" || strings.TrimSpace(e.By) == "" || len(e.Reason)+len(e.By) > maxReason ||
		strings.ContainsAny(e.Scope+e.Role, " \x00") || !e.Until.After(now) || e.Until.After(now.Add(maxElevation)) {
		return ErrElevation
	}
	e.Until = e.Until.UTC().Truncate(time.Microsecond)
	err := g.store.Update(ctx, func(tx store.Tx) error {
		gr, err := Live(ctx, tx, id, now)
		switch {
		case err != nil:
			return err
		case gr.UserID == "":
			return ErrGuest
		}
		gr.Elevations = slices.DeleteFunc(running(gr, now), func(old store.Elevation) bool {
			return old.Scope == e.Scope && old.Role == e.Role // which e replaces
		})
		if len(gr.Elevations) >= maxElevations {
			return ErrElevated
		}
		gr.Elevations = append(gr.Elevations, e)
		return errors.Join(tx.PutGrant(ctx, gr), tx.PutEvent(ctx, g.elevated(ctx, gr, e, now)))
	})
	if err != nil {
		return refused("elevate", err, ErrElevated, ErrGuest, ErrUnknown, ErrRevoked)
	}
	g.Announce(id)
	time.AfterFunc(e.Until.Sub(now), func() { g.Announce(id) })
	return nil
}

// Lower ends elevations of the live grant id before their time, and returns them:
// the one to scope, or to role, or all where both are empty. It refuses with
// [ErrElevation] where neither is, with [ErrNotElevated] where it finds none, with
// [ErrUnknown] and [ErrRevoked].
func (g *Grants) Lower(ctx context.Context, id, scope, role string) (ended []store.Elevation, err error) {
	if scope != "" && role != "" {
		return nil, ErrElevation
	}
	now := g.now()
	err = g.store.Update(ctx, func(tx store.Tx) error {
		gr, err := Live(ctx, tx, id, now)
		if err != nil {
			return err
		}
		ended = nil
		gr.Elevations = slices.DeleteFunc(running(gr, now), func(e store.Elevation) bool {
			ends := scope == "" && role == "" || e.Scope == scope && e.Role == role
			if ends {
				ended = append(ended, e)
			}
			return ends
		})
		if len(ended) == 0 {
			return ErrNotElevated
		}
		lowered := store.NewEvent(ctx, store.EventGrantLowered, now).Of(gr)
		lowered.By = store.ByApp
		for _, e := range ended {
			if e.Scope != "" {
				lowered.Scopes = append(lowered.Scopes, e.Scope)
			} else {
				lowered.Roles = append(lowered.Roles, e.Role)
			}
		}
		return errors.Join(tx.PutGrant(ctx, gr), tx.PutEvent(ctx, lowered))
	})
	if err != nil {
		return nil, refused("lower", err, ErrNotElevated, ErrUnknown, ErrRevoked)
	}
	g.Announce(id)
	return ended, nil
}

// running are the elevations of gr that are not over at now.
func running(gr store.Grant, now time.Time) []store.Elevation {
	return slices.DeleteFunc(slices.Clone(gr.Elevations), func(e store.Elevation) bool { return !now.Before(e.Until) })
}

// refused returns the one of refusals that err is. Anything else is a fault of the
// act what.
func refused(what string, err error, refusals ...error) error {
	for _, refusal := range refusals {
		if errors.Is(err, refusal) {
			return refusal
		}
	}
	return fmt.Errorf("grant: %s: %w", what, err)
}

// elevated is the event of e, which gr has got. The reason and the name of the
// approver are words of people: they stand in the grant, for as long as it is
// kept.
func (g *Grants) elevated(ctx context.Context, gr store.Grant, e store.Elevation, now time.Time) store.Event {
	given := store.NewEvent(ctx, store.EventGrantElevated, now).Of(gr)
	given.Until, given.By, given.Whom = e.Until, store.ByApp, g.keys.Whom(e.By)
	if e.Scope != "" {
		given.Scopes = []string{e.Scope}
	} else {
		given.Roles = []string{e.Role}
	}
	return given
}

// Elevated returns what t has at now by the elevations of its grant gr alone. A
// token that a refresh cut has no scope of them: it was to open less.
func Elevated(t store.Token, gr store.Grant, now time.Time) (scopes, roles []string) {
	for _, e := range gr.Elevations {
		switch {
		case !now.Before(e.Until):
		case e.Role != "":
			roles = append(roles, e.Role)
		case len(t.Scopes) == 0:
			scopes = append(scopes, e.Scope)
		}
	}
	return scopes, roles
}
