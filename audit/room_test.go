package audit

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

var (
	oldSecret = strings.Repeat("old ", 8)
	newSecret = strings.Repeat("new ", 8)
)

// A room is a trail on a file, with a clock that a test sets, and the way of
// somebody who may write the file.
type room struct {
	*Trail
	t     *testing.T
	path  string
	store store.Store
	log   *lockedBuffer
	at    time.Time
}

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{t: t, path: filepath.Join(t.TempDir(), "test.db"), log: &lockedBuffer{}, at: time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC)}
	r.open(oldSecret)
	t.Cleanup(func() { r.store.Close() })
	return r
}

func (r *room) open(secrets ...string) {
	r.t.Helper()
	var err error
	if r.store, err = sqlite.Open(r.path); err != nil {
		r.t.Fatal(err)
	}
	r.Trail = r.trail(r.store, secrets...)
}

func (r *room) trail(s store.Store, secrets ...string) *Trail {
	r.t.Helper()
	trail, err := New(Config{Store: s, Secrets: secrets, Keep: 90 * 24 * time.Hour, Now: func() time.Time { return r.at }, Log: loggerTo(r.log)})
	if err != nil {
		r.t.Fatal(err)
	}
	return trail
}

// restart opens the file again, as the next process does, under those secrets.
func (r *room) restart(secrets ...string) {
	r.t.Helper()
	if err := r.store.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.open(secrets...)
}

// put puts n events, each at its own moment.
func (r *room) put(n int) {
	r.t.Helper()
	err := r.store.Update(r.t.Context(), func(tx store.Tx) error {
		for range n {
			r.at = r.at.Add(time.Second)
			if err := tx.PutEvent(r.t.Context(), full(r.at)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// full is an event with something in every field that a rule may fill.
func full(at time.Time) store.Event {
	e := store.NewEvent(store.WithRequest(context.Background(), "request"), store.EventGrantElevated, at)
	e.Until, e.GrantID, e.ClientID, e.UserID, e.GuestID, e.Level = at.Add(time.Hour), "g", "c", "u", "guest_1", "chat"
	e.Item, e.Method, e.Outcome, e.Reason = "tool list_notes", "tools/call", "allow", "needs_scopes"
	e.Scopes, e.Roles, e.Operation, e.By, e.Whom = []string{"a", "b"}, []string{"admin"}, "op", "app", "pseudonym"
	return e
}

// sealed puts n events and seals them.
func (r *room) sealed(n int) {
	r.t.Helper()
	r.put(n)
	r.flush()
}

func (r *room) flush() {
	r.t.Helper()
	if err := r.Flush(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// wantReport verifies with secrets, and expects so many events, and so many that
// wait.
func (r *room) wantReport(sealed, waiting int, secrets ...string) {
	r.t.Helper()
	report, err := Verify(r.t.Context(), r.store, secrets)
	if err != nil || report.Sealed != sealed || report.Waiting != waiting {
		r.t.Errorf("Verify = %+v, %v; want %d sealed and %d waiting", report, err, sealed, waiting)
	}
}

// events returns all events, those that are sealed first.
func (r *room) events() (all []store.Event) {
	r.t.Helper()
	err := r.store.View(r.t.Context(), func(tx store.Tx) error {
		sealed, err := tx.SealedEvents(r.t.Context(), 0, 100_000)
		if err != nil {
			return err
		}
		waiting, err := tx.UnsealedEvents(r.t.Context(), 100_000)
		all = append(sealed, waiting...)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// A vandal writes the file past the store.
type vandal struct {
	t  *testing.T
	db *sql.DB
}

func (r *room) vandal() vandal {
	r.t.Helper()
	db, err := sql.Open("sqlite", "file:"+r.path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		r.t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	r.t.Cleanup(func() { db.Close() })
	v := vandal{r.t, db}
	for _, table := range tables {
		v.exec("CREATE TEMP TABLE kept_" + table + " AS SELECT * FROM " + table)
	}
	return v
}

var tables = []string{"foyer_events", "foyer_chains"}

func (v vandal) exec(statement string, args ...any) {
	v.t.Helper()
	if _, err := v.db.Exec(statement, args...); err != nil {
		v.t.Fatalf("%s: %v", statement, err)
	}
}

// repair puts everything back as it was.
func (v vandal) repair() {
	v.t.Helper()
	for _, table := range tables {
		v.exec("DELETE FROM " + table)
		v.exec("INSERT INTO " + table + " SELECT * FROM kept_" + table)
	}
}

func (v vandal) columns() (names []string) {
	v.t.Helper()
	rows, err := v.db.Query("SELECT name FROM pragma_table_info('foyer_events')")
	if err != nil {
		v.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			v.t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (b *lockedBuffer) count(what string) int { return strings.Count(b.String(), what) }

func loggerTo(b *lockedBuffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }
