package operation

import (
	"context"
	"errors"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// put writes o, and the event of that kind, which its caller has brought about.
func put(ctx context.Context, tx store.Tx, o store.Operation, kind string, now time.Time) error {
	return putBy(ctx, tx, o, kind, "", now)
}

// putBy is put for who by says.
func putBy(ctx context.Context, tx store.Tx, o store.Operation, kind, by string, now time.Time) error {
	e := store.NewEvent(ctx, kind, now)
	gr, err := tx.Grant(ctx, o.GrantID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	e = e.Of(gr)
	e.GrantID, e.UserID, e.GuestID = o.GrantID, o.UserID, o.GuestID // whose it was, though the grant may be another's by now
	e.Item, e.Operation, e.By = "tool "+o.Tool, o.ID, by
	if o.Confirmed > 0 {
		e.Reason = gate.Confirmation(o.Confirmed).String()
	}
	if kind == store.EventOperationEnded {
		e.Outcome = o.State
	}
	return errors.Join(tx.PutOperation(ctx, o), tx.PutEvent(ctx, e))
}
