package operation

import (
	"context"

	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// Cancel ends an operation that was not confirmed yet, and returns it as it is
// then. It refuses with [ErrGone] and [ErrRunning].
func (r *Rules) Cancel(ctx context.Context, id string, who Who) (store.Operation, error) {
	return r.end(ctx, "cancel", id, who, Cancelled)
}

// Decline is Cancel for a user's no: the same thing is not shown again for a while.
func (r *Rules) Decline(ctx context.Context, id string, who Who) (store.Operation, error) {
	return r.end(ctx, "decline", id, who, Declined)
}

// Outdate is Cancel for something that would be another thing now.
func (r *Rules) Outdate(ctx context.Context, id string, who Who) (store.Operation, error) {
	return r.end(ctx, "outdate", id, who, Stale)
}

func (r *Rules) end(ctx context.Context, act, id string, who Who, state string) (o store.Operation, err error) {
	err = r.update(ctx, act, func(tx store.Tx) error {
		now := r.Now()
		if o, err = find(ctx, tx, id, who, now); err != nil {
			return err
		}
		switch {
		case o.State == Executing:
			return ErrRunning
		case next(o, false, now) != run:
			return outcome(o)
		}
		o = ended(o, state, nil, now)
		return put(ctx, tx, o, store.EventOperationEnded, now)
	})
	return o, err
}

// outcome refuses what has expired.
func outcome(o store.Operation) error {
	if o.State == Previewed {
		return ErrGone
	}
	return nil
}

// Approve notes that the user of an operation has confirmed it so strongly, by
// themselves, on a page. To do so again changes nothing. It refuses with [ErrGone].
func (r *Rules) Approve(ctx context.Context, id, userID string, by gate.Confirmation) (o store.Operation, err error) {
	err = r.update(ctx, "approve", func(tx store.Tx) error {
		if o, err = r.shown(ctx, tx, id, userID); err != nil || o.Confirmed >= int(by) {
			return err
		}
		o.Confirmed = int(by)
		return putBy(ctx, tx, o, store.EventOperationConfirmed, store.ByUser, r.Now())
	})
	return o, err
}

// Deny is [Rules.Decline] by the user of an operation, on a page. It refuses with
// [ErrGone].
func (r *Rules) Deny(ctx context.Context, id, userID string) (o store.Operation, err error) {
	err = r.update(ctx, "deny", func(tx store.Tx) error {
		if o, err = r.shown(ctx, tx, id, userID); err != nil {
			return err
		}
		o = ended(o, Declined, nil, r.Now())
		return putBy(ctx, tx, o, store.EventOperationEnded, store.ByUser, r.Now())
	})
	return o, err
}

// Shown returns what waits for a confirmation of the user. It refuses with
// [ErrGone].
func (r *Rules) Shown(ctx context.Context, id, userID string) (o store.Operation, err error) {
	err = r.Store.View(ctx, func(tx store.Tx) error {
		o, err = r.shown(ctx, tx, id, userID)
		return err
	})
	return o, told("shown", err)
}

func (r *Rules) shown(ctx context.Context, tx store.Tx, id, userID string) (store.Operation, error) {
	now := r.Now()
	o, err := tx.Operation(ctx, id)
	if err != nil || userID == "" || o.UserID != userID {
		return store.Operation{}, ErrGone
	}
	if o, err = find(ctx, tx, id, Who{o.GrantID, o.UserID, o.GuestID}, now); err != nil {
		return store.Operation{}, err
	}
	if next(o, false, now) != run {
		return store.Operation{}, ErrGone
	}
	return o, nil
}

// Find returns the operation id of who. It refuses with [ErrGone].
func (r *Rules) Find(ctx context.Context, id string, who Who) (o store.Operation, err error) {
	err = r.Store.View(ctx, func(tx store.Tx) error {
		now := r.Now()
		if o, err = find(ctx, tx, id, who, now); err != nil {
			return err
		}
		if next(o, false, now) == refuse {
			return ErrGone
		}
		return nil
	})
	return o, told("find", err)
}

// Open returns what who may still confirm, the newest first.
func (r *Rules) Open(ctx context.Context, who Who) (open []store.Operation, err error) {
	err = r.Store.View(ctx, func(tx store.Tx) error {
		now := r.Now()
		gr, err := standing(ctx, tx, who, now)
		if err != nil {
			return err
		}
		all, err := tx.OperationsOfGrant(ctx, who.GrantID, now.Add(-previewTTL), previewsPerGrant.Events)
		open = nil
		for _, o := range all {
			if o.Epoch == gr.Epoch && next(o, false, now) == run {
				open = append(open, o)
			}
		}
		return err
	})
	return open, told("open", err)
}
