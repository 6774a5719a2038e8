package sqlstore

import (
	"context"

	"example.com/foyer/store"
)

var (
	grants = newTable("foyer_grants", "id", "client_id", "redirect_host", "resource", "guest_id", "user_id",
		"known_user_id", "epoch", "level", "auth_time", "scopes", "approved_by", "generation", "created",
		"revoked_at", "expires")

	grantByID = grants.where("id = $1")
)

func grantFields(g *store.Grant) []any {
	return []any{&g.ID, &g.ClientID, &g.RedirectHost, &g.Resource, &g.GuestID, &g.UserID,
		&g.KnownUserID, &g.Epoch, &g.Level, (*instant)(&g.AuthTime), (*words)(&g.Scopes), &g.ApprovedBy,
		&g.Generation, (*instant)(&g.Created), (*instant)(&g.RevokedAt), (*instant)(&g.Expires)}
}

func (tx *tx) Grant(ctx context.Context, id string) (g store.Grant, err error) {
	err = tx.get(ctx, grantFields(&g), grantByID, id)
	return g, err
}

func (tx *tx) PutGrant(ctx context.Context, g store.Grant) error {
	return tx.put(ctx, grants.upsert, grantFields(&g))
}
