package appointments

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// addListing adds the tools that look, which are plain SDK code.
func addListing(server *mcp.Server, c *Calendar) {
	mcp.AddTool(server, &mcp.Tool{
		Name:  "list_slots",
		Title: "List free slots",
		Description: "List the free appointment slots of one day, and the days that have any. Nobody has to sign in for that. All times are UTC. " +
			"Returns the name of each slot: to take one, ask the person which, and call book_slot with its name.",
		Annotations: reads(),
	}, c.listSlots)
	mcp.AddTool(server, &mcp.Tool{
		Name:  "list_bookings",
		Title: "List your bookings",
		Description: "List the appointments that the person has ahead of them, the next one first. All times are UTC. " +
			"Returns the id of each booking, which reschedule and cancel_booking take.",
		Annotations: reads(),
	}, c.listBookings)
}

// A wish is the input of list_slots.
type wish struct {
	Day          string `json:"day,omitempty" jsonschema:"a day such as 2026-11-24; the next one with free slots if absent"`
	Practitioner string `json:"practitioner,omitempty" jsonschema:"Dr. Ames, Dr. Brandt or Dr. Okafor; all of them if absent"`
}

// A day is the output of list_slots.
type day struct {
	Day   string   `json:"day" jsonschema:"the day of the slots, UTC; empty where no day has any"`
	Slots []view   `json:"slots" jsonschema:"what is free on it, in the order of time"`
	Days  []string `json:"days" jsonschema:"all days that have free slots"`
}

// Bookings are the output of list_bookings.
type bookings struct {
	Bookings []booked `json:"bookings" jsonschema:"the next one first"`
}

// A booked is a booking as tools show it.
type booked struct {
	Booking string `json:"booking" jsonschema:"the id of the booking, for reschedule and cancel_booking"`
	view
}

func (b booking) shown() booked { return booked{b.id, b.view()} }

// String tells the model what to keep.
func (b booked) String() string {
	return fmt.Sprintf("The booking has the id %s, which reschedule and cancel_booking take.", b.Booking)
}

func (c *Calendar) listSlots(ctx context.Context, _ *mcp.CallToolRequest, in wish) (*mcp.CallToolResult, day, error) {
	free, err := c.free(ctx, in.Practitioner)
	if err != nil {
		return nil, day{}, shown(ctx, "list_slots", err)
	}
	d := day{Day: strings.TrimSpace(in.Day), Slots: []view{}, Days: daysOf(free)}
	if d.Day == "" && len(d.Days) > 0 {
		d.Day = d.Days[0]
	} else if _, err := time.Parse(time.DateOnly, d.Day); d.Day != "" && err != nil {
		return nil, day{}, errDay
	}
	for _, s := range free {
		if s.start().Format(time.DateOnly) == d.Day {
			d.Slots = append(d.Slots, s.view())
		}
	}
	return says(d.text()), d, nil
}

// free returns the free slots of a practitioner, or of all where called is empty, in
// the order of time.
func (c *Calendar) free(ctx context.Context, called string) (free []slot, err error) {
	key := ""
	if strings.TrimSpace(called) != "" {
		if key, err = keyOf(called); err != nil {
			return nil, err
		}
	}
	now := c.now()
	err = c.db.ViewSQL(ctx, func(db store.SQL) error {
		owners, err := taken(ctx, db, now)
		free = slices.DeleteFunc(slices.Collect(slotsAhead(now)), func(s slot) bool { return owners[s] != "" || key != "" && s.practitioner != key })
		return err
	})
	return free, err
}

// daysOf returns the days of slots that are in the order of time.
func daysOf(slots []slot) []string {
	days := []string{}
	for _, s := range slots {
		days = append(days, s.start().Format(time.DateOnly))
	}
	return slices.Compact(days)
}

// text is the day as a person would read it, and how to go on.
func (d day) text() string {
	if len(d.Days) == 0 {
		return "Nothing is free in the next 14 days. Tell the person; without practitioner, slots with others are listed."
	}
	other := "Days with free slots, for day: " + strings.Join(d.Days, ", ") + "."
	if len(d.Slots) == 0 {
		return fmt.Sprintf("Nothing is free on %s. %s", d.Day, other)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Free on %s, all times UTC:\n", d.Slots[0].Start.Format("Monday 2 January 2006"))
	for _, v := range d.Slots {
		fmt.Fprintf(&b, "- %s to %s with %s (slot %s)\n", v.Start.Format("15:04"), v.End.Format("15:04"), v.Practitioner, v.Slot)
	}
	b.WriteString("To take one, ask the person which, and call book_slot with its slot. " + other)
	return b.String()
}

func (c *Calendar) listBookings(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, bookings, error) {
	var mine []booking
	err := c.db.ViewSQL(ctx, func(db store.SQL) (err error) {
		mine, err = bookingsOf(ctx, db, gate.CallerFrom(ctx).Owner(), c.now())
		return err
	})
	if err != nil {
		return nil, bookings{}, shown(ctx, "list_bookings", err)
	}
	all := bookings{[]booked{}}
	text := "Appointments ahead, the next one first. To change one, call reschedule or cancel_booking with its id.\n"
	for _, b := range mine {
		all.Bookings = append(all.Bookings, b.shown())
		text += fmt.Sprintf("- %s (id %s)\n", b.words(), b.id)
	}
	if len(mine) == 0 {
		text = "No appointments lie ahead. To make one, call list_slots."
	}
	return says(text), all, nil
}

// says returns a result with a text for people. The SDK puts the structured output
// beside it.
func says(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}
}

// reads returns the annotations of a tool that changes nothing.
func reads() *mcp.ToolAnnotations {
	return &mcp.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, DestructiveHint: new(false), OpenWorldHint: new(false)}
}
