package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// A pool is the connections of one kind of transaction, and the statements that
// they share.
type pool struct {
	db       *sql.DB
	readOnly bool
	prepared map[string]*sql.Stmt // by query; complete before the first transaction
}

// readQueries and writeQueries are prepared when the store opens. What is not
// among them works too, and is compiled each time.
var (
	readQueries = []string{
		clientByID, clientByDigest, userByID, userByEmail, grantByID, tokenByHash, tokenByPlace, redemptionByCode,
		challengeByID, challengeLatest, counterByKey, browserByKey, outgoingNext,
		operationByID, operationByKey, sessionByHash, sessionByChallenge, chainByID, deletionOfUser,
	}
	writeQueries = []string{
		clients.upsert, users.upsert, grants.upsert, tokens.upsert, redemptions.upsert, challengeUpsert,
		counters.upsert, browsers.upsert, outgoing.upsert, outgoingDelete,
		operations.upsert, sessions.upsert, sessionDelete, events.upsert, chains.upsert, deletions.upsert,
	}
)

// prepare compiles queries. Closing the pool's database closes them.
func (p *pool) prepare(ctx context.Context, queries []string) error {
	if p.prepared == nil {
		p.prepared = map[string]*sql.Stmt{}
	}
	for _, query := range queries {
		stmt, err := p.db.PrepareContext(ctx, query)
		if err != nil {
			return fmt.Errorf("sqlstore: prepare %q: %w", query, err)
		}
		p.prepared[query] = stmt
	}
	return nil
}
