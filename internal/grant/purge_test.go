package grant

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"example.com/foyer/store"
)

// begin takes the deletion that is due in hand.
func (f *fixture) begin() (p Purge) {
	f.t.Helper()
	p, ok, err := f.BeginPurge(f.t.Context())
	if !ok || err != nil {
		f.t.Fatalf("BeginPurge: %v, %v", ok, err)
	}
	return p
}

// idle expects that no deletion is due.
func (f *fixture) idle(when string) {
	f.t.Helper()
	if p, ok, err := f.BeginPurge(f.t.Context()); ok || err != nil {
		f.t.Errorf("%s: %+v, %v", when, p, err)
	}
}

// tr21: after seven days, and not before, a user is deleted with all records, and so is
// what guests kept who were the user. The address is somebody new then.
func TestTr21AfterSevenDaysNothingIsLeft(t *testing.T) {
	f := newFixture(t)
	one, other := f.claimed(), f.start()
	if err := f.claim(other.Access, "bob", 1); err != nil {
		t.Fatal(err)
	}
	guest := f.grant(one.Access).GuestID
	f.mustDelete()
	f.wait(7*day - time.Microsecond)
	f.idle("a moment before")
	f.wait(time.Microsecond)
	p := f.begin()
	if p.UserID != "ann" || !slices.Equal(p.Owners, []string{"ann", guest}) || p.Tries != 1 {
		t.Errorf("%+v", p)
	}
	f.idle("while somebody has it in hand")
	for range 2 { // the second time there is nothing left to do
		if err := f.EndPurge(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	f.update(func(ctx context.Context, tx store.Tx) error {
		_, userErr := tx.User(ctx, "ann")
		_, tokenErr := tx.Token(ctx, one.Access.Hash())
		grants, err := tx.GrantsOfUser(ctx, "ann")
		if !errors.Is(userErr, store.ErrNotFound) || !errors.Is(tokenErr, store.ErrNotFound) || len(grants) != 0 {
			t.Errorf("there are %v, %v, %v", userErr, tokenErr, grants)
		}
		_, bobErr := tx.User(ctx, "bob")
		return errors.Join(err, bobErr)
	})
	told := f.events(nil)
	if e := told[len(told)-1]; say(e) != "user_deleted of ann" {
		t.Errorf("the last event: %s", say(e))
	}
	f.wait(30 * day)
	f.idle("afterwards")
}

// A deletion that fails, or whose process died, is tried again, the later the more
// often it failed; who comes late does nothing.
func TestADeletionIsTriedUntilItSucceeds(t *testing.T) {
	f := newFixture(t)
	f.claimed()
	f.mustDelete()
	f.wait(7 * day)
	first := f.begin()
	f.wait(purgeLease - time.Microsecond)
	f.idle("while it is leased")
	f.wait(time.Microsecond)
	next := f.begin()
	if next.Tries != 2 {
		t.Errorf("%+v", next)
	}
	if err := f.PutOffPurge(t.Context(), first); err != nil { // the first has lost it
		t.Fatal(err)
	}
	f.wait(purgeLease - time.Microsecond)
	f.idle("put off by who has lost it")
	f.wait(time.Microsecond)
	for tries := 3; tries < 20; tries++ {
		p := f.begin()
		if err := f.PutOffPurge(t.Context(), p); err != nil || p.Tries != tries {
			t.Fatalf("%+v, %v", p, err)
		}
		wait := min(firstRetry<<min(tries-1, 10), lastRetry)
		f.wait(wait - time.Microsecond)
		f.idle("before it is due again")
		f.wait(time.Microsecond)
	}
	if err := f.Keep(t.Context(), "ann", store.ByUser); err != ErrTooLate {
		t.Errorf("taken back: %v", err)
	}
	if err := f.EndPurge(t.Context(), first); err != nil { // the application has deleted all, whoever says so
		t.Fatal(err)
	}
	if err := f.PutOffPurge(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	f.wait(30 * day)
	f.idle("afterwards")
}

// Of many processes one has a deletion in hand, and what was not begun is not ended.
func TestOfManyPurgesOneBegins(t *testing.T) {
	f := newFixture(t)
	f.claimed()
	d := f.mustDelete()
	if err := f.EndPurge(t.Context(), Purge{Deletion: d}); err != nil {
		t.Fatal(err)
	}
	if err := f.Keep(t.Context(), "ann", store.ByApp); err != nil {
		t.Fatalf("what was not begun was ended: %v", err)
	}
	f.mustDelete()
	f.wait(7 * day)
	other := f.rules()
	defer f.end(other)
	begun := race(16, func(i int) error {
		_, ok, err := []*Grants{f.Grants, other}[i%2].BeginPurge(t.Context())
		if !ok && err == nil {
			err = ErrNotLeaving
		}
		return err
	})
	if n := len(begun) - len(slices.DeleteFunc(begun, func(err error) bool { return err == nil })); n != 1 {
		t.Errorf("%d have begun", n)
	}
}
