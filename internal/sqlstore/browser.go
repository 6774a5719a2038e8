package sqlstore

import (
	"context"

	"example.com/foyer/store"
)

var (
	browsers = newTableOf("foyer_browsers", 2, "hash", "client_id", "grant_id", "expires")

	browserByKey   = browsers.where("hash = $1 AND client_id = $2")
	browsersForget = "DELETE FROM foyer_browsers WHERE grant_id = $1"
)

func browserFields(b *store.Browser) []any {
	return []any{(*hash)(&b.Hash), &b.ClientID, &b.GrantID, (*instant)(&b.Expires)}
}

func (tx *tx) Browser(ctx context.Context, h store.Hash, clientID string) (b store.Browser, err error) {
	err = tx.get(ctx, browserFields(&b), browserByKey, h[:], clientID)
	return b, err
}

func (tx *tx) PutBrowser(ctx context.Context, b store.Browser) error {
	return tx.put(ctx, browsers.upsert, browserFields(&b))
}

func (tx *tx) ForgetGrant(ctx context.Context, grantID string) error {
	_, err := tx.exec(ctx, browsersForget, grantID)
	return err
}
