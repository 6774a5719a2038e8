package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// Refusals of Refresh.
var (
	ErrReused   = errors.New("grant: refresh token used twice; grant revoked")
	ErrScope    = errors.New("grant: a refresh cannot ask for more scope")
	ErrAnswered = errors.New("grant: refresh token was exchanged already, for scopes that this request does not ask for")
)

// A Renewal is what a client sends to refresh its tokens (RFC 6749 section 6).
type Renewal struct {
	RefreshToken secret.Text
	ClientID     string
	Client       store.Client // as in Exchange
	Resource     string       // canonical; empty means the grant's
	Scopes       []string     // to cut the access token to, besides guest; none cut nothing
}

// cut is what the access token of the answer is cut to; none for no cut. What a
// guest may do stays in it: that opens nothing of a person's.
func (r Renewal) cut() []string {
	if len(r.Scopes) == 0 {
		return nil
	}
	return union(r.Scopes, []string{Guest})
}

// within reports whether some scopes are all among others.
func within(some, others []string) bool {
	return !slices.ContainsFunc(some, func(name string) bool { return !slices.Contains(others, name) })
}

// Refresh exchanges a refresh token for the next pair of tokens (RFC 6749
// section 6).
//
// Asked again with the same token within the overlap, or as long as neither
// token of the answer was used, it answers the same pair again: two windows of
// one client race, a response is lost, and nobody is to be signed out. The
// overlap begins when an answer that nobody has used is given, the first time or
// again. After that someone holds a copy: the whole grant is revoked, the thief's
// tokens with the owner's, and Refresh returns [ErrReused] (RFC 9700 section
// 4.14.2). Where access tokens are JWTs, whose use is not seen here, the first
// overlap is all the time there is: else two who share a family would never be
// told apart.
//
// Scopes cut the access token that is issued, and nothing else: the refresh
// token keeps its grant's, and the next refresh that names none gets all again.
// A repeat never moves a cut. It gets the same answer, which says how that is
// cut, unless this opens what the repeat does not ask for: [ErrAnswered].
func (g *Grants) Refresh(ctx context.Context, r Renewal) (Issued, error) {
	var issued Issued
	var refusal error
	var id string
	err := g.store.Update(ctx, func(tx store.Tx) (err error) {
		issued, refusal = Issued{}, nil // Update may run this again
		t, gr, err := byToken(ctx, tx, r.RefreshToken.Hash())
		id = gr.ID
		switch {
		case errors.Is(err, store.ErrNotFound), err == nil && gr.ClientID != r.ClientID:
			refusal = ErrUnknown
			return nil
		case err != nil:
			return err
		case r.Resource != "" && r.Resource != gr.Resource:
			refusal = ErrResource
			return nil
		}
		issued, refusal, err = g.refresh(ctx, tx, t, gr, r)
		return err
	})
	if err != nil {
		return Issued{}, fmt.Errorf("grant: refresh: %w", err)
	}
	if errors.Is(refusal, ErrReused) {
		g.Announce(id)
	}
	return issued, refusal
}

func byToken(ctx context.Context, tx store.Tx, h store.Hash) (store.Token, store.Grant, error) {
	t, err := tx.Token(ctx, h)
	if err != nil {
		return store.Token{}, store.Grant{}, err
	}
	gr, err := tx.Grant(ctx, t.GrantID)
	return t, gr, err
}

func (g *Grants) refresh(ctx context.Context, tx store.Tx, t store.Token, gr store.Grant, r Renewal) (Issued, error, error) {
	now := g.now()
	successor, err := tx.TokenOf(ctx, gr.ID, store.Refresh, t.Generation+1)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Issued{}, nil, err
	}
	seen := !successor.UsedAt.IsZero() || g.signs(gr) // a JWT may be used where nobody tells us
	step := nextStep(t, gr, seen, g.life.Overlap, now)
	if (step == rotate || step == repeat) && !within(r.Scopes, gr.Scopes) {
		return Issued{}, ErrScope, nil
	}
	switch step {
	case rotate:
		issued, err := g.rotate(ctx, tx, t, gr, r, now)
		return issued, nil, err
	case repeat:
		return g.repeat(ctx, tx, t, gr, r, now)
	case revoke:
		return Issued{}, ErrReused, endReused(ctx, tx, gr, now) // and no error for ErrReused: the revocation must stay
	case refuseRevoked:
		return Issued{}, ErrRevoked, nil
	}
	return Issued{}, ErrUnknown, nil
}

