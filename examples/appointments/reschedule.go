package appointments

import (
	"context"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/confirm"
	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// addMoving adds the tool that moves a booking: the old slot is given away in the
// transaction that takes the new one, so nobody ends up with neither.
func addMoving(server *mcp.Server, c *Calendar, operations *confirm.Operations) {
	confirm.AddTool(operations, server, &mcp.Tool{
		Name:  "reschedule",
		Title: "Move a booking",
		Description: "Move one of the person's bookings to another free slot. This call moves nothing: it returns what would be moved, and a confirmationToken. " +
			"Show it to the person; when they have said yes, call confirm_request with the token. The old slot is kept until the new one is theirs.",
		Annotations: &mcp.ToolAnnotations{DestructiveHint: new(true), OpenWorldHint: new(false)},
	}, c.previewMove, confirm.Transactional(c.reschedule))
}

// A moving is the input of reschedule.
type moving struct {
	Booking string `json:"booking" jsonschema:"the id of the booking, from list_bookings or book_slot"`
	Slot    string `json:"slot" jsonschema:"the name of a free slot, from list_slots"`
}

// A moved is what the handler of reschedule gets.
type moved struct {
	Booking string `json:"booking"`
	From    string `json:"from"`
	To      string `json:"to"`
}

// previewMove looks at where the booking is now: that is its world, so that whoever
// has moved it meanwhile is shown what would be moved now.
func (c *Calendar) previewMove(ctx context.Context, in moving) (confirm.Preview[moved], error) {
	owner, now := gate.CallerFrom(ctx).Owner(), c.now()
	var b booking
	to, err := parse(in.Slot)
	if err == nil {
		err = c.db.ViewSQL(ctx, func(db store.SQL) (err error) {
			b, err = mayMove(ctx, db, owner, in.Booking, to, now)
			return err
		})
	}
	if err != nil {
		return confirm.Preview[moved]{}, shown(ctx, "reschedule", err)
	}
	return confirm.Preview[moved]{
		Summary: "Move the booking of " + b.words() + ", to " + to.words(),
		Data:    moved{b.id, b.name(), to.name()},
		World:   b.name(),
	}, nil
}

func (c *Calendar) reschedule(ctx context.Context, db store.SQL, m moved) (booked, error) {
	owner := gate.CallerFrom(ctx).Owner()
	to, err := parse(m.To)
	var b booking
	if err == nil {
		b, err = mayMove(ctx, db, owner, m.Booking, to, c.now())
	}
	switch {
	case err == nil && b.name() != m.From:
		err = confirm.ErrStale
	case err == nil:
		b, err = move(ctx, db, owner, b, to)
	}
	if err != nil {
		return booked{}, stale(ctx, "reschedule", err)
	}
	return b.shown(), nil
}

// mayMove returns the owner's booking id, if it can be moved to another slot.
func mayMove(ctx context.Context, db store.SQL, owner, id string, to slot, now time.Time) (booking, error) {
	b, err := find(ctx, db, owner, id, now)
	switch {
	case err != nil:
		return booking{}, err
	case b.slot == to:
		return booking{}, errSame
	}
	return b, mayTake(ctx, db, "reschedule", owner, to, now)
}
