package grant

import (
	"context"
	"errors"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// Check returns who stands behind accessToken at resource. It asks the store on
// every call, so that a claim and a revocation act at once. It refuses with
// [ErrUnknown] or [ErrRevoked].
func (g *Grants) Check(ctx context.Context, accessToken, resource string) (store.Bearer, error) {
	b, err := g.Look(ctx, secret.HashOf(accessToken), resource)
	if err == nil && b.Token.Generation > 1 && b.Token.UsedAt.IsZero() {
		g.note(b.Token.Hash)
	}
	return b, err
}

// Look is [Grants.Check] by the hash of an access token, for whatever goes on
// under the token after its request. It counts as no use of the token.
func (g *Grants) Look(ctx context.Context, access store.Hash, resource string) (store.Bearer, error) {
	b, err := g.store.Bearer(ctx, access)
	if errors.Is(err, store.ErrNotFound) {
		return store.Bearer{}, ErrUnknown
	} else if err != nil {
		return store.Bearer{}, err
	}
	if b.Grant.Resource != resource { // meant for another resource server (RFC 8707 section 2)
		return store.Bearer{}, ErrUnknown
	}
	if err := checkAccess(b.Token, b.Grant, g.now()); err != nil {
		return store.Bearer{}, err
	}
	return b, nil
}

// Stands returns nil for a grant that works, and [ErrUnknown] or [ErrRevoked]
// for one that is over.
func (g *Grants) Stands(ctx context.Context, id string) error {
	return g.store.View(ctx, func(tx store.Tx) error {
		_, err := Live(ctx, tx, id, g.now())
		return err
	})
}

// Live returns a grant that works. It refuses with [ErrUnknown] or [ErrRevoked].
func Live(ctx context.Context, tx store.Tx, id string, now time.Time) (store.Grant, error) {
	gr, err := tx.Grant(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.Grant{}, ErrUnknown
	case err != nil:
		return store.Grant{}, err
	case !gr.RevokedAt.IsZero():
		return store.Grant{}, ErrRevoked
	case !now.Before(gr.Expires):
		return store.Grant{}, ErrUnknown
	}
	return gr, nil
}

// checkAccess reports why t is no working access token of gr, or nil.
func checkAccess(t store.Token, gr store.Grant, now time.Time) error {
	switch {
	case t.Kind != store.Access, !now.Before(t.Expires), !now.Before(gr.Expires), t.Epoch != gr.Epoch:
		return ErrUnknown
	case !gr.RevokedAt.IsZero():
		return ErrRevoked
	}
	return nil
}

// note writes, once and behind the request, that an access token which came
// from a refresh was used: its client has received it, so nobody needs the
// repeat of that refresh any more. The refresh token issued with it is noted
// too, because it is remembered longer. A note that is lost to a crash or a
// fault is taken on the next use.
func (g *Grants) note(h store.Hash) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, running := g.notes[h]; running {
		return
	}
	g.notes[h] = struct{}{}
	g.busy.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = g.store.Update(ctx, func(tx store.Tx) error {
			t, err := tx.Token(ctx, h)
			if err != nil || !t.UsedAt.IsZero() {
				return err
			}
			t.UsedAt = g.now()
			with, err := tx.TokenOf(ctx, t.GrantID, store.Refresh, t.Generation)
			if err != nil {
				return err
			}
			if with.UsedAt.IsZero() {
				with.UsedAt = t.UsedAt
			}
			return errors.Join(tx.PutToken(ctx, t), tx.PutToken(ctx, with))
		})
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.notes, h)
	})
}
