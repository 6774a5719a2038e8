package confirm

import (
	"context"
	"errors"
	"sync"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/operation"
	"example.com/foyer/store"
)

const (
	look  = 5 * time.Second // between two looks at what is due
	atOne = 50              // operations of one look
	hands = 8               // operations at once
)

// Work looks after what nobody waits for, until ctx ends and it is done: runs that
// were lost, and deliveries. Any number of processes may do so.
func (o *Operations) Work(ctx context.Context) {
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	var running sync.WaitGroup
	defer running.Wait()
	for {
		o.workOnce(ctx, &running)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (o *Operations) workOnce(ctx context.Context, running *sync.WaitGroup) {
	due, err := o.rules.Due(ctx, atOne)
	if err != nil {
		if ctx.Err() == nil {
			o.fault(ctx, "", err)
		}
		return
	}
	for _, op := range due {
		select {
		case <-ctx.Done():
			return
		case o.hands <- struct{}{}:
			running.Go(func() {
				defer func() { <-o.hands }()
				o.work(ctx, op)
			})
		default:
			return // all are busy: the next look finds it
		}
	}
}

// work looks after op, unless somebody else does. A delivery of a tool that is not
// here is put off, to let whoever has it come first; a run that cannot be repeated
// ends without it.
func (o *Operations) work(ctx context.Context, op store.Operation) {
	t := o.known(op.Tool)
	lost := op.State == operation.Executing
	op, err := o.rules.Take(ctx, op)
	if err != nil {
		if !errors.Is(err, operation.ErrFenced) && ctx.Err() == nil {
			o.fault(ctx, op.Tool, err)
		}
		return
	}
	ctx, cancel := context.WithTimeout(gate.WithCaller(ctx, gate.Caller{GrantID: op.GrantID, UserID: op.UserID, GuestID: op.GuestID}), outside)
	defer cancel()
	switch {
	case !lost && (t == nil || t.deliver == nil):
		o.put(ctx, op, o.cfg.Now().Add(time.Hour))
	case !lost:
		o.deliver(ctx, t, op)
	case t != nil && t.class.repeatable():
		o.run(ctx, t, op)
	default:
		o.finish(context.WithoutCancel(ctx), orPlain(t), op, nil, errLost)
	}
}

var errLost = errors.New("the run was lost")

// orPlain is t, or a tool of which nobody knows anything.
func orPlain(t *tool) *tool {
	if t == nil {
		return &tool{class: atMostOnce}
	}
	return t
}

// deliver calls the tool's deliver, and has it called again later where it fails.
func (o *Operations) deliver(ctx context.Context, t *tool, op store.Operation) {
	failed := o.leased(ctx, op, func(ctx context.Context) error { return t.deliver(ctx, op) })
	var next time.Time
	if failed != nil {
		o.fault(ctx, op.Tool, failed)
		next = o.cfg.Now().Add(pause(op.Tries))
	}
	o.put(ctx, op, next)
}

// put notes when a delivery is due again; zero for never.
func (o *Operations) put(ctx context.Context, op store.Operation, next time.Time) {
	if err := o.rules.Delivered(context.WithoutCancel(ctx), op, next); err != nil && !errors.Is(err, operation.ErrFenced) {
		o.fault(ctx, op.Tool, err)
	}
}
