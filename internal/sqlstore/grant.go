package sqlstore

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"

	"example.com/foyer/store"
)

var (
	grants = newTable("foyer_grants", "id", "client_id", "redirect_host", "resource", "guest_id", "user_id",
		"known_user_id", "epoch", "level", "auth_time", "scopes", "approved_by", "generation", "created",
		"revoked_at", "expires", "elevations", "continues", "refreshed", "language")

	grantByID    = grants.where("id = $1")
	grantsOfUser = grants.where("user_id = $1 AND user_id <> '' ORDER BY created DESC, id") // the condition is the index's
)

func grantFields(g *store.Grant) []any {
	return []any{&g.ID, &g.ClientID, &g.RedirectHost, &g.Resource, &g.GuestID, &g.UserID,
		&g.KnownUserID, &g.Epoch, &g.Level, (*instant)(&g.AuthTime), (*words)(&g.Scopes), &g.ApprovedBy,
		&g.Generation, (*instant)(&g.Created), (*instant)(&g.RevokedAt), (*instant)(&g.Expires), (*elevations)(&g.Elevations), &g.Continues, (*instant)(&g.Refreshed), &g.Language}
}

func (tx *tx) Grant(ctx context.Context, id string) (g store.Grant, err error) {
	err = tx.get(ctx, grantFields(&g), grantByID, id)
	return g, err
}

func (tx *tx) PutGrant(ctx context.Context, g store.Grant) error {
	return tx.put(ctx, grants.upsert, grantFields(&g))
}

func (tx *tx) GrantsOfUser(ctx context.Context, userID string) ([]store.Grant, error) {
	var all []store.Grant
	err := tx.each(ctx, func(scan func(...any) error) error {
		var g store.Grant
		err := scan(grantFields(&g)...)
		all = append(all, g)
		return err
	}, grantsOfUser, userID)
	return all, err
}

// Elevations are JSON; none are the empty text.
type elevations []store.Elevation

func (e *elevations) Value() (driver.Value, error) {
	if len(*e) == 0 {
		return "", nil
	}
	text, err := json.Marshal([]store.Elevation(*e))
	return string(text), err
}

func (e *elevations) Scan(src any) error {
	s, ok := src.(string)
	if !ok {
		return fmt.Errorf("sqlstore: elevations are %T, not string", src)
	}
	*e = nil
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), (*[]store.Elevation)(e))
}
