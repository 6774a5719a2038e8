package mcpgate

import (
	"context"
	"errors"
	"time"
)

const (
	maxPending = 256 << 10       // bytes that a stream has still to send, beside one event
	lastWrite  = 1 * time.Second // for what is pending when the request is over
)

var errFallenBehind = errors.New("mcpgate: the client reads too slowly, or has gone")

// A queue is what an open stream has still to send. The SDK brings news to one
// stream after the other, and would wait for each client to read its own. Who
// falls too far behind loses the stream, and no news: its client looks at
// everything anew when it comes back.
type queue struct {
	cancel context.CancelFunc // of the request
	more   chan struct{}      // holds one element while there is something pending
	done   chan struct{}      // closed when nobody writes any more

	// Guarded by answer.mu.
	pending []byte
	broken  bool
}

// later has a send what it is given as a stream behind whoever gives it, and
// cancel the request where that cannot be. a may have begun: the SDK also tells
// everybody what is news for everybody, and does not wait for a stream to be
// acknowledged.
func (a *answer) later(cancel context.CancelFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over || a.status != 0 && a.alive == nil {
		return
	}
	a.queue = &queue{cancel: cancel, more: make(chan struct{}, 1), done: make(chan struct{})}
	if a.status != 0 {
		go a.deliver(a.queue)
	}
}

// add needs a.mu.
func (q *queue) add(p []byte) error {
	if len(q.pending) > 0 && len(q.pending)+len(p) > maxPending {
		q.broken = true
		q.cancel()
	}
	if q.broken {
		return errFallenBehind
	}
	q.pending = append(q.pending, p...)
	select {
	case q.more <- struct{}{}:
	default: // it is full already
	}
	return nil
}

// deliver sends what q brings, until it is closed.
func (a *answer) deliver(q *queue) {
	defer close(q.done)
	for range q.more {
		a.mu.Lock()
		p, broken := q.pending, q.broken
		q.pending = nil
		if !a.over {
			a.hurry()
		}
		a.mu.Unlock()
		if broken || len(p) == 0 {
			continue
		}
		if _, err := a.ResponseWriter.Write(p); err != nil || a.control.Flush() != nil {
			a.mu.Lock()
			q.broken = true
			a.mu.Unlock()
			q.cancel()
		}
	}
}

// finish waits until what is pending has gone out, and not for long.
func (a *answer) finish(q *queue) {
	_ = a.control.SetWriteDeadline(time.Now().Add(lastWrite)) // a writer without deadlines needs none
	close(q.more)
	<-q.done
}
