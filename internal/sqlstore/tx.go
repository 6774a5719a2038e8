package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"example.com/foyer/store"
)

var (
	errReadOnly = errors.New("sqlstore: a View writes nothing")
	errOver     = errors.New("sqlstore: a Tx was used after its function had returned")
)

// A tx is one run of the function of a View or an Update.
type tx struct {
	s    *DB
	pool *pool
	sql  *sql.Tx

	// The first error. PostgreSQL runs no statement after one and commits
	// nothing, whatever the function returns, so neither does SQLite: it may
	// have ended the transaction, and would commit each statement by itself.
	failed error
}

// get reads one row into dest.
func (tx *tx) get(ctx context.Context, dest []any, query string, args ...any) error {
	if err := tx.ready(ctx); err != nil {
		return err
	}
	ctx = tx.s.statement(ctx)
	var row *sql.Row
	if stmt := tx.stmt(ctx, query); stmt != nil {
		row = stmt.QueryRowContext(ctx, args...)
	} else {
		row = tx.sql.QueryRowContext(ctx, query, args...)
	}
	err := row.Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return store.ErrNotFound
	}
	return tx.fail(err)
}

// put writes one row.
func (tx *tx) put(ctx context.Context, upsert string, fields []any) error {
	_, err := tx.exec(ctx, upsert, fields...)
	return err
}

// exec returns how many rows the statement changed.
func (tx *tx) exec(ctx context.Context, query string, args ...any) (n int, err error) {
	if tx.pool.readOnly {
		return 0, errReadOnly
	}
	if err := tx.ready(ctx); err != nil {
		return 0, err
	}
	ctx = tx.s.statement(ctx)
	defer func() { err = tx.fail(err) }()
	var result sql.Result
	if stmt := tx.stmt(ctx, query); stmt != nil {
		result, err = stmt.ExecContext(ctx, args...)
	} else {
		result, err = tx.sql.ExecContext(ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	changed, err := result.RowsAffected()
	return int(changed), err
}

// each calls row with the scanner of one row after the other.
func (tx *tx) each(ctx context.Context, row func(scan func(...any) error) error, query string, args ...any) (err error) {
	if err := tx.ready(ctx); err != nil {
		return err
	}
	defer func() { err = tx.fail(err) }()
	rows, err := tx.sql.QueryContext(tx.s.statement(ctx), query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// stmt returns the prepared statement, or nil where query has none.
func (tx *tx) stmt(ctx context.Context, query string) *sql.Stmt {
	if s := tx.pool.prepared[query]; s != nil {
		return tx.sql.StmtContext(ctx, s)
	}
	return nil
}

// ready returns why no statement may run.
func (tx *tx) ready(ctx context.Context) error {
	if tx.failed == nil {
		tx.failed = ctx.Err()
	}
	return tx.failed
}

// fail notes an error of the database, and returns it explained.
func (tx *tx) fail(err error) error {
	if err == nil {
		return nil
	}
	err = tx.s.d.Explain(err)
	if tx.failed == nil {
		tx.failed = err
	}
	return err
}
