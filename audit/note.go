package audit

import (
	"sync"
	"time"

	"example.com/foyer/store"
)

const (
	mostNotes = 8192        // that wait to be written
	mostAlike = 8192        // kinds of repeats that are remembered
	window    = time.Minute // in which repeats are one event
)

// Note takes an event that has no transaction to be written in: a decision. It
// never waits. What there is no room for is counted, and the count is written.
//
// Repeats of what a grant was refused, and of what a guest was let do, are
// written as one event a minute, with their number: guests cost nothing, and
// whoever is refused could go on for ever. What a user does is an event each
// time. An event without a grant is dropped, so that nobody fills the trail
// without being known by it.
func (t *Trail) Note(e store.Event) {
	if e.GrantID != "" {
		t.notes.add(e)
	}
}

// notes wait to be written.
type notes struct {
	mu      sync.Mutex
	waiting []store.Event
	alike   map[likeness]*repeats
	lost    int
}

// A likeness is what repeats have in common.
type likeness struct{ grantID, userID, level, item, method, outcome, reason string }

// Repeats are what came since the first of their like, which is written by
// itself.
type repeats struct {
	since  time.Time
	events store.Event // all in one; its Count is 0 where there are none
}

func (n *notes) add(e store.Event) {
	e.Count = 1
	n.mu.Lock()
	defer n.mu.Unlock()
	if e.UserID == "" || e.Outcome != store.OutcomeAllow {
		like := likeness{e.GrantID, e.UserID, e.Level, e.Item, e.Method, e.Outcome, e.Reason}
		if r := n.alike[like]; r != nil {
			r.add(e)
			return
		}
		if n.alike == nil {
			n.alike = map[likeness]*repeats{}
		}
		if len(n.alike) < mostAlike {
			n.alike[like] = &repeats{since: e.At}
		}
	}
	if len(n.waiting) >= mostNotes {
		n.lost++
		return
	}
	n.waiting = append(n.waiting, e)
}

func (r *repeats) add(e store.Event) {
	if r.events.Count == 0 {
		r.events = e
		return
	}
	r.events.Count++
	r.events.Until = e.At
}

// take returns what is to be written at now: everything but the repeats whose
// minute is not over; all takes those, too.
func (n *notes) take(now time.Time, all bool) []store.Event {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := n.waiting
	n.waiting = nil
	for like, r := range n.alike {
		if !all && now.Sub(r.since) < window {
			continue
		}
		delete(n.alike, like)
		if r.events.Count > 0 {
			out = append(out, r.events)
		}
	}
	if n.lost > 0 {
		out = append(out, store.Event{At: now, Kind: store.EventLost, Count: n.lost})
		n.lost = 0
	}
	for i := range out {
		if out[i].ID == "" {
			out[i].ID = store.NewEventID(out[i].At)
		}
	}
	return out
}

// back takes what could not be written, as far as there is room.
func (n *notes) back(events []store.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	room := min(len(events), max(mostNotes-len(n.waiting), 0))
	for _, e := range events[room:] {
		n.lost += e.Count
	}
	n.waiting = append(events[:room:room], n.waiting...)
}
