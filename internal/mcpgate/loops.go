package mcpgate

import (
	"strings"
	"sync"
	"time"

	"example.com/foyer/gate"
)

const (
	loopGrace  = 10 * time.Second // in which parallel calls get the same challenge
	loopWindow = 10 * time.Minute // in which who comes back with the same need is told in the result
	maxLoops   = 10_000           // needs that are remembered
)

// Loops remember which need of which grant was challenged by HTTP. A client that
// ignores a challenge, or gets nothing by it, would call and be challenged for
// ever: from then on the model is told, and the model tells its user. What is
// forgotten costs a challenge more.
type loops struct {
	mu    sync.Mutex
	first map[string]time.Time
}

// again reports whether c was challenged for what d needs before, and notes that
// it is now if it was not.
func (l *loops) again(c gate.Caller, d gate.Decision, now time.Time) bool {
	if d.Outcome != gate.Challenge || c.GrantID == "" {
		return false
	}
	key := c.GrantID + " " + string(d.Reason) + " " + strings.Join(d.Scopes, " ")
	l.mu.Lock()
	defer l.mu.Unlock()
	first, known := l.first[key]
	if known && now.Sub(first) < loopWindow {
		return now.Sub(first) >= loopGrace
	}
	if len(l.first) >= maxLoops {
		l.forget(now)
	}
	l.first[key] = now
	return false
}

// forget makes room: of what is over, or else of everything.
func (l *loops) forget(now time.Time) {
	for key, first := range l.first {
		if now.Sub(first) >= loopWindow {
			delete(l.first, key)
		}
	}
	if len(l.first) >= maxLoops {
		clear(l.first)
	}
}
