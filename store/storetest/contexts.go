package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"example.com/foyer/store"
)

var contextTests = []test{
	{"a context that was cancelled before lets nothing run", testCancelledBefore},
	{"a context that is cancelled inside rolls its own update back and no other", testCancelledInside},
	{"a context that ends while waiting for another update gives up", testCancelledWaiting},
	{"cancelled updates among others leave the others alone", testCancelledAmongOthers},
}

func testCancelledBefore(t *testing.T, s *suite) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ran := false
	if err := s.Update(ctx, func(store.Tx) error { ran = true; return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("Update error = %v, want context.Canceled", err)
	}
	if err := s.View(ctx, func(store.Tx) error { ran = true; return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("View error = %v, want context.Canceled", err)
	}
	if _, err := s.Bearer(ctx, store.Hash{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Bearer error = %v, want context.Canceled", err)
	}
	if ran {
		t.Error("a function ran although its context was cancelled before")
	}
	wantWorking(t, s)
}

func testCancelledInside(t *testing.T, s *suite) {
	for range 10 { // more often than there are connections
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Update(ctx, func(tx store.Tx) error {
			defer cancel()
			return tx.PutGrant(ctx, store.Grant{ID: "last"})
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Update whose context was cancelled after its last write: error = %v, want context.Canceled", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		err = s.Update(ctx, func(tx store.Tx) error {
			if err := tx.PutGrant(ctx, store.Grant{ID: "first"}); err != nil {
				return err
			}
			cancel()
			return tx.PutGrant(ctx, store.Grant{ID: "second"})
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Update whose context was cancelled between its writes: error = %v, want context.Canceled", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		err = s.View(ctx, func(tx store.Tx) error {
			cancel()
			_, err := tx.Grant(ctx, "first")
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("View whose context was cancelled: error = %v, want context.Canceled", err)
		}
		wantWorking(t, s)
	}
	wantGrants(t, s, map[string]bool{"last": false, "first": false, "second": false})
}

func testCancelledWaiting(t *testing.T, s *suite) {
	inside, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		var once sync.Once
		done <- s.Update(t.Context(), func(tx store.Tx) error {
			once.Do(func() { close(inside); <-release })
			return tx.PutGrant(t.Context(), store.Grant{ID: "holder"})
		})
	}()
	<-inside
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond) // long enough to be waiting
	defer cancel()
	err := s.Update(ctx, func(tx store.Tx) error {
		<-ctx.Done() // where the store lets both run at once
		return tx.PutGrant(ctx, store.Grant{ID: "waiter"})
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Update that waited for another: error = %v, want context.DeadlineExceeded", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Errorf("the Update that the other waited for: %v", err)
	}
	wantGrants(t, s, map[string]bool{"holder": true, "waiter": false})
	wantWorking(t, s)
}

// Every other worker's contexts end at some moment of its updates. What those
// report must be what happened, and the others must not notice.
func testCancelledAmongOthers(t *testing.T, s *suite) {
	const workers, rounds = 8, 40
	add := func(ctx context.Context, key string) error {
		return s.Update(ctx, func(tx store.Tx) error {
			c, err := tx.Counter(ctx, key)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			return tx.PutCounter(ctx, store.Counter{Key: key, Total: c.Total + 1})
		})
	}
	committed := make([]int, workers)
	var fns []func()
	for w := range workers {
		fns = append(fns, func() {
			for round := range rounds {
				patience := time.Hour
				if w%2 == 1 {
					patience = time.Duration(round*w) * 10 * time.Microsecond
				}
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				err := add(ctx, id(byte(w)))
				cancel()
				switch {
				case err == nil:
					committed[w]++
				case w%2 == 0 || !errors.Is(err, context.DeadlineExceeded):
					t.Errorf("update of worker %d within %v: %v", w, patience, err)
				}
			}
		})
	}
	together(fns...)
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		for w, want := range committed {
			c, err := tx.Counter(ctx, id(byte(w)))
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if c.Total != want {
				t.Errorf("worker %d counts %d updates, but %d returned nil", w, c.Total, want)
			}
		}
		return nil
	})
}
