package appointments

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
