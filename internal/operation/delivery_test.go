package operation

import (
	"context"
	"testing"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// ordered is a thing that was done, and is to be delivered.
func ordered(t *testing.T, w *world) store.Operation {
	t.Helper()
	o, err := w.rules.Preview(ctx, Draft{Who: w.owners[0], Tool: delivered, Terms: "terms", Summary: "Order tea"})
	if err != nil {
		t.Fatal(err)
	}
	c := Confirmation{ID: o.ID, Who: w.owners[0], By: gate.ByModel, Need: gate.ByModel, Terms: "terms"}
	got, err := w.rules.Transact(ctx, w.db, c, true, func(context.Context, store.SQL, store.Operation) ([]byte, error) { return []byte(`{}`), nil })
	if err != nil || got.Operation.State != Succeeded {
		t.Fatalf("%+v, %v", got, err)
	}
	return got.Operation
}

func (w *world) collected(t *testing.T) {
	t.Helper()
	err := w.db.Update(ctx, func(tx store.Tx) error {
		_, err := tx.DeleteExpired(ctx, w.now, 1000)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Nobody was there to deliver it for some days.
func TestADeliveryIsNotForgottenBeforeItIsMade(t *testing.T) {
	w := newWorld(t, openWorld(t))
	o := ordered(t, w)
	for _, failed := range []bool{false, true} {
		w.now = w.now.Add(10 * kept)
		w.collected(t)
		due, err := w.rules.Due(ctx, 10)
		if err != nil || len(due) != 1 {
			t.Fatalf("after some days %d are due: %v", len(due), err)
		}
		if o, err = w.rules.Take(ctx, due[0]); err != nil {
			t.Fatal(err)
		}
		next := time.Time{}
		if !failed {
			next = w.now.Add(time.Hour)
		}
		if err := w.rules.Delivered(ctx, o, next); err != nil {
			t.Fatal(err)
		}
	}
	w.now = w.now.Add(kept)
	w.collected(t)
	if _, err := w.rules.Find(ctx, o.ID, w.owners[0]); err != nil {
		t.Errorf("a day after it was delivered: %v", err)
	}
	w.now = w.now.Add(time.Second)
	w.collected(t)
	if _, err := w.rules.Find(ctx, o.ID, w.owners[0]); err != ErrGone {
		t.Errorf("later: %v, want %v", err, ErrGone)
	}
}

// Without, a delivery that takes longer than a lease would be taken over, and over
// again, and never be recorded.
func TestADeliveryKeepsItsLease(t *testing.T) {
	w := newWorld(t, openWorld(t))
	taken, err := w.rules.Take(ctx, ordered(t, w))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		w.now = w.now.Add(lease - time.Second)
		if err := w.rules.Extend(ctx, taken); err != nil {
			t.Fatal(err)
		}
		if due, err := w.rules.Due(ctx, 10); err != nil || len(due) > 0 {
			t.Fatalf("while it is delivered, %v is due: %v", due, err)
		}
	}
	if err := w.rules.Delivered(ctx, taken, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := w.rules.Extend(ctx, taken); err != ErrFenced {
		t.Errorf("what was delivered is held: %v", err)
	}
	if err := w.rules.Delivered(ctx, taken, w.now); err != ErrFenced {
		t.Errorf("what was delivered is due again: %v", err)
	}
}
