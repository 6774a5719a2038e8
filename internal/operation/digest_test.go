package operation

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// A shownTo is an operation that was shown to a user, on a real file, with a clock
// that a test moves.
type shownTo struct {
	*Rules
	t   *testing.T
	db  store.Database
	now time.Time
	who Who
	op  store.Operation

	shows int // things besides
}

func newShownTo(t *testing.T) *shownTo {
	t.Helper()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := &shownTo{t: t, db: db, now: time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC), who: Who{"grant", "ann", "guest_1"}}
	s.Rules = &Rules{Store: db, Now: func() time.Time { return s.now }}
	s.put(func(tx store.Tx) error {
		return tx.PutGrant(t.Context(), store.Grant{ID: "grant", ClientID: "client", UserID: "ann", GuestID: "guest_1", Epoch: 2, Level: "chat", Expires: s.now.Add(1000 * time.Hour)})
	})
	if s.op, err = s.Preview(t.Context(), Draft{Who: s.who, Tool: "book", Terms: "terms", Arguments: []byte(`{"a":1}`), Summary: "Book it", Data: []byte(`{"b":2}`), World: "w1"}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shownTo) put(fn func(store.Tx) error) {
	s.t.Helper()
	if err := s.db.Update(s.t.Context(), fn); err != nil {
		s.t.Fatal(err)
	}
}

// begins confirms the operation as its user would.
func (s *shownTo) begins(change ...func(*Confirmation)) (Turn, error) {
	c := Confirmation{ID: s.op.ID, Who: s.who, By: gate.ByModel, Need: gate.ByModel, Terms: "terms"}
	for _, ch := range change {
		ch(&c)
	}
	return s.Begin(s.t.Context(), c)
}

// T89: what is done is what was shown: a record of which anything is another does
// nothing, nor does one of a tool or a rule that is another now.
func TestT89WhatIsDoneIsWhatWasShown(t *testing.T) {
	for name, change := range map[string]func(*store.Operation){
		"grant":     func(o *store.Operation) { o.GrantID = "other" },
		"epoch":     func(o *store.Operation) { o.Epoch++ },
		"user":      func(o *store.Operation) { o.UserID = "bob" },
		"guest":     func(o *store.Operation) { o.GuestID = "guest_2" },
		"tool":      func(o *store.Operation) { o.Tool = "pay" },
		"arguments": func(o *store.Operation) { o.Arguments = []byte(`{"a":2}`) },
		"summary":   func(o *store.Operation) { o.Summary = "Book it all" },
		"data":      func(o *store.Operation) { o.Data = []byte(`{"b":3}`) },
		"world":     func(o *store.Operation) { o.World = "w2" },
		"digest":    func(o *store.Operation) { o.Digest[0]++ },
	} {
		t.Run(name, func(t *testing.T) {
			s := newShownTo(t)
			changed := s.op
			change(&changed)
			s.put(func(tx store.Tx) error { return tx.PutOperation(t.Context(), changed) })
			turn, err := s.begins()
			if turn.Run || err == nil && turn.Operation.State != Stale || err != nil && !errors.Is(err, ErrGone) {
				t.Errorf("begun: %+v, %v", turn, err)
			}
		})
	}
	s := newShownTo(t)
	if turn, err := s.begins(func(c *Confirmation) { c.Terms = "other terms" }); err != nil || turn.Run || turn.Operation.State != Stale {
		t.Errorf("under other terms: %+v, %v", turn, err)
	}
	if turn, err := newShownTo(t).begins(); err != nil || !turn.Run {
		t.Errorf("as it was shown: %+v, %v", turn, err)
	}
}

