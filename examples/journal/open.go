package journal

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// A Journal keeps the entries, tags and drafts of all owners in one SQLite file.
// Its methods may be called at once.
type Journal struct {
	db  *sql.DB
	now func() time.Time
}

// schema has the owner in every key: an entry cannot get a tag of somebody else.
// A file from before there were tags or drafts gets their tables when it is opened.
const schema = `
CREATE TABLE IF NOT EXISTS entries (
	seq      INTEGER PRIMARY KEY, -- never shown
	owner    TEXT    NOT NULL CHECK (owner <> ''),
	id       TEXT    NOT NULL,
	title    TEXT    NOT NULL,
	content  TEXT    NOT NULL,
	mood     TEXT    NOT NULL,
	location TEXT    NOT NULL,
	weather  TEXT    NOT NULL,
	private  INTEGER NOT NULL,
	favorite INTEGER NOT NULL,
	words    TEXT    NOT NULL, -- title and content in lower case, for searching
	created  INTEGER NOT NULL, -- seconds since 1970
	updated  INTEGER NOT NULL,
	UNIQUE (owner, id)
) STRICT;
CREATE INDEX IF NOT EXISTS entries_by_age ON entries (owner, created, seq);

CREATE TABLE IF NOT EXISTS tags (
	seq         INTEGER PRIMARY KEY, -- never shown
	owner       TEXT    NOT NULL CHECK (owner <> ''),
	id          TEXT    NOT NULL,
	name        TEXT    NOT NULL,
	description TEXT    NOT NULL,
	key         TEXT    NOT NULL, -- name in lower case
	created     INTEGER NOT NULL, -- seconds since 1970
	updated     INTEGER NOT NULL,
	UNIQUE (owner, id),
	UNIQUE (owner, key)
) STRICT;

CREATE TABLE IF NOT EXISTS entry_tags (
	owner TEXT NOT NULL,
	entry TEXT NOT NULL,
	tag   TEXT NOT NULL,
	PRIMARY KEY (owner, entry, tag),
	FOREIGN KEY (owner, entry) REFERENCES entries (owner, id) ON DELETE CASCADE,
	FOREIGN KEY (owner, tag) REFERENCES tags (owner, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_tags_by_tag ON entry_tags (owner, tag);

CREATE TABLE IF NOT EXISTS drafts (
	seq     INTEGER PRIMARY KEY, -- never shown
	owner   TEXT    NOT NULL CHECK (owner <> ''),
	id      TEXT    NOT NULL,
	guest   INTEGER NOT NULL, -- whether the owner is one
	text    TEXT    NOT NULL,
	updated INTEGER NOT NULL, -- seconds since 1970
	UNIQUE (owner, id)
) STRICT;
CREATE INDEX IF NOT EXISTS drafts_of_guests ON drafts (updated) WHERE guest;
`

// Open opens the journal in the SQLite file at path, and makes the file if it
// does not exist. The file is readable and writable by its owner alone.
func Open(path string) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	defer f.Close()
	if err := f.Chmod(0o600); err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	options := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
		"_txlock": {"immediate"},
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+options.Encode())
	if err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	if _, err := db.Exec(schema); err != nil {
		db.Close()
		return nil, fmt.Errorf("journal: make tables: %w", err)
	}
	return &Journal{db: db, now: time.Now}, nil
}

// write runs f in a transaction, which an error ends without effect.
func (j *Journal) write(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("journal: begin: %w", err)
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("journal: commit: %w", err)
	}
	return nil
}

// A queryer is a database, or a transaction in it.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}
