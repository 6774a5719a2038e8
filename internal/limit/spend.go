package limit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/foyer/store"
)

// Spend counts one event under key, if every budget has room for it, and
// returns 0. Otherwise it writes nothing and returns how long until there is
// room, which may be [Never].
//
// A clock that was set back neither opens a budget nor keeps it shut for long:
// events in the future count as if they had happened now. Only events further
// ahead than the longest Within are forgotten, since a clock made them that was
// wrong.
func Spend(ctx context.Context, tx store.Tx, key string, now time.Time, budgets ...Budget) (wait time.Duration, err error) {
	c, err := load(ctx, tx, key, now, budgets)
	if err != nil {
		return 0, err
	}
	if wait := waitAll(budgets, c, now); wait > 0 {
		return wait, nil
	}
	return 0, save(ctx, tx, add(c, now, budgets))
}

// Peek is what [Spend] would return, and counts nothing.
func Peek(ctx context.Context, tx store.Tx, key string, now time.Time, budgets ...Budget) (wait time.Duration, err error) {
	c, err := load(ctx, tx, key, now, budgets)
	if err != nil {
		return 0, err
	}
	return waitAll(budgets, c, now), nil
}

// Record counts one event under key without asking: a failure has happened,
// whether there was room for it or not.
func Record(ctx context.Context, tx store.Tx, key string, now time.Time, budgets ...Budget) error {
	c, err := load(ctx, tx, key, now, budgets)
	if err != nil {
		return err
	}
	return save(ctx, tx, add(c, now, budgets))
}

// Clear forgets everything that was counted under key.
func Clear(ctx context.Context, tx store.Tx, key string, now time.Time) error {
	c, err := read(ctx, tx, key, now)
	if err != nil || c.Total == 0 {
		return err
	}
	return save(ctx, tx, store.Counter{Key: key, Expires: now})
}

// load reads the counter of key as budgets see it at now: no event that has
// left every window, none in the future.
func load(ctx context.Context, tx store.Tx, key string, now time.Time, budgets []Budget) (store.Counter, error) {
	c, err := read(ctx, tx, key, now)
	if err != nil {
		return store.Counter{}, err
	}
	window := longest(budgets, false)
	var events []time.Time // not c.Events[:0]: that belongs to the store
	for _, at := range c.Events {
		if inWindow(at, now, window) {
			events = append(events, notAfter(at, now))
		}
	}
	c.Events = events
	return c, nil
}

// read returns the counter of key, or an empty one where there is none or it
// has expired.
func read(ctx context.Context, tx store.Tx, key string, now time.Time) (store.Counter, error) {
	c, err := tx.Counter(ctx, key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.Counter{Key: key}, nil
	case err != nil:
		return store.Counter{}, fmt.Errorf("limit: %w", err)
	case !c.Expires.IsZero() && !now.Before(c.Expires):
		return store.Counter{Key: key}, nil
	}
	return c, nil
}

func save(ctx context.Context, tx store.Tx, c store.Counter) error {
	if err := tx.PutCounter(ctx, c); err != nil {
		return fmt.Errorf("limit: %w", err)
	}
	return nil
}

func inWindow(at, now time.Time, window time.Duration) bool {
	return at.After(now.Add(-window)) && !at.After(now.Add(window))
}

func notAfter(at, now time.Time) time.Time {
	if at.After(now) {
		return now
	}
	return at
}
