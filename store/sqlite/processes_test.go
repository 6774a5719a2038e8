package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
	"example.com/foyer/store/storetest"
)

// runChild updates the database at path from four goroutines until it is
// killed, or until its standard input ends. It writes a line for each commit
// that was acknowledged to it.
func runChild(path string) {
	s, err := sqlite.Open(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	end, stop := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for end.Err() == nil {
				n, err := commit(s)
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Println(n)
			}
		})
	}
	wg.Wait()
	s.Close()
}

// commit takes the next number, and puts two records under it.
func commit(s store.Store) (n int, err error) {
	ctx := context.Background()
	err = s.Update(ctx, func(tx store.Tx) error {
		c, err := tx.Counter(ctx, "commits")
		if err != nil && err != store.ErrNotFound {
			return err
		}
		n = c.Total + 1
		if err := tx.PutGrant(ctx, store.Grant{ID: strconv.Itoa(n)}); err != nil {
			return err
		}
		if err := tx.PutCounter(ctx, store.Counter{Key: "commits", Total: n}); err != nil {
			return err
		}
		return tx.PutToken(ctx, store.Token{Hash: store.Hash{byte(n), byte(n >> 8), byte(n >> 16)}, GrantID: strconv.Itoa(n)})
	})
	return n, err
}

// A child is this test binary as a process of its own.
type child struct {
	*exec.Cmd
	stdin  io.Closer
	lines  *bufio.Reader
	stderr strings.Builder
}

func startChild(t *testing.T, path string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0])}
	c.Env = append(os.Environ(), childVariable+"="+path)
	c.Stderr = &c.stderr
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdin, c.lines = stdin, bufio.NewReader(stdout)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// acknowledged returns the next number that the child reports, or false when
// its output has ended. A line that was cut off counts for nothing.
func (c *child) acknowledged(t *testing.T) (int, bool) {
	line, err := c.lines.ReadString('\n')
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Errorf("child wrote %q", line)
	}
	return n, true
}

func TestAcknowledgedCommitsSurviveAKill(t *testing.T) {
	storetest.Crash(t, filepath.Join(t.TempDir(), "killed.db"), func(path string) (store.Store, error) { return sqlite.Open(path) })
}

// wantCommits checks that the acknowledged commits are there, and every commit
// whole.
func wantCommits(t *testing.T, path string, acknowledged []int) {
	t.Helper()
	ctx := t.Context()
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatalf("opened after the kill: %v", err)
	}
	defer s.Close()
	if err := s.View(ctx, func(tx store.Tx) error {
		c, err := tx.Counter(ctx, "commits")
		if err != nil {
			return err
		}
		for _, n := range acknowledged {
			if n > c.Total {
				t.Errorf("commit %d was acknowledged, and is lost: the database ends at %d", n, c.Total)
			}
		}
		for n := 1; n <= c.Total; n++ {
			_, grantErr := tx.Grant(ctx, strconv.Itoa(n))
			_, tokenErr := tx.Token(ctx, store.Hash{byte(n), byte(n >> 8), byte(n >> 16)})
			if grantErr != nil || tokenErr != nil {
				t.Errorf("commit %d is not whole: grant %v, token %v", n, grantErr, tokenErr)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestProcessesShareAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shared.db") // the children race to create it
	var children []*child
	for range 4 {
		children = append(children, startChild(t, path))
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		seen []int
	)
	for _, c := range children {
		wg.Go(func() {
			for range 25 {
				n, ok := c.acknowledged(t)
				if !ok {
					t.Errorf("a child ended: %s", c.stderr.String())
					return
				}
				mu.Lock()
				seen = append(seen, n)
				mu.Unlock()
			}
			c.stdin.Close()
			io.Copy(io.Discard, c.lines)
			if err := c.Wait(); err != nil {
				t.Errorf("child: %v: %s", err, c.stderr.String())
			}
		})
	}
	wg.Wait()
	slices.Sort(seen)
	if len(slices.Compact(slices.Clone(seen))) != len(seen) {
		t.Errorf("one number was acknowledged twice, so an update was lost: %v", seen)
	}
	wantCommits(t, path, seen)
}