// K15, K18: five minutes to confirm, and a day in which the outcome is told again.
func TestK15K18FiveMinutesAndADay(t *testing.T) {
	s := newShownTo(t)
	s.now = s.now.Add(previewTTL)
	if turn, err := s.begins(); !errors.Is(err, ErrGone) {
		t.Errorf("after five minutes: %+v, %v", turn, err)
	}
	s = newShownTo(t)
	s.now = s.now.Add(previewTTL - time.Microsecond)
	turn, err := s.begins()
	if err != nil || !turn.Run {
		t.Fatalf("just in time: %+v, %v", turn, err)
	}
	if _, err := s.Finish(t.Context(), turn.Operation, Succeeded, []byte("done")); err != nil {
		t.Fatal(err)
	}
	for _, later := range []time.Duration{10 * time.Minute, 23 * time.Hour} {
		s.now = s.now.Add(later)
		s.put(func(tx store.Tx) error { _, err := tx.DeleteExpired(t.Context(), s.now, 100); return err })
		if turn, err := s.begins(); err != nil || turn.Run || string(turn.Operation.Result) != "done" {
			t.Errorf("%v later: %+v, %v", later, turn, err)
		}
	}
	s.now = s.now.Add(2 * time.Hour)
	s.put(func(tx store.Tx) error { _, err := tx.DeleteExpired(t.Context(), s.now, 100); return err })
	if turn, err := s.begins(); !errors.Is(err, ErrGone) {
		t.Errorf("after a day: %+v, %v", turn, err)
	}
}

// T84: a confirmation that is too weak changes nothing, and an approval of the user's
// own makes up for it.
func TestT84AWeakConfirmationChangesNothing(t *testing.T) {
	s := newShownTo(t)
	page := func(c *Confirmation) { c.Need = gate.ByPage }
	if turn, err := s.begins(page); !errors.Is(err, ErrUnconfirmed) {
		t.Fatalf("by the model: %+v, %v", turn, err)
	}
	for name, user := range map[string]string{"another user": "bob", "nobody": ""} {
		if _, err := s.Approve(t.Context(), s.op.ID, user, gate.ByPage); !errors.Is(err, ErrGone) {
			t.Errorf("approved by %s: %v", name, err)
		}
	}
	if turn, err := s.begins(page); !errors.Is(err, ErrUnconfirmed) {
		t.Fatalf("after strangers: %+v, %v", turn, err)
	}
	if _, err := s.Approve(t.Context(), s.op.ID, "ann", gate.ByPage); err != nil {
		t.Fatal(err)
	}
	if turn, err := s.begins(page); err != nil || !turn.Run || turn.Operation.Confirmed != int(gate.ByPage) {
		t.Errorf("approved: %+v, %v", turn, err)
	}
	if _, err := s.Approve(t.Context(), s.op.ID, "ann", gate.ByPage); !errors.Is(err, ErrGone) {
		t.Errorf("approved while it runs: %v", err)
	}
}

// Each step leaves its event, in the same transaction, and none holds a word of what
// was shown.
func TestEachStepLeavesItsEvent(t *testing.T) {
	s := newShownTo(t)
	s.now = s.now.Add(time.Second) // events of one moment have no order
	turn, err := s.begins()
	if err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(time.Second)
	if _, err := s.Finish(t.Context(), turn.Operation, Succeeded, []byte("done")); err != nil {
		t.Fatal(err)
	}
	var got []store.Event
	s.put(func(tx store.Tx) (err error) { got, err = tx.UnsealedEvents(t.Context(), 10); return err })
	if len(got) != 3 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []store.Event{
		{Kind: store.EventOperationShown}, {Kind: store.EventOperationBegun, Reason: "model"}, {Kind: store.EventOperationEnded, Reason: "model", Outcome: Succeeded},
	} {
		e := got[i]
		if e.Kind != want.Kind || e.Reason != want.Reason || e.Outcome != want.Outcome || e.Operation != s.op.ID || e.Item != "tool book" || e.GrantID != "grant" || e.ClientID != "client" || e.UserID != "ann" || e.Level != "chat" {
			t.Errorf("%+v, want %+v", e, want)
		}
	}
}
