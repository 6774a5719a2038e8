package storetest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"example.com/foyer/store"
)

var atomicTests = []test{
	{"an error rolls everything back and comes out as it was", testRollback},
	{"a panic rolls its own update back and no other, and comes out as it was", testPanic},
	{"a goroutine that ends inside an update leaves nothing behind", testGoexit},
	{"an update reads what it wrote, and nobody else does yet", testIsolation},
	{"a view sees one moment", testMoment},
	{"a view writes nothing", testViewWritesNothing},
	{"a bearer sees every update that has returned", testBearerIsFresh},
}

func testRollback(t *testing.T, s *suite) {
	boom := errors.New("boom")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.PutGrant(t.Context(), store.Grant{ID: "g"}); err != nil {
			return err
		}
		return boom
	})
	if err != boom {
		t.Errorf("Update error = %v, want the very error that fn returned", err)
	}
	if err := s.View(t.Context(), func(store.Tx) error { return boom }); err != boom {
		t.Errorf("View error = %v, want the very error that fn returned", err)
	}
	wantGrants(t, s, map[string]bool{"g": false})
	wantWorking(t, s)
}

func testPanic(t *testing.T, s *suite) {
	type value struct{ word string }
	thrown := &value{"boom"}
	caught := func(fn func()) (v any) {
		defer func() { v = recover() }()
		fn()
		return nil
	}
	for range 10 { // more often than there are connections
		v := caught(func() {
			s.Update(t.Context(), func(tx store.Tx) error {
				if err := tx.PutGrant(t.Context(), store.Grant{ID: "g"}); err != nil {
					t.Error(err)
				}
				panic(thrown)
			})
		})
		if v != thrown {
			t.Errorf("Update panicked with %v, want the value that fn panicked with", v)
		}
		if v := caught(func() { s.View(t.Context(), func(store.Tx) error { panic(thrown) }) }); v != thrown {
			t.Errorf("View panicked with %v, want the value that fn panicked with", v)
		}
	}
	wantGrants(t, s, map[string]bool{"g": false})
	wantWorking(t, s)
}

// A test that gives up inside an update must not hang all the others.
func testGoexit(t *testing.T, s *suite) {
	var wg sync.WaitGroup
	wg.Go(func() {
		s.Update(t.Context(), func(tx store.Tx) error {
			if err := tx.PutGrant(t.Context(), store.Grant{ID: "g"}); err != nil {
				t.Error(err)
			}
			runtime.Goexit()
			return nil
		})
	})
	wg.Wait()
	wantGrants(t, s, map[string]bool{"g": false})
	wantWorking(t, s)
}

func testIsolation(t *testing.T, s *suite) {
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		if err := tx.PutGrant(ctx, store.Grant{ID: "g", Epoch: 1}); err != nil {
			return err
		}
		g, err := tx.Grant(ctx, "g")
		if g.Epoch != 1 {
			t.Errorf("the update reads epoch %d, want the 1 that it wrote", g.Epoch)
		}
		done := make(chan *store.Grant)
		go func() { done <- grant(t, s, "g") }()
		if seen := <-done; seen != nil {
			t.Errorf("a view saw %+v before the update was committed", *seen)
		}
		return err
	})
	wantGrants(t, s, map[string]bool{"g": true})
}

func testMoment(t *testing.T, s *suite) {
	putGrants(t, s, store.Grant{ID: "g1", Epoch: 1}, store.Grant{ID: "g2", Epoch: 1})
	runs := 0
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		runs++
		before, err := tx.Grant(ctx, "g1")
		if err != nil {
			return err
		}
		putGrants(t, s, store.Grant{ID: "g1", Epoch: before.Epoch + 1}, store.Grant{ID: "g2", Epoch: before.Epoch + 1},
			store.Grant{ID: "g3"})
		for _, id := range []string{"g1", "g2"} {
			after, err := tx.Grant(ctx, id)
			if err != nil {
				return err
			}
			if after.Epoch != before.Epoch {
				t.Errorf("one view saw epoch %d, then %d of %s", before.Epoch, after.Epoch, id)
			}
		}
		if _, err := tx.Grant(ctx, "g3"); runs == 1 && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a view saw a grant that was put after it began: error = %v", err)
		}
		return nil
	})
	if g := grant(t, s, "g1"); g.Epoch != 1+runs {
		t.Errorf("the next view sees epoch %d, want %d", g.Epoch, 1+runs)
	}
}

func testViewWritesNothing(t *testing.T, s *suite) {
	putGrants(t, s, store.Grant{ID: "g", Expires: at(1)})
	putMails(t, s, store.Outgoing{ID: "o", Due: at(1)})
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		_, deleteErr := tx.DeleteExpired(ctx, at(10), 10)
		_, trimErr := tx.TrimUnusedClients(ctx, 0)
		for name, err := range map[string]error{
			"PutClient":         tx.PutClient(ctx, store.Client{ID: "x"}),
			"PutUser":           tx.PutUser(ctx, store.User{ID: "x"}),
			"PutGrant":          tx.PutGrant(ctx, store.Grant{ID: "x"}),
			"PutToken":          tx.PutToken(ctx, store.Token{GrantID: "g"}),
			"PutRedemption":     tx.PutRedemption(ctx, store.Redemption{CodeID: "x"}),
			"PutChallenge":      tx.PutChallenge(ctx, store.Challenge{ID: "x", GrantID: "g"}),
			"PutCounter":        tx.PutCounter(ctx, store.Counter{Key: "x"}),
			"PutBrowser":        tx.PutBrowser(ctx, store.Browser{ClientID: "x"}),
			"PutOutgoing":       tx.PutOutgoing(ctx, store.Outgoing{ID: "x"}),
			"DeleteOutgoing":    tx.DeleteOutgoing(ctx, "o"),
			"DeleteExpired":     deleteErr,
			"TrimUnusedClients": trimErr,
		} {
			if err == nil {
				t.Errorf("%s in a View: no error", name)
			}
		}
		return nil
	})
	wantGrants(t, s, map[string]bool{"g": true, "x": false})
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		due, err := tx.DueOutgoing(ctx, at(10), 10)
		if len(due) != 1 || due[0].ID != "o" {
			t.Errorf("after a View the queue holds %+v, want o alone", due)
		}
		return err
	})
	wantWorking(t, s)
}

func testBearerIsFresh(t *testing.T, s *suite) {
	h := store.Hash{1}
	putGrants(t, s, store.Grant{ID: "g"})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return tx.PutToken(ctx, store.Token{Hash: h, GrantID: "g"})
	})
	for epoch := range 200 {
		putGrants(t, s, store.Grant{ID: "g", Epoch: epoch})
		b, err := s.Bearer(t.Context(), h)
		if err != nil || b.Grant.Epoch != epoch {
			t.Fatalf("after the update to epoch %d, Bearer sees %d, %v", epoch, b.Grant.Epoch, err)
		}
	}
}
