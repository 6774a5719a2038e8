package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAFewKillsLoseNothing(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), options{rounds: 2, clients: 4, seed: 1, timeout: 2 * time.Minute}, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if !strings.Contains(out.String(), "rounds 2, ") || !strings.HasSuffix(out.String(), "lost 0\n") {
		t.Errorf("it said\n%s", &out)
	}
}

// A file goes back to what it was before the last load, as if the server had not
// kept what it acknowledged.
func TestWhatIsLostIsTold(t *testing.T) {
	binary, err := build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, file, want string }{
		{"grants go back", "foyer.db", "access "},
		{"entries go back", "journal.db", "is there 0 times"},
	} {
		t.Run(test.name, func(t *testing.T) {
			g, err := newGame(t.Context(), options{rounds: 1, clients: 4, seed: 1, foyer: binary}, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			playUntil(t, g, 100)
			before := t.TempDir()
			if err := os.CopyFS(before, os.DirFS(g.server.data)); err != nil {
				t.Fatal(err)
			}
			playUntil(t, g, 300)
			goBack(t, g.server.data, before, test.file)
			if _, err := g.server.start(t.Context()); err != nil {
				t.Fatal(err)
			}
			g.check(true)
			if err := errors.Join(g.server.kill(), g.server.wait()); err != nil {
				t.Fatal(err)
			}
			if err := g.lost(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("told: %v, want %q", err, test.want)
			}
		})
	}
}

// playUntil starts the server, checks it, and has it killed after so many answers.
func playUntil(t *testing.T, g *game, answers int64) {
	t.Helper()
	if _, err := g.server.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.check(true)
	if _, _, err := g.load(t.Context(), answers); err != nil {
		t.Fatal(err)
	}
}

// goBack replaces the database in a file, with what lies beside it, by that of an
// earlier time.
func goBack(t *testing.T, data, before, file string) {
	t.Helper()
	for _, name := range []string{file, file + "-wal", file + "-shm"} {
		text, err := os.ReadFile(filepath.Join(before, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(data, name), text, 0o600)
		} else {
			err = os.RemoveAll(filepath.Join(data, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTooLittleInFlightProvesNothing(t *testing.T) {
	for _, test := range []struct {
		rounds, clients, inFlight int
		enough                    bool
	}{
		{20, 16, 100, true},
		{20, 16, 99, false},
		{2, 4, 3, true},
		{2, 4, 2, false},
		{1, 1, 0, false},
	} {
		g := game{options: options{rounds: test.rounds, clients: test.clients}}
		if err := g.enough(test.inFlight); (err == nil) != test.enough {
			t.Errorf("%d in %d rounds of %d: %v", test.inFlight, test.rounds, test.clients, err)
		}
	}
}
