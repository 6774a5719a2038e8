package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/foyer/store"
)

// A store may commit updates together that wait at the same time. Nobody must be
// able to tell.
var batchTests = []test{
	{"of updates that wait together each stands or falls alone", testFates},
	{"what an update wrote is there once it has returned, among many others", testReadAfterReturn},
	{"an update among many that never end has its turn", testTurn},
	{"a Tx that is used after its function has returned writes nothing", testKeptTx},
	{"a context of fn's own that ends fails the update", testContextOfItsOwn},
	{"Close waits for updates that wait", testCloseWaitsForWaiting},
}

// A fate is how an update ends. Its function puts two grants, and meets its end
// before, between or after.
type fate struct {
	what    string
	commits bool
	end     func(tx store.Tx, cancel func()) error
	at      int // after how many grants
	want    func(err error, thrown any) bool
}

var errFate = errors.New("boom")

func fates() (list []fate) {
	ends := []fate{
		{what: "returns an error", end: func(store.Tx, func()) error { return errFate },
			want: func(err error, thrown any) bool { return err == errFate && thrown == nil }},
		{what: "panics", end: func(store.Tx, func()) error { panic(errFate) },
			want: func(err error, thrown any) bool { return thrown == errFate }},
		{what: "is cancelled", end: func(_ store.Tx, cancel func()) error { cancel(); return nil },
			want: func(err error, thrown any) bool { return errors.Is(err, context.Canceled) && thrown == nil }},
		{what: "ends its goroutine", end: func(store.Tx, func()) error { runtime.Goexit(); return nil },
			want: func(err error, thrown any) bool { return err == nil && thrown == nil }},
		{what: "ignores an error of Put", end: func(tx store.Tx, _ func()) error {
			tx.PutClient(context.Background(), store.Client{ID: "another", Digest: store.Hash{1}})
			return nil
		}, want: func(err error, thrown any) bool {
			return err != nil && !errors.Is(err, store.ErrNotFound) && thrown == nil
		}},
	}
	for _, f := range ends {
		for f.at = range 3 {
			list = append(list, f, fate{what: "goes well", commits: true, at: -1,
				want: func(err error, thrown any) bool { return err == nil && thrown == nil }})
		}
	}
	return list
}

func testFates(t *testing.T, s *suite) {
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return tx.PutClient(ctx, store.Client{ID: "client", Digest: store.Hash{1}})
	})
	committed := 0
	for round := range 12 {
		list := fates()
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		held := hold(t, s, len(list))
		var wg sync.WaitGroup
		for i, f := range list {
			wg.Go(func() {
				held.waiting()
				meet(t, s, fmt.Sprintf("%d-%d", round, i), f)
			})
		}
		held.release()
		wg.Wait()
		stored := map[string]bool{}
		for i, f := range list {
			stored[fmt.Sprintf("%d-%d-0", round, i)] = f.commits
			stored[fmt.Sprintf("%d-%d-1", round, i)] = f.commits
			if f.commits {
				committed++
			}
		}
		wantGrants(t, s, stored)
		view(t, s, func(ctx context.Context, tx store.Tx) error {
			c, err := tx.Counter(ctx, "commits")
			if c.Total != committed {
				t.Errorf("round %d: %d updates are counted, but %d were committed", round, c.Total, committed)
			}
			return err
		})
	}
}

