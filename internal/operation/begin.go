package operation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// A Confirmation is what somebody brings who confirms an operation.
type Confirmation struct {
	ID         string
	Who        Who
	Key        string            // idempotency key; empty for none
	By         gate.Confirmation // how strongly this confirms it
	Need       gate.Confirmation // how strongly it must be
	Terms      string            // of the tool now
	Repeatable bool              // a run that was lost may be run again
}

// A Turn is what came of a confirmation.
type Turn struct {
	Operation store.Operation
	Run       bool          // by the caller, who finishes what it begins
	Acted     bool          // of Transact: it was done by this call
	Wait      time.Duration // until to ask again, where somebody else runs it
}

// Begin gives the caller the turn to do what o says, or says what came of it. The
// caller extends the lease with [Rules.Extend], and ends the run with
// [Rules.Finish].
//
// It refuses with [ErrGone], [ErrUnconfirmed], [ErrRekeyed] and [ErrKeyUsed],
// which change nothing: who may confirm it still may.
func (r *Rules) Begin(ctx context.Context, c Confirmation) (t Turn, err error) {
	err = r.update(ctx, "begin", func(tx store.Tx) (err error) {
		t, err = r.begin(ctx, tx, c)
		if err != nil || !t.Run {
			return err
		}
		t.Operation.State, t.Operation.Due, t.Operation.Expires = Executing, r.Now().Add(lease), time.Time{}
		return put(ctx, tx, t.Operation, store.EventOperationBegun, r.Now())
	})
	return t, err
}

// begin decides, and writes what was found out on the way.
func (r *Rules) begin(ctx context.Context, tx store.Tx, c Confirmation) (Turn, error) {
	now := r.Now()
	o, err := find(ctx, tx, c.ID, c.Who, now)
	if err != nil {
		return Turn{}, err
	}
	if o, err = keyed(ctx, tx, o, c.Key); err != nil {
		return Turn{}, err
	}
	switch next(o, c.Repeatable, now) {
	case wait:
		return Turn{Operation: o, Wait: o.Due.Sub(now)}, nil
	case lose:
		o = ended(o, Unknown, nil, now)
		return Turn{Operation: o}, put(ctx, tx, o, store.EventOperationEnded, now)
	case repeat:
		return Turn{Operation: o}, nil
	case run:
		return begun(ctx, tx, o, c, now)
	}
	return Turn{}, ErrGone
}

// begun lets o run, where it is confirmed and still what was shown.
func begun(ctx context.Context, tx store.Tx, o store.Operation, c Confirmation, now time.Time) (Turn, error) {
	if o.Confirmed = max(o.Confirmed, int(c.By)); o.Confirmed < int(c.Need) {
		return Turn{}, ErrUnconfirmed
	}
	if o.State == Previewed && digest(o, c.Terms) != o.Digest { // the tool, its rule or the record is another
		o = ended(o, Stale, nil, now)
		return Turn{Operation: o}, put(ctx, tx, o, store.EventOperationEnded, now)
	}
	o.Fence++
	if c.Key != "" {
		o.Key = keyName(c.Key)
	}
	return Turn{Operation: o, Run: true}, nil
}

// keyed returns the operation that a key means: o itself, or what was done before
// under the same key, if it is the same thing.
func keyed(ctx context.Context, tx store.Tx, o store.Operation, key string) (store.Operation, error) {
	if key == "" {
		return o, nil
	}
	if o.Key != "" && o.Key != keyName(key) {
		return store.Operation{}, ErrRekeyed
	}
	before, err := tx.OperationByKey(ctx, o.GrantID, keyName(key))
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && (before.ID == o.ID || before.Epoch != o.Epoch):
		return o, nil
	case err != nil:
		return store.Operation{}, err
	case before.Tool != o.Tool || string(before.Data) != string(o.Data) || string(before.Arguments) != string(o.Arguments):
		return store.Operation{}, ErrKeyUsed
	}
	return before, nil
}

// keyName stands for a key, of whatever length and letters.
func keyName(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// An Act does what o says, by sql, and returns what the tool answers.
type Act func(ctx context.Context, sql store.SQL, o store.Operation) (result []byte, err error)

// An ActError is what an [Act] has returned. Nothing was done.
type ActError struct{ Err error }

func (e ActError) Error() string { return e.Err.Error() }

// Unwrap returns the error of the act.
func (e ActError) Unwrap() error { return e.Err }

// Transact is Begin, the act, and Finish in one transaction of db: what was done
// and that it was done are written together, or neither. With deliver it is due, and
// kept, until somebody has told of it by [Rules.Delivered]. It refuses as Begin does. An error of the
// act, or its deadline, undoes everything, and is an [ActError].
func (r *Rules) Transact(ctx context.Context, db store.Database, c Confirmation, deliver bool, act Act) (t Turn, err error) {
	var failed error
	err = db.UpdateSQL(ctx, func(tx store.Tx, sql store.SQL) (err error) {
		t, failed = Turn{}, nil
		if t, err = r.begin(ctx, tx, c); err != nil || !t.Run {
			return err
		}
		result, err := act(ctx, sql, t.Operation)
		if err != nil {
			failed = err
			return err
		}
		t.Run, t.Acted = false, true
		t.Operation = ended(t.Operation, Succeeded, result, r.Now())
		if deliver {
			t.Operation.Due, t.Operation.Expires = r.Now(), time.Time{} // it is not forgotten before it is delivered
		}
		return put(ctx, tx, t.Operation, store.EventOperationEnded, r.Now())
	})
	if failed != nil && err != nil {
		return t, ActError{failed}
	}
	return t, told("transact", err)
}
