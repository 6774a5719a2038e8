package sqlstore

import (
	"context"
	"time"

	"example.com/foyer/store"
)

var (
	outgoing = newTable("foyer_outgoing", "id", "kind", "subject", "attempts", "due", "created", "expires")

	outgoingDue    = outgoing.where("due <= $1 ORDER BY due, created, id LIMIT $2")
	outgoingNext   = "SELECT due FROM foyer_outgoing ORDER BY due LIMIT 1"
	outgoingDelete = "DELETE FROM foyer_outgoing WHERE id = $1"
)

func outgoingFields(o *store.Outgoing) []any {
	return []any{&o.ID, &o.Kind, &o.Subject, &o.Attempts,
		(*instant)(&o.Due), (*instant)(&o.Created), (*instant)(&o.Expires)}
}

func (tx *tx) DueOutgoing(ctx context.Context, now time.Time, limit int) (due []store.Outgoing, err error) {
	err = tx.each(ctx, func(scan func(...any) error) error {
		var o store.Outgoing
		err := scan(outgoingFields(&o)...)
		due = append(due, o)
		return err
	}, outgoingDue, (*instant)(&now), max(limit, 0))
	return due, err
}

func (tx *tx) NextDue(ctx context.Context) (due time.Time, err error) {
	err = tx.get(ctx, []any{(*instant)(&due)}, outgoingNext)
	return due, err
}

func (tx *tx) PutOutgoing(ctx context.Context, o store.Outgoing) error {
	return tx.put(ctx, outgoing.upsert, outgoingFields(&o))
}

func (tx *tx) DeleteOutgoing(ctx context.Context, id string) error {
	_, err := tx.exec(ctx, outgoingDelete, id)
	return err
}
