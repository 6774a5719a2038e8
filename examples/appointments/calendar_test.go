package appointments

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"example.com/foyer/confirm"
	"example.com/foyer/store"
)

func TestFaultsAreLoggedAndNotTold(t *testing.T) {
	var log bytes.Buffer
	usual := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(usual)

	p := newPractice(t)
	ann := p.SignIn(t, "ann@example.com")
	id := books(t, ann, ten)
	token := shows(t, ann, "book_slot", wanted{halfPast}, "Book Tuesday 24 November 2026, 10:30 to 11:00 UTC, with Dr. Ames")
	err := p.db.UpdateSQL(t.Context(), func(_ store.Tx, db store.SQL) error {
		_, err := db.Exec(t.Context(), "ALTER TABLE appointments_bookings RENAME TO elsewhere")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for tool, arguments := range map[string]any{"list_slots": wish{}, "list_bookings": struct{}{}, "book_slot": wanted{ten}, "reschedule": moving{id, wednesday}, "cancel_booking": unwanted{id}} {
		if r := call(t, ann, tool, arguments); !r.isError || r.text != errFault.Error() {
			t.Errorf("%s says %s", tool, r.raw)
		}
		if !strings.Contains(log.String(), "tool="+tool) {
			t.Errorf("%s logs nothing", tool)
		}
	}
	if r := confirms(t, ann, token); !r.isError || !strings.Contains(r.text, "Nothing was done") || strings.Contains(r.text, "table") {
		t.Errorf("confirm_request says %s", r.raw)
	}
}

// A fault says nothing of itself, and is still known to who runs transactions again.
func TestAFaultIsWhatItWas(t *testing.T) {
	cause := errors.New("could not serialize access")
	if err := stale(t.Context(), "book_slot", cause); err.Error() != errFault.Error() || !errors.Is(err, cause) || errors.Is(err, confirm.ErrStale) {
		t.Errorf("shown as %v", err)
	}
}

func TestACallWithoutAnOwnerIsRefused(t *testing.T) {
	p := newPractice(t)
	c := p.calendar
	for tool, ask := range map[string]func() error{
		"list_bookings":  func() error { _, _, err := c.listBookings(t.Context(), nil, struct{}{}); return err },
		"book_slot":      func() error { _, err := c.previewBooking(t.Context(), wanted{ten}); return err },
		"reschedule":     func() error { _, err := c.previewMove(t.Context(), moving{"x", ten}); return err },
		"cancel_booking": func() error { _, err := c.previewCancel(t.Context(), unwanted{"x"}); return err },
	} {
		if err := ask(); err == nil || err.Error() != errNobody.Error() {
			t.Errorf("%s: %v", tool, err)
		}
	}
}

// A second start finds the tables, and the bookings in them.
func TestReopeningKeepsBookings(t *testing.T) {
	p := newPractice(t)
	books(t, p.SignIn(t, "ann@example.com"), ten)
	again, err := Open(p.db)
	if err != nil {
		t.Fatal(err)
	}
	again.now = p.calendar.now
	free, err := again.free(t.Context(), "ames")
	if err != nil || len(free) != 10*14-1 {
		t.Errorf("%d slots are free, %v; want all of ten days but one", len(free), err)
	}
}

// The database itself sells a slot once, whatever a program forgets to ask.
func TestASlotCannotBeSoldTwice(t *testing.T) {
	p := newPractice(t)
	s, err := parse(ten)
	if err != nil {
		t.Fatal(err)
	}
	for i, owner := range []string{"ann", "bob"} {
		err := p.db.UpdateSQL(t.Context(), func(_ store.Tx, db store.SQL) error {
			_, err := insert(t.Context(), db, owner, s)
			return err
		})
		if (err != nil) != (i == 1) {
			t.Errorf("%s: %v", owner, err)
		}
	}
	p.wantSold(t, "after both", ten)
}

func TestSlotsAreWorkingHoursAhead(t *testing.T) {
	for _, test := range []struct {
		name        string
		now         time.Time
		n           int
		first, last string
	}{
		{"on a Saturday", time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC), 10 * 42, "ames-2026-11-23T09:00Z", "okafor-2026-12-04T15:30Z"},
		{"in the morning", time.Date(2026, 11, 24, 8, 59, 0, 0, time.UTC), 11 * 42, "ames-2026-11-24T09:00Z", "okafor-2026-12-08T15:30Z"},
		{"as a slot begins", time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC), 11*42 - 3, "ames-2026-11-24T09:30Z", "okafor-2026-12-08T15:30Z"},
		{"in another time zone", time.Date(2026, 11, 24, 1, 0, 0, 0, time.FixedZone("", 10*3600)), 10*42 + 3, "ames-2026-11-23T15:30Z", "okafor-2026-12-07T15:30Z"},
	} {
		var all []slot
		for s := range slotsAhead(test.now) {
			all = append(all, s)
			if got, err := parse(s.name()); got != s || err != nil || s.open(test.now) != nil {
				t.Errorf("%s: %s is %v, %v, %v", test.name, s.name(), got, err, s.open(test.now))
			}
		}
		if len(all) != test.n || all[0].name() != test.first || all[len(all)-1].name() != test.last {
			t.Errorf("%s: %d slots, %s to %s; want %d, %s to %s", test.name, len(all), all[0].name(), all[len(all)-1].name(), test.n, test.first, test.last)
		}
	}
}
