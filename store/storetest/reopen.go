package storetest

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"

	"example.com/foyer/store"
)

var reopenTests = []test{
	{"what was committed is there after closing and opening again", testReopen},
	{"a second store on the same database sees the commits of the first", testSecondStore},
	{"calls after Close fail", testClosed},
	{"Close waits for running transactions", testCloseWaits},
}

func testReopen(t *testing.T, s *suite) {
	for epoch := range 3 {
		s := opened(t, s.open)
		if g := grant(t, s, "g"); epoch > 0 && (g == nil || g.Epoch != epoch) {
			t.Fatalf("opened again, the store holds %+v, want epoch %d", g, epoch)
		}
		putGrants(t, s, store.Grant{ID: "g", Epoch: epoch + 1})
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

func testSecondStore(t *testing.T, s *suite) {
	second := opened(t, s.open)
	for epoch := range 20 {
		putGrants(t, s, store.Grant{ID: "g", Epoch: 2 * epoch})
		update(t, second, func(ctx context.Context, tx store.Tx) error {
			g, err := tx.Grant(ctx, "g")
			if err != nil {
				return err
			}
			g.Epoch++
			return tx.PutGrant(ctx, g)
		})
		if g := grant(t, s, "g"); g.Epoch != 2*epoch+1 {
			t.Fatalf("the first store sees epoch %d, want the %d of the second", g.Epoch, 2*epoch+1)
		}
	}
}

func testClosed(t *testing.T, s *suite) {
	putGrants(t, s, store.Grant{ID: "g"})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return tx.PutToken(ctx, store.Token{Hash: store.Hash{1}, GrantID: "g"})
	})
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	ran := false
	fn := func(store.Tx) error { ran = true; return nil }
	_, bearerErr := s.Bearer(t.Context(), store.Hash{1})
	for name, err := range map[string]error{
		"Update": s.Update(t.Context(), fn), "View": s.View(t.Context(), fn), "Bearer": bearerErr,
	} {
		if err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s after Close: error = %v, want one that says so", name, err)
		}
	}
	if ran {
		t.Error("a function ran after Close")
	}
}

func testCloseWaits(t *testing.T, s *suite) {
	ctx := t.Context()
	inside, updated := make(chan struct{}), make(chan error, 1)
	var finished atomic.Bool
	go func() {
		updated <- s.Update(ctx, func(tx store.Tx) error {
			close(inside)
			for s.View(ctx, func(store.Tx) error { return nil }) == nil {
				runtime.Gosched() // until Close has begun
			}
			for epoch := range 500 { // long enough for a Close that does not wait
				if err := tx.PutGrant(ctx, store.Grant{ID: "g", Epoch: epoch}); err != nil {
					return err
				}
			}
			finished.Store(true)
			return nil
		})
	}()
	<-inside
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if !finished.Load() {
		t.Error("Close returned while an Update was running")
	}
	if err := <-updated; err != nil {
		t.Errorf("the Update that ran when Close was called: %v", err)
	}
	wantGrants(t, opened(t, s.open), map[string]bool{"g": true})
}
