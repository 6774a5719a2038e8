package sqlstore

import (
	"context"
	"time"

	"example.com/foyer/store"
)

var (
	browsers = newTableOf("foyer_browsers", 2, "hash", "client_id", "grant_id", "expires")

	browserByKey   = browsers.where("hash = $1 AND client_id = $2")
	browsersForget = "DELETE FROM foyer_browsers WHERE grant_id = $1"
	usersOfBrowser = "SELECT DISTINCT g.known_user_id FROM foyer_browsers b JOIN foyer_grants g ON g.id = b.grant_id " +
		"WHERE b.hash = $1 AND b.expires > $2 AND g.known_user_id <> '' ORDER BY g.known_user_id LIMIT $3"
)

func browserFields(b *store.Browser) []any {
	return []any{(*hash)(&b.Hash), &b.ClientID, &b.GrantID, (*instant)(&b.Expires)}
}

func (tx *tx) Browser(ctx context.Context, h store.Hash, clientID string) (b store.Browser, err error) {
	err = tx.get(ctx, browserFields(&b), browserByKey, h[:], clientID)
	return b, err
}

func (tx *tx) UsersOfBrowser(ctx context.Context, h store.Hash, then time.Time, limit int) (all []string, err error) {
	err = tx.each(ctx, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		all = append(all, id)
		return err
	}, usersOfBrowser, h[:], (*instant)(&then), max(limit, 0))
	return all, err
}

func (tx *tx) PutBrowser(ctx context.Context, b store.Browser) error {
	return tx.put(ctx, browsers.upsert, browserFields(&b))
}

func (tx *tx) ForgetGrant(ctx context.Context, grantID string) error {
	_, err := tx.exec(ctx, browsersForget, grantID)
	return err
}
