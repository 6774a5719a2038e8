package sqlstore

import (
	"context"
	"fmt"
	"time"
)

// expiredDeletes clear away one kind each, and run in this order: what belongs
// to a grant goes before the grant does.
var expiredDeletes = []string{
	deleteWhereKey(tokens.name, "grant_id", expiredKeys(grants.name, "id")),
	deleteWhereKey(challenges.name, "grant_id", expiredKeys(grants.name, "id")),
	deleteExpired(grants.name, "id"),
	deleteExpired(tokens.name, "hash"),
	deleteExpired(challenges.name, "id"),
	deleteExpired(clients.name, "id"),
	deleteExpired(redemptions.name, "code_id"),
	deleteExpired(counters.name, "id"),
	deleteExpired(browsers.name, "hash, client_id"),
	deleteExpired(outgoing.name, "id"),
	deleteExpired(operations.name, "id"),
	deleteExpired(sessions.name, "hash"),
}

// expiredKeys selects at most $2 keys of rows that expired before $1. The order
// is total, so that the same rows are meant every time within a transaction.
func expiredKeys(table, key string) string {
	return fmt.Sprintf("SELECT %s FROM %s WHERE expires <> 0 AND expires < $1 ORDER BY expires, %[1]s LIMIT $2", key, table)
}

func deleteExpired(table, key string) string {
	return deleteWhereKey(table, key, expiredKeys(table, key))
}

func deleteWhereKey(table, key, selection string) string {
	return fmt.Sprintf("DELETE FROM %s WHERE (%s) IN (%s)", table, key, selection)
}

func (tx *tx) DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error) {
	total := 0
	for _, query := range expiredDeletes {
		n, err := tx.exec(ctx, query, (*instant)(&before), max(limit, 0))
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}
