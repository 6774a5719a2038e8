package foyer

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What a durable act costs beside an update that puts one record in the same
// file, at so many clients at once. x/commit is of rates: 0.5 means that in the
// time of one act two such records are committed.
func BenchmarkAct(b *testing.B) {
	for _, act := range []struct {
		name string
		acts func(*desk) acts
	}{
		{"exchange", func(d *desk) acts { return d.exchanges }},
		{"refresh", func(d *desk) acts { return d.refreshes }},
		{"claim", func(d *desk) acts { return d.claims }},
	} {
		for _, clients := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%s/clients=%d", act.name, clients), func(b *testing.B) {
				d := newDesk(b)
				ours := act.acts(d)
				d.race(b, clients, ours, d.commits, "x/commit")
				todo := ours(batchOf(clients))
				commits, pages := d.written(func() { all(b, clients, todo) })
				b.ReportMetric(float64(commits)/float64(len(todo)), "commits/op")
				b.ReportMetric(float64(pages)/float64(len(todo)), "pages/op")
			})
		}
	}
}

// What HTTP adds to a code exchange: the whole request, without a network,
// beside its rule.
func BenchmarkTokenEndpoint(b *testing.B) {
	for _, clients := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			d := newDesk(b)
			d.race(b, clients, d.posts, d.exchanges, "x/rule")
		})
	}
}

// batchOf is how many acts are done in one go.
func batchOf(clients int) int { return max(64, 8*clients) }

// race lets both do their acts in turn, so that whatever else runs on the machine
// weighs on both, and reports the ratio of their rates, the median of five parts
// of the race. Making what they need is not counted.
func (d *desk) race(b *testing.B, clients int, ours, yardstick acts, unit string) {
	b.Helper()
	n, rounds := batchOf(clients), 0
	const parts = 5
	var took [parts][2]time.Duration
	for ; b.Loop(); rounds++ {
		b.StopTimer()
		todo := [2][]func() error{ours(n), yardstick(n)}
		b.StartTimer()
		for i := range 2 {
			who := (i + rounds/parts) % 2
			took[rounds%parts][who] += all(b, clients, todo[who])
		}
	}
	var ratios []float64
	var total time.Duration
	for _, part := range took {
		total += part[0]
		if part[0] > 0 {
			ratios = append(ratios, float64(part[1])/float64(part[0]))
		}
	}
	slices.Sort(ratios)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(rounds*n)/total.Seconds(), "op/s")
	b.ReportMetric(ratios[len(ratios)/2], unit)
}

// all does everything that is to do, by so many at once, and returns how long it
// took.
func all(b *testing.B, clients int, todo []func() error) time.Duration {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	begun := time.Now()
	for range clients {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(todo)); i = next.Add(1) - 1 {
				if err := todo[i](); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return time.Since(begun)
}
