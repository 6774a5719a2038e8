package store

import (
	"context"
	"database/sql"
	"errors"
)

// ErrStatement refuses a statement that is not one of a transaction's own: it would
// begin or end one, or it is several.
var ErrStatement = errors.New("store: a statement must not begin, end or leave the transaction, and comes alone")

// SQL runs statements of an application in a transaction of the store. Tables whose
// names begin with foyer_ are the store's. Whatever is tried after the function
// that it was passed to has returned fails.
type SQL interface {
	// Exec runs one statement. It refuses with [ErrStatement].
	Exec(ctx context.Context, query string, args ...any) (sql.Result, error)

	// Query runs one statement that returns rows, which are to be closed before the
	// next statement. It refuses with [ErrStatement].
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// A Database is a [Store] in an SQL database that an application may use, too: what
// both write in one transaction is written together, or not at all.
type Database interface {
	Store

	// UpdateSQL is [Store.Update] in a transaction that is shared with nobody. Others
	// may wait for it to end, so give ctx a deadline: its end interrupts a
	// statement. On a database that retries, fn may run more than once.
	UpdateSQL(ctx context.Context, fn func(Tx, SQL) error) error

	// ViewSQL is [Store.View] in a transaction that reads.
	ViewSQL(ctx context.Context, fn func(SQL) error) error
}
