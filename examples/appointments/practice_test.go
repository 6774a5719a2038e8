package appointments

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/foyertest"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// A practice is the calendar behind a kit, both on one file, with a clock of its own.
type practice struct {
	*foyertest.House
	calendar *Calendar
	db       store.Database

	mu    sync.Mutex
	clock time.Time
}

// newPractice opens on a Saturday: the first slots are on Monday 23 November 2026.
func newPractice(t *testing.T) *practice {
	t.Helper()
	p := &practice{clock: time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC)}
	var err error
	if p.db, err = sqlite.Open(filepath.Join(t.TempDir(), "foyer.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.db.Close() })
	if p.calendar, err = Open(p.db); err != nil {
		t.Fatal(err)
	}
	p.calendar.now = func() time.Time {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.clock
	}
	p.House = foyertest.New(t, foyer.Config{Store: p.db, Scopes: Scopes, Tools: Tools},
		func(kit *foyer.Kit) *mcp.Server { return p.calendar.Server(kit.Operations()) })
	return p
}

func (p *practice) at(day, hour, minute int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clock = time.Date(2026, 11, day, hour, minute, 0, 0, time.UTC)
}

// A person is a signed-in client whose user says yes to every question, and no where
// the test wants that.
type person struct {
	*mcp.ClientSession
	mu    sync.Mutex
	asked []string
	no    bool
}

func (p *practice) person(t *testing.T, address string) *person {
	t.Helper()
	someone := &person{}
	client := p.Client(t)
	client.Options = &mcp.ClientOptions{ElicitationHandler: func(_ context.Context, req *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
		someone.mu.Lock()
		defer someone.mu.Unlock()
		someone.asked = append(someone.asked, req.Params.Message)
		if someone.no {
			return &mcp.ElicitResult{Action: "decline"}, nil
		}
		return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"confirm": true}}, nil
	}}
	someone.ClientSession = client.Connect(t)
	p.Claim(t, someone.ClientSession, address)
	return someone
}

// A reply is what a tool answers.
type reply struct {
	text    string
	isError bool
	raw     string
	Status  string `json:"status"`
	Summary string `json:"summary"`
	Token   string `json:"confirmationToken"`
	Result  booked `json:"result"`
}

func call(t *testing.T, session *mcp.ClientSession, tool string, arguments any) reply {
	t.Helper()
	res, err := session.CallTool(context.WithoutCancel(t.Context()), &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		t.Fatalf("%s %v: %v", tool, arguments, err)
	}
	r := reply{isError: res.IsError}
	for _, c := range res.Content {
		if text, ok := c.(*mcp.TextContent); ok {
			r.text += text.Text
		}
	}
	raw, err := json.Marshal(res)
	r.raw = string(raw)
	if data, ok := res.StructuredContent.(map[string]any); ok && err == nil {
		var again []byte
		if again, err = json.Marshal(data); err == nil {
			err = json.Unmarshal(again, &r)
		}
	}
	if err != nil {
		t.Fatalf("%s: %v: %s", tool, err, r.raw)
	}
	return r
}

func confirms(t *testing.T, session *mcp.ClientSession, token string) reply {
	t.Helper()
	return call(t, session, "confirm_request", map[string]any{"confirmationToken": token})
}

// shows calls a tool, which must answer a preview, and returns its token.
func shows(t *testing.T, session *mcp.ClientSession, tool string, arguments any, summary string) string {
	t.Helper()
	r := call(t, session, tool, arguments)
	if r.isError || r.Status != "preview" || r.Summary != summary || r.Token == "" || !strings.Contains(r.text, "Nothing was done yet. What would be done: "+summary+".") {
		t.Fatalf("%s %v: %s\nwant a preview: %s", tool, arguments, r.raw, summary)
	}
	return r.Token
}

// books books a slot, and returns the id of the booking.
func books(t *testing.T, session *mcp.ClientSession, name string) string {
	t.Helper()
	s, err := parse(name)
	if err != nil {
		t.Fatal(err)
	}
	r := confirms(t, session, shows(t, session, "book_slot", wanted{name}, "Book "+s.words()))
	want(t, "book "+name, r, "succeeded", "Done: Book "+s.words()+". The booking has the id "+r.Result.Booking+",")
	if r.Result.Slot != name {
		t.Fatalf("booked %s: %s", name, r.raw)
	}
	return r.Result.Booking
}

func want(t *testing.T, what string, r reply, status, text string) {
	t.Helper()
	if r.Status != status || !strings.Contains(r.text, text) {
		t.Errorf("%s: %s\nwant %s, %q", what, r.raw, status, text)
	}
}

// sold is every booking that there is, as owner-independent names of slots, in the
// order of time.
func (p *practice) sold(t *testing.T) string {
	t.Helper()
	var names []string
	err := p.db.ViewSQL(t.Context(), func(db store.SQL) error {
		names = nil
		owners, err := taken(t.Context(), db, time.Time{})
		for s := range slotsAhead(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)) {
			if owners[s] != "" {
				names = append(names, s.name())
			}
		}
		if err == nil && len(names) != len(owners) {
			return fmt.Errorf("%d slots are sold, and %d of them are none", len(owners), len(owners)-len(names))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func (p *practice) wantSold(t *testing.T, what string, names ...string) {
	t.Helper()
	if got := p.sold(t); got != strings.Join(names, " ") {
		t.Errorf("%s: sold are %q, want %q", what, got, names)
	}
}

const (
	ten        = "ames-2026-11-24T10:00Z"
	halfPast   = "ames-2026-11-24T10:30Z"
	wednesday  = "okafor-2026-11-25T15:30Z"
	tenInWords = "Tuesday 24 November 2026, 10:00 to 10:30 UTC, with Dr. Ames"
)
