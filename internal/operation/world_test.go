package operation

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// Classes of the things that a world has done, which it uses for names of tools.
const (
	inside     = "inside"     // in one transaction with its record
	delivered  = "delivered"  // the same, and a delivery
	repeatable = "repeatable" // may be run again
	once       = "once"
)

var (
	ctx    = context.Background()
	noon   = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	states = []string{Previewed, Executing, Succeeded, Failed, Unknown, Declined, Cancelled, Stale}
	final  = []string{Succeeded, Failed, Declined, Cancelled, Stale} // which nothing leaves
)

// A world is what a history of calls has brought about, as the design has it: told
// in events, where the rules look at records.
type world struct {
	db         store.Database
	rules      *Rules
	now        time.Time
	owners     []Who             // of its grants, as they are now
	former     []Who             // who was one
	ids        []string          // of everything that was shown
	runs       []store.Operation // that were given to somebody, whether they still count or not
	begun      map[string]int    // how often that was
	deliveries []store.Operation // that somebody has taken
	seen       []store.Operation // that somebody found due
	undone     []store.Operation // whose act has failed
	before     map[string]store.Operation
}

func openWorld(t *testing.T) store.Database {
	t.Helper()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "world.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	execute(t, db, "CREATE TABLE acts (id TEXT NOT NULL)")
	return db
}

type failing interface {
	Helper()
	Fatal(args ...any)
}

func execute(t failing, db store.Database, query string, args ...any) {
	t.Helper()
	err := db.UpdateSQL(ctx, func(_ store.Tx, sql store.SQL) error {
		_, err := sql.Exec(ctx, query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// newWorld empties db, and gives ann two grants, and bob and a guest one each.
func newWorld(t failing, db store.Database) *world {
	w := &world{db: db, now: noon, begun: map[string]int{}, before: map[string]store.Operation{},
		owners: []Who{{"g1", "ann", "v1"}, {"g2", "ann", "v2"}, {"g3", "bob", "v3"}, {"g4", "", "v4"}}}
	w.rules = &Rules{Store: db, Now: func() time.Time { return w.now }}
	execute(t, db, "DELETE FROM foyer_operations")
	execute(t, db, "DELETE FROM acts")
	execute(t, db, "DELETE FROM foyer_counters")
	for _, o := range w.owners {
		w.put(t, store.Grant{ID: o.GrantID, UserID: o.UserID, GuestID: o.GuestID, Epoch: 1})
	}
	return w
}

func (w *world) put(t failing, gr store.Grant) {
	t.Helper()
	gr.Expires = noon.AddDate(1, 0, 0)
	if err := w.db.Update(ctx, func(tx store.Tx) error { return tx.PutGrant(ctx, gr) }); err != nil {
		t.Fatal(err)
	}
}

// records are all operations that there are.
func (w *world) records(t failing) map[string]store.Operation {
	t.Helper()
	all := map[string]store.Operation{}
	err := w.db.View(ctx, func(tx store.Tx) error {
		clear(all)
		for _, o := range w.owners {
			ops, err := tx.OperationsOfGrant(ctx, o.GrantID, time.Time{}, 1000)
			if err != nil {
				return err
			}
			for _, op := range ops {
				all[op.ID] = op
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// acted counts how often something was done, and that this was committed.
func (w *world) acted(t failing) map[string]int {
	t.Helper()
	acts := map[string]int{}
	err := w.db.ViewSQL(ctx, func(sql store.SQL) error {
		clear(acts)
		rows, err := sql.Query(ctx, "SELECT id FROM acts")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			acts[id]++
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return acts
}

// check runs after every act: what no history may bring about.
func (w *world) check(t *rapid.T) {
	after := w.records(t)
	changed := 0
	for id, b := range w.before {
		a, there := after[id]
		if !there {
			if b.State == Executing || !b.Due.IsZero() {
				t.Fatalf("what somebody has to look at was cleared away: %+v", b)
			}
			continue
		}
		if !reflect.DeepEqual(a, b) {
			changed++
		}
		if err := mayBecome(b, a, w.now); err != nil {
			t.Fatalf("%v\nbefore %+v\nafter  %+v", err, b, a)
		}
	}
	if changed > 1 {
		t.Fatalf("%d operations have changed at once", changed)
	}
	acts := w.acted(t)
	for id, a := range after {
		acted := map[bool]int{true: 1}[a.State == Succeeded]
		if (a.Tool == inside || a.Tool == delivered) && acts[id] != acted {
			t.Fatalf("it is %s, and was done %d times", a.State, acts[id])
		}
		if a.Tool == once && w.begun[id] > 1 {
			t.Fatalf("it was run %d times", w.begun[id])
		}
	}
	w.before = after
}

// mayBecome says why b may not become a.
func mayBecome(b, a store.Operation, now time.Time) error {
	shown := func(o store.Operation) store.Operation {
		return store.Operation{ID: o.ID, GrantID: o.GrantID, Epoch: o.Epoch, UserID: o.UserID, GuestID: o.GuestID, Tool: o.Tool,
			Arguments: o.Arguments, Summary: o.Summary, Data: o.Data, World: o.World, Digest: o.Digest, Created: o.Created}
	}
	var next []string
	switch b.State {
	case Previewed:
		next = states
	case Executing:
		next = []string{Executing, Succeeded, Failed, Unknown}
	case Unknown:
		next = []string{Unknown, Succeeded, Failed}
	default:
		next = []string{b.State}
	}
	switch {
	case !reflect.DeepEqual(shown(a), shown(b)):
		return errors.New("what was shown has changed")
	case a.Fence < b.Fence || a.Fence > b.Fence+1:
		return errors.New("the fence counts runs")
	case a.Confirmed < b.Confirmed && a.State != Failed: // as the run was that failed
		return errors.New("it was confirmed more strongly")
	case b.Key != "" && a.Key != b.Key:
		return errors.New("it has another key")
	case !slices.Contains(next, a.State):
		return errors.New("no such way")
	case slices.Contains(final, b.State) && (string(a.Result) != string(b.Result) || !a.Ended.Equal(b.Ended)):
		return errors.New("an outcome has changed")
	case b.State == Previewed && a.State == Executing && !now.Before(b.Created.Add(previewTTL)):
		return errors.New("it has begun, and was expired")
	case b.State == Previewed && a.State == Succeeded && !now.Before(b.Created.Add(previewTTL)):
		return errors.New("it was done, and was expired")
	}
	return nil
}

// wants compares what a call has returned with the only refusals that it may have.
func wants(t *rapid.T, what string, err error, refusals ...error) {
	t.Helper()
	if !slices.ContainsFunc(refusals, func(r error) bool { return err == r }) {
		t.Fatalf("%s: %v, want one of %v", what, err, refusals)
	}
}

// unchanged fails where a call has changed anything that it should not.
func (w *world) unchanged(t *rapid.T, what string) {
	t.Helper()
	if after := w.records(t); !maps.EqualFunc(w.before, after, func(a, b store.Operation) bool { return reflect.DeepEqual(a, b) }) {
		t.Fatalf("%s has changed something\nbefore %+v\nafter  %+v", what, w.before, after)
	}
}

// owns reports whether who may confirm o, as far as that depends on who they are.
func (w *world) owns(who Who, o store.Operation) bool {
	return slices.Contains(w.owners, who) && who == Who{o.GrantID, o.UserID, o.GuestID}
}
