package operation

import (
	"context"
	"errors"
	"time"

	"example.com/foyer/store"
)

// Extend keeps the lease of a run or a delivery. It refuses with [ErrFenced], upon
// which that has nothing more to say.
func (r *Rules) Extend(ctx context.Context, o store.Operation) error {
	return r.update(ctx, "extend", func(tx store.Tx) error {
		there, err := mine(ctx, tx, o)
		if err != nil {
			return err
		}
		there.Due = r.Now().Add(lease)
		return tx.PutOperation(ctx, there)
	})
}

// Finish records what came of a run, in one of the states [Succeeded], [Failed]
// and [Unknown]. It returns the operation as it is then; of a run that was taken
// over, with [ErrFenced].
func (r *Rules) Finish(ctx context.Context, o store.Operation, state string, result []byte) (done store.Operation, err error) {
	err = r.update(ctx, "finish", func(tx store.Tx) error {
		there, err := mine(ctx, tx, o)
		if err != nil {
			done = there
			return err
		}
		done = ended(there, state, result, r.Now())
		return put(ctx, tx, done, store.EventOperationEnded, r.Now())
	})
	return done, err
}

// Fail records that a transaction of o was undone. What was confirmed since by
// somebody else stays what it is.
func (r *Rules) Fail(ctx context.Context, o store.Operation, result []byte) (done store.Operation, err error) {
	err = r.update(ctx, "fail", func(tx store.Tx) error {
		done, err = tx.Operation(ctx, o.ID)
		if err != nil || done.State != Previewed {
			return err
		}
		done = ended(done, Failed, result, r.Now())
		done.Key, done.Fence, done.Confirmed = o.Key, o.Fence, max(done.Confirmed, o.Confirmed)
		return put(ctx, tx, done, store.EventOperationEnded, r.Now())
	})
	return done, err
}

// Release gives up a run that may be repeated, from the moment next on.
func (r *Rules) Release(ctx context.Context, o store.Operation, next time.Time) error {
	return r.update(ctx, "release", func(tx store.Tx) error {
		there, err := mine(ctx, tx, o)
		if err != nil {
			return err
		}
		there.Due = next
		there.Tries++
		return tx.PutOperation(ctx, there)
	})
}

// mine returns the record of a run or a delivery that has neither been taken over,
// nor has ended.
func mine(ctx context.Context, tx store.Tx, o store.Operation) (store.Operation, error) {
	there, err := tx.Operation(ctx, o.ID)
	if errors.Is(err, store.ErrNotFound) {
		return store.Operation{}, ErrFenced
	} else if err != nil {
		return store.Operation{}, err
	}
	if there.State != o.State || there.Fence != o.Fence || there.Due.IsZero() {
		return there, ErrFenced
	}
	return there, nil
}

// Due returns what somebody has to look at: runs whose lease is over, and
// deliveries.
func (r *Rules) Due(ctx context.Context, limit int) (due []store.Operation, err error) {
	err = r.Store.View(ctx, func(tx store.Tx) (err error) {
		due, err = tx.OperationsDue(ctx, r.Now(), limit)
		return err
	})
	return due, told("due", err)
}

// Take takes over a run that was lost, or a delivery, and holds it for a lease. It
// refuses with [ErrFenced] where somebody else was first.
func (r *Rules) Take(ctx context.Context, o store.Operation) (taken store.Operation, err error) {
	err = r.update(ctx, "take", func(tx store.Tx) error {
		now := r.Now()
		taken, err = tx.Operation(ctx, o.ID)
		if err != nil {
			return err
		}
		if taken.State != o.State || taken.Fence != o.Fence || taken.Due.IsZero() || now.Before(taken.Due) {
			return ErrFenced
		}
		taken.Fence++
		taken.Due = now.Add(lease)
		return tx.PutOperation(ctx, taken)
	})
	return taken, err
}

// Delivered ends a delivery; after an error it is due again at the moment next. It
// refuses with [ErrFenced] where somebody else has it, or it has ended.
func (r *Rules) Delivered(ctx context.Context, o store.Operation, next time.Time) error {
	return r.update(ctx, "delivered", func(tx store.Tx) error {
		there, err := mine(ctx, tx, o)
		if err != nil {
			return err
		}
		if there.Due = next; next.IsZero() {
			there.Expires = r.Now().Add(kept)
		} else {
			there.Tries++
		}
		return tx.PutOperation(ctx, there)
	})
}

// Settle records what was found out about an operation whose outcome is unknown.
func (r *Rules) Settle(ctx context.Context, o store.Operation, state string, result []byte) (done store.Operation, err error) {
	err = r.update(ctx, "settle", func(tx store.Tx) error {
		done, err = tx.Operation(ctx, o.ID)
		if err != nil || done.State != Unknown {
			return err
		}
		done = ended(done, state, result, r.Now())
		return put(ctx, tx, done, store.EventOperationEnded, r.Now())
	})
	return done, err
}
