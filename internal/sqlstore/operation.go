package sqlstore

import (
	"context"
	"strings"
	"time"

	"example.com/foyer/store"
)

var (
	operations = newTable("foyer_operations", "id", "grant_id", "epoch", "user_id", "guest_id", "tool", "arguments", "summary", "data",
		"world", "digest", "state", "confirmed", "key", "fence", "tries", "due", "result", "created", "ended", "expires")

	operationByID     = operations.where("id = $1")
	operationByKey    = operations.where("grant_id = $1 AND key = $2 AND key <> '' ORDER BY created DESC, id LIMIT 1") // the condition is the index's
	operationsOfGrant = withoutBulk.Replace(operations.where("grant_id = $1 AND created >= $2 ORDER BY created DESC, id LIMIT $3"))
	operationsDue     = operations.where("due <> 0 AND due <= $1 ORDER BY due, id LIMIT $2")
)

// withoutBulk leaves out what may be large, of many operations at once.
var withoutBulk = strings.NewReplacer("foyer_operations.arguments", "''", "foyer_operations.data", "''", "foyer_operations.result", "''")

func operationFields(o *store.Operation) []any {
	return []any{&o.ID, &o.GrantID, &o.Epoch, &o.UserID, &o.GuestID, &o.Tool, (*text)(&o.Arguments), &o.Summary, (*text)(&o.Data),
		&o.World, (*hash)(&o.Digest), &o.State, &o.Confirmed, &o.Key, &o.Fence, &o.Tries, (*instant)(&o.Due), (*text)(&o.Result),
		(*instant)(&o.Created), (*instant)(&o.Ended), (*instant)(&o.Expires)}
}

func (tx *tx) Operation(ctx context.Context, id string) (o store.Operation, err error) {
	err = tx.get(ctx, operationFields(&o), operationByID, id)
	return o, err
}

func (tx *tx) OperationByKey(ctx context.Context, grantID, key string) (o store.Operation, err error) {
	err = tx.get(ctx, operationFields(&o), operationByKey, grantID, key)
	return o, err
}

func (tx *tx) OperationsOfGrant(ctx context.Context, grantID string, since time.Time, limit int) ([]store.Operation, error) {
	return tx.operations(ctx, operationsOfGrant, grantID, (*instant)(&since), limit)
}

func (tx *tx) OperationsDue(ctx context.Context, now time.Time, limit int) ([]store.Operation, error) {
	return tx.operations(ctx, operationsDue, (*instant)(&now), limit)
}

func (tx *tx) operations(ctx context.Context, query string, args ...any) (all []store.Operation, err error) {
	err = tx.each(ctx, func(scan func(...any) error) error {
		var o store.Operation
		err := scan(operationFields(&o)...)
		all = append(all, o)
		return err
	}, query, args...)
	return all, err
}

func (tx *tx) PutOperation(ctx context.Context, o store.Operation) error {
	return tx.put(ctx, operations.upsert, operationFields(&o))
}
