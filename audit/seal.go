package audit

import (
	"bytes"
	"context"

	"example.com/foyer/store"
)

// seal gives every event that waits its place. Each batch is one Update, which
// reads the head and writes it: sealers of several processes take turns. When the
// first secret is another than before, the head is sealed anew also where nothing
// waits: the one before may be taken away.
func (t *Trail) seal(ctx context.Context) error {
	for {
		waiting := false // most of the time nothing does, and nothing is locked
		err := t.cfg.Store.View(ctx, func(tx store.Tx) error {
			h, err := t.load(ctx, tx)
			if err != nil {
				return err
			}
			events, err := tx.UnsealedEvents(ctx, 1)
			waiting = len(events) > 0 || h.dated(t.keys)
			return err
		})
		if err != nil || !waiting {
			return err
		}
		var h head
		var sealed []store.Event
		err = t.cfg.Store.Update(ctx, func(tx store.Tx) (err error) {
			h, sealed, err = t.sealBatch(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
		t.look(h)
		for _, e := range sealed {
			t.hooks.event(e)
		}
	}
}

func (t *Trail) sealBatch(ctx context.Context, tx store.Tx) (head, []store.Event, error) {
	h, err := t.load(ctx, tx)
	if err != nil {
		return head{}, nil, err
	}
	events, err := tx.UnsealedEvents(ctx, batch)
	if err != nil || len(events) == 0 && !h.dated(t.keys) { // another process was faster
		return h, nil, err
	}
	h.adopt(t.keys)
	for i, e := range events {
		events[i] = h.seal(e, t.keys)
		if err := tx.PutEvent(ctx, events[i]); err != nil {
			return head{}, nil, err
		}
	}
	return h, events, h.put(ctx, tx, t.keys)
}

// load reads the head, and refuses one that is older than what this process has
// seen: somebody has put it back.
func (t *Trail) load(ctx context.Context, tx store.Tx) (head, error) {
	h, err := load(ctx, tx, t.keys)
	if err != nil {
		return head{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if h.Place < t.seen.Place || h.Place == t.seen.Place && h.Place > 0 && !bytes.Equal(h.MAC, t.seen.MAC) {
		return head{}, &Tampering{Place: h.Place + 1, Found: "the chain ends before what this process has seen of it: it was cut off, or an older copy put back"}
	}
	return h, nil
}

// look remembers a head that was committed.
func (t *Trail) look(h head) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h.Place > t.seen.Place {
		t.seen = h
	}
}

// Trim deletes events that are older than they are kept, the oldest first. What
// is left verifies as before. It deletes nothing from a chain that was tampered
// with, and returns the [Tampering]: the traces stay.
func (t *Trail) Trim(ctx context.Context) error {
	for {
		n := 0
		err := t.cfg.Store.Update(ctx, func(tx store.Tx) (err error) {
			n, err = t.trimBatch(ctx, tx)
			return err
		})
		if err != nil || n < batch {
			return err
		}
	}
}

func (t *Trail) trimBatch(ctx context.Context, tx store.Tx) (int, error) {
	h, err := t.load(ctx, tx)
	if err != nil || h.Deleted == h.Place {
		return 0, err
	}
	events, err := tx.SealedEvents(ctx, h.Deleted, batch)
	if err != nil {
		return 0, err
	}
	w, n := walkFrom(h), 0
	for ; n < len(events) && t.cfg.Now().Sub(events[n].At) > t.cfg.Keep; n++ {
		if err := w.step(events[n]); err != nil {
			return 0, err
		}
	}
	if n == 0 {
		return 0, nil
	}
	h.Deleted, h.DeletedMAC = w.place, w.mac
	if err := tx.DeleteEvents(ctx, h.Deleted); err != nil {
		return 0, err
	}
	return n, h.put(ctx, tx, t.keys)
}
