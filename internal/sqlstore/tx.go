package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"example.com/foyer/store"
)

var errReadOnly = errors.New("sqlstore: a View writes nothing")

// A tx is one run of the function of a View or an Update.
type tx struct {
	s    *DB
	pool *pool
	sql  *sql.Tx

	// The first error of a statement. PostgreSQL commits nothing after one,
	// whatever the function returns, so neither does SQLite.
	failed error
}

// get reads one row into dest.
func (tx *tx) get(ctx context.Context, dest []any, query string, args ...any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = tx.s.statement(ctx)
	var row *sql.Row
	if stmt := tx.stmt(ctx, query); stmt != nil {
		row = stmt.QueryRowContext(ctx, args...)
	} else {
		row = tx.sql.QueryRowContext(ctx, query, args...)
	}
	err := notFound(row.Scan(dest...))
	if !errors.Is(err, store.ErrNotFound) {
		tx.fail(err)
	}
	return err
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
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	ctx = tx.s.statement(ctx)
	defer func() { tx.fail(err) }()
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
	if err := ctx.Err(); err != nil {
		return err
	}
	defer func() { tx.fail(err) }()
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

func (tx *tx) fail(err error) {
	if tx.failed == nil {
		tx.failed = err
	}
}

func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return store.ErrNotFound
	}
	return err
}
