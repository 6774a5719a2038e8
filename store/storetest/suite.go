// Package storetest is the test that every store must pass. A store calls [Run]
// from its own tests; nothing else may import this package.
package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/foyer/store"
)

// Open opens one database. It may be called again while the store that it
// returned is still open, and after that one was closed.
type Open func() (store.Store, error)

// Run tests the stores of the databases that fresh makes. Each call of fresh
// returns the way to a new and empty database. Run closes what it opens.
func Run(t *testing.T, fresh func(t *testing.T) Open) {
	for _, tests := range [][]test{
		recordTests, lookupTests, deletionTests, queueTests, eventTests, expiryTests, atomicTests, raceTests, batchTests, contextTests, reopenTests, sqlTests,
	} {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				open := fresh(t)
				test.run(t, &suite{Store: opened(t, open), open: open})
			})
		}
	}
}

type test struct {
	name string
	run  func(*testing.T, *suite)
}

// A suite is an open store, and the way to open its database once more.
type suite struct {
	store.Store
	open Open
}

func opened(t *testing.T, open Open) store.Store {
	t.Helper()
	s, err := open()
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// patience is how long a test waits for a store that a fault before has
// blocked.
const patience = 30 * time.Second

func update(t *testing.T, s store.Store, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Update(ctx, func(tx store.Tx) error { return fn(ctx, tx) }); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func view(t *testing.T, s store.Store, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.View(ctx, func(tx store.Tx) error { return fn(ctx, tx) }); err != nil {
		t.Fatalf("View: %v", err)
	}
}

func putGrants(t *testing.T, s store.Store, grants ...store.Grant) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		for _, g := range grants {
			if err := tx.PutGrant(ctx, g); err != nil {
				return err
			}
		}
		return nil
	})
}

// grant returns the grant, or nil where there is none.
func grant(t *testing.T, s store.Store, id string) *store.Grant {
	t.Helper()
	var found *store.Grant
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		g, err := tx.Grant(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		found = &g
		return err
	})
	return found
}

// wantGrants checks which of some grants are there.
func wantGrants(t *testing.T, s store.Store, want map[string]bool) {
	t.Helper()
	for id, there := range want {
		if got := grant(t, s, id) != nil; got != there {
			t.Errorf("grant %s is stored: %v, want %v", id, got, there)
		}
	}
}

// wantWorking checks that nothing before has broken the store.
func wantWorking(t *testing.T, s store.Store) {
	t.Helper()
	putGrants(t, s, store.Grant{ID: "afterwards"})
	wantGrants(t, s, map[string]bool{"afterwards": true})
}

func at(microseconds int64) time.Time {
	return time.UnixMicro(1_800_000_000_000_000 + microseconds).UTC()
}
