package storetest

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"example.com/foyer/store"
)

var eventTests = []test{
	{"events wait in the order of their IDs, and stand in that of their places", testOrderOfEvents},
	{"the events up to a place go, and no others", testDeleteEvents},
	{"no two events have one place", testOnePlace},
	{"the events of a user are found, the newest first, without what there is much of", testEventsOfUser},
	{"an update that fails leaves no event", testEventOfAFailure},
}

// only returns the event that is found alone, or the zero Event.
func only(found []store.Event) store.Event {
	if len(found) != 1 {
		return store.Event{}
	}
	return found[0]
}

func putEvents(t *testing.T, s store.Store, all ...store.Event) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		for _, e := range all {
			if err := tx.PutEvent(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// wantEvents checks which events read returns, by ID.
func wantEvents(t *testing.T, s store.Store, what string, read func(context.Context, store.Tx) ([]store.Event, error), want ...string) {
	t.Helper()
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		found, err := read(ctx, tx)
		var got []string
		for _, e := range found {
			got = append(got, e.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s are %q, want %q", what, got, want)
		}
		return err
	})
}

func unsealed(limit int) func(context.Context, store.Tx) ([]store.Event, error) {
	return func(ctx context.Context, tx store.Tx) ([]store.Event, error) { return tx.UnsealedEvents(ctx, limit) }
}

func sealed(after, limit int) func(context.Context, store.Tx) ([]store.Event, error) {
	return func(ctx context.Context, tx store.Tx) ([]store.Event, error) {
		return tx.SealedEvents(ctx, after, limit)
	}
}

func testOrderOfEvents(t *testing.T, s *suite) {
	putEvents(t, s, store.Event{ID: "c"}, store.Event{ID: "a"}, store.Event{ID: "e", Place: 1}, store.Event{ID: "d", Place: 3}, store.Event{ID: "f", Place: 2},
		store.Event{ID: "b"}, store.Event{ID: "odd", Place: -1})
	wantEvents(t, s, "those that wait", unsealed(10), "a", "b", "c")
	wantEvents(t, s, "the first that wait", unsealed(2), "a", "b")
	wantEvents(t, s, "none of those that wait", unsealed(-1))
	wantEvents(t, s, "those that are sealed", sealed(0, 10), "e", "f", "d")
	wantEvents(t, s, "those behind a place", sealed(1, 1), "f")
	wantEvents(t, s, "those behind the last", sealed(3, 10))
	wantEvents(t, s, "none of those that are sealed", sealed(0, -1))
	wantEvents(t, s, "all that have a place", sealed(math.MinInt64, 10), "odd", "e", "f", "d")
	putEvents(t, s, store.Event{ID: "a", Place: 4})
	wantEvents(t, s, "those that still wait", unsealed(10), "b", "c")
	wantEvents(t, s, "the newest", sealed(3, 10), "a")
}

func testDeleteEvents(t *testing.T, s *suite) {
	putEvents(t, s, store.Event{ID: "a", Place: 1}, store.Event{ID: "b", Place: 2}, store.Event{ID: "c", Place: 3}, store.Event{ID: "w"}, store.Event{ID: "odd", Place: -1})
	for _, last := range []int{2, 2, 0, -5} {
		update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.DeleteEvents(ctx, last) })
		wantEvents(t, s, "those that are left", sealed(math.MinInt64, 10), "odd", "c")
		wantEvents(t, s, "those that wait", unsealed(10), "w")
	}
}

func testOnePlace(t *testing.T, s *suite) {
	putEvents(t, s, store.Event{ID: "a", Place: 1}, store.Event{ID: "w1"}, store.Event{ID: "w2"})
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.PutEvent(t.Context(), store.Event{ID: "b", Place: 1}) }); err == nil {
		t.Error("two events got one place")
	}
	wantEvents(t, s, "those that are sealed", sealed(0, 10), "a")
}

func testEventsOfUser(t *testing.T, s *suite) {
	putEvents(t, s, store.Event{ID: "b", UserID: "ann", Kind: store.EventGrantClaimed}, store.Event{ID: "a", UserID: "ann", Kind: store.EventGrantRevoked, Place: 7},
		store.Event{ID: "c", UserID: "bob", Kind: store.EventGrantClaimed}, store.Event{ID: "d", Kind: store.EventGrantStarted},
		store.Event{ID: "e", UserID: "ann", Kind: store.EventDecided}, store.Event{ID: "f", UserID: "ann", Kind: store.EventGrantRefreshed})
	of := func(userID string, limit int) func(context.Context, store.Tx) ([]store.Event, error) {
		return func(ctx context.Context, tx store.Tx) ([]store.Event, error) {
			return tx.EventsOfUser(ctx, userID, limit)
		}
	}
	wantEvents(t, s, "those of ann", of("ann", 10), "b", "a")
	wantEvents(t, s, "the newest of ann", of("ann", 1), "b")
	wantEvents(t, s, "none of ann", of("ann", -1))
	wantEvents(t, s, "those of nobody", of("", 10))
}

func testEventOfAFailure(t *testing.T, s *suite) {
	boom := errors.New("boom")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.PutEvent(t.Context(), store.Event{ID: "a"}), tx.PutChain(t.Context(), store.Chain{ID: "c"}), boom)
	})
	if !errors.Is(err, boom) {
		t.Errorf("Update = %v", err)
	}
	wantEvents(t, s, "those that wait", unsealed(10))
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.Chain(ctx, "c"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Chain = %v; want ErrNotFound", err)
		}
		return nil
	})
}
