package appointments

import (
	"context"
	"errors"
	"log/slog"

	"example.com/foyer/confirm"
)

// A problem is an error that the model may read. It says what to do next.
type problem string

func (p problem) Error() string { return string(p) }

const (
	errNobody         = problem("This call has no owner, so there is nobody to keep appointments for. Ask the person to sign in, then call again.")
	errNoSlot         = problem("There is no such slot: there are some Monday to Friday, 09:00 to 16:00 UTC, every half hour. Call list_slots, and pass the name of a slot as it stands there.")
	errPast           = problem("That slot has begun, or is over. Call list_slots to see what is free, and ask the person for another one.")
	errFar            = problem("That slot is more than 14 days ahead, and cannot be booked yet. Call list_slots to see what is free, and ask the person for an earlier one.")
	errDay            = problem("day must be a day such as 2026-11-24. Correct it, or leave it out for the next day with free slots, and call again.")
	errNoPractitioner = problem("There is no such practitioner. Choose Dr. Ames, Dr. Brandt or Dr. Okafor, or leave practitioner out, and call again.")
	errYours          = problem("The person has booked that slot already, and needs nothing more. Call list_bookings to see it.")
	errFull           = problem("The person has 5 bookings ahead of them, and more are not possible. Call list_bookings, and ask which one to move with reschedule or to cancel with cancel_booking.")
	errMissing        = problem("The person has no booking with that id. Call list_bookings to see the ids.")
	errOver           = problem("That appointment has begun, or is over, and stays as it is. Tell the person; for a new one call list_slots.")
	errSame           = problem("The booking is for that slot already, so there is nothing to move. Tell the person, or call list_slots to find another slot.")
	errFault          = problem("The calendar does not answer at the moment. Call list_bookings to see what is booked, and try again later.")
)

// A fault is told as errFault, and still is what it was, to a database that runs a
// transaction again.
type fault struct{ cause error }

func (f fault) Error() string { return errFault.Error() }
func (f fault) Unwrap() error { return f.cause }

// shown returns what a tool may say about err: a problem as it is; a fault is logged,
// and only its existence is told.
func shown(ctx context.Context, tool string, err error) error {
	if p, ok := errors.AsType[problem](err); ok {
		return p
	}
	slog.ErrorContext(ctx, "appointments: fault", "tool", tool, "error", err)
	return fault{err}
}

// stale is [shown] for a handler, to which a problem means that the world is not what
// the preview has shown: the preview runs once more then, and says which.
func stale(ctx context.Context, tool string, err error) error {
	if _, ok := errors.AsType[problem](err); ok || errors.Is(err, confirm.ErrStale) {
		return confirm.ErrStale
	}
	return shown(ctx, tool, err)
}
