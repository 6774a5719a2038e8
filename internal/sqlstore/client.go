package sqlstore

import (
	"context"

	"example.com/foyer/store"
)

var (
	clients = newTable("foyer_clients", "id", "name", "redirect_uris", "digest", "created", "last_used", "expires", "document", "fresh")

	clientByID     = clients.where("id = $1")
	clientByDigest = clients.where("digest = $1")

	// An OFFSET needs a LIMIT in SQLite; this one is no limit.
	clientsTrim = `DELETE FROM foyer_clients WHERE id IN (
		SELECT id FROM foyer_clients WHERE last_used = 0 ORDER BY expires DESC, id DESC LIMIT 9223372036854775807 OFFSET $1)`
	clientsUnused = "SELECT count(*) FROM foyer_clients WHERE last_used = 0"
)

func clientFields(c *store.Client) []any {
	return []any{&c.ID, &c.Name, (*words)(&c.RedirectURIs), (*hash)(&c.Digest),
		(*instant)(&c.Created), (*instant)(&c.LastUsed), (*instant)(&c.Expires),
		(*text)(&c.Document), (*instant)(&c.Fresh)}
}

func (tx *tx) Client(ctx context.Context, id string) (c store.Client, err error) {
	err = tx.get(ctx, clientFields(&c), clientByID, id)
	return c, err
}

func (tx *tx) ClientByDigest(ctx context.Context, digest store.Hash) (c store.Client, err error) {
	err = tx.get(ctx, clientFields(&c), clientByDigest, digest[:])
	return c, err
}

func (tx *tx) PutClient(ctx context.Context, c store.Client) error {
	return tx.put(ctx, clients.upsert, clientFields(&c))
}

func (tx *tx) TrimUnusedClients(ctx context.Context, keep int) (left int, err error) {
	if _, err := tx.exec(ctx, clientsTrim, max(keep, 0)); err != nil {
		return 0, err
	}
	err = tx.get(ctx, []any{&left}, clientsUnused)
	return left, err
}
