// Package sqlite opens the default store: one file, no server, no cgo.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver, in pure Go
	codes "modernc.org/sqlite/lib"

	"example.com/foyer/internal/sqlstore"
	"example.com/foyer/store"
)

// patience is how long one process waits for another's transaction.
const patience = 10 * time.Second

// batch is how many Updates share one commit. More gain little: at 64 the sync
// of the disk is a small part of each.
const batch = 64

// Open opens the database in the file at path, or creates it, readable by its
// owner alone. SQLite keeps two more files beside it while it is open, path-wal
// and path-shm. The tables are brought to the version of this program; a file
// that a newer program has written is refused.
//
// A commit is on the disk before Update returns. One Update writes at a time,
// and up to 64 that wait meanwhile share one commit: many at once cost little
// more than one. Several processes on one machine may open the same file: an
// Update waits up to ten seconds for another's. The file must not lie on a
// network drive.
func Open(path string) (store.Database, error) {
	full, err := create(path)
	if err != nil {
		return nil, explain(path, err)
	}
	writer, reader, err := connect(full)
	if err != nil {
		return nil, explain(path, err)
	}
	s, err := sqlstore.Open(context.Background(), writer, reader, dialect(path))
	if err != nil {
		return nil, explain(path, err)
	}
	return s, nil
}

// seats is how many look-ups of bearers run at once. They take microseconds, and
// wait for no disk.
const seats = 4

// dialect is SQLite's. BEGIN IMMEDIATE lets one writer in at a time, so nothing
// asks for a retry.
func dialect(path string) sqlstore.Dialect {
	return sqlstore.Dialect{
		Goose:   goose.DialectSQLite3,
		Retry:   func(error) bool { return false },
		Local:   true,
		Batch:   batch,
		Seats:   seats,
		Explain: func(err error) error { return explainRunning(path, err) },
	}
}

// create makes an empty file at path where there is none, and returns its
// absolute path. A file that is there is not touched: closing it would drop the
// locks that this process may hold on it already.
func create(path string) (string, error) {
	if path == "" {
		return "", errNoPath
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(full, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return full, nil
	}
	if err != nil {
		return "", err
	}
	return full, f.Close()
}

// connect returns one connection that writes, and a pool of those that read.
// A reader never waits for the writer, nor the writer for a reader.
func connect(path string) (writer, reader *sql.DB, err error) {
	writer, err = sql.Open("sqlite", dsn(path, url.Values{
		"_txlock":       {"immediate"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"on"},
		"_pragma":       {"temp_store(MEMORY)"}, // of what a savepoint undoes, which is a file otherwise, written with every page
	}))
	if err != nil {
		return nil, nil, err
	}
	reader, err = sql.Open("sqlite", dsn(path, url.Values{"_query_only": {"on"}}))
	if err != nil {
		return nil, nil, errors.Join(err, writer.Close())
	}
	writer.SetMaxOpenConns(1)
	const views = 4
	reader.SetMaxOpenConns(views + seats)
	reader.SetMaxIdleConns(views + seats)
	if err := writable(writer); err != nil {
		return nil, nil, errors.Join(err, reader.Close(), writer.Close())
	}
	return writer, reader, nil
}

// dsn names the file at path as a URI, so that no letter of it is taken for an
// option.
func dsn(path string, options url.Values) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // of a drive
	}
	options.Set("mode", "rw") // never creates: create did, with its own mode
	options.Set("_busy_timeout", strconv.FormatInt(patience.Milliseconds(), 10))
	return (&url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}).String()
}

// writable opens the first connection. SQLite opens a file that it may only
// read without a word, and would fail at the first Update.
func writable(writer *sql.DB) error {
	conn, err := writer.Conn(context.Background())
	// Of two processes that turn a new file to WAL at once, SQLite refuses one
	// without waiting.
	for begun := time.Now(); code(err) == codes.SQLITE_BUSY && time.Since(begun) < patience; {
		time.Sleep(5 * time.Millisecond)
		conn, err = writer.Conn(context.Background())
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(driver any) error {
		readOnly, err := driver.(interface{ IsReadOnly(string) (bool, error) }).IsReadOnly("main")
		if err == nil && readOnly {
			return fs.ErrPermission
		}
		return err
	})
}
