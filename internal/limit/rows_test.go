package limit_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"example.com/foyer/internal/limit"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// Budgets are rows: what two stores on one file spend, at once and in turn, and
// what was spent before the file was opened again, is one sum.
func TestT05ABudgetIsOneForAllWhoOpenTheFile(t *testing.T) {
	budgets := []limit.Budget{{Events: 7, Within: time.Hour}, {Events: 20, Within: 24 * time.Hour}}
	path := filepath.Join(t.TempDir(), "test.db")
	open := func() store.Store {
		s, err := sqlite.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	spend := func(s store.Store, now time.Time) (spent bool) {
		if err := s.Update(t.Context(), func(tx store.Tx) error {
			wait, err := limit.Spend(context.Background(), tx, "key", now, budgets...)
			spent = err == nil && wait == 0
			return err
		}); err != nil {
			t.Error(err)
		}
		return spent
	}
	now := start
	for hour, want := range []int{7, 7, 6, 0, 0} { // twenty in a day
		stores := []store.Store{open(), open()}
		var mu sync.Mutex
		var wg sync.WaitGroup
		spent := 0
		for i := range 40 {
			wg.Go(func() {
				if spend(stores[i%2], now) {
					mu.Lock()
					defer mu.Unlock()
					spent++
				}
			})
		}
		wg.Wait()
		for _, s := range stores {
			if spend(s, now) {
				spent++
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		again := open()
		if spend(again, now.Add(time.Second)) {
			spent++
		}
		again.Close()
		if spent != want {
			t.Errorf("hour %d: %d were spent, want %d", hour, spent, want)
		}
		now = now.Add(time.Hour)
	}
}
