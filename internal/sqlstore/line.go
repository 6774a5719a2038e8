package sqlstore

import (
	"context"
	"slices"
	"sync"
)

// A line lets Updates in one at a time, in the order in which they came. Whoever
// has the turn hands it on, with the batch that the next may join.
type line struct {
	mu      sync.Mutex
	taken   bool // somebody has the turn
	waiting []*waiter
}

type waiter struct {
	turn  chan *batch // holds one, so that handing on never waits; nil begins a batch
	alone bool        // joins nobody's batch
}

// wait returns when the caller has the turn, with the batch that it joins, or
// nil. Where ctx ended before, it has no turn, and nothing to hand on.
func (l *line) wait(ctx context.Context, alone bool) (*batch, error) {
	w := l.enter(alone)
	if w == nil {
		return nil, nil
	}
	select {
	case b := <-w.turn:
		return b, nil
	case <-ctx.Done():
	}
	if l.leave(w) {
		return nil, ctx.Err()
	}
	return <-w.turn, nil // the turn came first, and must be handed on
}

// enter returns the caller's place among those who wait, or nil where the turn
// was free.
func (l *line) enter(alone bool) *waiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.taken {
		l.taken = true
		return nil
	}
	w := &waiter{turn: make(chan *batch, 1), alone: alone}
	l.waiting = append(l.waiting, w)
	return w
}

// leave reports whether w still waited, and waits no more.
func (l *line) leave(w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting, w)
	if i < 0 {
		return false
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	return true
}

// join gives the turn to the next, who joins b. It reports false, and keeps the
// turn, where nobody waits or the next wants to be alone.
func (l *line) join(b *batch) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 || l.waiting[0].alone {
		return false
	}
	l.hand(b)
	return true
}

// pass gives the turn to the next, who begins a batch, or to nobody.
func (l *line) pass() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.taken = false
		return
	}
	l.hand(nil)
}

func (l *line) hand(b *batch) {
	l.waiting[0].turn <- b
	l.waiting = slices.Delete(l.waiting, 0, 1)
}
