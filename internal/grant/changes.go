package grant

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// changes are the grants that somebody should look at again.
type changes struct {
	mu    sync.Mutex
	ids   map[string]struct{}
	ready chan struct{} // holds one element while ids has any
}

func newChanges() *changes {
	return &changes{ids: map[string]struct{}{}, ready: make(chan struct{}, 1)}
}

// Announce says that a transaction which changed the grant id, or ended it, has
// committed. It never waits. Rules of this package announce by themselves; one
// that uses [Grants.Claim] in a transaction of its own announces after it.
func (g *Grants) Announce(id string) {
	g.changes.mu.Lock()
	defer g.changes.mu.Unlock()
	g.changes.ids[id] = struct{}{}
	select {
	case g.changes.ready <- struct{}{}:
	default: // it is full already
	}
}

// Changed waits until grants have changed in this process, and returns the IDs
// of all that did since it was asked last, each once. What became of them is in
// the store. It has one caller at a time.
func (g *Grants) Changed(ctx context.Context) ([]string, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-g.changes.ready:
	}
	g.changes.mu.Lock()
	defer g.changes.mu.Unlock()
	ids := slices.Collect(maps.Keys(g.changes.ids))
	clear(g.changes.ids)
	return ids, nil
}
