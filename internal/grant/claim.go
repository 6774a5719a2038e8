package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/foyer/store"
)

// ErrChanged refuses a claim of a grant that is not what it was when the claim
// began: someone has claimed it, or signed out, meanwhile.
var ErrChanged = errors.New("grant: grant was claimed or changed meanwhile")

// A Proof is what the person behind a guest has shown.
type Proof struct {
	UserID     string   // the user, who is in the store once the transaction commits
	Level      string   // how strongly the person was authenticated
	ApprovedBy string   // how the scopes were approved
	Scopes     []string // to add to the grant's
	Epoch      int      // of the grant, when the proof was asked for
}

// Claim gives the unclaimed grant behind an access token its user, once. It is
// part of the transaction that consumes the proof, and writes nothing when it
// refuses, so that the caller may count the attempt and commit. Data that the
// guest has kept stays the guest's.
//
// It refuses with [ErrUnknown], [ErrRevoked], [ErrChanged] or [ErrLeaving].
func (g *Grants) Claim(ctx context.Context, tx store.Tx, access store.Hash, p Proof, now time.Time) (store.Grant, error) {
	t, gr, err := ByAccess(ctx, tx, access, now)
	if gr.ID != "" && (gr.UserID != "" || gr.Epoch != p.Epoch) { // before the token: the loser of a race is told that it lost
		return store.Grant{}, ErrChanged
	}
	if err != nil {
		return store.Grant{}, err
	}
	return g.claim(ctx, tx, t, gr, p, now)
}

// ClaimAside is [Grants.Claim] for a proof that comes by another way than the client
// of the grant id. Of access tokens the one crosses that asked for the proof, which
// is of the generation asker. Where it has gone, none does: the client has refreshed,
// or does so now.
func (g *Grants) ClaimAside(ctx context.Context, tx store.Tx, id string, asker int, p Proof, now time.Time) (store.Grant, error) {
	gr, err := Live(ctx, tx, id, now)
	switch {
	case err != nil:
		return store.Grant{}, err
	case gr.UserID != "", gr.Epoch != p.Epoch:
		return store.Grant{}, ErrChanged
	}
	t, err := tx.TokenOf(ctx, id, store.Access, asker)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.Grant{}, fmt.Errorf("grant: claim: %w", err)
	}
	if err != nil || t.Epoch != gr.Epoch {
		t = store.Token{}
	}
	return g.claim(ctx, tx, t, gr, p, now)
}

func (g *Grants) claim(ctx context.Context, tx store.Tx, t store.Token, gr store.Grant, p Proof, now time.Time) (store.Grant, error) {
	if err := stays(ctx, tx, p.UserID); err != nil {
		return store.Grant{}, err
	}
	gr.UserID, gr.KnownUserID = p.UserID, p.UserID
	gr.Level, gr.ApprovedBy, gr.AuthTime = p.Level, p.ApprovedBy, now
	gr.Scopes = union(gr.Scopes, p.Scopes)
	gr.Expires = g.expires(gr, now)
	claimed := store.NewEvent(ctx, store.EventGrantClaimed, now).Of(gr)
	claimed.Scopes = p.Scopes
	if err := errors.Join(cross(ctx, tx, t, gr), tx.PutEvent(ctx, claimed), g.touchClient(ctx, tx, gr, store.Client{}, now)); err != nil {
		return store.Grant{}, fmt.Errorf("grant: claim: %w", err)
	}
	gr.Epoch++
	return gr, nil
}

func union(a, b []string) []string {
	both := slices.Concat(a, b)
	slices.Sort(both)
	return slices.Compact(both)
}
