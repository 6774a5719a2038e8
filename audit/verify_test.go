package audit

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// wantFound expects that what was done is found, at that place if it is not -1,
// and in those words.
func (r *room) wantFound(what string, place int, words string) {
	r.t.Helper()
	report, err := Verify(r.t.Context(), r.store, []string{oldSecret})
	var found *Tampering
	switch {
	case err == nil:
		r.t.Errorf("%s: not found: %+v", what, report)
	case place >= 0 && (!errors.As(err, &found) || found.Place != place || !strings.Contains(found.Found, words)):
		r.t.Errorf("%s: %v; want place %d: %s", what, err, place, words)
	}
}

// Every row and every column: whatever is changed in what was sealed is found,
// and at its place, as far as the store can still read it.
func TestEveryChangeOfASealedEventIsFound(t *testing.T) {
	r := newRoom(t)
	r.sealed(3)
	r.put(1) // of an event that is all empty
	err := r.store.Update(t.Context(), func(tx store.Tx) error { return tx.PutEvent(t.Context(), store.Event{ID: "z"}) })
	if err != nil {
		t.Fatal(err)
	}
	r.flush()
	v := r.vandal()
	names := v.columns()
	if len(names) != reflect.TypeFor[store.Event]().NumField() {
		t.Fatalf("%d columns: %q", len(names), names)
	}
	for place := range 5 {
		place++
		for _, column := range names {
			for _, change := range []string{"'changed'", column + " || 'x'", "''", "0", column + " + 1", "x'00'", "-1"} {
				var before, after string
				at := fmt.Sprintf("SELECT hex(%s) || typeof(%[1]s) FROM foyer_events WHERE place = %d", column, place)
				if err := v.db.QueryRow(at).Scan(&before); err != nil {
					t.Fatal(err)
				}
				_, err := v.db.Exec(fmt.Sprintf("UPDATE foyer_events SET %s = %s WHERE place = %d", column, change, place))
				if err == nil && v.db.QueryRow(at).Scan(&after) == nil && (before == after || before == "text" && after == "blob") {
					continue // nothing has changed
				}
				if err == nil {
					r.wantFound(fmt.Sprintf("place %d, %s = %s", place, column, change), -1, "")
				}
				v.repair()
			}
		}
	}
	r.wantReport(5, 0, oldSecret)
}

func TestWhatIsTakenOutPutInOrCutOffIsFound(t *testing.T) {
	const copied = "INSERT INTO foyer_events SELECT 'new', at, until, kind, request, grant_id, client_id, user_id, guest_id, level, item, method, outcome, reason, scopes, roles, operation, done_by, whom, times, %s, key_id, mac FROM foyer_events WHERE place = 3"
	put := func(place string) string { return fmt.Sprintf(copied, place) }
	for _, test := range []struct {
		what  string
		do    []string
		place int
		words string
	}{
		{"the first is taken out", []string{"DELETE FROM foyer_events WHERE place = 1"}, 1, "is missing"},
		{"one in the middle is taken out", []string{"DELETE FROM foyer_events WHERE place = 3"}, 3, "is missing"},
		{"and the others close up", []string{"DELETE FROM foyer_events WHERE place = 3", "UPDATE foyer_events SET place = -place WHERE place > 3", "UPDATE foyer_events SET place = -place - 1 WHERE place < 0"}, 3, "changed or put in"},
		{"one is as if it waited", []string{"UPDATE foyer_events SET place = 0, mac = x'' WHERE place = 2"}, 2, "is missing"},
		{"the last is cut off", []string{"DELETE FROM foyer_events WHERE place = 5"}, 5, "cut off"},
		{"the last two are cut off", []string{"DELETE FROM foyer_events WHERE place >= 4"}, 4, "cut off"},
		{"all are cut off", []string{"DELETE FROM foyer_events"}, 1, "cut off"},
		{"all are cut off, the head with them, but one", []string{"DELETE FROM foyer_events WHERE place > 1", "DELETE FROM foyer_chains"}, 0, "head of the chain is missing"},
		{"the head is gone", []string{"DELETE FROM foyer_chains"}, 0, "head of the chain is missing"},
		{"the head is changed", []string{"UPDATE foyer_chains SET head = 'A' || substr(head, 2)"}, 0, "head of the chain was changed"},
		{"the head is another chain's", []string{"UPDATE foyer_chains SET id = 'other'"}, 0, "head of the chain is missing"},
		{"one is put in behind the end", []string{put("6")}, 6, "put in behind the end"},
		{"one is put in far behind", []string{put("99")}, 99, "put in behind the end"},
		{"one is put in before the first", []string{put("-1")}, -1, "was put in"},
		{"one has the place of another", []string{"DROP INDEX foyer_events_sealed", put("3")}, 3, "put in"},
		{"two have changed places", []string{"UPDATE foyer_events SET place = 99 WHERE place = 2", "UPDATE foyer_events SET place = 2 WHERE place = 3", "UPDATE foyer_events SET place = 3 WHERE place = 99"}, 2, "changed or put in"},
		{"two have changed what they say", []string{"UPDATE foyer_events SET id = 'x' WHERE place = 2", "UPDATE foyer_events SET mac = (SELECT mac FROM foyer_events WHERE place = 3) WHERE place = 2"}, 2, "changed or put in"},
		{"one has a key of somebody's own", []string{"UPDATE foyer_events SET key_id = 'mine' WHERE place = 4"}, 4, "names a key"},
	} {
		t.Run(test.what, func(t *testing.T) {
			r := newRoom(t)
			r.sealed(5)
			v := r.vandal()
			r.wantReport(5, 0, oldSecret)
			for _, statement := range test.do {
				v.exec(statement)
			}
			place := test.place
			if place < 0 {
				r.wantFound(test.what, -1, "")
				return
			}
			r.wantFound(test.what, place, test.words)
		})
	}
}

