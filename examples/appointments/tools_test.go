package appointments

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/foyertest"
	"example.com/foyer/store"
)

var update = flag.Bool("update", false, "write testdata/tools.json anew")

func TestTheToolsAreAsTheyWere(t *testing.T) {
	p := newPractice(t)
	type tool struct {
		Name, Title, Description string
		Annotations              *mcp.ToolAnnotations
		Input                    any
	}
	var tools []tool
	for item, err := range p.SignIn(t, "ann@example.com").Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if _, ours := Tools[item.Name]; ours {
			tools = append(tools, tool{item.Name, item.Title, item.Description, item.Annotations, item.InputSchema})
		}
	}
	got, err := json.MarshalIndent(tools, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	golden := filepath.Join("testdata", "tools.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the tools changed; if that is meant, run go test -update\n%s", got)
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	foyertest.Rules(t, "testdata/rules.txt", foyer.Config{Scopes: Scopes, Tools: Tools},
		foyertest.Nobody(), foyertest.Guest(), foyertest.User("ann"), foyertest.User("reader").Scopes())
}

func TestBadInputIsToldWithANextStep(t *testing.T) {
	p := newPractice(t)
	p.at(24, 10, 10) // Tuesday
	ann := p.SignIn(t, "ann@example.com")
	id := books(t, ann, halfPast)
	books(t, p.SignIn(t, "bob@example.com"), wednesday)
	for _, test := range []struct {
		name, tool string
		arguments  any
		want       string
	}{
		{"a slot that is over", "book_slot", wanted{"ames-2026-11-24T09:00Z"}, errPast.Error()},
		{"a slot that has begun", "book_slot", wanted{ten}, errPast.Error()},
		{"a slot of last week", "book_slot", wanted{"ames-2026-11-17T09:00Z"}, errPast.Error()},
		{"a slot too far ahead", "book_slot", wanted{"ames-2026-12-09T09:00Z"}, errFar.Error()},
		{"a weekend", "book_slot", wanted{"ames-2026-11-28T09:00Z"}, errNoSlot.Error()},
		{"before the practice opens", "book_slot", wanted{"ames-2026-11-25T08:30Z"}, errNoSlot.Error()},
		{"when it closes", "book_slot", wanted{"ames-2026-11-25T16:00Z"}, errNoSlot.Error()},
		{"between two slots", "book_slot", wanted{"ames-2026-11-25T09:10Z"}, errNoSlot.Error()},
		{"nobody's slot", "book_slot", wanted{"house-2026-11-25T09:00Z"}, errNoSlot.Error()},
		{"another time zone", "book_slot", wanted{"ames-2026-11-25T09:00+01:00"}, errNoSlot.Error()},
		{"a time in words", "book_slot", wanted{"tomorrow at ten"}, errNoSlot.Error()},
		{"nothing", "book_slot", wanted{""}, errNoSlot.Error()},
		{"one's own slot", "book_slot", wanted{halfPast}, errYours.Error()},
		{"somebody else's slot", "book_slot", wanted{wednesday}, "Ask the person which one they want, then call book_slot with its slot."},
		{"no such booking", "reschedule", moving{"nothing", ten}, errMissing.Error()},
		{"to where it is", "reschedule", moving{id, halfPast}, errSame.Error()},
		{"to the past", "reschedule", moving{id, ten}, errPast.Error()},
		{"to no slot", "reschedule", moving{id, "later"}, errNoSlot.Error()},
		{"to somebody else's slot", "reschedule", moving{id, wednesday}, "then call reschedule with its slot."},
		{"a cancellation of nothing", "cancel_booking", unwanted{"nothing"}, errMissing.Error()},
		{"a day that is none", "list_slots", wish{Day: "tomorrow"}, errDay.Error()},
		{"nobody", "list_slots", wish{Practitioner: "Dr. House"}, errNoPractitioner.Error()},
		{"an unknown field", "book_slot", map[string]any{"slot": ten, "owner": "bob"}, "owner"},
		{"a field of another type", "book_slot", map[string]any{"slot": 7}, "slot"},
		{"a missing field", "book_slot", map[string]any{}, "slot"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if r := call(t, ann, test.tool, test.arguments); !r.isError || r.Token != "" || !strings.Contains(r.text, test.want) {
				t.Errorf("%s\nwant %q", r.raw, test.want)
			}
		})
	}
	p.wantSold(t, "after bad input", halfPast, wednesday)
	p.at(24, 10, 30)
	want(t, "an appointment that has begun", call(t, ann, "cancel_booking", unwanted{id}), "refused", errOver.Error())
	want(t, "an appointment that has begun", call(t, ann, "reschedule", moving{id, "ames-2026-11-25T09:00Z"}), "refused", errOver.Error())
}

