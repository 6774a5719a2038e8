package limit

import (
	"sync"
	"time"
)

// An Egress allows a number of events in a stretch of time, for each client
// address. Where many different grants come from one address it belongs to a
// hosted client, and may do more: people must not use up each other's budget.
// It is safe for concurrent use.
type Egress struct {
	narrow, wide *Rate
	per          time.Duration

	mu     sync.Mutex
	grants map[string]*seen // by client address
}

// seen are the grants that came from one address since a moment.
type seen struct {
	since  time.Time
	grants map[string]struct{}
}

const (
	sharedBy     = 20     // grants in one stretch of time
	sharedFactor = 20     // times the events of an address that is not shared
	maxAddresses = 65_536 // of which grants are remembered
)

// NewEgress returns an Egress that allows events in any per to an address, and
// twenty times as many to one from which twenty grants came in that time.
func NewEgress(events int, per time.Duration) *Egress {
	return &Egress{narrow: NewRate(events, per), wide: NewRate(sharedFactor*events, per), per: per, grants: map[string]*seen{}}
}

// Allow counts one event of grantID at the client address with that key, if
// there is room for it. An event of no grant, "", does not make the address a
// shared one: what costs nothing to have many of, such as a cookie, is none.
func (e *Egress) Allow(key, grantID string, now time.Time) (wait time.Duration, ok bool) {
	shared := e.shared(key, now)
	if grantID != "" {
		shared = e.note(key, grantID, now)
	}
	wait, ok = e.narrow.Allow(key, now)
	if !shared {
		return wait, ok
	}
	return e.wide.Allow(key, now)
}

// Within reports whether there is room for another event, and counts none.
func (e *Egress) Within(key string, now time.Time) bool {
	if _, ok := e.narrow.Peek(key, now); ok {
		return true
	}
	_, ok := e.wide.Peek(key, now)
	return ok && e.shared(key, now)
}

func (e *Egress) note(key, grantID string, now time.Time) (shared bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.grants[key]
	if s != nil && now.Before(s.since) { // the clock was set back
		s.since = now
	}
	if s == nil || now.Sub(s.since) >= e.per {
		if len(e.grants) >= maxAddresses {
			clear(e.grants) // those that were shared are narrow again for a while
		}
		s = &seen{since: now, grants: map[string]struct{}{}}
		e.grants[key] = s
	}
	if len(s.grants) < sharedBy {
		s.grants[grantID] = struct{}{}
	}
	return len(s.grants) >= sharedBy
}

func (e *Egress) shared(key string, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.grants[key]
	return s != nil && now.Sub(s.since) < e.per && len(s.grants) >= sharedBy
}