// A second event at a place is seen also where one page of events ends and the
// next begins.
func TestASecondEventBetweenTwoPagesIsFound(t *testing.T) {
	r := newRoom(t)
	r.sealed(page + 1)
	v := r.vandal()
	r.wantReport(page+1, 0, oldSecret)
	v.exec("DROP INDEX foyer_events_sealed")
	for _, id := range []string{"0", "z"} {
		v.exec("INSERT INTO foyer_events SELECT '"+id+"', at, until, kind, request, grant_id, client_id, user_id, guest_id, level, item, method, outcome, reason, scopes, roles, operation, done_by, whom, times, place, key_id, mac FROM foyer_events WHERE place = ?", page)
		r.wantFound("a second "+id, page, "put in")
		v.repair()
	}
}

// The MAC is over every field, and no two events have one text.
func TestTheMACIsOverEveryField(t *testing.T) {
	e := full(time.Unix(1, 0))
	e.Place, e.KeyID = 1, "k"
	texts := map[string]string{"": string(encode(e))}
	for i := range reflect.TypeFor[store.Event]().NumField() {
		name, changed := reflect.TypeFor[store.Event]().Field(i).Name, e
		switch f := reflect.ValueOf(&changed).Elem().Field(i).Addr().Interface().(type) {
		case *string:
			*f += "x"
		case *int:
			*f++
		case *time.Time:
			*f = f.Add(time.Microsecond)
		case *[]string:
			*f = []string{strings.Join(*f, "") + "x"}
		case *[]byte:
			continue // the MAC
		default:
			t.Fatalf("field %s is of type %T: decide how it is sealed", name, f)
		}
		for other, text := range texts {
			if string(encode(changed)) == text {
				t.Errorf("%s changes nothing beside %q", name, other)
			}
		}
		texts[name] = string(encode(changed))
	}
	a, b := e, e
	a.Item, a.Method = "ab", "c"
	b.Item, b.Method = "a", "bc"
	if string(encode(a)) == string(encode(b)) {
		t.Error("a letter went from one field to the next, and nothing changed")
	}
	a.Scopes, b.Scopes, a.Item, a.Method = []string{"a", "b"}, []string{"a b"}, b.Item, b.Method
	if string(encode(a)) == string(encode(b)) {
		t.Error("two scopes are one")
	}
}

