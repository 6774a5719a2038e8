package appointments

import (
	"strings"
	"testing"
)

// The story: look round, sign in, see what would be booked, say yes, and have it once.
func TestAGuestLooksSignsInAndBooks(t *testing.T) {
	p := newPractice(t)
	session := p.Guest(t)
	if r := call(t, session, "list_slots", wish{}); r.isError || !strings.Contains(r.text, "Free on Monday 23 November 2026, all times UTC:\n- 09:00 to 09:30 with Dr. Ames (slot ames-2026-11-23T09:00Z)") {
		t.Fatalf("a guest looks: %s", r.raw)
	}
	if r := call(t, session, "list_slots", wish{Day: "2026-11-24", Practitioner: "dr. ames"}); !strings.Contains(r.text, ten) || strings.Contains(r.text, "Okafor") {
		t.Errorf("Dr. Ames on Tuesday: %s", r.raw)
	}
	for _, tool := range []string{"book_slot", "list_bookings"} {
		if r := call(t, session, tool, map[string]any{}); !r.isError || !strings.Contains(r.text, "Sign-in needed: "+tool+" was not run.") {
			t.Errorf("a guest calls %s: %s", tool, r.raw)
		}
	}
	p.Claim(t, session, "ann@example.com")
	token := shows(t, session, "book_slot", wanted{ten}, "Book "+tenInWords)
	p.wantSold(t, "after the preview")
	first := confirms(t, session, token)
	want(t, "confirmed", first, "succeeded", "Done: Book "+tenInWords+". The booking has the id ")
	if again := confirms(t, session, token); again.raw != first.raw {
		t.Errorf("again: %s\nfirst: %s", again.raw, first.raw)
	}
	p.wantSold(t, "after two confirmations", ten)
	if r := call(t, session, "list_slots", wish{Day: "2026-11-24"}); strings.Contains(r.text, ten) || !strings.Contains(r.text, halfPast) {
		t.Errorf("the slot is still listed: %s", r.raw)
	}
	if r := call(t, session, "list_bookings", struct{}{}); !strings.Contains(r.text, "- "+tenInWords+" (id "+first.Result.Booking+")") {
		t.Errorf("the booking is not listed: %s", r.raw)
	}
}

func TestBookingsAreEachPersonsOwn(t *testing.T) {
	p := newPractice(t)
	ann, bob := p.person(t, "ann@example.com"), p.person(t, "bob@example.com")
	token := shows(t, ann.ClientSession, "book_slot", wanted{ten}, "Book "+tenInWords)
	want(t, "a stranger confirms", confirms(t, bob.ClientSession, token), "refused", "Nothing was done: this confirmationToken has expired, was used in another connection, or never was.")
	p.wantSold(t, "after the stranger")
	want(t, "the owner", confirms(t, ann.ClientSession, token), "succeeded", "Done")
	id := books(t, ann.ClientSession, wednesday)
	if r := call(t, bob.ClientSession, "list_bookings", struct{}{}); !strings.Contains(r.text, "No appointments lie ahead. To make one, call list_slots.") {
		t.Errorf("bob sees %s", r.raw)
	}
	want(t, "bob moves ann's", call(t, bob.ClientSession, "reschedule", moving{id, halfPast}), "refused", errMissing.Error())
	want(t, "bob cancels ann's", call(t, bob.ClientSession, "cancel_booking", unwanted{id}), "refused", errMissing.Error())
	if r := call(t, bob.ClientSession, "book_slot", wanted{ten}); !strings.Contains(r.text, "Somebody else has that slot.") || strings.Contains(r.raw, "ann") {
		t.Errorf("bob wants what ann has: %s", r.raw)
	}
	p.wantSold(t, "after bob", ten, wednesday)
}

// The same person may come by another client.
func TestAPersonHasTheSameBookingsInEveryClient(t *testing.T) {
	p := newPractice(t)
	here, there := p.person(t, "ann@example.com"), p.person(t, "ann@example.com")
	token := shows(t, there.ClientSession, "book_slot", wanted{ten}, "Book "+tenInWords)
	id := books(t, here.ClientSession, ten)
	if r := call(t, there.ClientSession, "list_bookings", struct{}{}); !strings.Contains(r.text, id) {
		t.Errorf("the other client lists %s", r.raw)
	}
	want(t, "the other client confirms", confirms(t, there.ClientSession, token), "stale", errYours.Error())
	p.wantSold(t, "after all", ten)
}

// Cancelling takes the person's own yes: a client that cannot ask is refused, and a no
// keeps the booking.
func TestOnlyAYesInTheClientCancels(t *testing.T) {
	p := newPractice(t)
	ann := p.person(t, "ann@example.com")
	id := books(t, ann.ClientSession, ten)
	summary := "Cancel the booking of " + tenInWords
	mute := p.SignIn(t, "ann@example.com")
	want(t, "a client that cannot ask", confirms(t, mute, shows(t, mute, "cancel_booking", unwanted{id}, summary)), "refused", "cancel_booking is done only when the user confirms it in their client")
	ann.no = true
	declined := shows(t, ann.ClientSession, "cancel_booking", unwanted{id}, summary)
	want(t, "a no", confirms(t, ann.ClientSession, declined), "declined", "Nothing was done: the user said no")
	p.wantSold(t, "after a no", ten)
	if len(ann.asked) != 1 || ann.asked[0] != summary+"? In Appointments, for the account of a***@example.com." {
		t.Errorf("asked %q", ann.asked)
	}
	bens := p.person(t, "ann@example.com") // who has not just said no
	token := shows(t, bens.ClientSession, "cancel_booking", unwanted{id}, summary)
	first := confirms(t, bens.ClientSession, token)
	want(t, "a yes", first, "succeeded", "Done: "+summary+". The slot is free again; list_slots shows it.")
	if again := confirms(t, bens.ClientSession, token); again.raw != first.raw {
		t.Errorf("again: %s", again.raw)
	}
	p.wantSold(t, "after a yes")
	books(t, p.SignIn(t, "bob@example.com"), ten)
}

func TestABookingMovesInOnePiece(t *testing.T) {
	p := newPractice(t)
	ann, bob := p.SignIn(t, "ann@example.com"), p.SignIn(t, "bob@example.com")
	id := books(t, ann, ten)
	summary := "Move the booking of " + tenInWords + ", to Wednesday 25 November 2026, 15:30 to 16:00 UTC, with Dr. Okafor"
	token := shows(t, ann, "reschedule", moving{id, wednesday}, summary)
	p.wantSold(t, "after the preview", ten)
	r := confirms(t, ann, token)
	want(t, "moved", r, "succeeded", "Done: "+summary)
	if r.Result.Booking != id || r.Result.Slot != wednesday {
		t.Errorf("moved to %s", r.raw)
	}
	p.wantSold(t, "after the move", wednesday)
	books(t, bob, ten)

	lost := shows(t, ann, "reschedule", moving{id, halfPast}, "Move the booking of Wednesday 25 November 2026, 15:30 to 16:00 UTC, with Dr. Okafor, to Tuesday 24 November 2026, 10:30 to 11:00 UTC, with Dr. Ames")
	books(t, bob, halfPast)
	want(t, "to what is taken by now", confirms(t, ann, lost), "stale", "then call reschedule with its slot.")
	p.wantSold(t, "ann keeps what she has", ten, halfPast, wednesday)
}