// meet runs one update to its fate, and checks what it was told.
func meet(t *testing.T, s store.Store, name string, f fate) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var err error
	defer func() {
		if thrown := recover(); !f.want(err, thrown) {
			t.Errorf("an update that %s after %d grants: error %v, panic %v", f.what, f.at, err, thrown)
		}
	}()
	err = s.Update(ctx, func(tx store.Tx) error {
		c, err := tx.Counter(ctx, "commits")
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		c.Key = "commits"
		c.Total++
		if err := tx.PutCounter(ctx, c); err != nil {
			return err
		}
		for i := range 3 {
			if i == f.at {
				if err := f.end(tx, cancel); err != nil {
					return err
				}
			}
			if i < 2 {
				if err := tx.PutGrant(ctx, store.Grant{ID: fmt.Sprintf("%s-%d", name, i)}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// A holder keeps an update open, so that others have to wait.
type holder struct {
	others sync.WaitGroup
	done   chan error
	open   chan struct{}
}

// hold returns when an update is open, and keeps it open until release.
func hold(t *testing.T, s store.Store, others int) *holder {
	t.Helper()
	h := &holder{done: make(chan error, 1), open: make(chan struct{})}
	h.others.Add(others)
	inside := make(chan struct{})
	go func() {
		var once sync.Once
		h.done <- s.Update(context.Background(), func(store.Tx) error {
			once.Do(func() { close(inside) })
			<-h.open
			return nil
		})
	}()
	<-inside
	return h
}

// waiting is called by each of the others, just before its update.
func (h *holder) waiting() { h.others.Done() }

// release ends the update once all others have begun to wait, or nearly.
func (h *holder) release() {
	h.others.Wait()
	for range 1000 {
		runtime.Gosched()
	}
	close(h.open)
	<-h.done
}

func testReadAfterReturn(t *testing.T, s *suite) {
	const workers, rounds = 16, 20
	var fns []func()
	for w := range workers {
		fns = append(fns, func() {
			g := store.Grant{ID: id(byte(w))}
			for g.Epoch = range rounds {
				if err := s.Update(t.Context(), func(tx store.Tx) error {
					if err := tx.PutGrant(t.Context(), g); err != nil {
						return err
					}
					return tx.PutToken(t.Context(), store.Token{Hash: store.Hash{byte(w)}, GrantID: g.ID, Epoch: g.Epoch})
				}); err != nil {
					t.Errorf("Update: %v", err)
				}
				b, err := s.Bearer(t.Context(), store.Hash{byte(w)})
				if err != nil || b.Grant.Epoch != g.Epoch || b.Token.Epoch != g.Epoch {
					t.Errorf("after the update to epoch %d, Bearer sees %d and %d, %v", g.Epoch, b.Grant.Epoch, b.Token.Epoch, err)
				}
			}
		})
	}
	together(fns...)
}

func testTurn(t *testing.T, s *suite) {
	put := func(ctx context.Context, name string) error {
		return s.Update(ctx, func(tx store.Tx) error { return tx.PutGrant(ctx, store.Grant{ID: name}) })
	}
	var wg sync.WaitGroup
	var stop atomic.Bool
	for w := range 16 {
		wg.Go(func() {
			for !stop.Load() {
				if err := put(t.Context(), id(byte(w))); err != nil {
					t.Errorf("Update: %v", err)
					return
				}
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 20 {
		if err := put(ctx, "patient"); err != nil {
			t.Errorf("an update among 16 that never end: %v", err)
			break
		}
	}
	stop.Store(true)
	wg.Wait()
}

func testKeptTx(t *testing.T, s *suite) {
	var kept store.Tx
	update(t, s, func(_ context.Context, tx store.Tx) error { kept = tx; return nil })
	update(t, s, func(ctx context.Context, _ store.Tx) error {
		if err := kept.PutGrant(ctx, store.Grant{ID: "late"}); err == nil {
			t.Error("the Tx of an update that has returned writes")
		}
		return nil
	})
	wantGrants(t, s, map[string]bool{"late": false})
	wantWorking(t, s)
}

func testContextOfItsOwn(t *testing.T, s *suite) {
	err := s.Update(t.Context(), func(tx store.Tx) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		tx.PutGrant(ctx, store.Grant{ID: "missing"})
		return tx.PutGrant(t.Context(), store.Grant{ID: "beside it"})
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update error = %v, want context.Canceled", err)
	}
	wantGrants(t, s, map[string]bool{"missing": false, "beside it": false})
	wantWorking(t, s)
}

func testCloseWaitsForWaiting(t *testing.T, s *suite) {
	const others = 40
	held := hold(t, s, others)
	var wg sync.WaitGroup
	var closed atomic.Bool
	errs := make([]error, others)
	for i := range others {
		wg.Go(func() {
			held.waiting()
			errs[i] = s.Update(t.Context(), func(tx store.Tx) error {
				if closed.Load() {
					t.Error("a function ran after Close had returned")
				}
				return tx.PutGrant(t.Context(), store.Grant{ID: id(byte(i))})
			})
		})
	}
	wg.Go(held.release)
	held.others.Wait()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	closed.Store(true)
	wg.Wait()
	want := map[string]bool{}
	for i, err := range errs {
		want[id(byte(i))] = err == nil
	}
	wantGrants(t, opened(t, s.open), want)
}