// Two processes seal at the same time: there is one chain, and every event stands
// in it once.
func TestTwoProcessesSealOneChain(t *testing.T) {
	r := newRoom(t)
	second, err := sqlite.Open(r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	const each, rounds = 7, 30
	var wg sync.WaitGroup
	for _, trail := range []*Trail{r.Trail, r.trail(second, oldSecret)} {
		for range 2 {
			wg.Go(func() {
				for range rounds {
					err := trail.cfg.Store.Update(t.Context(), func(tx store.Tx) error {
						for range each {
							if err := tx.PutEvent(t.Context(), full(time.Now())); err != nil {
								return err
							}
						}
						return nil
					})
					if err := errors.Join(err, trail.Flush(t.Context())); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	r.flush()
	r.wantReport(4*each*rounds, 0, oldSecret)
	for _, trail := range []*Trail{r.Trail, r.trail(second, oldSecret)} {
		if _, err := trail.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// A process that dies between an event and its sealing leaves it to the next.
func TestTheNextProcessSealsWhatTheLastHasLeft(t *testing.T) {
	r := newRoom(t)
	r.sealed(2)
	r.put(batch + 3)
	r.wantReport(2, batch+3, oldSecret)
	r.restart(oldSecret)
	r.flush()
	r.wantReport(batch+5, 0, oldSecret)
}

// What was put back while a process runs is found by that process, which seals
// nothing more.
func TestAnOlderCopyIsFoundByWhoHasSeenTheNewer(t *testing.T) {
	r := newRoom(t)
	r.sealed(2)
	v := r.vandal()
	r.sealed(2)
	v.repair()
	var found *Tampering
	if _, err := r.Verify(t.Context()); !errors.As(err, &found) || found.Place != 3 {
		t.Errorf("Verify = %v", err)
	}
	r.put(1)
	if err := r.Flush(t.Context()); !errors.As(err, &found) {
		t.Errorf("Flush = %v", err)
	}
	if err := r.Trim(t.Context()); !errors.As(err, &found) {
		t.Errorf("Trim = %v", err)
	}
	r.restart(oldSecret) // nobody remembers: as the documents say
	r.flush()
	r.wantReport(3, 0, oldSecret)
}

// A sealer does not go on from a head that is not its own: that would hide who
// made it.
func TestNobodySealsBehindAForeignHead(t *testing.T) {
	for _, statement := range []string{"UPDATE foyer_chains SET head = 'x'", "DELETE FROM foyer_chains"} {
		r := newRoom(t)
		r.sealed(2)
		r.restart(oldSecret)
		r.put(1)
		r.vandal().exec(statement)
		var found *Tampering
		if err := r.Flush(t.Context()); !errors.As(err, &found) {
			t.Errorf("%s: Flush = %v", statement, err)
		}
		if n := len(r.events()); n != 3 || r.events()[2].Place != 0 {
			t.Errorf("%s: %+v", statement, r.events())
		}
	}
}

// Secrets change as they do elsewhere: the new one in front, the old one away
// later. The chain verifies all the while, and by the new one alone after.
func TestTheChainOutlivesItsSecrets(t *testing.T) {
	r := newRoom(t)
	r.sealed(2)
	r.restart(newSecret, oldSecret)
	r.sealed(2)
	r.restart(newSecret)
	r.sealed(2)
	newer := strings.Repeat("newer", 8)
	r.restart(newer, newSecret)
	r.flush() // while nothing waits
	r.wantReport(6, 0, newer)
	r.restart(newSecret, newer) // and back
	r.flush()
	for _, secrets := range [][]string{{newSecret}, {newSecret, oldSecret}, {strings.Repeat("other", 8), newSecret}} {
		r.wantReport(6, 0, secrets...)
	}
	events := r.events()
	if events[1].KeyID == events[2].KeyID || events[2].KeyID != events[5].KeyID {
		t.Errorf("keys %s, %s, %s", events[1].KeyID, events[2].KeyID, events[5].KeyID)
	}
	var found *Tampering
	if _, err := Verify(t.Context(), r.store, []string{oldSecret}); !errors.As(err, &found) {
		t.Errorf("with the old secret alone: %v", err)
	}
	v := r.vandal()
	v.exec("UPDATE foyer_events SET user_id = 'x' WHERE place = 1")
	if _, err := Verify(t.Context(), r.store, []string{newSecret}); !errors.As(err, &found) || found.Place != 1 {
		t.Errorf("a change from the time of the old secret: %v", err)
	}
}

func TestVerifyRefusesSecretsThatAreNone(t *testing.T) {
	r := newRoom(t)
	if _, err := Verify(context.Background(), r.store, nil); err == nil {
		t.Error("verified by nothing")
	}
	if _, err := New(Config{Secrets: []string{"short"}}); err == nil {
		t.Error("a trail without a secret")
	}
}