// A step is what Refresh does with a refresh token.
type step int

const (
	refuse        step = iota
	refuseRevoked      // the grant is over
	rotate             // the token is current
	repeat             // redeemed, and its successors may not have arrived
	revoke             // someone holds a copy
)

// nextStep is the only place that decides what becomes of t, a token of gr.
// seen says that one of the tokens that succeeded it was used.
func nextStep(t store.Token, gr store.Grant, seen bool, overlap time.Duration, now time.Time) step {
	last := t.Generation+1 == gr.Generation // its successor may be used next
	repeats := last && (!seen || now.Before(t.UsedAt.Add(overlap)))
	switch {
	case t.Kind != store.Refresh, !now.Before(gr.Expires):
		return refuse
	case !gr.RevokedAt.IsZero():
		return refuseRevoked
	case t.Generation < gr.Generation && !repeats:
		return revoke
	case t.Epoch != gr.Epoch: // a claim left it behind; its owner may not know yet
		return refuse
	case repeats:
		return repeat
	}
	return rotate
}

// rotate redeems t and issues its successor.
func (g *Grants) rotate(ctx context.Context, tx store.Tx, t store.Token, gr store.Grant, r Renewal, now time.Time) (Issued, error) {
	t.UsedAt = now
	gr.Generation++
	gr.Expires, gr.Refreshed = g.expires(gr, now), now
	refreshed := store.NewEvent(ctx, store.EventGrantRefreshed, now).Of(gr)
	if err := errors.Join(tx.PutToken(ctx, t), tx.PutGrant(ctx, gr), tx.PutEvent(ctx, refreshed), g.touchClient(ctx, tx, gr, r.Client, now)); err != nil {
		return Issued{}, err
	}
	return g.putPair(ctx, tx, gr, g.keys.Successors(r.RefreshToken.Reveal())[0], r.cut(), now)
}

// repeat computes the successors of t again, which were issued under one of the
// keys. If that key is gone, so is the answer. After the overlap their time begins
// anew, as it would have had the first answer arrived now. An answer that nobody
// has used begins an overlap whenever it is given: a client that lost it, and
// comes back with two windows at once, is not to be taken for a thief.
func (g *Grants) repeat(ctx context.Context, tx store.Tx, t store.Token, gr store.Grant, r Renewal, now time.Time) (Issued, error, error) {
	for _, pair := range g.keys.Successors(r.RefreshToken.Reveal()) {
		refresh, err := tx.Token(ctx, pair.Refresh.Hash())
		if errors.Is(err, store.ErrNotFound) {
			continue
		} else if err != nil {
			return Issued{}, nil, err
		}
		if len(r.Scopes) > 0 && !within(Scopes(refresh, gr), r.cut()) {
			return Issued{}, ErrAnswered, nil
		}
		access, err := tx.TokenOf(ctx, gr.ID, store.Access, gr.Generation)
		if err != nil && !errors.Is(err, store.ErrNotFound) { // what has expired may be deleted
			return Issued{}, nil, err
		}
		if access.Hash != pair.Access.Hash() && (err == nil || g.signs(gr)) {
			return g.repeatSigned(t, gr, access, pair, now)
		}
		if !now.Before(t.UsedAt.Add(g.life.Overlap)) || !now.Before(access.Expires) { // a record that is gone has expired
			gr.Expires = g.expires(gr, now)
			access = g.access(gr, pair, refresh.Scopes, now)
			if err := errors.Join(tx.PutToken(ctx, access), tx.PutGrant(ctx, gr), g.touchClient(ctx, tx, gr, r.Client, now)); err != nil {
				return Issued{}, nil, err
			}
		}
		if refresh.UsedAt.IsZero() {
			t.UsedAt = now
			if err := tx.PutToken(ctx, t); err != nil {
				return Issued{}, nil, err
			}
		}
		return issue(pair, access, gr, now), nil, nil
	}
	return Issued{}, ErrUnknown, nil
}
