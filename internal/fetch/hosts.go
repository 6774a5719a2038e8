package fetch

import (
	"context"
	"sync"
	"time"
)

// hosts lets one fetch at a time go to each host, with a pause between them, so
// that nobody can have us hammer somebody else.
type hosts struct {
	mu   *sync.Mutex
	open map[string]*host
}

type host struct {
	free  chan struct{} // holds one value while nobody is there
	users int           // who fetch, wait or have just been there; guarded by hosts.mu
}

func newHosts() hosts { return hosts{&sync.Mutex{}, map[string]*host{}} }

// A turn is a place in the queue of a host.
type turn struct {
	hosts hosts
	name  string
	host  *host
}

// queue reports false where too many wait already.
func (hs hosts) queue(name string) (*turn, bool) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	h := hs.open[name]
	if h == nil {
		h = &host{free: make(chan struct{}, 1)}
		h.free <- struct{}{}
		hs.open[name] = h
	}
	if h.users >= maxWaiting {
		return nil, false
	}
	h.users++
	return &turn{hs, name, h}, true
}

// wait reports whether the turn has come before ctx ended. Then done must be
// called.
func (t *turn) wait(ctx context.Context) bool {
	select {
	case <-t.host.free:
		return true
	case <-ctx.Done():
		t.leave()
		return false
	}
}

// done lets the next one in, after the pause.
func (t *turn) done() {
	time.AfterFunc(pause, func() {
		t.host.free <- struct{}{}
		t.leave()
	})
}

func (t *turn) leave() {
	t.hosts.mu.Lock()
	defer t.hosts.mu.Unlock()
	if t.host.users--; t.host.users == 0 {
		delete(t.hosts.open, t.name)
	}
}
