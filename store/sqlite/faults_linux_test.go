package sqlite

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"example.com/foyer/store"
)

// These faults cannot be taken back, or concern a whole process, so each test
// runs once more in a process of its own, with this variable, and breaks that
// one.
const faultVariable = "FOYER_SQLITE_TEST_FAULT"

// inChild runs the test in a process of its own, and returns the path that it
// had there; in that process it returns the path and true.
func inChild(t *testing.T) (path string, child bool) {
	t.Helper()
	if path := os.Getenv(faultVariable); path != "" {
		return path, true
	}
	path = filepath.Join(t.TempDir(), "test.db")
	cmd := exec.Command(os.Args[0], "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.v")
	cmd.Env = append(os.Environ(), faultVariable+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Fatalf("%v\n%s", err, out)
	}
	return path, false
}

func TestAFileThatMayNotGrowIsToldAndWorksAgain(t *testing.T) {
	path, child := inChild(t)
	if !child {
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	s, _ := openBoth(t, path)
	set := func(bytes uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: limit.Max}); err != nil {
			t.Fatal(err)
		}
	}
	set(1 << 20)
	n, err := fill(t, s)
	wantExplained(t, err, "see that it has room, that no quota or limit is reached", path)
	wantGrants(t, s, n)
	for range 3 {
		if err := putGrant(t, s, n); err == nil {
			t.Fatal("an Update was acknowledged though the log cannot grow")
		}
	}
	var fns []func(store.Tx) error
	for i := range 10 {
		fns = append(fns, func(tx store.Tx) error {
			return tx.PutGrant(t.Context(), store.Grant{ID: fmt.Sprint("batch", i), Resource: strings.Repeat("x", 3000)})
		})
	}
	for _, err := range inOneBatch(t, s, fns...) {
		wantExplained(t, err, "see that it has room, that no quota or limit is reached", path)
	}
	wantGrants(t, s, n)
	set(limit.Cur)
	if err := putGrant(t, s, n); err != nil {
		t.Errorf("with room again: %v", err)
	}
	wantGrants(t, s, n+1)
}

func TestAFaultOfTheDiskIsNeverAcknowledged(t *testing.T) {
	for _, row := range []struct {
		what  string
		calls []uint32
		errno syscall.Errno
		want  string
	}{
		{"the disk is full", []uint32{syscall.SYS_PWRITE64}, syscall.ENOSPC, "the disk is full; make room"},
		{"what was written cannot be synced", []uint32{syscall.SYS_FSYNC, syscall.SYS_FDATASYNC}, syscall.EIO,
			"the disk does not take or give what it should"},
	} {
		t.Run(row.what, func(t *testing.T) {
			path, child := inChild(t)
			if !child {
				s, err := Open(path)
				if err != nil {
					t.Fatalf("opened after the fault: %v", err)
				}
				defer s.Close()
				if n := grants(t, s); n < 5 { // what was written and not synced may be there
					t.Errorf("%d grants are there, want the 5 that were acknowledged", n)
				}
				if err := putGrant(t, s, 5); err != nil {
					t.Errorf("after the fault: %v", err)
				}
				return
			}
			s, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				if err := putGrant(t, s, i); err != nil {
					t.Fatal(err)
				}
			}
			breakCalls(t, row.errno, row.calls...)
			wantExplained(t, putGrant(t, s, 5), row.want, path)
			var wg sync.WaitGroup
			for range 16 { // in batches
				wg.Go(func() {
					for range 5 {
						wantExplained(t, putGrant(t, s, 5), row.want, path)
					}
				})
			}
			wg.Wait()
			wantGrants(t, s, 5)
		})
	}
}

// breakCalls makes the system calls fail in this process, until it ends, by a
// seccomp filter.
func breakCalls(t *testing.T, errno syscall.Errno, calls ...uint32) {
	t.Helper()
	seccomp, known := map[string]uintptr{"amd64": 317, "arm64": 277}[runtime.GOARCH]
	if !known {
		t.Fatalf("the number of seccomp on %s is not known here", runtime.GOARCH)
	}
	const (
		load, equal, answer = 0x20, 0x15, 0x06 // of a word, jump, return
		allow, fail         = 0x7fff0000, 0x00050000
	)
	filter := []syscall.SockFilter{{Code: load, K: 0}} // the number of the call
	for _, call := range calls {
		filter = append(filter, syscall.SockFilter{Code: equal, Jf: 1, K: call}, syscall.SockFilter{Code: answer, K: fail | uint32(errno)})
	}
	filter = append(filter, syscall.SockFilter{Code: answer, K: allow})
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const setNoNewPrivs, modeFilter, allThreads = 38, 1, 1
	if _, _, err := syscall.RawSyscall6(syscall.SYS_PRCTL, setNoNewPrivs, 1, 0, 0, 0, 0); err != 0 {
		t.Fatal(err)
	}
	if _, _, err := syscall.RawSyscall(seccomp, modeFilter, allThreads, uintptr(unsafe.Pointer(&program))); err != 0 {
		t.Fatalf("seccomp: %v", err)
	}
}
