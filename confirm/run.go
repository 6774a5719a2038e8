package confirm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/operation"
	"example.com/foyer/internal/words"
	"example.com/foyer/store"
)

// do runs op in its class, where the caller has the turn, and tells what came of it.
// What has begun goes on though its caller leaves.
func (o *Operations) do(ctx context.Context, req *mcp.CallToolRequest, op store.Operation, turn operation.Confirmation) *mcp.CallToolResult {
	o.busy.Add(1)
	defer o.busy.Done()
	t := o.known(op.Tool)
	if t == nil {
		t = o.plain(req, op.Tool)
	}
	turn.Repeatable = t.class.repeatable()
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.class.time())
	defer cancel()
	if t.class.inTransaction() {
		return o.transact(detached, t, op, turn)
	}
	got, err := o.rules.Begin(detached, turn)
	switch {
	case err != nil:
		return o.told(ctx, op.Tool, err)
	case !got.Run:
		return o.replay(detached, t, got)
	}
	return o.outcome(o.run(detached, t, got.Operation))
}

func (c class) time() time.Duration {
	if c.inTransaction() {
		return inTransaction
	}
	return outside
}

// replay tells what came of an operation that another has run, or is running.
func (o *Operations) replay(ctx context.Context, t *tool, got operation.Turn) *mcp.CallToolResult {
	if got.Wait > 0 {
		return o.busyFor(got.Operation, got.Wait)
	}
	return o.outcome(o.reconciled(ctx, t, got.Operation))
}

// transact runs op in one transaction with its record.
func (o *Operations) transact(ctx context.Context, t *tool, op store.Operation, turn operation.Confirmation) *mcp.CallToolResult {
	db, ok := o.cfg.Store.(store.Database)
	if !ok { // cannot happen: Check was asked
		return refused(words.ConfirmFault)
	}
	got, err := o.rules.Transact(ctx, db, turn, t.class == outbox, func(ctx context.Context, sql store.SQL, op store.Operation) ([]byte, error) {
		return within(ctx, func() ([]byte, error) { return t.result(ctx, sql, op) })
	})
	var failed operation.ActError
	switch {
	case err == nil:
		if got.Acted {
			o.done(ctx, got.Operation)
		}
		return o.outcome(got.Operation)
	case !errors.As(err, &failed):
		return o.told(ctx, op.Tool, err)
	case errors.Is(failed.Err, ErrStale):
		return o.again(ctx, t, op, turn.Need)
	}
	ctx = context.WithoutCancel(ctx) // whose time may be over
	op, err = o.rules.Fail(ctx, got.Operation, o.failure(ctx, op, failed.Err))
	if err != nil {
		return o.told(ctx, t.name, err)
	}
	return o.outcome(op)
}

// again shows what would be done now, or that nothing can be.
func (o *Operations) again(ctx context.Context, t *tool, op store.Operation, need gate.Confirmation) *mcp.CallToolResult {
	s, err := t.show(ctx, op.Arguments)
	return o.outdate(ctx, op, s, err, need)
}

// within runs fn until ctx ends, after which nobody waits for it: what it still has
// of a transaction fails.
func within(ctx context.Context, fn func() ([]byte, error)) (result []byte, err error) {
	type outcome struct {
		result []byte
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		var r outcome
		r.err = recovering(func() (err error) {
			r.result, err = fn()
			return err
		})
		done <- r
	}()
	select {
	case r := <-done:
		return r.result, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run does what op says, and records what came of it.
func (o *Operations) run(ctx context.Context, t *tool, op store.Operation) store.Operation {
	var result []byte
	err := o.leased(ctx, op, func(ctx context.Context) (err error) {
		result, err = t.result(ctx, nil, op)
		return err
	})
	return o.finish(context.WithoutCancel(ctx), t, op, result, err)
}

// leased runs fn under the lease of op, which it keeps.
func (o *Operations) leased(ctx context.Context, op store.Operation, fn func(context.Context) error) error {
	running, end := context.WithCancel(ctx)
	defer end()
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		o.keep(running, op, end)
	}()
	err := recovering(func() error { return fn(running) })
	end()
	<-kept
	return err
}

const beat = 30 * time.Second // between two extensions of a lease

// keep extends the lease of op until ctx ends. What another has taken over ends.
func (o *Operations) keep(ctx context.Context, op store.Operation, end func()) {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := o.rules.Extend(ctx, op); errors.Is(err, operation.ErrFenced) {
			end()
			return
		}
	}
}

