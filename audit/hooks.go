package audit

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"example.com/foyer/store"
)

// Hooks are functions of the application that are told what happens. None can
// fail or delay a request: what one returns, and that it panics, is logged by
// type alone, for its words may hold anything; one that hangs gets no more calls
// when enough of them hang, and calls that find no room are dropped. All are
// optional.
type Hooks struct {
	// OnToolCall is told of each call that reached its tool, behind the request.
	// Several run at once.
	OnToolCall func(context.Context, ToolCall) error
	// OnEvent is told of each event when it has been sealed, in the process that
	// sealed it, one after the other. Where the events go on to another machine,
	// nobody here can cut them off unseen.
	OnEvent func(context.Context, store.Event) error
	// OnMutation is told of each operation that was confirmed and executed. The
	// answer waits for it, for at most five seconds.
	OnMutation func(context.Context, Mutation) error
}

// A ToolCall is a call that reached its tool. It has no arguments: they are the
// user's.
type ToolCall struct {
	UserID  string // empty for a guest
	GrantID string // empty without a token
	Tool    string
	Outcome string // "ok", or "error" where the tool said so
}

// A Mutation is an operation that was executed.
type Mutation struct {
	UserID    string
	Tool      string
	Summary   string // as it was shown before it was confirmed
	Operation string // its ID
}

const (
	hookTime    = 10 * time.Second // after which the context of a hook ends
	mutationMax = 5 * time.Second  // that an answer waits
	hanging     = 64               // mutation hooks at once
)

// A runner calls hooks.
type runner struct {
	hooks     Hooks
	log       *slog.Logger
	calls     line
	events    line
	mutations chan struct{} // holds one for each that runs
}

func newRunner(h Hooks, log *slog.Logger) *runner {
	return &runner{hooks: h, log: log, mutations: make(chan struct{}, hanging),
		calls: line{name: "OnToolCall", hands: 4, log: log}, events: line{name: "OnEvent", hands: 1, log: log}}
}

// WantsToolCalls reports whether somebody is told of calls.
func (t *Trail) WantsToolCalls() bool { return t.cfg.Hooks.OnToolCall != nil }

// ToolCalled tells the hook of a call, and does not wait for it.
func (t *Trail) ToolCalled(c ToolCall) {
	if hook := t.cfg.Hooks.OnToolCall; hook != nil {
		t.hooks.calls.add(func(ctx context.Context) error { return hook(ctx, c) })
	}
}

func (r *runner) event(e store.Event) {
	if hook := r.hooks.OnEvent; hook != nil {
		r.events.add(func(ctx context.Context) error { return hook(ctx, e) })
	}
}

// Mutation tells the hook of m, and waits for it for at most five seconds,
// whatever becomes of ctx. The operation happened: nothing that the hook does
// changes that.
func (t *Trail) Mutation(ctx context.Context, m Mutation) {
	r := t.hooks
	if r.hooks.OnMutation == nil {
		return
	}
	select {
	case r.mutations <- struct{}{}:
	default:
		r.log.ErrorContext(ctx, "hook: dropped a call, for too many hang", "hook", "OnMutation", "operation", m.Operation)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mutationMax)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer func() { <-r.mutations }()
		defer close(done)
		guarded(ctx, r.log, "OnMutation", func(ctx context.Context) error { return r.hooks.OnMutation(ctx, m) })
	}()
	select {
	case <-done:
	case <-ctx.Done():
		r.log.ErrorContext(ctx, "hook: takes too long", "hook", "OnMutation", "operation", m.Operation)
	}
}

// guarded calls a hook, and keeps what goes wrong to itself.
func guarded(ctx context.Context, log *slog.Logger, name string, call func(context.Context) error) {
	defer func() {
		if v := recover(); v != nil {
			log.ErrorContext(ctx, "hook: panic", "hook", name, "type", fmt.Sprintf("%T", v))
		}
	}()
	if err := call(ctx); err != nil {
		log.ErrorContext(ctx, "hook: error", "hook", name, "type", fmt.Sprintf("%T", err))
	}
}

// close gives the hooks that run or wait a moment to end.
func (r *runner) close(patience time.Duration) {
	done := make(chan struct{})
	go func() {
		r.calls.close()
		r.events.close()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		r.log.Error("hook: takes too long", "hook", "at the end")
	}
}

const mostCalls = 1024 // that wait in a line

// A line has calls of one hook wait for a few hands.
type line struct {
	name  string
	hands int
	log   *slog.Logger

	mu      sync.Mutex
	waiting []func(context.Context) error
	busy    int // hands
	dropped int // calls, since the last that found room
	closed  bool
	running sync.WaitGroup
}

// add never waits.
func (l *line) add(call func(context.Context) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if len(l.waiting) >= mostCalls {
		if l.dropped++; l.dropped == 1 {
			l.log.Error("hook: dropping calls, for too many wait", "hook", l.name)
		}
		return
	}
	l.dropped = 0
	l.waiting = append(l.waiting, call)
	l.hand()
}

// hand has one more hand work, if one is free.
func (l *line) hand() {
	if l.busy < l.hands && len(l.waiting) > 0 {
		l.busy++
		l.running.Go(l.work)
	}
}

// work makes the calls that wait, until there are none.
func (l *line) work() {
	defer func() { // also when a hook ends its goroutine
		l.mu.Lock()
		defer l.mu.Unlock()
		l.busy--
		l.hand()
	}()
	for {
		call, ok := l.next()
		if !ok {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), hookTime)
		guarded(ctx, l.log, l.name, call)
		cancel()
	}
}

func (l *line) next() (call func(context.Context) error, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		return nil, false
	}
	call = l.waiting[0]
	l.waiting[0] = nil
	l.waiting = l.waiting[1:]
	return call, true
}

// close takes no more calls, and waits for those that were taken.
func (l *line) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.running.Wait()
}
