// Package audit keeps the trail: what happened, to whom, through which client,
// and why. An event comes into it in one of two ways:
//
//	a rule that changes something    puts its event in the same transaction
//	a decision about an item         is noted, and written behind the request
//
// Events are then sealed, one after the other: each gets a place, and a MAC over
// itself and the MAC before it, under a key that is derived from the secrets of
// the kit. Where the chain begins and ends stands in its head, which is
// encrypted. So whoever changes, takes out, puts in or cuts off what was sealed
// is found by [Verify], unless they know the secrets.
//
// Not found is what was done to an event before it was sealed, which takes about
// a second, and an older copy of the whole chain, head included, that was put
// back while no process ran.
package audit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

const (
	every     = time.Second     // events are written and sealed
	lastWords = 5 * time.Second // that Close takes at most, for events and again for hooks
)

// Config is what a [Trail] is made of.
type Config struct {
	Store   store.Store
	Secrets []string      // as those of the kit: the first derives, all verify
	Keep    time.Duration // how long events are kept
	Hooks   Hooks
	Now     func() time.Time
	Log     *slog.Logger
}

// A Trail notes, seals and forgets events. It is safe for concurrent use, also by
// several processes on one store.
type Trail struct {
	cfg   Config
	keys  secret.Keys
	notes notes
	hooks *runner

	flushing sync.Mutex // one at a time, so that notes keep their order
	mu       sync.Mutex // guards seen
	seen     head       // the last that was read or written here
}

// New returns a trail that writes nothing before [Trail.Run] or [Trail.Flush].
func New(cfg Config) (*Trail, error) {
	keys, err := secret.NewKeys(cfg.Secrets)
	if err != nil {
		return nil, err
	}
	cfg.Secrets = nil // keys from here on
	return &Trail{cfg: cfg, keys: keys, hooks: newRunner(cfg.Hooks, cfg.Log)}, nil
}

// Run writes what was noted, and seals what waits, every second until ctx ends.
func (t *Trail) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	told := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := t.Flush(ctx)
		switch {
		case err == nil:
			told = ""
		case ctx.Err() == nil && err.Error() != told: // once, and not every second
			told = err.Error()
			t.cfg.Log.ErrorContext(ctx, "audit", "err", err)
		}
	}
}

// Flush writes what was noted, and seals what waits. What cannot be written
// stays noted, as far as there is room.
func (t *Trail) Flush(ctx context.Context) error { return t.flush(ctx, false) }

// Close does what [Trail.Flush] does, also with repeats whose minute is not over,
// and gives the hooks that run a moment to end.
func (t *Trail) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	if err := t.flush(ctx, true); err != nil {
		t.cfg.Log.ErrorContext(ctx, "audit", "err", err)
	}
	t.hooks.close(lastWords)
}

func (t *Trail) flush(ctx context.Context, all bool) error {
	t.flushing.Lock()
	defer t.flushing.Unlock()
	return errors.Join(t.write(ctx, t.notes.take(t.cfg.Now(), all)), t.seal(ctx))
}

const batch = 256 // events in one Update

// write puts what was noted into the store.
func (t *Trail) write(ctx context.Context, noted []store.Event) error {
	for len(noted) > 0 {
		n := min(len(noted), batch)
		err := t.cfg.Store.Update(ctx, func(tx store.Tx) error {
			for _, e := range noted[:n] {
				if err := tx.PutEvent(ctx, e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.notes.back(noted)
			return err
		}
		noted = noted[n:]
	}
	return nil
}
