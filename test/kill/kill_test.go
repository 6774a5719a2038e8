package main

import (
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
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
			for entries := g.entries(); g.entries() < entries+10; { // what there is to lose
				playUntil(t, g, 300)
			}
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

// entries counts those that were acknowledged.
func (g *game) entries() (n int) {
	for _, p := range g.players {
		for _, gr := range p.grants {
			if gr.as != nil {
				n += len(gr.as.entries)
			}
		}
	}
	return n
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

func TestAnswersThatALivingServerMustNotGive(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		lost   int
	}{
		{"a refusal is an answer", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }, 0},
		{"a fault is not", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, 1},
		{"silence is none", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 1},
	} {
		ts := httptest.NewServer(test.answer)
		p := newPlayer(&game{server: &server{}, wire: newWire(t.Context(), ts.URL, 1)}, 1, 1)
		p.ask("register", nil, p.wire.register("Client"), nil)
		if len(p.losses) != test.lost {
			t.Errorf("%s: lost %q, want %d", test.name, p.losses, test.lost)
		}
		ts.Close()
	}
}

func TestADamagedFileIsTold(t *testing.T) {
	s := &server{data: t.TempDir()}
	for _, name := range []string{"foyer.db", "journal.db"} {
		db, err := sql.Open("sqlite", filepath.Join(s.data, name))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(`CREATE TABLE t (a TEXT UNIQUE); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT i FROM n`); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.integrity(t.Context()); err != nil {
		t.Fatalf("both are whole: %v", err)
	}
	f, err := os.OpenFile(filepath.Join(s.data, "journal.db"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 4096), 2*4096); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Close(), s.integrity(t.Context())); err == nil || !strings.Contains(err.Error(), "journal.db: integrity_check") {
		t.Errorf("told: %v", err)
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
