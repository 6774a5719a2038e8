// Package appointments is a small practice as an MCP server: everybody may see which
// slots are free, and who signs in books one. It is there to show one idea: tools
// that change things in two phases.
//
//	book_slot {"slot":"ames-2026-11-24T10:00Z"}
//	    → preview: Book Tuesday 24 November 2026, 10:00 to 10:30 UTC, with Dr. Ames
//	confirm_request {"confirmationToken":"…"}
//	    → succeeded, and the id of the booking
//
// Three things are to be seen in it:
//
//   - How strongly a call is confirmed stands in the table [Tools] and nowhere else. To
//     book or to move takes the model's second call. To cancel, the person says yes in
//     their client: the slot may be somebody else's a second later.
//   - What is done and the record that it was done are one transaction. The bookings
//     lie in the database of the kit's own store, and the handlers are
//     [confirm.Transactional]: a confirmation that is repeated, or answered by a crash,
//     books once or not at all.
//   - Between the preview and the confirmation the world goes on. A slot that somebody
//     else took in between is not booked: the answer is "stale", and says what is free
//     near it. Of any number who confirm the same slot at once, one gets it.
//
// Slots are computed from the clock, and are not stored: Monday to Friday, 09:00 to
// 16:00, half an hour each, two weeks ahead. All times are UTC.
//
// To read it, begin here, and go on with book.go (a tool of two phases), free.go (what
// a preview looks at, and its handler again) and bookings.go (the queries).
package appointments

import (
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/confirm"
	"example.com/foyer/gate"
)

// Scopes are what a client may be given beyond looking.
var Scopes = gate.Scopes{
	{Name: "appointments:write", Words: "Book, move and cancel your appointments", Default: true},
}

// Tools says who may call which tool, and how it is confirmed.
var Tools = gate.Rules{
	"list_slots":    gate.Anyone(),
	"list_bookings": gate.SignedIn(),

	"book_slot":      gate.Scope("appointments:write").Confirmed(),
	"reschedule":     gate.Scope("appointments:write").Confirmed(),
	"cancel_booking": gate.Scope("appointments:write").ConfirmedBy(gate.ByClient), // gone is gone
}

// Server returns a new MCP server over the calendar. What is to be confirmed it adds
// with operations, those of the kit whose store the calendar was opened on. It does
// not ask who may do what: put [Tools] in front of it.
func (c *Calendar) Server(operations *confirm.Operations) *mcp.Server {
	server := mcp.NewServer(
		&mcp.Implementation{Name: "appointments", Title: "Appointments", Version: "1.0.0"},
		&mcp.ServerOptions{
			Instructions: "Appointments at a small practice. All times are UTC: say so, or tell the person the time where they are. " +
				"Nothing is booked, moved or cancelled before the person has said yes to what the tool has shown.",
			Capabilities: &mcp.ServerCapabilities{},
		},
	)
	addListing(server, c)
	addBooking(server, c, operations)
	addMoving(server, c, operations)
	addCancelling(server, c, operations)
	return server
}
