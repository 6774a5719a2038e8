package storetest

import (
	"fmt"
	"sync"
	"testing"

	"example.com/foyer/store"
)

var raceTests = []test{
	{"of many racing updates each sees the one before", func(t *testing.T, s *suite) {
		testLostUpdate(t, s, s)
	}},
	{"of many updates that race through two stores each sees the one before", func(t *testing.T, s *suite) {
		testLostUpdate(t, s, opened(t, s.open))
	}},
	{"two updates cannot each miss the other's write", func(t *testing.T, s *suite) {
		testWriteSkew(t, s, s)
	}},
	{"two updates through two stores cannot each miss the other's write", func(t *testing.T, s *suite) {
		testWriteSkew(t, s, opened(t, s.open))
	}},
	{"two updates cannot both put what neither found", testPhantom},
	{"one of many racing claims wins", testOneWinner},
}

func testLostUpdate(t *testing.T, first, second store.Store) {
	const workers, rounds = 8, 25
	putGrants(t, first, store.Grant{ID: "g"})
	ctx := t.Context()
	var wg sync.WaitGroup
	for i := range workers {
		s := []store.Store{first, second}[i%2]
		wg.Go(func() {
			for range rounds {
				if err := s.Update(ctx, func(tx store.Tx) error {
					g, err := tx.Grant(ctx, "g")
					if err != nil {
						return err
					}
					g.Generation++
					return tx.PutGrant(ctx, g)
				}); err != nil {
					t.Errorf("racing Update: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if g := grant(t, second, "g"); g.Generation != workers*rounds {
		t.Errorf("after %d racing updates Generation = %d: an update was lost", workers*rounds, g.Generation)
	}
}

// together releases the functions at one moment, and waits for them.
func together(fns ...func()) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for _, fn := range fns {
		wg.Go(func() {
			<-start
			fn()
		})
	}
	close(start)
	wg.Wait()
}

// Two updates read the same two grants, and each revokes one if the other
// stands. One after the other, they leave one grant standing; a store that is
// not serializable lets both revoke, sooner or later.
func testWriteSkew(t *testing.T, first, second store.Store) {
	ctx := t.Context()
	revokeUnlessOther := func(s store.Store, mine, other string) func() {
		return func() {
			if err := s.Update(ctx, func(tx store.Tx) error {
				o, err := tx.Grant(ctx, other)
				if err != nil || !o.RevokedAt.IsZero() {
					return err
				}
				return tx.PutGrant(ctx, store.Grant{ID: mine, RevokedAt: at(1)})
			}); err != nil {
				t.Errorf("Update: %v", err)
			}
		}
	}
	const rounds = 400
	skewed := 0
	for range rounds {
		putGrants(t, first, store.Grant{ID: "g1"}, store.Grant{ID: "g2"})
		together(revokeUnlessOther(first, "g1", "g2"), revokeUnlessOther(second, "g2", "g1"))
		revoked := 0
		for _, id := range []string{"g1", "g2"} {
			if !grant(t, first, id).RevokedAt.IsZero() {
				revoked++
			}
		}
		switch revoked {
		case 0:
			t.Fatal("neither grant was revoked: an update was lost")
		case 2:
			skewed++
		}
	}
	if skewed > 0 {
		t.Errorf("in %d of %d rounds both grants were revoked: updates are not serializable", skewed, rounds)
	}
}

// The same with records that do not exist yet: there is no row to lock.
func testPhantom(t *testing.T, s *suite) {
	ctx := t.Context()
	const rounds = 200
	for round := range rounds {
		a, b := fmt.Sprintf("a%d", round), fmt.Sprintf("b%d", round)
		putUnlessOther := func(mine, other string) func() {
			return func() {
				if err := s.Update(ctx, func(tx store.Tx) error {
					if _, err := tx.Counter(ctx, other); err == nil {
						return nil
					}
					return tx.PutCounter(ctx, store.Counter{Key: mine})
				}); err != nil {
					t.Errorf("Update: %v", err)
				}
			}
		}
		together(putUnlessOther(a, b), putUnlessOther(b, a))
		if err := s.View(ctx, func(tx store.Tx) error {
			_, errA := tx.Counter(ctx, a)
			_, errB := tx.Counter(ctx, b)
			if (errA == nil) == (errB == nil) {
				t.Errorf("round %d: one counter must be there, the other not: %v, %v", round, errA, errB)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func testOneWinner(t *testing.T, s *suite) {
	ctx := t.Context()
	const rounds, claims = 20, 16
	for round := range rounds {
		grantID := fmt.Sprint("g", round)
		putGrants(t, s, store.Grant{ID: grantID})
		won := make([]bool, claims)
		var fns []func()
		for i := range claims {
			fns = append(fns, func() {
				mine := false
				if err := s.Update(ctx, func(tx store.Tx) error {
					mine = false // fn may run again
					g, err := tx.Grant(ctx, grantID)
					if err != nil || g.UserID != "" {
						return err
					}
					mine = true
					g.UserID = fmt.Sprint("u", i)
					return tx.PutGrant(ctx, g)
				}); err != nil {
					t.Errorf("Update: %v", err)
				}
				won[i] = mine
			})
		}
		together(fns...)
		owner, winners := grant(t, s, grantID).UserID, 0
		for i, w := range won {
			if w {
				winners++
				if want := fmt.Sprint("u", i); owner != want {
					t.Errorf("%s believes it won, but the grant is %s's", want, owner)
				}
			}
		}
		if winners != 1 {
			t.Errorf("%d of %d claims won, want 1", winners, claims)
		}
	}
}
