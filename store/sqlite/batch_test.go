package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"example.com/foyer/internal/sqlstore"
	"example.com/foyer/store"
)

// openBoth opens the store at path as Open does, and returns its one writing
// connection too.
func openBoth(t *testing.T, path string) (store.Store, *sql.DB) {
	t.Helper()
	full, err := create(path)
	if err != nil {
		t.Fatal(err)
	}
	writer, reader, err := connect(full)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlstore.Open(t.Context(), writer, reader, dialect(path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, writer
}

// inOneBatch runs the functions as updates that wait for another, so that they
// share its transaction. They come to their turn one after the other.
func inOneBatch(t *testing.T, s store.Store, fns ...func(store.Tx) error) []error {
	t.Helper()
	var wg sync.WaitGroup
	inside, release := make(chan struct{}), make(chan struct{})
	wg.Go(func() {
		var once sync.Once
		if err := s.Update(t.Context(), func(store.Tx) error {
			once.Do(func() { close(inside) })
			<-release
			return nil
		}); err != nil {
			t.Errorf("the update that the others waited for: %v", err)
		}
	})
	<-inside
	errs := make([]error, len(fns))
	for i, fn := range fns {
		coming := make(chan struct{})
		wg.Go(func() {
			close(coming)
			errs[i] = s.Update(t.Context(), fn)
		})
		<-coming
		for range 1000 { // until it waits
			runtime.Gosched()
		}
	}
	close(release)
	wg.Wait()
	return errs
}

func TestWaitingUpdatesShareACommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, _ := openBoth(t, path)
	beside := raw(t, path)
	put, largest := 0, 0
	var fns []func(store.Tx) error
	for range 3 * batch {
		fns = append(fns, func(tx store.Tx) error {
			var committed int
			if err := beside.QueryRow("SELECT count(*) FROM foyer_grants").Scan(&committed); err != nil {
				return err
			}
			if _, err := tx.Grant(t.Context(), fmt.Sprint(put)); err == nil || put == 0 {
				largest = max(largest, put-committed) // what was put before, and is no other connection's to see yet
			}
			put++
			return tx.PutGrant(t.Context(), store.Grant{ID: fmt.Sprint(put)})
		})
	}
	for _, err := range inOneBatch(t, s, fns...) {
		if err != nil {
			t.Error(err)
		}
	}
	if largest < batch/2 || largest >= batch {
		t.Errorf("%d updates shared a commit with the one after them, want many, and fewer than %d", largest, batch)
	}
}

// A deferred constraint is the one thing that SQLite checks at COMMIT alone.
func refuseAtCommit(t *testing.T, path string) {
	t.Helper()
	_, err := raw(t, path).Exec(`
		CREATE TABLE parent (id INTEGER PRIMARY KEY);
		CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
		CREATE TRIGGER refused AFTER INSERT ON foyer_grants WHEN new.level = 'refused at commit'
			BEGIN INSERT INTO child VALUES (1); END`)
	if err != nil {
		t.Fatal(err)
	}
}

func TestABatchWhoseCommitFailsRunsAgainOneByOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, _ := openBoth(t, path)
	refuseAtCommit(t, path)
	var fns []func(store.Tx) error
	runs := make([]int, 20)
	for i := range runs {
		g := store.Grant{ID: fmt.Sprint(i)}
		if i%5 == 0 {
			g.Level = "refused at commit"
		}
		fns = append(fns, func(tx store.Tx) error {
			runs[i]++
			c, err := tx.Counter(t.Context(), "commits")
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if err := tx.PutCounter(t.Context(), store.Counter{Key: "commits", Total: c.Total + 1}); err != nil {
				return err
			}
			return tx.PutGrant(t.Context(), g)
		})
	}
	for i, err := range inOneBatch(t, s, fns...) {
		refused := err != nil && strings.Contains(err.Error(), "commit: constraint failed")
		if i%5 == 0 && !refused || i%5 != 0 && err != nil {
			t.Errorf("update %d: error = %v", i, err)
		}
		if runs[i] > 2 {
			t.Errorf("update %d ran %d times, want at most once more", i, runs[i])
		}
	}
	if again := fmt.Sprint(runs); !strings.Contains(again, "2") {
		t.Errorf("updates ran %v times: no batch has failed", again)
	}
	err := s.View(t.Context(), func(tx store.Tx) error {
		for i := range runs {
			if _, err := tx.Grant(t.Context(), fmt.Sprint(i)); errors.Is(err, store.ErrNotFound) != (i%5 == 0) {
				t.Errorf("grant %d: %v", i, err)
			}
		}
		c, err := tx.Counter(t.Context(), "commits")
		if c.Total != 16 {
			t.Errorf("%d updates are counted, want the 16 that were committed", c.Total)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAnUpdateThatRunsAgainRunsAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, _ := openBoth(t, path)
	refuseAtCommit(t, path)
	put := func(g store.Grant) func(store.Tx) error {
		return func(tx store.Tx) error { return tx.PutGrant(t.Context(), g) }
	}
	var newcomer sync.WaitGroup
	runs := 0
	errs := inOneBatch(t, s, put(store.Grant{ID: "beside it"}), func(tx store.Tx) error {
		if runs++; runs == 2 {
			newcomer.Go(func() {
				if err := s.Update(t.Context(), put(store.Grant{ID: "newcomer"})); err != nil {
					t.Errorf("the newcomer: %v", err)
				}
			})
			for range 10_000 { // until the newcomer waits
				runtime.Gosched()
			}
		}
		return put(store.Grant{ID: "g", Level: "refused at commit"})(tx)
	})
	newcomer.Wait()
	if runs != 2 {
		t.Errorf("the update ran %d times, want twice", runs)
	}
	if errs[0] != nil || errs[1] == nil || !strings.Contains(errs[1].Error(), "constraint failed") {
		t.Errorf("errors %v, want the database's own for the second alone", errs)
	}
}

// SQLite ends a transaction by itself where memory or the disk fail it, and
// would run what comes after without one.
func TestABatchWhoseTransactionIsEndedRunsAgainOneByOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, _ := openBoth(t, path)
	_, err := raw(t, path).Exec(`CREATE TRIGGER ended AFTER INSERT ON foyer_grants WHEN new.level = 'ends the transaction'
		BEGIN SELECT RAISE(ROLLBACK, 'ended'); END`)
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	var fns []func(store.Tx) error
	for i := range 20 {
		g := store.Grant{ID: fmt.Sprint(i)}
		if i%5 == 0 {
			g.Level = "ends the transaction"
		}
		fns = append(fns, func(tx store.Tx) error {
			runs++
			c, err := tx.Counter(t.Context(), "commits")
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if err := tx.PutCounter(t.Context(), store.Counter{Key: "commits", Total: c.Total + 1}); err != nil {
				return err
			}
			tx.PutGrant(t.Context(), g)
			return tx.PutUser(t.Context(), store.User{ID: g.ID, Email: g.ID})
		})
	}
	for i, err := range inOneBatch(t, s, fns...) {
		ended := err != nil && strings.Contains(err.Error(), "constraint failed: ended")
		if i%5 == 0 && !ended || i%5 != 0 && err != nil {
			t.Errorf("update %d: error = %v", i, err)
		}
	}
	if runs == 20 {
		t.Error("no update ran twice: no batch has failed")
	}
	err = s.View(t.Context(), func(tx store.Tx) error {
		for i := range 20 {
			_, grantErr := tx.Grant(t.Context(), fmt.Sprint(i))
			_, userErr := tx.User(t.Context(), fmt.Sprint(i))
			if grantErr != userErr || errors.Is(userErr, store.ErrNotFound) != (i%5 == 0) {
				t.Errorf("update %d: grant %v, user %v", i, grantErr, userErr)
			}
		}
		c, err := tx.Counter(t.Context(), "commits")
		if c.Total != 16 {
			t.Errorf("%d updates are counted, want the 16 that were committed, each once", c.Total)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAnUpdateThatCannotBeginHandsItsTurnOn(t *testing.T) {
	s, writer := openBoth(t, filepath.Join(t.TempDir(), "test.db"))
	writer.Close()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := s.Update(t.Context(), func(store.Tx) error { return nil }); err == nil {
				t.Error("an Update without a connection: no error")
			}
		})
	}
	wg.Wait()
}

// What an update refuses because of another in its batch must not stand where
// that one is lost.
func TestARefusalRestsOnWhatWasCommitted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, _ := openBoth(t, path)
	refuseAtCommit(t, path)
	claim := func(level string) func(store.Tx) error {
		return func(tx store.Tx) error {
			if _, err := tx.Grant(t.Context(), "g"); err == nil {
				return errors.New("claimed already")
			}
			return tx.PutGrant(t.Context(), store.Grant{ID: "g", Level: level})
		}
	}
	for range 20 {
		errs := inOneBatch(t, s, claim("refused at commit"), claim("email"))
		if errs[0] == nil {
			t.Error("the update that cannot be committed was acknowledged")
		}
		if errs[1] != nil {
			t.Errorf("the other: error = %v, want none: nothing of the first is there", errs[1])
		}
		if _, err := raw(t, path).Exec("DELETE FROM foyer_grants"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestATxReachesNoOtherUpdateOfItsBatch(t *testing.T) {
	s, _ := openBoth(t, filepath.Join(t.TempDir(), "test.db"))
	var kept []store.Tx // of one batch, one after the other
	var fns []func(store.Tx) error
	for range 20 {
		fns = append(fns, func(tx store.Tx) error {
			for _, k := range kept {
				if err := k.PutGrant(t.Context(), store.Grant{ID: "late"}); err == nil {
					return errors.New("the Tx of an update that has ended writes into another's")
				}
			}
			kept = append(kept, tx)
			return nil
		})
	}
	for _, err := range inOneBatch(t, s, fns...) {
		if err != nil {
			t.Error(err)
		}
	}
}
