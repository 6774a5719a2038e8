package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"example.com/foyer/store"
)

// Each Update but the first of a batch runs under a savepoint.
const (
	savepoint  = "SAVEPOINT foyer"
	release    = "RELEASE foyer"
	rollbackTo = "ROLLBACK TO foyer"
)

var savepointQueries = []string{savepoint, release, rollbackTo}

// errAgain says that a batch has failed, and that the Update has to run again.
var errAgain = errors.New("sqlstore: the batch has failed")

// A batch is one transaction of several Updates, which have their turn one
// after the other, each in the goroutine that called it: so a panic, or
// runtime.Goexit, ends that goroutine and nobody else's. Whoever has the turn
// owns the batch. The last to have it commits for all.
type batch struct {
	s     *DB
	conn  *sql.Conn
	sql   *sql.Tx
	alone bool  // nobody may join
	turns int   // that there were
	kept  int   // Updates whose writes are in the transaction
	lost  error // why the transaction is no longer what its Updates wrote

	ended chan struct{}
	err   error // why nothing was committed; to be read once ended is closed
}

// updateInBatch is [DB.Update] for one connection that all Updates share. Those
// that wait while another has its turn join that one's transaction. Where it
// cannot be committed, each runs once more alone, and is told its own error.
func (s *DB) updateInBatch(ctx context.Context, fn func(store.Tx) error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.running.Done()
	err := s.turn(ctx, false, fn)
	if err == errAgain {
		err = s.turn(ctx, true, fn)
	}
	return err
}

func (s *DB) turn(ctx context.Context, alone bool, fn func(store.Tx) error) error {
	b, err := s.line.wait(ctx, alone)
	if err != nil {
		return err
	}
	if b == nil {
		if b, err = s.beginBatch(ctx, alone); err != nil {
			s.line.pass()
			return err
		}
	}
	err = b.run(ctx, fn)
	<-b.ended
	switch {
	case b.err == nil: // also what fn refused is known to stand on what was committed
		return err
	case b.turns > 1:
		return errAgain
	}
	return b.err
}

func (s *DB) beginBatch(ctx context.Context, alone bool) (*batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	conn, tx, err := s.begin(ctx, &s.writers)
	if err != nil {
		return nil, err
	}
	return &batch{s: s, conn: conn, sql: tx, alone: alone, ended: make(chan struct{})}, nil
}

// run runs fn in b, and hands the turn on.
func (b *batch) run(ctx context.Context, fn func(store.Tx) error) (err error) {
	b.turns++
	under := b.kept > 0 // a savepoint: what the first undoes is the whole transaction
	kept := false
	defer func() { // also when fn panics, or ends its goroutine
		if kept {
			b.kept++
		} else if under && b.lost == nil {
			b.lost = errors.Join(b.exec(rollbackTo), b.exec(release))
		}
		b.handOn()
	}()
	if under {
		if b.lost = b.exec(savepoint); b.lost != nil {
			return b.lost
		}
	}
	if err := b.s.apply(ctx, &b.s.writers, b.sql, fn); err != nil {
		return err
	}
	if under {
		if b.lost = b.exec(release); b.lost != nil { // SQLite ends a transaction by itself when a disk is full
			return b.lost
		}
	}
	kept = true
	return nil
}

// handOn gives the turn to the next, or commits and ends the batch.
func (b *batch) handOn() {
	open := b.kept > 0 && b.lost == nil && !b.alone && b.turns < b.s.d.Batch
	if open && b.s.line.join(b) {
		return
	}
	b.err = b.end()
	b.s.line.pass()
	close(b.ended)
}

func (b *batch) end() error {
	defer b.conn.Close()
	if b.kept > 0 && b.lost == nil {
		return b.s.commit(b.sql)
	}
	b.sql.Rollback() // has no effect where the database has done so already
	return b.lost
}

func (b *batch) exec(query string) error {
	ctx := context.Background()
	if _, err := b.sql.StmtContext(ctx, b.s.writers.prepared[query]).ExecContext(ctx); err != nil {
		return fmt.Errorf("sqlstore: %s: %w", query, b.s.d.Explain(err))
	}
	return nil
}
