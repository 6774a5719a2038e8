package audit

import (
	"context"
	"crypto/hmac"
	"fmt"
	"math"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// A Report says what was verified.
type Report struct {
	First, Last int // places of the oldest and the newest event; equal to those before them where there is none
	Sealed      int // events, all of which are as they were sealed
	Waiting     int // events that are not sealed yet, about which nothing is known; counted to 10,000
}

// A Tampering is the first thing that is wrong with a chain.
type Tampering struct {
	Place   int    // where; 0 for the head
	EventID string // what stands there; empty for nothing
	Found   string // what is wrong, in words
}

func (t *Tampering) Error() string {
	switch {
	case t.Place == 0 && t.EventID == "":
		return "audit: " + t.Found
	case t.EventID == "":
		return fmt.Sprintf("audit: place %d: %s", t.Place, t.Found)
	}
	return fmt.Sprintf("audit: place %d, event %q: %s", t.Place, t.EventID, t.Found)
}

const page = 1000 // events that are read at once

// Verify reads the whole chain in s, at one moment in time, and returns what it
// verified, or a [*Tampering]. The secrets are those of the kit; one that was
// replaced is not needed any more. Any other error says that the chain could not
// be read, which may be somebody's doing, too.
func Verify(ctx context.Context, s store.Store, secrets []string) (Report, error) {
	keys, err := secret.NewKeys(secrets)
	if err != nil {
		return Report{}, err
	}
	return verify(ctx, s, func(tx store.Tx) (head, error) { return load(ctx, tx, keys) })
}

// Verify is the function, and finds also an older copy that was put back while
// this process ran.
func (t *Trail) Verify(ctx context.Context) (Report, error) {
	return verify(ctx, t.cfg.Store, func(tx store.Tx) (head, error) { return t.load(ctx, tx) })
}

func verify(ctx context.Context, s store.Store, load func(store.Tx) (head, error)) (r Report, err error) {
	err = s.View(ctx, func(tx store.Tx) error {
		r = Report{} // View may run this again
		h, err := load(tx)
		if err != nil {
			return err
		}
		w := walkFrom(h)
		if err := w.whole(ctx, tx); err != nil {
			return err
		}
		waiting, err := tx.UnsealedEvents(ctx, 10*page)
		r = Report{First: h.Deleted + 1, Last: h.Place, Sealed: h.Place - h.Deleted, Waiting: len(waiting)}
		return err
	})
	return r, err
}

// A walk goes from event to event.
type walk struct {
	head  head
	place int // where it has come
	mac   []byte
}

func walkFrom(h head) *walk { return &walk{h, h.Deleted, h.DeletedMAC} }

// whole goes over all events that have a place. Each page begins with the last
// event of the one before, so that a second at its place is seen.
func (w *walk) whole(ctx context.Context, tx store.Tx) error {
	after, last := math.MinInt64, ""
	for {
		events, err := tx.SealedEvents(ctx, after, page)
		if err != nil {
			return err
		}
		if len(events) > 0 && events[0].ID == last {
			events = events[1:]
		}
		if len(events) == 0 {
			return w.end()
		}
		for _, e := range events {
			if err := w.step(e); err != nil {
				return err
			}
			last = e.ID
		}
		after = w.place - 1
	}
}

// step goes on to e, the next event that is there, if it is the next of the
// chain.
func (w *walk) step(e store.Event) error {
	wrong := func(found string) error { return &Tampering{e.Place, e.ID, found} }
	key := w.head.Keys[e.KeyID]
	switch {
	case e.Place <= w.place:
		return wrong("was put in: its place is another's, or before the oldest")
	case e.Place > w.head.Place:
		return wrong("was put in behind the end of the chain")
	case e.Place > w.place+1:
		return &Tampering{Place: w.place + 1, Found: "is missing"}
	case key == nil:
		return wrong("was changed or put in: it names a key that there is not")
	case !hmac.Equal(e.MAC, macOf(key, w.mac, e)):
		return wrong("was changed or put in")
	}
	w.place, w.mac = e.Place, e.MAC
	return nil
}

// end reports whether the walk has come to the end of the chain.
func (w *walk) end() error {
	switch {
	case w.place < w.head.Place:
		return &Tampering{Place: w.place + 1, Found: fmt.Sprintf("the chain was cut off here; it went on to place %d", w.head.Place)}
	case !hmac.Equal(w.mac, w.head.MAC):
		return &Tampering{Place: w.place, Found: "the chain ends in another event than was sealed"}
	}
	return nil
}
