package limit_test

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/foyer/internal/limit"
)

func TestRate(t *testing.T) {
	const s, m = time.Second, time.Minute
	for _, test := range []struct {
		name   string
		events int
		per    time.Duration
		steps  []step
	}{
		{"all at once, then one after each part", 3, m, []step{{0, 0}, {0, 0}, {0, 0}, {0, 20 * s}, {10 * s, 10 * s}, {20 * s, 0}, {20 * s, 20 * s}}},
		{"a refused event does not prolong the wait", 1, m, []step{{0, 0}, {30 * s, 30 * s}, {59 * s, s}, {m, 0}}},
		{"nothing is saved up beyond a burst", 2, m, []step{{0, 0}, {1000 * m, 0}, {1000 * m, 0}, {1000 * m, 30 * s}}},
		{"more events than nanoseconds", 1000, 10, []step{{0, 0}, {0, 0}}},
		{"a clock set back opens nothing, and shuts for no longer than one event's part", 2, m, []step{{1000 * m, 0}, {1000 * m, 0}, {0, 30 * s}, {30 * s, 0}, {30 * s, 30 * s}}},
		{"no events", 0, m, []step{{0, limit.Never}}},
		{"a negative number of events", -1, m, []step{{0, limit.Never}}},
		{"no time", 1, 0, []step{{0, limit.Never}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := limit.NewRate(test.events, test.per)
			for i, s := range test.steps {
				now := start.Add(s.at)
				if wait, ok := r.Peek("k", now); wait != s.wait || ok != (s.wait == 0) {
					t.Errorf("step %d: Peek = %v, %v, want %v", i, wait, ok, s.wait)
				}
				if wait, ok := r.Allow("k", now); wait != s.wait || ok != (s.wait == 0) {
					t.Errorf("step %d: Allow = %v, %v, want %v", i, wait, ok, s.wait)
				}
			}
		})
	}
}

func TestAnUnlimitedRateDoesNotComeFromRounding(t *testing.T) {
	r := limit.NewRate(1000, 10)
	allowed := 0
	for range 5000 {
		if _, ok := r.Allow("k", start); ok {
			allowed++
		}
	}
	if allowed != 1000 {
		t.Errorf("%d events at once, want 1000", allowed)
	}
}

// In any stretch there are at most a burst and what came back meanwhile, and a
// key that waits as long as it was told is let through.
func TestRateIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.IntRange(1, 6).Draw(t, "events")
		per := time.Duration(rapid.IntRange(1, 60).Draw(t, "per"))
		part := (per + time.Duration(events) - 1) / time.Duration(events)
		r := limit.NewRate(events, per)
		var allowed []time.Time
		now := start
		for range rapid.IntRange(1, 80).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "pause")))
			wait, ok := r.Allow("k", now)
			if !ok {
				if _, early := r.Peek("k", now.Add(wait-1)); early {
					t.Fatalf("let through before the wait of %d was over", wait)
				}
				now = now.Add(wait)
				if _, ok = r.Allow("k", now); !ok {
					t.Fatalf("refused after the wait of %d", wait)
				}
			}
			allowed = append(allowed, now)
		}
		for i := range allowed {
			for j := i; j < len(allowed); j++ {
				if bound := events + int(allowed[j].Sub(allowed[i])/part); j-i+1 > bound {
					t.Fatalf("%d events within %d, want at most %d", j-i+1, allowed[j].Sub(allowed[i]), bound)
				}
			}
		}
	})
}

func TestT05ConcurrentEventsAreAllCounted(t *testing.T) {
	r := limit.NewRate(50, time.Hour)
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				if _, ok := r.Allow("one", start); ok {
					allowed.Add(1)
				}
				r.Allow(fmt.Sprint(i), start)
			}
		})
	}
	wg.Wait()
	if allowed.Load() != 50 {
		t.Errorf("%d events, want 50", allowed.Load())
	}
}

func TestAFullRateLimitsNewcomersTogether(t *testing.T) {
	const room = 131_072
	r := limit.NewRate(1, time.Hour)
	if _, ok := r.Allow("early", start); !ok {
		t.Fatal("the first key was refused")
	}
	for i := range 2 * room { // twice, so that every shard is full
		r.Allow(fmt.Sprint("crowd", i), start)
	}
	late := 0
	for i := range 1000 {
		now := start.Add(time.Duration(i) * 200 * time.Millisecond)
		if _, ok := r.Allow(fmt.Sprint("late", i), now); ok {
			late++
		}
	}
	if late > 64 {
		t.Errorf("%d newcomers were let through a full rate, want at most one for each sixty-fourth", late)
	}
	if _, ok := r.Allow("early", start.Add(59*time.Minute)); ok {
		t.Error("the crowd made the rate forget a key that was used up")
	}
	for i := range 100 {
		if _, ok := r.Allow(fmt.Sprint("new", i), start.Add(3*time.Hour)); !ok {
			t.Error("a newcomer was refused after all others have their events again")
		}
	}
}

func TestAFullRateSurvivesAClockSetBack(t *testing.T) {
	r := limit.NewRate(1, time.Hour)
	for i := range 300_000 {
		r.Allow(fmt.Sprint("crowd", i), start.Add(1000*time.Hour))
	}
	for i := range 1000 { // every shard looks for room, and mends what it finds
		r.Peek(fmt.Sprint("newcomer", i), start)
	}
	for i := range 1000 {
		if _, ok := r.Allow(fmt.Sprint("newcomer", i), start.Add(2*time.Hour)); !ok {
			t.Fatal("newcomers wait for the time that the clock once showed")
		}
	}
}

// Covers T34 and T35's unit of counting.
func TestClientKey(t *testing.T) {
	for _, test := range []struct{ name, addr, want string }{
		{"IPv4", "192.0.2.7", "192.0.2.7"},
		{"IPv4 in IPv6", "::ffff:192.0.2.7", "192.0.2.7"},
		{"IPv6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"IPv6 of the same network", "2001:db8:1:2:ffff::", "2001:db8:1:2::/64"},
		{"IPv6 of the next network", "2001:db8:1:3::", "2001:db8:1:3::/64"},
		{"IPv6 with a zone", "fe80::1%eth0", "fe80::/64"},
		{"loopback", "::1", "::/64"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := limit.ClientKey(netip.MustParseAddr(test.addr)); got != test.want {
				t.Errorf("ClientKey(%s) = %s, want %s", test.addr, got, test.want)
			}
		})
	}
	if limit.ClientKey(netip.Addr{}) == "" {
		t.Error("no address has no key")
	}
}

func BenchmarkAllow(b *testing.B) {
	keys := make([]string, 1<<16)
	for i := range keys {
		keys[i] = limit.ClientKey(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}))
	}
	r := limit.NewRate(30, time.Hour)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			r.Allow(keys[i%len(keys)], start)
		}
	})
}