// Whoever has five cannot take the whole calendar; also where five previews were shown
// before the first was confirmed.
func TestFiveBookingsAreAllThatOnePersonHas(t *testing.T) {
	p := newPractice(t)
	ann := p.person(t, "ann@example.com")
	var tokens []string
	for _, hour := range []string{"09:00", "09:30", "10:00", "10:30", "11:00", "11:30"} {
		r := call(t, ann.ClientSession, "book_slot", wanted{"ames-2026-11-24T" + hour + "Z"})
		tokens = append(tokens, r.Token)
	}
	id := ""
	for i, token := range tokens[:maxBookings] {
		r := confirms(t, ann.ClientSession, token)
		want(t, fmt.Sprint("number ", i+1), r, "succeeded", "Done")
		id = r.Result.Booking
	}
	want(t, "one too many", confirms(t, ann.ClientSession, tokens[maxBookings]), "stale", errFull.Error())
	want(t, "and another", call(t, ann.ClientSession, "book_slot", wanted{wednesday}), "refused", fmt.Sprint("has ", maxBookings, " bookings"))
	want(t, "one may still move", call(t, ann.ClientSession, "reschedule", moving{id, wednesday}), "preview", "Move")
	confirms(t, ann.ClientSession, call(t, ann.ClientSession, "cancel_booking", unwanted{id}).Token)
	books(t, ann.ClientSession, wednesday)
}

func TestDaysWithoutFreeSlotsAreTold(t *testing.T) {
	p := newPractice(t)
	session := p.Guest(t)
	if r := call(t, session, "list_slots", wish{Day: "2026-11-22"}); !strings.HasPrefix(r.text, "Nothing is free on 2026-11-22. Days with free slots, for day: 2026-11-23, 2026-11-24, 2026-11-25, 2026-11-26, 2026-11-27, 2026-11-30, ") || !strings.HasSuffix(r.text, " 2026-12-04.") {
		t.Errorf("a Sunday: %s", r.raw)
	}
	err := p.db.UpdateSQL(t.Context(), func(_ store.Tx, db store.SQL) error {
		for s := range slotsAhead(p.calendar.now()) {
			if s.practitioner == "okafor" {
				continue
			}
			if _, err := insert(t.Context(), db, "somebody", s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := call(t, session, "list_slots", wish{Practitioner: "ames"}); r.isError || r.text != "Nothing is free in the next 14 days. Tell the person; without practitioner, slots with others are listed." {
		t.Errorf("Dr. Ames is booked out: %s", r.raw)
	}
	if r := call(t, session, "list_slots", wish{Day: "2026-11-24"}); strings.Contains(r.text, "Ames") || strings.Count(r.text, "with Dr. Okafor") != 14 {
		t.Errorf("a day with Dr. Okafor: %s", r.raw)
	}
}

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
	if err := shown(t.Context(), "book_slot", fmt.Errorf("serialize: %w", os.ErrDeadlineExceeded)); err.Error() != errFault.Error() || !strings.Contains(fmt.Sprint(err.(fault).Unwrap()), "serialize") {
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
