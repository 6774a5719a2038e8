package storetest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/foyer/store"
)

// Variables of the environment. The first names the database to the process that
// is killed; the others are for whoever looks for a fault, or repeats one.
const (
	crashDatabase = "FOYER_CRASH_DATABASE"
	crashRounds   = "FOYER_CRASH_ROUNDS" // 10 where it is not set
	crashSeed     = "FOYER_CRASH_SEED"   // of the moments; another each time where it is not set
)

const crashWorkers = 24

// Crash kills a process that updates database, at random moments, and checks
// that what was acknowledged is there, and every update whole or not at all.
//
// It runs the test binary once more, for the test that called it; there Crash
// updates, and never returns. So the test does nothing before. What open is
// given names the database, also in another process.
func Crash(t *testing.T, database string, open func(database string) (store.Store, error)) {
	if name := os.Getenv(crashDatabase); name != "" {
		fmt.Fprintln(os.Stderr, updateUntilKilled(name, open))
		os.Exit(1)
	}
	rounds, seed := crashNumber(t, crashRounds, 10), crashNumber(t, crashSeed, time.Now().UnixNano())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("once more: %s=%d %s=%d", crashRounds, rounds, crashSeed, seed)
		}
	})
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	all, there := updates{}, 0
	for round := range int(rounds) {
		said := killAfter(t, database, round, 1+random.IntN(1500))
		there += said.check(t, database, open, there)
		maps.Copy(all, said)
	}
	survived := all.check(t, database, open, 0) - all.returned()
	inFlight := len(all) - all.returned()
	t.Logf("of %d updates %d were in flight at a kill, and %d of those are there", len(all), inFlight, survived)
	if wanted := int(rounds) * crashWorkers / 2; inFlight < wanted {
		t.Errorf("only %d updates were in flight when they were killed, want %d: this shows little", inFlight, wanted)
	}
}

func crashNumber(t *testing.T, variable string, otherwise int64) int64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// A line of the process that is killed: one of these, and the name of an update.
const (
	begun    = "+"
	returned = "="
)

// updateUntilKilled writes a line when an update is about to begin, and one when
// it has returned. It ends with the process that reads them, at the latest.
func updateUntilKilled(database string, open func(string) (store.Store, error)) error {
	s, err := open(database)
	if err != nil {
		return err
	}
	failed := make(chan error)
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		failed <- fmt.Errorf("the input has ended: %v", err)
	}()
	for w := range crashWorkers {
		go func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("%d-%d-%d", os.Getpid(), w, n)
				os.Stdout.WriteString(begun + name + "\n")
				if err := putTwo(s, name); err != nil {
					failed <- err
				}
				os.Stdout.WriteString(returned + name + "\n")
			}
		}()
	}
	return <-failed
}

// putTwo puts a grant and its token, and counts the update.
func putTwo(s store.Store, name string) error {
	ctx := context.Background()
	return s.Update(ctx, func(tx store.Tx) error {
		c, err := tx.Counter(ctx, "updates")
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return errors.Join(
			tx.PutGrant(ctx, store.Grant{ID: name}),
			tx.PutCounter(ctx, store.Counter{Key: "updates", Total: c.Total + 1}),
			tx.PutToken(ctx, store.Token{Hash: sha256.Sum256([]byte(name)), GrantID: name}))
	})
}

// Updates are what killed processes have said, by name: whether the update had
// returned, or only begun.
type updates map[string]bool

func (u updates) returned() (n int) {
	for _, returned := range u {
		if returned {
			n++
		}
	}
	return n
}

// killAfter starts a process, and kills it when it has written so many lines.
func killAfter(t *testing.T, database string, round, lines int) updates {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$")
	cmd.Env = append(os.Environ(), crashDatabase+"="+database)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, read := updates{}, 0
	for r := bufio.NewReader(stdout); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			break // what was cut off counts for nothing
		}
		said[line[1:len(line)-1]] = line[:1] == returned
		if read++; read == lines {
			cmd.Process.Kill()
		}
	}
	cmd.Wait()
	if read < lines {
		t.Fatalf("round %d: the process ended by itself after %d lines: %s", round, read, stderr.String())
	}
	return said
}

// check opens the database anew, and returns how many of the updates are there,
// after others that were there before.
func (u updates) check(t *testing.T, database string, open func(string) (store.Store, error), before int) (there int) {
	t.Helper()
	s, err := open(database)
	if err != nil {
		t.Fatalf("opened after the kill: %v", err)
	}
	defer s.Close()
	view(t, s, func(ctx context.Context, tx store.Tx) error {
		there = 0 // fn may run again
		for name, returned := range u {
			_, grantErr := tx.Grant(ctx, name)
			_, tokenErr := tx.Token(ctx, sha256.Sum256([]byte(name)))
			switch {
			case grantErr == nil && tokenErr == nil:
				there++
			case !errors.Is(grantErr, store.ErrNotFound) || !errors.Is(tokenErr, store.ErrNotFound):
				t.Errorf("update %s is not whole: grant %v, token %v", name, grantErr, tokenErr)
			case returned:
				t.Errorf("update %s had returned, and is lost", name)
			}
		}
		counter, err := tx.Counter(ctx, "updates")
		if counter.Total != before+there {
			t.Errorf("%d updates are counted, and %d are there", counter.Total, before+there)
		}
		if errors.Is(err, store.ErrNotFound) {
			return nil // killed before the first
		}
		return err
	})
	return there
}
