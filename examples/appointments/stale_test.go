package appointments

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/confirm"
	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// Between the preview and the confirmation somebody else takes the slot.
func TestASlotThatIsGoneIsStaleAndTheAnswerSaysWhatIsFree(t *testing.T) {
	p := newPractice(t)
	ann, bob := p.SignIn(t, "ann@example.com"), p.SignIn(t, "bob@example.com")
	token := shows(t, ann, "book_slot", wanted{ten}, "Book "+tenInWords)
	books(t, bob, ten)
	r := confirms(t, ann, token)
	want(t, "too late", r, "stale", "Nothing was done: this cannot be done now: Book "+tenInWords+". Somebody else has that slot. Free near it: "+
		"Tuesday 24 November 2026, 10:00 to 10:30 UTC, with Dr. Brandt (slot brandt-2026-11-24T10:00Z); "+
		"Tuesday 24 November 2026, 10:00 to 10:30 UTC, with Dr. Okafor (slot okafor-2026-11-24T10:00Z); "+
		"Tuesday 24 November 2026, 09:30 to 10:00 UTC, with Dr. Ames (slot ames-2026-11-24T09:30Z); "+
		"Tuesday 24 November 2026, 10:30 to 11:00 UTC, with Dr. Ames (slot ames-2026-11-24T10:30Z). "+
		"Ask the person which one they want, then call book_slot with its slot.")
	if !r.isError {
		t.Errorf("too late: %s", r.raw)
	}
	want(t, "once more", confirms(t, ann, token), "stale", "Call book_slot again for a new preview.")
	p.wantSold(t, "after all", ten)
	books(t, ann, halfPast)
}

// A booking that was moved meanwhile is shown where it is now, and can be confirmed so.
func TestABookingThatMovedIsShownAnew(t *testing.T) {
	p := newPractice(t)
	ann := p.person(t, "ann@example.com")
	id := books(t, ann.ClientSession, ten)
	cancel := shows(t, ann.ClientSession, "cancel_booking", unwanted{id}, "Cancel the booking of "+tenInWords)
	move := shows(t, ann.ClientSession, "reschedule", moving{id, wednesday}, "Move the booking of "+tenInWords+", to Wednesday 25 November 2026, 15:30 to 16:00 UTC, with Dr. Okafor")
	confirms(t, ann.ClientSession, shows(t, ann.ClientSession, "reschedule", moving{id, halfPast}, "Move the booking of "+tenInWords+", to Tuesday 24 November 2026, 10:30 to 11:00 UTC, with Dr. Ames"))
	p.wantSold(t, "after the first move", halfPast)
	moved := confirms(t, ann.ClientSession, move)
	want(t, "the other move", moved, "stale", "This is what would be done now. What would be done: Move the booking of Tuesday 24 November 2026, 10:30 to 11:00 UTC, with Dr. Ames, to Wednesday")
	gone := confirms(t, ann.ClientSession, cancel)
	want(t, "the cancellation", gone, "stale", "What would be done: Cancel the booking of Tuesday 24 November 2026, 10:30 to 11:00 UTC, with Dr. Ames.")
	if len(ann.asked) != 0 {
		t.Errorf("the person was asked about what is not so: %q", ann.asked)
	}
	p.wantSold(t, "after both", halfPast)
	want(t, "the new token", confirms(t, ann.ClientSession, gone.Token), "succeeded", "Done: Cancel")
	want(t, "a move of what is gone", confirms(t, ann.ClientSession, moved.Token), "stale", errMissing.Error())
	p.wantSold(t, "after all")
}

// What is shown in time and confirmed too late is not done.
func TestASlotThatBeginsMeanwhileIsStale(t *testing.T) {
	p := newPractice(t)
	p.at(24, 9, 58)
	ann := p.person(t, "ann@example.com")
	token := shows(t, ann.ClientSession, "book_slot", wanted{ten}, "Book "+tenInWords)
	id := books(t, ann.ClientSession, "brandt-2026-11-24T10:00Z")
	cancel := shows(t, ann.ClientSession, "cancel_booking", unwanted{id}, "Cancel the booking of Tuesday 24 November 2026, 10:00 to 10:30 UTC, with Dr. Brandt")
	p.at(24, 10, 0)
	want(t, "booked at its beginning", confirms(t, ann.ClientSession, token), "stale", errPast.Error())
	want(t, "cancelled at its beginning", confirms(t, ann.ClientSession, cancel), "stale", errOver.Error())
	p.wantSold(t, "after both", "brandt-2026-11-24T10:00Z")
}

