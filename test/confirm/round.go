package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/foyer/internal/operation"
	"example.com/foyer/store"
)

// A round is one thing that somebody wants done.
type round struct {
	*game
	*tally
	what, token string
	told        answer // the last one that said what came of it; zero before
}

// story is what happens until the process is dead, and another there.
func (r *round) story(ctx context.Context) error {
	switch r.phase {
	case answered:
		if err := r.confirm(ctx); err != nil {
			return err
		}
		return r.buried(ctx, r.server.kill())
	case delivering:
		if err := r.confirm(ctx); err != nil {
			return err
		}
		return r.dies(ctx, r.server.work, r.point)
	case takingOver:
		if err := r.dies(ctx, r.confirm, afterEffect); err != nil {
			return err
		}
		if err := r.passTime(ctx); err != nil {
			return err
		}
		return r.dies(ctx, r.server.work, r.point)
	}
	return r.dies(ctx, r.confirm, r.point)
}

// dies does something in which the process is killed, at a point or at any moment.
func (r *round) dies(ctx context.Context, something func(context.Context) error, point string) error {
	if err := r.server.setTrap(ctx, point); err != nil {
		return err
	}
	if point == "" {
		server := r.server.cmd.Process
		time.AfterFunc(time.Duration(r.rng.Int64N(int64(longest))), func() { _ = server.Kill() }) // an error means that it has ended: wait tells
	}
	_ = something(ctx) // nobody answers, or somebody did before
	err := r.server.wait(ctx)
	if errors.Is(err, errAlive) {
		r.violated("what dies at %q lives on, as if it had nothing to do there", point)
		err = r.server.kill()
	}
	return r.buried(ctx, err)
}

// longest is about how long a confirmation takes.
const longest = 8 * time.Millisecond

// buried looks at what a dead process has left, and starts another.
func (r *round) buried(ctx context.Context, err error) error {
	r.kills++
	if err := errors.Join(err, r.reopen()); err != nil {
		return err
	}
	if _, err := r.check(ctx); err != nil {
		return err
	}
	return r.restart(ctx)
}

// confirm confirms the round's token, and remembers what it was told.
func (r *round) confirm(ctx context.Context) error {
	a, err := r.server.confirm(ctx, r.token)
	if err != nil {
		return err
	}
	if a.status == "in_progress" {
		return nil
	}
	if r.told.status != "" && a != r.told {
		r.violated("it was told\n  %v\nand then\n  %v", r.told, a)
	}
	if r.told = a; a.status == "refused" || a.status == "preview" {
		r.violated("it was told %v", a)
	}
	return nil
}

// outcome confirms again until there is an outcome, and looks whether it is true.
func (r *round) outcome(ctx context.Context) error {
	if err := r.confirm(ctx); err != nil {
		return err
	}
	for range 3 { // a run that was lost, and where that is chosen by the worker
		op, err := r.check(ctx)
		if err != nil {
			return err
		}
		if op.State != operation.Executing && op.Due.IsZero() {
			break
		}
		if err := r.passTime(ctx); err != nil {
			return err
		}
		if op.State == operation.Executing && r.rng.IntN(2) == 0 {
			err = r.confirm(ctx)
		} else {
			err = r.worked(ctx)
		}
		if err != nil {
			return err
		}
	}
	for range 2 { // the second is told the same
		if err := r.confirm(ctx); err != nil {
			return err
		}
	}
	return r.settled(ctx)
}

// worked has the worker look after what is left, and waits until nothing is.
func (r *round) worked(ctx context.Context) error {
	if err := r.server.work(ctx); err != nil {
		return err
	}
	begun := time.Now()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		op, err := operationOf(ctx, r.db, r.token)
		switch {
		case err != nil:
			return err
		case op.State != operation.Executing && op.Due.IsZero():
			return nil
		case time.Since(begun) > slowest:
			return fmt.Errorf("the worker left it %s\n%s", op.State, r.server.log)
		}
		<-tick.C
	}
}

func operationOf(ctx context.Context, db store.Store, id string) (op store.Operation, err error) {
	err = db.View(ctx, func(tx store.Tx) error {
		op, err = tx.Operation(ctx, id)
		return err
	})
	return op, err
}
