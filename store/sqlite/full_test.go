package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"example.com/foyer/store"
)

// fill puts grants of some size until an Update fails, and returns its error and
// how many were acknowledged.
func fill(t *testing.T, s store.Store) (acknowledged int, err error) {
	t.Helper()
	for acknowledged < 10_000 {
		if err := putGrant(t, s, acknowledged); err != nil {
			return acknowledged, err
		}
		acknowledged++
	}
	t.Fatal("the disk is never full")
	return 0, nil
}

func putGrant(t *testing.T, s store.Store, n int) error {
	return s.Update(t.Context(), func(tx store.Tx) error {
		return tx.PutGrant(t.Context(), store.Grant{ID: fmt.Sprint(n), Resource: strings.Repeat("x", 3000)})
	})
}

// grants returns how many of the grants are there, from the first on.
func grants(t *testing.T, s store.Store) (n int) {
	t.Helper()
	err := s.View(t.Context(), func(tx store.Tx) error {
		for n = 0; ; n++ {
			if _, err := tx.Grant(t.Context(), fmt.Sprint(n)); errors.Is(err, store.ErrNotFound) {
				return nil
			} else if err != nil {
				return err
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
	return n
}

func wantGrants(t *testing.T, s store.Store, want int) {
	t.Helper()
	if got := grants(t, s); got != want {
		t.Errorf("%d grants are there, want the %d that were acknowledged", got, want)
	}
}

func wantExplained(t *testing.T, err error, want, path string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
		t.Errorf("error = %v\nwant the path, and %q", err, want)
	}
}

func TestAFullDatabaseIsToldAndWorksAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, writer := openBoth(t, path)
	limit := func(pages int) {
		if _, err := writer.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(60)
	n, err := fill(t, s)
	wantExplained(t, err, "the disk is full; make room", path)
	if n == 0 {
		t.Error("nothing could be written at all")
	}
	wantGrants(t, s, n)

	// A function that goes on after the error commits nothing on its own.
	err = s.Update(t.Context(), func(tx store.Tx) error {
		tx.PutGrant(t.Context(), store.Grant{ID: fmt.Sprint(n), Resource: strings.Repeat("x", 100_000)})
		return tx.PutCounter(t.Context(), store.Counter{Key: "small"})
	})
	wantExplained(t, err, "the disk is full; make room", path)
	if err := s.View(t.Context(), func(tx store.Tx) error {
		if _, err := tx.Counter(t.Context(), "small"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("what was put after an error is there: %v", err)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}

	// Some of a batch find no room: what the others wrote is kept.
	var fns []func(store.Tx) error
	for i := range 10 {
		fns = append(fns, func(tx store.Tx) error {
			if i%2 == 1 {
				return tx.PutGrant(t.Context(), store.Grant{ID: fmt.Sprint("big", i), Resource: strings.Repeat("x", 100_000)})
			}
			return tx.PutCounter(t.Context(), store.Counter{Key: fmt.Sprint("small", i)})
		})
	}
	for i, err := range inOneBatch(t, s, fns...) {
		if i%2 == 1 {
			wantExplained(t, err, "the disk is full; make room", path)
		} else if err != nil {
			t.Errorf("a small update in the batch: %v", err)
		}
	}
	if err := s.View(t.Context(), func(tx store.Tx) error {
		for i := 0; i < 10; i += 2 {
			if _, err := tx.Counter(t.Context(), fmt.Sprint("small", i)); err != nil {
				t.Errorf("small update %d was acknowledged: %v", i, err)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}

	limit(10_000)
	if err := putGrant(t, s, n); err != nil {
		t.Errorf("with room again: %v", err)
	}
	wantGrants(t, s, n+1)
}
