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
}

// DB is a [store.Store] over database/sql.
type DB struct {
	d       Dialect
	writers pool
	readers pool

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
			s.readers.prepare(ctx, readQueries), s.readers.prepare(ctx, []string{bearerByHash}))
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

// Update implements [store.Store]. It holds one connection for each fn that
// runs, so a pool of one lets one fn in at a time.
func (s *DB) Update(ctx context.Context, fn func(store.Tx) error) error {
	return s.run(ctx, &s.writers, fn)
}

// Close implements [store.Store]. A second call does nothing.
func (s *DB) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.running.Wait()
	return errors.Join(s.readers.db.Close(), s.writers.db.Close())
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
	conn, err := p.db.Conn(ctx) // waits for its turn, or for the end of ctx
	if err != nil {
		return err
	}
	defer conn.Close()
	sqlTx, err := conn.BeginTx(s.statement(ctx), &sql.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: p.readOnly})
	if err != nil {
		return fmt.Errorf("sqlstore: begin: %w", err)
	}
	defer sqlTx.Rollback() // does nothing after Commit; runs when fn panics
	tx := &tx{s: s, pool: p, sql: sqlTx}
	if err := fn(tx); err != nil {
		return err
	}
	if tx.failed != nil {
		return tx.failed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := sqlTx.Commit(); err != nil {
		return fmt.Errorf("sqlstore: commit: %w", err)
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
