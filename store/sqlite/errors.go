package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"example.com/foyer/internal/sqlstore"
)

var errNoPath = errors.New("sqlite: the path is empty; name the file that the database is kept in, such as foyer.db")

// explain says in an operator's words why path could not be opened, and what
// to do.
func explain(path string, err error) error {
	if errors.Is(err, errNoPath) {
		return err
	}
	return fmt.Errorf("sqlite: %s: %s: %w", path, advice(path, err), err)
}

// explainRunning does so for an error of a store that was opened. What an
// operator can do nothing about, such as an address that two users cannot share,
// stays as it is.
func explainRunning(path string, err error) error {
	switch code(err) {
	case codes.SQLITE_FULL, codes.SQLITE_IOERR, codes.SQLITE_BUSY, codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB,
		codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN, codes.SQLITE_PERM:
		return explain(path, err)
	}
	return err
}

func advice(path string, err error) string {
	if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
		return "this is a directory; name a file in it"
	}
	code := code(err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("the directory %s does not exist; create it first", filepath.Dir(path))
	case errors.Is(err, sqlstore.ErrNewer):
		return "a newer version of this program has written it; run that version, or restore an older copy"
	case code == codes.SQLITE_NOTADB:
		return "this is no SQLite database; name another file, or move this one away"
	case code == codes.SQLITE_CORRUPT:
		return "the database is damaged; restore a copy"
	case code == codes.SQLITE_BUSY:
		return "another process keeps it locked; stop that process, or try again"
	case code == codes.SQLITE_FULL:
		return "the disk is full; make room"
	case code == codes.SQLITE_IOERR: // also over a quota or a limit of file sizes, which is not SQLITE_FULL
		return "the disk does not take or give what it should; see that it has room, that no quota or limit is reached, and that it is sound"
	case errors.Is(err, fs.ErrPermission), code == codes.SQLITE_READONLY, code == codes.SQLITE_CANTOPEN, code == codes.SQLITE_PERM:
		return "it cannot be written; let the user of this process write the file and its directory"
	}
	return "it cannot be opened"
}

// code returns the result code that SQLite gave with err, without the details
// of the extended code, or SQLITE_OK where err is not SQLite's.
func code(err error) int {
	var sqlite *driver.Error
	if errors.As(err, &sqlite) {
		return sqlite.Code() & 0xff
	}
	return codes.SQLITE_OK
}
