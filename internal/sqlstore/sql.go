package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"example.com/foyer/store"
)

// UpdateSQL implements [store.Database].
func (s *DB) UpdateSQL(ctx context.Context, fn func(store.Tx, store.SQL) error) error {
	alone := func(tx store.Tx) error { return apart(ctx, tx, fn) }
	if s.d.Batch == 0 {
		return s.run(ctx, &s.writers, alone)
	}
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.running.Done()
	return s.turn(ctx, true, alone)
}

// ViewSQL implements [store.Database].
func (s *DB) ViewSQL(ctx context.Context, fn func(store.SQL) error) error {
	return s.View(ctx, func(tx store.Tx) error {
		return apart(ctx, tx, func(_ store.Tx, sql store.SQL) error { return fn(sql) })
	})
}

// apart gives fn the statements of an application, until it returns.
func apart(ctx context.Context, in store.Tx, fn func(store.Tx, store.SQL) error) error {
	app := &application{tx: in.(*tx), ctx: ctx}
	defer app.stop()
	return fn(in, app)
}

// An application is the statements of one in a transaction of the store. Its
// function may have gone on in a goroutine that outlives the transaction.
type application struct {
	tx  *tx
	ctx context.Context // of the transaction: its end interrupts statements

	mu      sync.Mutex
	stopped bool
}

// stop waits for a statement that is running.
func (a *application) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = true
}

// Exec implements [store.SQL].
func (a *application) Exec(ctx context.Context, query string, args ...any) (res sql.Result, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.ctx, cancel)()
	err = a.run(ctx, query, func() (err error) {
		if a.tx.pool.readOnly {
			return errReadOnly
		}
		res, err = a.tx.sql.ExecContext(ctx, query, args...)
		return err
	})
	return res, err
}

// Query implements [store.SQL].
func (a *application) Query(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(a.ctx, cancel) // not before: that would close the rows
	err = a.run(ctx, query, func() (err error) {
		rows, err = a.tx.sql.QueryContext(ctx, query, args...) //nolint:rowserrcheck,sqlclosecheck // the application's to close
		return err
	})
	return rows, err
}

// run runs a statement, after which nothing is committed where it fails.
func (a *application) run(ctx context.Context, query string, statement func() error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		return errOver
	}
	if err := a.tx.ready(ctx); err != nil {
		return err
	}
	if !single(query) {
		return a.tx.fail(fmt.Errorf("%w: %.40q", store.ErrStatement, query))
	}
	return a.tx.fail(statement())
}