// finish records what came of a run. A record that cannot be written leaves the run
// to its lease, and so to whoever looks next.
func (o *Operations) finish(ctx context.Context, t *tool, op store.Operation, result []byte, failed error) store.Operation {
	var done store.Operation
	var err error
	switch {
	case failed == nil:
		done, err = o.rules.Finish(ctx, op, operation.Succeeded, result)
	case errors.Is(failed, ErrNoEffect):
		done, err = o.rules.Finish(ctx, op, operation.Failed, o.failure(ctx, op, failed))
	case t.class.repeatable() && op.Tries < maxTries:
		o.fault(ctx, op.Tool, failed)
		done, err = op, o.rules.Release(ctx, op, o.cfg.Now().Add(pause(op.Tries)))
		done.Due = o.cfg.Now().Add(pause(op.Tries))
	default:
		done, err = o.rules.Finish(ctx, op, operation.Unknown, o.failure(ctx, op, failed))
	}
	switch {
	case errors.Is(err, operation.ErrFenced) && done.ID != "":
		return done // as who took it over has left it
	case err != nil:
		o.fault(ctx, op.Tool, err)
		op.State = operation.Unknown
		return op
	case done.State == operation.Succeeded:
		o.done(ctx, done)
	case done.State == operation.Unknown:
		return o.reconciled(ctx, t, done)
	}
	return done
}

const maxTries = 12 // of a run that may be repeated, over some hours

// pause is how long to wait after so many tries.
func pause(tries int) time.Duration { return min(time.Hour, 10*time.Second<<min(tries, 12)) }

// reconciled asks the application about an operation whose outcome is unknown.
func (o *Operations) reconciled(ctx context.Context, t *tool, op store.Operation) store.Operation {
	if op.State != operation.Unknown || t.look == nil {
		return op
	}
	var data json.RawMessage
	var text string
	var done bool
	err := recovering(func() (err error) {
		data, text, done, err = t.look(ctx, op)
		return err
	})
	if err != nil {
		return op // still unknown
	}
	state, result := operation.Failed, encoded(answer{Status: operation.Failed, Tool: op.Tool, Summary: op.Summary}, words.FoundUndone(op.Summary), true)
	if done {
		state, result = operation.Succeeded, encoded(answer{Status: operation.Succeeded, Tool: op.Tool, Summary: op.Summary, Result: data}, words.Done(op.Summary, text), false)
	}
	settled, err := o.rules.Settle(ctx, op, state, result)
	if err != nil {
		o.fault(ctx, op.Tool, err)
		return op
	}
	return settled
}

// result runs t, and returns what it answers.
func (t *tool) result(ctx context.Context, sql store.SQL, op store.Operation) ([]byte, error) {
	data, text, err := t.execute(ctx, sql, op)
	if err != nil {
		return nil, err
	}
	return encoded(answer{Status: operation.Succeeded, Tool: op.Tool, Summary: op.Summary, Result: data}, words.Done(op.Summary, text), false), nil
}

// failure is what is told of an operation that has failed.
func (o *Operations) failure(ctx context.Context, op store.Operation, failed error) []byte {
	if p := new(panicked); errors.As(failed, &p) {
		o.cfg.Log.ErrorContext(ctx, "panic", "tool", op.Tool, "type", p.of, "stack", p.stack)
	}
	return encoded(answer{Status: operation.Failed, Tool: op.Tool, Summary: op.Summary}, words.Undone(op.Summary, inWords(failed)), true)
}

// done tells whoever wants to know. What was done stays done, whatever comes of
// that.
func (o *Operations) done(ctx context.Context, op store.Operation) {
	if o.cfg.Done != nil && op.State == operation.Succeeded {
		o.cfg.Done(ctx, op)
	}
}

// A panicked is the error of a function that panicked. The value may hold a secret:
// its type is kept, not it.
type panicked struct{ of, stack string }

func (p *panicked) Error() string { return "the tool broke down" }

// recovering runs fn, of which a panic is an error.
func recovering(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{fmt.Sprintf("%T", v), string(debug.Stack())}
		}
	}()
	return fn()
}

// A fault is an error of the program, of which nobody is told more.
type fault struct{ err error }

func (f fault) Error() string { return f.err.Error() }

// isFault reports whether a preview broke down, and so refuses nothing.
func isFault(err error) bool {
	return errors.As(err, new(fault)) || errors.As(err, new(*panicked))
}
