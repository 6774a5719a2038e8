package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed schema/*.sql
var schemas embed.FS

// ErrNewer is returned by [Open] for a database that a later version of the
// program has written. It is left as it was.
var ErrNewer = errors.New("sqlstore: the database is newer than this program")

// migrate brings the tables to this program's version, never back. The versions
// that were applied stand in the table foyer_schema.
func migrate(ctx context.Context, db *sql.DB, d Dialect) error {
	files, err := fs.Sub(schemas, "schema")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(d.Goose, db, files,
		goose.WithTableName("foyer_schema"),
		goose.WithDisableGlobalRegistry(true)) // the application may have migrations of its own
	if err != nil {
		return fmt.Errorf("sqlstore: read the schema: %w", err)
	}
	// Another process may create the tables at the same moment. The one that
	// comes second fails, looks again, and finds them there.
	const attempts = 3
	for i := 1; ; i++ {
		err := apply(ctx, p)
		if err == nil || i == attempts || errors.Is(err, ErrNewer) {
			return err
		}
	}
}

func apply(ctx context.Context, p *goose.Provider) error {
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("sqlstore: read the version of the schema: %w", err)
	}
	if current > target {
		return fmt.Errorf("%w: its schema has version %d, and the newest known here is %d", ErrNewer, current, target)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("sqlstore: bring the schema from version %d to %d: %w", current, target, err)
	}
	return nil
}
