package sqlstore

import (
	"context"
	"fmt"

	"example.com/foyer/store"
)

var (
	challengeColumns = []string{"id", "grant_id", "epoch", "email", "digits", "key_id", "muted", "attempts",
		"state", "created", "expires", "generation"}
	challenges = newTable("foyer_challenges", challengeColumns...)
	counters   = newTable("foyer_counters", "id", "total", "events", "labels", "expires")

	challengeByID   = challenges.where("id = $1")
	challengeLatest = challenges.where("grant_id = $1 ORDER BY place DESC LIMIT 1")
	counterByKey    = counters.where("id = $1")

	// A challenge keeps the place that it got when it was first put.
	challengeUpsert = fmt.Sprintf(`INSERT INTO %s (id, grant_id, epoch, email, digits, key_id, muted, attempts, state, created, expires, generation, place)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
		(SELECT coalesce(max(place), 0) + 1 FROM %[1]s WHERE grant_id = $2))`, challenges.name) + onConflict(1, challengeColumns)
)

func challengeFields(c *store.Challenge) []any {
	return []any{&c.ID, &c.GrantID, &c.Epoch, &c.Email, &c.Digits, &c.KeyID, (*flag)(&c.Muted), &c.Attempts,
		&c.State, (*instant)(&c.Created), (*instant)(&c.Expires), &c.Asker}
}

func counterFields(c *store.Counter) []any {
	return []any{&c.Key, &c.Total, (*instants)(&c.Events), (*words)(&c.Labels), (*instant)(&c.Expires)}
}

func (tx *tx) Challenge(ctx context.Context, id string) (c store.Challenge, err error) {
	err = tx.get(ctx, challengeFields(&c), challengeByID, id)
	return c, err
}

func (tx *tx) LatestChallenge(ctx context.Context, grantID string) (c store.Challenge, err error) {
	err = tx.get(ctx, challengeFields(&c), challengeLatest, grantID)
	return c, err
}

func (tx *tx) PutChallenge(ctx context.Context, c store.Challenge) error {
	return tx.put(ctx, challengeUpsert, challengeFields(&c))
}

func (tx *tx) Counter(ctx context.Context, key string) (c store.Counter, err error) {
	err = tx.get(ctx, counterFields(&c), counterByKey, key)
	return c, err
}

func (tx *tx) PutCounter(ctx context.Context, c store.Counter) error {
	return tx.put(ctx, counters.upsert, counterFields(&c))
}
