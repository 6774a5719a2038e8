package grant

import (
	"context"
	"errors"
	"slices"
	"time"

	"example.com/foyer/store"
)

// ErrStale refuses what takes a user who has just signed in.
var ErrStale = errors.New("grant: the sign-in in the browser is more than ten minutes ago")

// justNow is how old a sign-in may be for what harms most in the hands of somebody
// who sits down at another's browser.
const justNow = 10 * time.Minute

// A Visit is that of a user who is signed in in a browser.
type Visit struct {
	UserID   string
	AuthTime time.Time // when the user signed in there
	Language string    // of the browser, as a tag (BCP 47), or empty: that of mails about what is done there
}

func (v Visit) fresh(now time.Time) bool { return !now.After(v.AuthTime.Add(justNow)) }

// ofUser returns the live grant id of a user. Of others there is nothing, whether
// there is or not: it refuses with [ErrUnknown].
func ofUser(ctx context.Context, tx store.Tx, userID, id string, now time.Time) (store.Grant, error) {
	gr, err := Live(ctx, tx, id, now)
	if errors.Is(err, ErrRevoked) || err == nil && (userID == "" || gr.UserID != userID) {
		return store.Grant{}, ErrUnknown
	}
	return gr, err
}

// Disconnect revokes the live grant id of a user, who asks for it. It refuses with
// [ErrUnknown] also where the grant is over, or another's.
func (g *Grants) Disconnect(ctx context.Context, userID, id string) error {
	now := g.now()
	err := g.store.Update(ctx, func(tx store.Tx) error {
		gr, err := ofUser(ctx, tx, userID, id, now)
		if err != nil {
			return err
		}
		return end(ctx, tx, gr, "", store.ByUser, now)
	})
	if err != nil {
		return refused("disconnect", err, ErrUnknown)
	}
	g.Announce(id)
	return nil
}

// DisconnectAll revokes all live grants of a user, or all but one where but is its
// ID, and returns how many. It refuses with [ErrStale], and with [ErrUnknown] where
// but is no live grant of the user.
func (g *Grants) DisconnectAll(ctx context.Context, v Visit, but string) (n int, err error) {
	now := g.now()
	if !v.fresh(now) {
		return 0, ErrStale
	}
	var ended []string
	err = g.store.Update(ctx, func(tx store.Tx) (err error) {
		if but != "" {
			if _, err := ofUser(ctx, tx, v.UserID, but, now); err != nil {
				return err
			}
		}
		ended, err = endAll(ctx, tx, v.UserID, but, store.ByUser, now)
		return err
	})
	if err != nil {
		return 0, refused("disconnect all", err, ErrUnknown)
	}
	for _, id := range ended {
		g.Announce(id)
	}
	return len(ended), nil
}

func endAll(ctx context.Context, tx store.Tx, userID, but, by string, now time.Time) (ended []string, err error) {
	all, err := tx.GrantsOfUser(ctx, userID)
	if err != nil {
		return nil, err
	}
	for _, gr := range all {
		if gr.ID == but || !gr.RevokedAt.IsZero() || !now.Before(gr.Expires) {
			continue
		}
		if err := end(ctx, tx, gr, "", by, now); err != nil {
			return nil, err
		}
		ended = append(ended, gr.ID)
	}
	return ended, nil
}

// A Change is of the scopes of a grant.
type Change struct {
	GrantID string
	Was     []string // when the user was asked
	Is      []string // from now on; [Guest] stays in any case
}

// SetScopes gives a live grant of a user other scopes, from the next request on. The
// epoch and the tokens stay: a token has what is left, and what comes, unless a
// refresh has cut it. The level stays, too: a tool that asks for a stronger one asks
// for new tokens.
//
// It refuses with [ErrUnknown], also where the grant is over, or another's, with
// [ErrChanged] where its scopes are not those that the user has seen, and with
// [ErrStale] where one is added and the sign-in is too old.
func (g *Grants) SetScopes(ctx context.Context, v Visit, ch Change) error {
	now := g.now()
	is := union(ch.Is, []string{Guest})
	err := g.store.Update(ctx, func(tx store.Tx) error {
		gr, err := ofUser(ctx, tx, v.UserID, ch.GrantID, now)
		if err != nil {
			return err
		}
		given, taken := without(is, gr.Scopes), without(gr.Scopes, is)
		switch {
		case !within(gr.Scopes, ch.Was) || !within(ch.Was, gr.Scopes):
			return ErrChanged
		case len(given) > 0 && !v.fresh(now):
			return ErrStale
		}
		gr.Scopes = is
		return errors.Join(tx.PutGrant(ctx, gr), tell(ctx, tx, store.EventGrantWidened, gr, given, now), tell(ctx, tx, store.EventGrantNarrowed, gr, taken, now))
	})
	if err != nil {
		return refused("set scopes", err, ErrUnknown, ErrChanged, ErrStale)
	}
	g.Announce(ch.GrantID)
	return nil
}

// without are those of some that are not among others.
func without(some, others []string) []string {
	return slices.DeleteFunc(slices.Clone(some), func(name string) bool { return slices.Contains(others, name) })
}

// tell puts the event of scopes that the user of gr has given or taken, if any.
func tell(ctx context.Context, tx store.Tx, kind string, gr store.Grant, scopes []string, now time.Time) error {
	if len(scopes) == 0 {
		return nil
	}
	changed := store.NewEvent(ctx, kind, now).Of(gr)
	changed.Scopes, changed.By = scopes, store.ByUser
	return tx.PutEvent(ctx, changed)
}

// Activity returns what a user did lately, and had done, the newest first: n events
// at most.
func (g *Grants) Activity(ctx context.Context, userID string, n int) (events []store.Event, err error) {
	err = g.store.View(ctx, func(tx store.Tx) (err error) {
		events, err = tx.EventsOfUser(ctx, userID, n)
		return err
	})
	return events, err
}
