package appointments

import (
	"context"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/confirm"
	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// addCancelling adds the tool that cancels. Its rule asks for the person's yes in
// their client, which a model cannot give, and the tool knows nothing of that.
func addCancelling(server *mcp.Server, c *Calendar, operations *confirm.Operations) {
	confirm.AddTool(operations, server, &mcp.Tool{
		Name:  "cancel_booking",
		Title: "Cancel a booking",
		Description: "Cancel one of the person's bookings, for good: its slot is free for others at once. This call cancels nothing: it returns what would be cancelled, " +
			"and a confirmationToken. Call confirm_request with the token: the person is then asked by their client. To keep an appointment at another time, use reschedule.",
		Annotations: &mcp.ToolAnnotations{DestructiveHint: new(true), OpenWorldHint: new(false)},
	}, c.previewCancel, confirm.Transactional(c.cancel))
}

// An unwanted is the input of cancel_booking.
type unwanted struct {
	Booking string `json:"booking" jsonschema:"the id of the booking, from list_bookings or book_slot"`
}

// A going is what the handler of cancel_booking gets.
type going struct {
	Booking string `json:"booking"`
	Slot    string `json:"slot"`
}

// A cancelled is what cancel_booking answers.
type cancelled struct {
	Booking string `json:"booking"`
	view
}

// String tells the model how it is now.
func (cancelled) String() string { return "The slot is free again; list_slots shows it." }

// previewCancel has for its world where the booking is, as [Calendar.previewMove] has.
func (c *Calendar) previewCancel(ctx context.Context, in unwanted) (confirm.Preview[going], error) {
	owner := gate.CallerFrom(ctx).Owner()
	var b booking
	err := c.db.ViewSQL(ctx, func(db store.SQL) (err error) {
		b, err = find(ctx, db, owner, in.Booking, c.now())
		return err
	})
	if err != nil {
		return confirm.Preview[going]{}, shown(ctx, "cancel_booking", err)
	}
	return confirm.Preview[going]{Summary: "Cancel the booking of " + b.words(), Data: going{b.id, b.name()}, World: b.name()}, nil
}

func (c *Calendar) cancel(ctx context.Context, db store.SQL, g going) (cancelled, error) {
	owner := gate.CallerFrom(ctx).Owner()
	b, err := find(ctx, db, owner, g.Booking, c.now())
	switch {
	case err == nil && b.name() != g.Slot:
		err = confirm.ErrStale
	case err == nil:
		err = remove(ctx, db, owner, b)
	}
	if err != nil {
		return cancelled{}, stale(ctx, "cancel_booking", err)
	}
	return cancelled{b.id, b.view()}, nil
}
