package limit

import (
	"context"
	"time"

	"example.com/foyer/store"
)

// Total returns how many events were counted under key since it was last
// cleared, or forgotten.
func Total(ctx context.Context, tx store.Tx, key string, now time.Time) (int, error) {
	c, err := read(ctx, tx, key, now)
	return c.Total, err
}
