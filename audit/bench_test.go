package audit

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// newBench is a trail on a file, and what commits grants to it, some in each
// Update, with an event for each or without.
func newBench(b *testing.B) (*Trail, func(grants int, events bool) time.Duration) {
	b.Helper()
	s, err := sqlite.Open(filepath.Join(b.TempDir(), "bench.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	trail, err := New(Config{Store: s, Secrets: []string{oldSecret}, Keep: kept, Now: time.Now, Log: loggerTo(&lockedBuffer{})})
	if err != nil {
		b.Fatal(err)
	}
	ctx, n := context.Background(), 0
	return trail, func(grants int, events bool) time.Duration {
		begun := time.Now()
		err := s.Update(ctx, func(tx store.Tx) error {
			for range grants {
				n++
				g := store.Grant{ID: fmt.Sprintf("%x", n*2654435761), ClientID: "client", Resource: "https://notes.example.com/mcp", GuestID: "guest", UserID: "user", Scopes: []string{"guest"}}
				if err := tx.PutGrant(ctx, g); err != nil {
					return err
				}
				if events {
					if err := tx.PutEvent(ctx, full(begun)); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		return time.Since(begun)
	}
}

// What an event adds to an update that puts a grant: x/commit is how long both
// take to how long the grant alone takes.
func BenchmarkEvent(b *testing.B) {
	for _, grants := range []int{1, 64} { // 64 share a commit, as those that wait do
		b.Run(fmt.Sprint("grants=", grants), func(b *testing.B) {
			_, commit := newBench(b)
			var with, without time.Duration
			for b.Loop() {
				without += commit(grants, false)
				with += commit(grants, true)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(with)/float64(without), "x/commit")
			b.ReportMetric(float64((with-without).Microseconds())/float64(b.N*grants), "µs/event")
		})
	}
}

// What it takes to seal an event, when so many wait: x/commit is to a commit of
// one grant.
func BenchmarkSeal(b *testing.B) {
	for _, waiting := range []int{1, 256} {
		b.Run(fmt.Sprint("waiting=", waiting), func(b *testing.B) {
			trail, commit := newBench(b)
			var seal, one time.Duration
			for b.Loop() {
				commit(waiting, true)
				one += commit(1, false)
				begun := time.Now()
				if err := trail.Flush(context.Background()); err != nil {
					b.Fatal(err)
				}
				seal += time.Since(begun)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(seal)/float64(one)/float64(waiting), "x/commit")
			b.ReportMetric(float64(seal.Microseconds())/float64(b.N*waiting), "µs/event")
		})
	}
}

// What it takes to note a decision, for the request that it is about.
func BenchmarkNote(b *testing.B) {
	for _, test := range []struct{ name, user string }{{"an event of its own", "u"}, {"a repeat", ""}} {
		b.Run(test.name, func(b *testing.B) {
			trail, _ := newBench(b)
			e := full(time.Now())
			e.UserID, e.Outcome = test.user, store.OutcomeAllow
			for b.Loop() {
				trail.Note(e)
				if len(trail.notes.waiting) == mostNotes {
					trail.notes.take(e.At, false)
				}
			}
		})
	}
}

// What it takes to verify an event.
func BenchmarkVerify(b *testing.B) {
	trail, commit := newBench(b)
	const n = 10_000
	commit(n, true)
	if err := trail.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if r, err := trail.Verify(context.Background()); err != nil || r.Sealed != n {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/event")
}
