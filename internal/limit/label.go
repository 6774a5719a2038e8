package limit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/foyer/store"
)

// SpendLabel counts one use of label under key, if in any stretch of b.Within
// there are then at most b.Events different labels; using the same label again
// is free. Otherwise it writes nothing and returns how long until the label
// that has rested longest is forgotten. A label is a hash: not empty, and
// without spaces. b must not be a budget for a lifetime, and key not one that
// [Spend] counts under.
func SpendLabel(ctx context.Context, tx store.Tx, key, label string, now time.Time, b Budget) (wait time.Duration, err error) {
	if label == "" || strings.Contains(label, " ") {
		return 0, errors.New("limit: a label is empty or has a space")
	}
	if b.Events <= 0 || b.Within <= 0 || b.Total {
		return Never, nil
	}
	c, err := loadLabels(ctx, tx, key, now, b)
	if err != nil {
		return 0, err
	}
	if at := slices.Index(c.Labels, label); at >= 0 {
		c.Labels = slices.Delete(c.Labels, at, at+1)
		c.Events = slices.Delete(c.Events, at, at+1)
	}
	if len(c.Labels) >= b.Events {
		return c.Events[len(c.Events)-b.Events].Add(b.Within).Sub(now), nil
	}
	c.Total++
	c.Labels = append(c.Labels, label)
	c.Events = append(c.Events, now)
	c.Expires = now.Add(b.Within)
	return 0, save(ctx, tx, c)
}

// loadLabels reads a counter in which each event is the last use of the label
// at the same place. Its lists are the caller's to change.
func loadLabels(ctx context.Context, tx store.Tx, key string, now time.Time, b Budget) (store.Counter, error) {
	c, err := read(ctx, tx, key, now)
	if err != nil {
		return store.Counter{}, err
	}
	if len(c.Labels) != len(c.Events) {
		return store.Counter{}, fmt.Errorf("limit: counter %q counts no labels", key)
	}
	kept := store.Counter{Key: key, Total: c.Total}
	for i, at := range c.Events {
		if inWindow(at, now, b.Within) {
			kept.Labels = append(kept.Labels, c.Labels[i])
			kept.Events = append(kept.Events, notAfter(at, now))
		}
	}
	return kept, nil
}
