//go:build unix

package mcpgate_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"syscall"
	"testing"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// A contender is a handler in a race, with the request that it gets and the
// status that it must answer.
type contender struct {
	handler http.Handler
	request *http.Request
	body    []byte
	status  int
}

func contend(b *testing.B, h http.Handler, req *http.Request, status int) contender {
	b.Helper()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		b.Fatal(err)
	}
	return contender{h, req, body, status}
}

// run serves the request n times, and returns what that took. Making the requests
// and reading the answers is not counted.
func (c contender) run(b *testing.B, n int) time.Duration {
	b.Helper()
	requests, answers := make([]*http.Request, n), make([]*httptest.ResponseRecorder, n)
	for i := range n {
		requests[i], answers[i] = c.request.Clone(b.Context()), httptest.NewRecorder()
		requests[i].Body = io.NopCloser(bytes.NewReader(c.body))
	}
	began := processor(b)
	for i := range n {
		c.handler.ServeHTTP(answers[i], requests[i])
	}
	took := processor(b) - began
	for _, w := range answers {
		if w.Code != c.status {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	return took
}

// race lets both run in turn, so that whatever else runs on the machine weighs on
// both, and reports what ours costs in runs of the yardstick: the processor time
// of this process, with what collecting the garbage takes. Each part of it asks
// for a pair: where the memory of a server happens to lie moves its ratio by a
// tenth, as long as it lives, so that what is cheap is made anew. It fails where no
// part of the race is within limit, of which noise has to spoil all.
func race(b *testing.B, limit float64, pair func() (ours, yardstick contender)) {
	b.Helper()
	var pairs [parts][2]contender
	for i := range pairs {
		pairs[i][0], pairs[i][1] = pair()
		pairs[i][0].run(b, 1) // the first is dearer: a list is encoded then, and kept
		pairs[i][1].run(b, 1)
	}
	n := max(1, int(2*time.Millisecond/max(1, pairs[0][1].run(b, 1))))
	var took [parts][2]time.Duration
	rounds := 0
	for ; b.Loop(); rounds++ {
		part := rounds % parts
		for i := range 2 {
			who := (i + rounds/parts) % 2 // who begins is disturbed by what was before
			took[part][who] += pairs[part][who].run(b, n)
		}
	}
	var ratios []float64
	for _, part := range took {
		ratios = append(ratios, float64(part[0])/float64(part[1]))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[parts/2], "x/bare")
	if rounds >= 2*parts && ratios[0] > limit { // else a part may have seen nothing
		b.Errorf("%.2f to %.2f of the yardstick; %.2f is the most", ratios[0], ratios[parts-1], limit)
	}
}

const parts = 5

// within is the race of one, against the clock.
func within(b *testing.B, ours contender, limit time.Duration) {
	b.Helper()
	const n = 100
	var took []time.Duration
	for b.Loop() {
		took = append(took, ours.run(b, n)/n)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "µs")
	if least := took[0]; len(took) >= 10*parts && least > limit {
		b.Errorf("it took %v at the least; %v is the most", least, limit)
	}
}

// processor returns the time that this process has had.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A memory is a store that knows its bearers by heart: beside it, what is left
// is the gate's own cost.
type memory struct {
	store.Store
	bearers map[store.Hash]store.Bearer
}

func (m memory) Bearer(_ context.Context, h store.Hash) (store.Bearer, error) {
	if b, ok := m.bearers[h]; ok {
		return b, nil
	}
	return store.Bearer{}, store.ErrNotFound
}

// remember takes the store out of what the gate costs.
func (r *room) remember(b *testing.B, tokens ...string) {
	b.Helper()
	m := memory{r.store, map[store.Hash]store.Bearer{}}
	for _, token := range tokens {
		h := secret.HashOf(token)
		bearer, err := r.store.Bearer(b.Context(), h)
		if err != nil {
			b.Fatal(err)
		}
		m.bearers[h] = bearer
	}
	grants := grant.New(m, r.keys, lifetimes, grant.JWTs{}, r.now)
	b.Cleanup(grants.Close)
	r.gate.Grants = grants
}
