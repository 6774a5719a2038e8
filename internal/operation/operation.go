// Package operation decides about things that a tool is to do once they are
// confirmed: what was shown is done, once, for whom it was shown to.
//
//	         Preview               Begin                Finish
//	(none) ───────────▶ previewed ───────▶ executing ───────────▶ succeeded | failed | unknown
//	                       │   │              │   ▲                              │ Reconcile
//	                       │   │   Transact   └───┘ the run is lost,             ▼
//	                       │   └────────────┐       and may be repeated     succeeded | failed
//	                       │                └─────────────▶ succeeded | failed
//	                       │  five minutes
//	                       ├───────────────▶ expired, though nothing is written
//	                       └───────────────▶ declined | cancelled | stale
//
// The record is the state. A run has a lease, which it extends while it lives, and
// a fence: who was thought dead cannot record what came of it.
package operation

import (
	"errors"
	"fmt"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/limit"
	"example.com/foyer/store"
)

// States of an operation.
const (
	Previewed = "previewed"
	Executing = "executing"
	Succeeded = "succeeded"
	Failed    = "failed"  // and nothing was done
	Unknown   = "unknown" // it may have been done, and nobody can say
	Declined  = "declined"
	Cancelled = "cancelled"
	Stale     = "stale" // what was shown is not what would be done now
)

const (
	previewTTL = 5 * time.Minute
	lease      = 2 * time.Minute
	kept       = 24 * time.Hour   // after it has an outcome, which is repeated to whoever asks
	keptShown  = 15 * time.Minute // after it was shown, without an outcome
	remembered = 10 * time.Minute // a no, to the same thing
	maxOpen    = 20               // of a grant, shown and not yet confirmed
)

// Refusals.
var (
	ErrGone        = errors.New("operation: there is none such for this caller, or it has expired")
	ErrUnconfirmed = errors.New("operation: it is not confirmed strongly enough")
	ErrRekeyed     = errors.New("operation: it was confirmed under another idempotency key")
	ErrKeyUsed     = errors.New("operation: the idempotency key was used for something else")
	ErrTooMany     = errors.New("operation: too many things wait for a confirmation")
	ErrDeclined    = errors.New("operation: the user has just said no to the same thing")
	ErrRunning     = errors.New("operation: it is being done")
	ErrFenced      = errors.New("operation: another run has taken over")
)

// previews of one grant, also of those that were cancelled or confirmed since.
var previewsPerGrant = limit.Budget{Events: 200, Within: 10 * time.Minute}

// TooOften refuses another preview for now.
type TooOften struct{ Wait time.Duration }

func (t TooOften) Error() string { return fmt.Sprintf("operation: too many previews; wait %v", t.Wait) }

// Rules are the rules over a store. They are safe for concurrent use.
type Rules struct {
	Store    store.Store
	Now      func() time.Time
	NoLimits bool // lifts the budget of previews
}

// Who is for whom something is to be done.
type Who struct{ GrantID, UserID, GuestID string }

// WhoIs names c.
func WhoIs(c gate.Caller) Who { return Who{c.GrantID, c.UserID, c.GuestID} }

// A step is what becomes of an operation that somebody confirms.
type step int

const (
	refuse step = iota
	run
	wait   // for another run
	lose   // the run is dead, and must not be repeated
	repeat // the outcome
)

// next is the only place that decides about o. repeatable says that a run which
// was lost may be run again.
func next(o store.Operation, repeatable bool, now time.Time) step {
	switch o.State {
	case Previewed:
		if !now.Before(o.Created.Add(previewTTL)) {
			return refuse
		}
		return run
	case Executing:
		switch {
		case now.Before(o.Due):
			return wait
		case repeatable:
			return run
		}
		return lose
	case Succeeded, Failed, Unknown, Declined, Cancelled, Stale:
		return repeat
	}
	return refuse
}

// ended is o with an outcome. Of what was never begun nobody needs the data any more.
func ended(o store.Operation, state string, result []byte, now time.Time) store.Operation {
	if state == Declined || state == Cancelled || state == Stale {
		o.Arguments, o.Data = nil, nil
	}
	o.State, o.Result, o.Due = state, result, time.Time{}
	o.Ended, o.Expires = now, now.Add(kept)
	return o
}
