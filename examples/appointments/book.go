package appointments

import (
	"context"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/confirm"
	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// addBooking adds the tool that books: its preview looks, and its handler takes.
func addBooking(server *mcp.Server, c *Calendar, operations *confirm.Operations) {
	confirm.AddTool(operations, server, &mcp.Tool{
		Name:  "book_slot",
		Title: "Book a slot",
		Description: "Book a free slot for the person. This call books nothing: it returns what would be booked, and a confirmationToken. " +
			"Show it to the person; when they have said yes, call confirm_request with the token, which books it and returns the id of the booking.",
		Annotations: &mcp.ToolAnnotations{DestructiveHint: new(false), OpenWorldHint: new(false)},
	}, c.previewBooking, confirm.Transactional(c.book))
}

// A wanted is the input of book_slot, and what its handler gets.
type wanted struct {
	Slot string `json:"slot" jsonschema:"the name of a free slot, from list_slots"`
}

// untaken is the world in which a slot can be booked. There is no other, because the
// preview refuses in it; but a world is what has it asked once more, at the
// confirmation.
const untaken = "untaken"

func (c *Calendar) previewBooking(ctx context.Context, in wanted) (confirm.Preview[wanted], error) {
	owner, now := gate.CallerFrom(ctx).Owner(), c.now()
	s, err := parse(in.Slot)
	if err == nil {
		err = c.db.ViewSQL(ctx, func(db store.SQL) error { return mayBook(ctx, db, owner, s, now) })
	}
	if err != nil {
		return confirm.Preview[wanted]{}, shown(ctx, "book_slot", err)
	}
	return confirm.Preview[wanted]{Summary: "Book " + s.words(), Data: wanted{s.name()}, World: untaken}, nil
}

// book runs in the transaction in which its operation is recorded: both are committed,
// or neither. Nobody writes meanwhile, so what mayBook sees is how it is.
func (c *Calendar) book(ctx context.Context, db store.SQL, w wanted) (booked, error) {
	owner := gate.CallerFrom(ctx).Owner()
	s, err := parse(w.Slot)
	if err == nil {
		err = mayBook(ctx, db, owner, s, c.now())
	}
	var b booking
	if err == nil {
		b, err = insert(ctx, db, owner, s)
	}
	if err != nil {
		return booked{}, stale(ctx, "book_slot", err)
	}
	return b.shown(), nil
}

// mayBook is [mayTake], for owners who do not have too many already.
func mayBook(ctx context.Context, db store.SQL, owner string, s slot, now time.Time) error {
	if err := mayTake(ctx, db, "book_slot", owner, s, now); err != nil {
		return err
	}
	mine, err := bookingsOf(ctx, db, owner, now)
	if err == nil && len(mine) >= maxBookings {
		return errFull
	}
	return err
}
