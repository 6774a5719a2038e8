package mcpgate

import (
	"context"
	"net/http"
	"time"

	"example.com/foyer/gate"
)

// Unguarded looks the caller up, and asks no rule: the middleware behind it is
// alone, and the SDK encodes what it answers.
func (g *Gate) Unguarded(e Endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := g.authenticate(w, r, e, nil); ok {
			b, _ := read(w, r)
			newAnswer(w, b.id(), nil).of(g.stateless, r, c)
		}
	})
}

// Naked is the SDK's handler, behind which the middleware is alone and knows no
// caller.
func (g *Gate) Naked() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := read(w, r)
		a := newAnswer(w, b.id(), nil)
		defer a.end()
		g.stateless.ServeHTTP(a, r)
	})
}

// Open counts what is open: sessions, streams, and those who have any.
func (g *Gate) Open() (sessions, streams, parties int) {
	g.live.mu.Lock()
	defer g.live.mu.Unlock()
	return len(g.live.sessions), len(g.live.streams), len(g.live.parties)
}

// Sweep is what [Gate.Run] does from time to time.
func (g *Gate) Sweep() { g.sweep() }

// Knowing counts the open streams that are known to be a user's.
func (g *Gate) Knowing() (n int) {
	g.live.mu.Lock()
	defer g.live.mu.Unlock()
	for st := range g.live.streams {
		if st.caller.SignedIn() {
			n++
		}
	}
	return n
}

// Again is whether a client comes back with a need that it was challenged for.
func (g *Gate) Again(c gate.Caller, d gate.Decision, now time.Time) bool {
	return g.loops.again(c, d, now)
}

// Loops is how many needs are remembered.
func (g *Gate) Loops() int { return len(g.loops.first) }

// LookAt looks at what a grant has open, and returns when everything was looked at.
func (g *Gate) LookAt(ctx context.Context, id string) {
	g.lookAt(ctx, []string{id})
	g.live.looks.Wait()
}

// LookAround is what [Gate.Run] does every ten seconds.
func (g *Gate) LookAround(ctx context.Context) { g.lookAround(ctx) }
