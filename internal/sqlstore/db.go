// Package sqlstore is the store over database/sql. SQLite and PostgreSQL share
// the tables and every query; a [Dialect] names the little in which they differ.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/pressly/goose/v3"

	"example.com/foyer/store"
)

var errClosed = errors.New("sqlstore: the store is closed")

// A Dialect is what one database does differently from the other.
type Dialect struct {
	Goose goose.Dialect    // how versions of the schema are recorded
	Retry func(error) bool // reports whether err asks to run the transaction again
	// Local says that the database runs in this process, where a statement
	// takes microseconds. A cancelled context is then looked at between
	// statements and never interrupts one, which would cost the connection.
	Local bool
	// Batch is how many Updates that wait at the same time may share one
	// transaction, and so one commit. It is for a database that lets one
	// writer in at a time; 0 gives each Update a transaction of its own.
	Batch int
	// Seats is how many connections of the reader are kept for Bearer, which
	// asks the driver itself. It is for a database in this process, whose pool
	// has room for them; 0 lets Bearer use the pool as every other.
	Seats int
	// Explain adds to an error of the database what an operator can do about it.
	Explain func(error) error
}

// DB is a [store.Store] over database/sql.
type DB struct {
	d       Dialect
	writers pool
	readers pool
	line    line  // of Updates, where they share transactions
	seats   seats // of Bearer, where it has its own

	mu      sync.Mutex // guards closed, and that running starts no more after it
	closed  bool
	running sync.WaitGroup
}

// Open returns a store that updates through writer and reads through reader,
// which may be the same. It owns both from then on, and brings their tables to
// the version of this program. A database that is newer is refused with
// [ErrNewer].
func Open(ctx context.Context, writer, reader *sql.DB, d Dialect) (*DB, error) {
	s := &DB{d: d, writers: pool{db: writer}, readers: pool{db: reader, readOnly: true}}
	err := migrate(ctx, writer, d)
	if err == nil {
		err = errors.Join(
			s.writers.prepare(ctx, readQueries), s.writers.prepare(ctx, writeQueries),
			s.writers.prepare(ctx, savepointQueries),
			s.readers.prepare(ctx, readQueries), s.readers.prepare(ctx, []string{bearerByHash}))
	}
	if err == nil && d.Seats > 0 {
		s.seats, err = newSeats(ctx, reader, d.Seats)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// View implements [store.Store].
func (s *DB) View(ctx context.Context, fn func(store.Tx) error) error {
	return s.run(ctx, &s.readers, fn)
}

// Update implements [store.Store].
func (s *DB) Update(ctx context.Context, fn func(store.Tx) error) error {
	if s.d.Batch > 0 {
		return s.updateInBatch(ctx, fn)
	}
	return s.run(ctx, &s.writers, fn)
}

// Close implements [store.Store]. A second call does nothing.
func (s *DB) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.running.Wait()
	return errors.Join(s.seats.close(), s.readers.db.Close(), s.writers.db.Close())
}

// enter registers a call that Close must wait for; the caller ends it with
// running.Done.
func (s *DB) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.running.Add(1)
	return nil
}

func (s *DB) run(ctx context.Context, p *pool, fn func(store.Tx) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.running.Done()
	const attempts = 50
	for i := 1; ; i++ {
		err := s.once(ctx, p, fn)
		if err == nil || i == attempts || ctx.Err() != nil || !s.d.Retry(err) {
			return err
		}
	}
}

func (s *DB) once(ctx context.Context, p *pool, fn func(store.Tx) error) error {
	conn, tx, err := s.begin(ctx, p)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer tx.Rollback() // does nothing after Commit; runs when fn panics
	if err := s.apply(ctx, p, tx, fn); err != nil {
		return err
	}
	return s.commit(tx)
}

// begin takes a connection, for which it waits until ctx ends.
func (s *DB) begin(ctx context.Context, p *pool) (*sql.Conn, *sql.Tx, error) {
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	tx, err := conn.BeginTx(s.statement(ctx), &sql.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: p.readOnly})
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("sqlstore: begin: %w", s.d.Explain(err))
	}
	return conn, tx, nil
}

// apply runs fn, and returns why its writes must not be committed.
func (s *DB) apply(ctx context.Context, p *pool, sqlTx *sql.Tx, fn func(store.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tx := &tx{s: s, pool: p, sql: sqlTx}
	defer func() { tx.failed = errOver }()
	if err := fn(tx); err != nil {
		return err
	}
	if tx.failed != nil {
		return tx.failed
	}
	return ctx.Err()
}

func (s *DB) commit(tx *sql.Tx) error {
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("sqlstore: commit: %w", s.d.Explain(err))
	}
	return nil
}

// statement returns the context that one statement runs under.
func (s *DB) statement(ctx context.Context) context.Context {
	if s.d.Local {
		return context.WithoutCancel(ctx)
	}
	return ctx
}
