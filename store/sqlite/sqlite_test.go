package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
	"example.com/foyer/store/storetest"
)

// Run again with this variable, the test binary is the process that
// processes_test.go races against.
const childVariable = "FOYER_SQLITE_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		runChild(path)
		return
	}
	os.Exit(m.Run())
}

func open(t testing.TB, path string) store.Store {
	t.Helper()
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Open {
		path := filepath.Join(t.TempDir(), "test.db")
		return func() (store.Store, error) { return sqlite.Open(path) }
	})
}

// SQLite's own texts end at a zero byte; ours do not.
func TestAZeroByteIsALetterLikeOthers(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "test.db"))
	want := store.Bearer{
		Token: store.Token{Hash: store.Hash{0, 1, 0}, GrantID: "g\x00rant"},
		Grant: store.Grant{ID: "g\x00rant", Resource: "\x00", Level: "a\x00\x1fb"},
	}
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.PutGrant(t.Context(), want.Grant), tx.PutToken(t.Context(), want.Token))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Bearer(t.Context(), want.Token.Hash); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Bearer, %v\nfound %+v\nwant  %+v", err, got, want)
	}
}

// BenchmarkUpdate is what a refresh writes: the old token used, two new ones,
// and the grant moved on.
func BenchmarkUpdate(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "bench.db"))
	ctx := b.Context()
	refresh := func(grantID string, number byte, generation int) error {
		return s.Update(ctx, func(tx store.Tx) error {
			hash := func(kind byte, generation int) store.Hash {
				return store.Hash{kind, number, byte(generation), byte(generation >> 8), byte(generation >> 16), byte(generation >> 24)}
			}
			g, err := tx.Grant(ctx, grantID)
			if err != nil {
				return err
			}
			if generation > 1 {
				old, err := tx.Token(ctx, hash('r', generation-1))
				if err != nil {
					return err
				}
				if err := tx.PutToken(ctx, old); err != nil {
					return err
				}
			}
			if err := tx.PutToken(ctx, store.Token{Hash: hash('r', generation), Kind: store.Refresh, GrantID: grantID, Generation: generation}); err != nil {
				return err
			}
			if err := tx.PutToken(ctx, store.Token{Hash: hash('a', generation), Kind: store.Access, GrantID: grantID, Generation: generation}); err != nil {
				return err
			}
			g.Generation = generation
			return tx.PutGrant(ctx, g)
		})
	}
	grants := 0
	family := func(b *testing.B) func() {
		grants++
		id, number, generation := string(rune('a'+grants)), byte(grants), 0
		if err := s.Update(ctx, func(tx store.Tx) error { return tx.PutGrant(ctx, store.Grant{ID: id}) }); err != nil {
			b.Fatal(err)
		}
		return func() {
			generation++
			if err := refresh(id, number, generation); err != nil {
				b.Error(err)
			}
		}
	}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		next := family(b)
		for b.Loop() {
			next()
		}
	})
	b.Run("parallel", func(b *testing.B) {
		families := make(chan func(), 64)
		for range cap(families) {
			families <- family(b)
		}
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			next := <-families
			for pb.Next() {
				next()
			}
		})
	})
}
