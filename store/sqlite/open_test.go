package sqlite

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"example.com/foyer/internal/sqlstore"
	"example.com/foyer/store"
)

func TestOpenedFilesCarryTheirName(t *testing.T) {
	for _, name := range []string{"plain.db", "a name with spaces.db", "50%.db", "%41.db", "who?.db", "#1.db",
		"a?mode=memory&x=y", ":memory:", "file:x.db", "ünï+&=;.db", "'quoted\".db"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			for epoch := range 2 {
				s, err := Open(path)
				if err != nil {
					t.Fatal(err)
				}
				err = s.Update(t.Context(), func(tx store.Tx) error {
					if g, _ := tx.Grant(t.Context(), "g"); g.Epoch != epoch {
						t.Errorf("epoch = %d, want %d", g.Epoch, epoch)
					}
					return tx.PutGrant(t.Context(), store.Grant{ID: "g", Epoch: epoch + 1})
				})
				if err != nil {
					t.Error(err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 1 || entries[0].Name() != name {
				t.Errorf("after Close the directory holds %v, %v; want %q alone", entries, err, name)
			}
		})
	}
}

func TestARelativePathIsNotAnURI(t *testing.T) {
	t.Chdir(t.TempDir())
	s, err := Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := os.Stat(":memory:"); err != nil {
		t.Error(err)
	}
}

func TestFilesAreTheirOwnersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes are a matter of Unix")
	}
	path := filepath.Join(t.TempDir(), "test.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", info.Name(), info.Mode())
		}
	}
}

func TestWhatCannotBeOpenedIsExplained(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, row := range []struct {
		what, path, want string
	}{
		{"no path", "", "path is empty"},
		{"no directory", filepath.Join(dir, "none", "x.db"), "none does not exist; create it"},
		{"a directory", dir, "this is a directory; name a file in it"},
		{"a short text", write("short.txt", "hello"), "no SQLite database; name another file"},
		{"a long text", write("long.txt", strings.Repeat("hello\n", 10_000)), "no SQLite database; name another file"},
		{"a file where a directory should be", filepath.Join(dir, "short.txt", "x.db"), "cannot be opened"},
		{"a path with a zero byte", filepath.Join(dir, "a\x00b"), "cannot be opened"},
	} {
		t.Run(row.what, func(t *testing.T) {
			s, err := Open(row.path)
			if err == nil {
				s.Close()
				t.Fatal("Open: no error")
			}
			if !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), row.path) {
				t.Errorf("error = %v\nwant the path, and %q", err, row.want)
			}
		})
	}
	if content, _ := os.ReadFile(filepath.Join(dir, "short.txt")); string(content) != "hello" {
		t.Errorf("the text is now %q", content)
	}
}

func TestADamagedDatabaseIsExplained(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 100; i < len(content); i++ { // all but the header
		content[i] = 0xff
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err = Open(path)
	if err == nil {
		s.Close()
		t.Fatal("Open: no error")
	}
	if want := "the database is damaged; restore a copy"; !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
		t.Errorf("error = %v\nwant the path, and %q", err, want)
	}
}

// raw opens the file without the store.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestASchemaOfTheFutureIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	db := raw(t, path)
	var version int
	if err := db.QueryRow("SELECT max(version_id) FROM foyer_schema WHERE is_applied").Scan(&version); err != nil {
		t.Fatal(err)
	}
	if version != 15 {
		t.Errorf("the schema's version is %d, want 15", version)
	}
	if _, err := db.Exec("INSERT INTO foyer_schema (version_id, is_applied) VALUES (4711, 1)"); err != nil {
		t.Fatal(err)
	}
	s, err = Open(path)
	if err == nil {
		s.Close()
		t.Fatal("Open: no error")
	}
	for _, want := range []string{path, "newer version", "4711"} {
		if !errors.Is(err, sqlstore.ErrNewer) || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want ErrNewer with %q", err, want)
		}
	}
}

func TestTablesOfTheApplicationAreLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	if _, err := raw(t, path).Exec("CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('ann')"); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var name string
	if err := raw(t, path).QueryRow("SELECT name FROM users").Scan(&name); err != nil || name != "ann" {
		t.Errorf("the application's user is %q, %v", name, err)
	}
}

func TestPragmasAreInForce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	writer, reader, err := connect(path) // as Open does
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	defer reader.Close()
	for _, row := range []struct {
		db           *sql.DB
		pragma, want string
	}{
		{writer, "journal_mode", "wal"},
		{writer, "synchronous", "2"}, // FULL: a commit is on the disk
		{writer, "foreign_keys", "1"},
		{writer, "busy_timeout", "10000"},
		{writer, "query_only", "0"},
		{reader, "journal_mode", "wal"},
		{reader, "busy_timeout", "10000"},
		{reader, "query_only", "1"},
	} {
		var got string
		if err := row.db.QueryRow("PRAGMA " + row.pragma).Scan(&got); err != nil || got != row.want {
			t.Errorf("%s = %q, %v; want %q", row.pragma, got, err, row.want)
		}
	}
	if _, err := reader.Exec("DELETE FROM foyer_grants"); err == nil {
		t.Error("a reader's connection writes")
	}
	// BEGIN must take the lock at once: another writer is refused.
	tx, err := writer.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := raw(t, path).Exec("BEGIN IMMEDIATE"); err == nil {
		t.Error("two transactions that write have begun")
	}
}

// A client of a file that was written before there were metadata documents has
// none, and may get one.
func TestAFileOfTheFirstVersionIsBroughtUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want := store.Client{ID: "client_a", Name: "App", RedirectURIs: []string{"https://app.example/cb"}, Digest: store.Hash{1}}
	err = s.Update(t.Context(), func(tx store.Tx) error { return tx.PutClient(t.Context(), want) })
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	for _, statement := range []string{"ALTER TABLE foyer_clients DROP COLUMN document", "ALTER TABLE foyer_clients DROP COLUMN fresh", "ALTER TABLE foyer_tokens DROP COLUMN scopes", "DROP INDEX foyer_clients_unused", "DROP INDEX foyer_grants_of_user",
		"ALTER TABLE foyer_users DROP COLUMN roles", "ALTER TABLE foyer_grants DROP COLUMN elevations", "ALTER TABLE foyer_grants DROP COLUMN continues", "ALTER TABLE foyer_grants DROP COLUMN refreshed", "ALTER TABLE foyer_grants DROP COLUMN language", "ALTER TABLE foyer_challenges DROP COLUMN generation", "DROP TABLE foyer_operations", "DROP TABLE foyer_sessions", "DROP TABLE foyer_deletions", "DROP INDEX foyer_challenges_of_address", "DROP INDEX foyer_browsers_of_grant", "DROP TABLE foyer_events", "DROP TABLE foyer_chains",
		"DELETE FROM foyer_schema WHERE version_id > 1"} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if s, err = Open(path); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, document := range [][]byte{nil, []byte("{}"), nil} {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			if document != nil || want.Document != nil {
				want.Document = document
				if err := tx.PutClient(t.Context(), want); err != nil {
					return err
				}
			}
			got, err := tx.Client(t.Context(), want.ID)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("the client is %+v, want %+v", got, want)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
