package confirm

import (
	"context"
	"time"

	"example.com/foyer/store"
)

// A class is what a handler can promise.
type class int

const (
	transactional class = iota + 1
	outbox
	idempotent
	atMostOnce
)

func (c class) inTransaction() bool { return c == transactional || c == outbox }

// repeatable reports whether a run that was lost may be run again.
func (c class) repeatable() bool { return c == idempotent }

const (
	inTransaction = 10 * time.Second // for the function of a Transactional or Outbox tool
	outside       = 10 * time.Minute // for others
)

// A Handler does what a preview has shown: D is the preview's data, O what the tool
// answers. Make one with [Transactional], [Outbox], [Idempotent] or [AtMostOnce].
type Handler[D, O any] struct {
	class   class
	execute func(ctx context.Context, sql store.SQL, id string, data D) (O, error)
	deliver func(ctx context.Context, id string, data D) error
	look    func(ctx context.Context, id string, data D) (O, bool, error)
}

// Transactional is a handler whose effects are statements in the database of the
// kit's store: they and the record that it was done are committed together. execute
// has ten seconds, in which nobody else writes, so it waits for nothing but the
// database; an error undoes everything. It may run more than once before it is
// committed, on a database that retries.
func Transactional[D, O any](execute func(ctx context.Context, sql store.SQL, data D) (O, error)) Handler[D, O] {
	return Handler[D, O]{class: transactional, execute: func(ctx context.Context, sql store.SQL, _ string, data D) (O, error) { return execute(ctx, sql, data) }}
}

// Outbox is [Transactional], and after it deliver is called until it succeeds, in
// some process, with pauses that grow to an hour: for a mail or a call to another
// system that goes with the change. It may be called again though it has
// succeeded, because nobody could record that; id is the same each time, and is the
// key by which the other system knows.
func Outbox[D, O any](execute func(ctx context.Context, sql store.SQL, data D) (O, error), deliver func(ctx context.Context, id string, data D) error) Handler[D, O] {
	h := Transactional(execute)
	h.class, h.deliver = outbox, deliver
	return h
}

// Idempotent is a handler that may be run again under the same id without a second
// effect, because it passes id on as an idempotency key. It is run until it
// succeeds or refuses with [ErrNoEffect], also after a crash; then ctx has of the
// caller only IDs. It has ten minutes each time.
func Idempotent[D, O any](execute func(ctx context.Context, id string, data D) (O, error)) Handler[D, O] {
	return Handler[D, O]{class: idempotent, execute: func(ctx context.Context, _ store.SQL, id string, data D) (O, error) { return execute(ctx, id, data) }}
}

// AtMostOnce is a handler that cannot promise anything: it is run once. After an
// error that is not [ErrNoEffect], a crash, or ten minutes, the outcome is unknown,
// and that is what the caller is told; see [Handler.Reconciled].
func AtMostOnce[D, O any](execute func(ctx context.Context, data D) (O, error)) Handler[D, O] {
	return Handler[D, O]{class: atMostOnce, execute: func(ctx context.Context, _ store.SQL, _ string, data D) (O, error) { return execute(ctx, data) }}
}

// Reconciled has look find out what came of a run whose outcome is unknown, when
// somebody asks: whether it was done, and then what the tool answers. An error means
// that it cannot be said yet, also where a run that was thought lost may still do it.
func (h Handler[D, O]) Reconciled(look func(ctx context.Context, id string, data D) (out O, done bool, err error)) Handler[D, O] {
	h.look = look
	return h
}
