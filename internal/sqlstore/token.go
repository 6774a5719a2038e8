package sqlstore

import (
	"context"

	"example.com/foyer/store"
)

var (
	tokens      = newTable("foyer_tokens", "hash", "kind", "grant_id", "epoch", "generation", "used_at", "expires", "scopes")
	redemptions = newTable("foyer_redemptions", "code_id", "grant_id", "expires")

	tokenByHash      = tokens.where("hash = $1")
	tokenByPlace     = tokens.where("grant_id = $1 AND kind = $2 AND generation = $3")
	redemptionByCode = redemptions.where("code_id = $1")
)

func tokenFields(t *store.Token) []any {
	return []any{(*hash)(&t.Hash), &t.Kind, &t.GrantID, &t.Epoch, &t.Generation,
		(*instant)(&t.UsedAt), (*instant)(&t.Expires), (*words)(&t.Scopes)}
}

func redemptionFields(r *store.Redemption) []any {
	return []any{&r.CodeID, &r.GrantID, (*instant)(&r.Expires)}
}

func (tx *tx) Token(ctx context.Context, h store.Hash) (t store.Token, err error) {
	err = tx.get(ctx, tokenFields(&t), tokenByHash, h[:])
	return t, err
}

func (tx *tx) TokenOf(ctx context.Context, grantID, kind string, generation int) (t store.Token, err error) {
	err = tx.get(ctx, tokenFields(&t), tokenByPlace, grantID, kind, generation)
	return t, err
}

func (tx *tx) PutToken(ctx context.Context, t store.Token) error {
	return tx.put(ctx, tokens.upsert, tokenFields(&t))
}

func (tx *tx) Redemption(ctx context.Context, codeID string) (r store.Redemption, err error) {
	err = tx.get(ctx, redemptionFields(&r), redemptionByCode, codeID)
	return r, err
}

func (tx *tx) PutRedemption(ctx context.Context, r store.Redemption) error {
	return tx.put(ctx, redemptions.upsert, redemptionFields(&r))
}
