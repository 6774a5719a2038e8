package appointments

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"example.com/foyer/store"
)

// A Calendar keeps the bookings of all owners, in the database of a kit's store. Its
// methods may be called at once.
type Calendar struct {
	db  store.Database
	now func() time.Time
}

// schema is one statement each. A slot is sold once, whatever the program does: its
// name, in two columns, is unique.
var schema = []string{
	`CREATE TABLE IF NOT EXISTS appointments_bookings (
		id           TEXT   NOT NULL PRIMARY KEY,
		owner        TEXT   NOT NULL CHECK (owner <> ''),
		practitioner TEXT   NOT NULL,
		starts       BIGINT NOT NULL, -- seconds since 1970
		UNIQUE (practitioner, starts)
	)`,
	`CREATE INDEX IF NOT EXISTS appointments_bookings_by_owner ON appointments_bookings (owner, starts)`,
	`CREATE INDEX IF NOT EXISTS appointments_bookings_by_age ON appointments_bookings (starts)`,
}

// Open opens the calendar in db, and makes its tables if they are not there. db stays
// the caller's to close.
func Open(db store.Database) (*Calendar, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := db.UpdateSQL(ctx, func(_ store.Tx, tables store.SQL) error {
		for _, statement := range schema {
			if _, err := tables.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("appointments: make tables: %w", err)
	}
	return &Calendar{db: db, now: time.Now}, nil
}

// each runs a query, and has scan read every row. The rows are closed when it returns,
// as the next statement needs them to be.
func each(ctx context.Context, db store.SQL, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("appointments: query: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("appointments: read a row: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("appointments: query: %w", err)
	}
	return nil
}
