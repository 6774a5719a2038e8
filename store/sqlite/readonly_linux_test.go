package sqlite

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"example.com/foyer/store"
)

func TestAFileThatCannotBeWrittenIsExplained(t *testing.T) {
	for _, row := range []struct {
		what      string
		name      string
		dir, file os.FileMode
	}{
		{"a file to be read only", "test.db", 0o777, 0o444},
		{"a file to be read only in such a directory", "test.db", 0o555, 0o444},
		{"a directory that takes no file beside it", "test.db", 0o555, 0o666},
		{"a directory that takes no new file", "new.db", 0o555, 0o666},
		{"a file that may not even be read", "test.db", 0o777, 0},
	} {
		t.Run(row.what, func(t *testing.T) {
			dir := t.TempDir()
			s, err := Open(filepath.Join(dir, "test.db"))
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
			chmod(t, dir, row.dir)
			chmod(t, filepath.Join(dir, "test.db"), row.file)
			path := filepath.Join(dir, row.name)
			s, err = openAsNobody(t, path)
			if err == nil {
				s.Close()
				t.Fatal("Open: no error")
			}
			want := "it cannot be written; let the user of this process write the file and its directory"
			if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error = %v\nwant the path, and %q", err, want)
			}
			chmod(t, dir, 0o700)
		})
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// openAsNobody opens path without root's right to write every file. The first
// connection is opened by the goroutine that calls Open, so by its thread.
func openAsNobody(t *testing.T, path string) (store.Database, error) {
	t.Helper()
	if os.Geteuid() != 0 {
		return Open(path)
	}
	chmod(t, filepath.Dir(filepath.Dir(path)), 0o755) // t.TempDir lies in a directory of root's alone
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const nobody = 65534
	if err := syscall.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setfsuid(0)
	return Open(path)
}
