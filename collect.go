package foyer

import (
	"context"
	"time"

	"example.com/foyer/store"
)

const (
	collectEvery = 10 * time.Minute
	collectBatch = 500
)

// collect clears away what has expired, from time to time, until ctx ends.
func (k *Kit) collect(ctx context.Context) {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for {
		k.collectOnce(ctx)
		if err := k.trail.Trim(ctx); err != nil && ctx.Err() == nil {
			k.cfg.Log.ErrorContext(ctx, "audit: delete what is old", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// collectOnce deletes in small transactions, between which others get their
// turn.
func (k *Kit) collectOnce(ctx context.Context) {
	for deleted := -1; deleted != 0 && ctx.Err() == nil; {
		err := k.cfg.Store.Update(ctx, func(tx store.Tx) (err error) {
			deleted, err = tx.DeleteExpired(ctx, k.now(), collectBatch)
			return err
		})
		if err != nil {
			if ctx.Err() == nil {
				k.cfg.Log.ErrorContext(ctx, "collect", "err", err)
			}
			return
		}
	}
}