// A preview looks before the transaction, and its handler in it: what others did in
// between is seen there, and undoes everything.
func TestAHandlerAsksAgainInItsOwnTransaction(t *testing.T) {
	p := newPractice(t)
	c := p.calendar
	ann := gate.WithCaller(t.Context(), gate.Caller{UserID: "ann"})
	act := func(do func(store.SQL) error) error {
		return p.db.UpdateSQL(t.Context(), func(_ store.Tx, db store.SQL) error { return do(db) })
	}
	book := func(ctx context.Context, name string) (b booked, err error) {
		err = act(func(db store.SQL) error {
			b, err = c.book(ctx, db, wanted{name})
			return err
		})
		return b, err
	}
	if _, err := book(gate.WithCaller(t.Context(), gate.Caller{UserID: "bob"}), ten); err != nil {
		t.Fatal(err)
	}
	var mine booked
	for _, name := range []string{"ames-2026-11-26T09:00Z", "ames-2026-11-26T09:30Z", "ames-2026-11-26T10:00Z", "ames-2026-11-26T10:30Z", "ames-2026-11-26T11:00Z"} {
		var err error
		if mine, err = book(ann, name); err != nil {
			t.Fatal(err)
		}
	}
	before := p.sold(t)
	for what, do := range map[string]func(store.SQL) error{
		"a sixth booking":  func(db store.SQL) error { _, err := c.book(ann, db, wanted{halfPast}); return err },
		"one's own slot":   func(db store.SQL) error { _, err := c.book(ann, db, wanted{mine.Slot}); return err },
		"a slot of Friday": func(db store.SQL) error { _, err := c.book(ann, db, wanted{"ames-2026-11-20T09:00Z"}); return err },
		"a move to somebody else's": func(db store.SQL) error {
			_, err := c.reschedule(ann, db, moved{mine.Booking, mine.Slot, ten})
			return err
		},
		"a move of what has moved": func(db store.SQL) error {
			_, err := c.reschedule(ann, db, moved{mine.Booking, halfPast, wednesday})
			return err
		},
		"a move of nothing":                func(db store.SQL) error { _, err := c.reschedule(ann, db, moved{"x", mine.Slot, halfPast}); return err },
		"a cancellation of what has moved": func(db store.SQL) error { _, err := c.cancel(ann, db, going{mine.Booking, halfPast}); return err },
		"a cancellation of somebody else's": func(db store.SQL) error {
			_, err := c.cancel(t.Context(), db, going{mine.Booking, mine.Slot})
			return err
		},
		"a booking of nobody": func(db store.SQL) error { _, err := c.book(t.Context(), db, wanted{halfPast}); return err },
	} {
		if err := act(do); !errors.Is(err, confirm.ErrStale) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if after := p.sold(t); after != before {
		t.Errorf("sold are %q, and were %q", after, before)
	}
}

// Two people confirm the same slot, 25 times each, all at once: one of them has it and is
// told so each time, and the other is told what is free.
func TestOfFiftyConfirmationsOfOneSlotOneBooks(t *testing.T) {
	p := newPractice(t)
	people := []*mcp.ClientSession{p.SignIn(t, "ann@example.com"), p.SignIn(t, "bob@example.com")}
	tokens := make([]string, len(people))
	for i, someone := range people {
		tokens[i] = shows(t, someone, "book_slot", wanted{ten}, "Book "+tenInWords)
	}
	var mu sync.Mutex
	told := []map[string]int{{}, {}} // by whom, and the answer
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range 50 {
		all.Go(func() {
			<-start
			r := confirms(t, people[i%2], tokens[i%2])
			text, _, _ := strings.Cut(r.text, ":")
			mu.Lock()
			defer mu.Unlock()
			told[i%2][r.Status+" "+r.Result.Booking+" "+text]++
			if r.Status == "stale" && !strings.Contains(r.text, "Free near it: ") && !strings.Contains(r.text, "Call book_slot again") {
				t.Errorf("the other is told %s", r.raw)
			}
		})
	}
	close(start)
	all.Wait()
	p.wantSold(t, "after the race", ten)
	won, lost := told[0], told[1]
	if len(lost) == 1 && strings.HasPrefix(fmt.Sprint(lost), "map[succeeded") {
		won, lost = lost, won
	}
	if len(won) != 1 || !strings.HasPrefix(fmt.Sprint(won), "map[succeeded ") || !strings.HasSuffix(fmt.Sprint(won), " Done:25]") {
		t.Errorf("the winner is told %v", won)
	}
	if n := lost["stale  Nothing was done"]; len(lost) != 1 || n != 25 {
		t.Errorf("the other is told %v", lost)
	}
}
