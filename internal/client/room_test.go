package client

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/foyer/store"
)

// unused counts the registrations that were never used.
func (f *fixture) unused() (n int) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) (err error) {
		n, err = tx.TrimUnusedClients(ctx, 1<<30)
		return err
	})
	return n
}

func (f *fixture) known(ids ...string) (there []string) {
	f.t.Helper()
	for _, id := range ids {
		if _, err := f.Lookup(f.t.Context(), id); err == nil {
			there = append(there, id)
		}
	}
	return there
}

func few(n int) func(*Config) { return func(cfg *Config) { cfg.MaxUnused = n } }

// T33: however many register, there are never more than so many that were never
// used; one that was used stays, whatever happens.
func TestT33UnusedRegistrationsAreCappedAndUsedOnesStay(t *testing.T) {
	for _, most := range []int{1, 2, 63, 64, 200} {
		f := newFixture(t, few(most))
		used := f.register(metadata("Used", redirect))
		f.use(used)
		fullest := 0
		for i := range 3*most + 10 {
			f.clock = f.clock.Add(time.Second)
			f.register(metadata(fmt.Sprint("client ", i), redirect))
			if i%16 == 0 || most < 3 {
				n := f.unused()
				if fullest = max(fullest, n); n > most {
					t.Fatalf("most %d: after %d there are %d", most, i+1, n)
				}
			}
		}
		if last := f.register(metadata("Last", redirect)); len(f.known(used.ID, last.ID)) != 2 {
			t.Errorf("most %d: the used one or the newest is gone", most)
		}
		if fullest < most/2 {
			t.Errorf("most %d: there were never more than %d", most, fullest)
		}
	}
}

// Whoever would expire first makes room, and to register again is to come last.
func TestT33TheOneThatExpiresFirstMakesRoom(t *testing.T) {
	f := newFixture(t, few(4))
	register := func(name string) string {
		f.clock = f.clock.Add(time.Minute)
		return f.register(metadata(name, redirect)).ID
	}
	a, b, c, d := register("a"), register("b"), register("c"), register("d")
	if again := register("a"); again != a {
		t.Fatal("a is another client now")
	}
	for _, step := range []struct {
		name string
		want []string
	}{
		{"e", []string{a, c, d}},
		{"f", []string{a, d}},
		{"g", []string{a}},
		{"h", nil},
	} {
		register(step.name)
		if got := f.known(a, b, c, d); !slices.Equal(got, step.want) {
			t.Errorf("after %s: %q are there, want %q", step.name, got, step.want)
		}
	}
}

// Equal registrations take one place, and a place is free again when its client
// was used or has expired.
func TestT33PlacesAreFreeAgain(t *testing.T) {
	f := newFixture(t, few(8))
	first := f.register(metadata("first", redirect))
	for range 100 {
		f.register(metadata("first", redirect))
	}
	for i := range 40 { // each is used before the next comes
		f.use(f.register(metadata(fmt.Sprint("used ", i), redirect)))
	}
	if len(f.known(first.ID)) != 1 {
		t.Error("the first had to make room for clients that take no place")
	}
	f.clock = f.clock.Add(unused)
	var fresh []string
	for i := range 7 {
		fresh = append(fresh, f.register(metadata(fmt.Sprint("fresh ", i), redirect)).ID)
	}
	if got := f.known(fresh...); len(got) != 7 {
		t.Errorf("%d of 7 are there beside one that has expired", len(got))
	}
}

// The number holds with a smaller limit, without the counter, and for two
// processes at once.
func TestT33TheLimitIsOfTheStore(t *testing.T) {
	f := newFixture(t, few(100))
	for i := range 90 {
		f.register(metadata(fmt.Sprint("client ", i), redirect))
	}
	f.MaxUnused = 20
	f.register(metadata("One more", redirect))
	if n := f.unused(); n > 20 {
		t.Errorf("with a smaller limit there are %d", n)
	}
	f.update(func(ctx context.Context, tx store.Tx) error {
		err := tx.PutCounter(ctx, store.Counter{Key: unusedCounter, Expires: f.clock})
		if err == nil {
			_, err = tx.DeleteExpired(ctx, f.clock.Add(time.Second), 10)
		}
		return err
	})
	f.MaxUnused = 10
	f.register(metadata("And one", redirect))
	if n := f.unused(); n > 10 {
		t.Errorf("without the counter there are %d", n)
	}

	cfg := f.Config
	other, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			rules := []*Clients{f.Clients, other}[i%2]
			for j := range 20 {
				if _, err := rules.Register(t.Context(), metadata(fmt.Sprint(i, " ", j), redirect)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := f.unused(); n > 10 {
		t.Errorf("of two processes there are %d", n)
	}
}

// What a new registration costs while all places are taken, beside one where
// there is room. With -benchtime 100000x it is T33's hundred thousand.
func BenchmarkRegister(b *testing.B) {
	for name, full := range map[string]bool{"room": false, "full": true} {
		b.Run(name, func(b *testing.B) {
			f := newFixture(b, few(unusedClients))
			if !full {
				f.MaxUnused = 1 << 30
			}
			used := f.register(metadata("Used", redirect))
			f.use(used)
			for i := range unusedClients {
				f.register(metadata(fmt.Sprint("before ", i), redirect))
			}
			b.ResetTimer()
			for i := range b.N {
				f.register(metadata(fmt.Sprint("client ", i), redirect))
			}
			b.StopTimer()
			if n := f.unused(); full && n > unusedClients || len(f.known(used.ID)) != 1 {
				b.Errorf("there are %d, and the used one is there: %v", n, f.known(used.ID))
			}
		})
	}
}
