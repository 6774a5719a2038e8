package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/secret"
	"example.com/foyer/mail"
	"example.com/foyer/store/sqlite"
)

// Run again with this variable, the test binary is a process with rules of its
// own over the file that the variable names.
const childVariable = "FOYER_SIGNIN_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		if err := serve(path, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// An act is what a process does once for each asker, all at once: it asks for
// digits where there is an address, and gives them where there is none.
type act struct {
	Askers  []Asker
	Address string
	Digits  string
	At      time.Time
}

// serve is the process: it does what it reads, and writes what each was refused.
func serve(path string, in io.Reader, out io.Writer) error {
	s, err := sqlite.Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	keys, err := secret.NewKeys([]string{theSecret})
	if err != nil {
		return err
	}
	var now time.Time // set between acts alone
	clock := func() time.Time { return now }
	rules := New(Config{Store: s, Keys: keys, Grants: grant.New(s, keys, grant.Lifetimes{Idle: 1000 * day, Absolute: 1000 * day}, grant.JWTs{}, clock), Scopes: []string{"notes:write"},
		TTL: 10 * time.Minute, Now: clock, Floods: Floods{Exempt: func(netip.Addr) bool { return true }}})
	for acts, results := json.NewDecoder(in), json.NewEncoder(out); ; {
		var a act
		if err := acts.Decode(&a); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		now = a.At
		refusals := at(len(a.Askers), func(i int) string {
			ctx := context.Background()
			if a.Address == "" {
				_, err := rules.Verify(ctx, a.Askers[i], a.Digits)
				return fmt.Sprint(err)
			}
			address, err := mail.ParseAddress(a.Address)
			if err == nil {
				_, err = rules.Begin(ctx, a.Askers[i], address)
			}
			return fmt.Sprint(err)
		})
		if err := results.Encode(refusals); err != nil {
			return err
		}
	}
}

// A process is one that [serve] runs in.
type process struct {
	cmd  *exec.Cmd
	acts *json.Encoder
	done *json.Decoder
}

func (r *room) process() process {
	r.t.Helper()
	p := process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), childVariable+"="+r.path)
	stderr := &strings.Builder{}
	p.cmd.Stderr = stderr
	in, inErr := p.cmd.StdinPipe()
	out, outErr := p.cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, p.cmd.Start()); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		in.Close()
		if err := p.cmd.Wait(); err != nil {
			r.t.Errorf("process: %v: %s", err, stderr)
		}
	})
	p.acts, p.done = json.NewEncoder(in), json.NewDecoder(out)
	return p
}

// all has the processes do an act at once, each for the askers that split gives
// it, and counts what they were refused.
func (r *room) all(processes []process, a act, split func(i int) []Asker) map[string]int {
	r.t.Helper()
	refusals := map[string]int{}
	var mu sync.Mutex
	for _, err := range at(len(processes), func(i int) error {
		mine := a
		mine.Askers, mine.At = split(i), r.clock()
		if err := processes[i].acts.Encode(mine); err != nil {
			return err
		}
		var some []string
		err := processes[i].done.Decode(&some)
		mu.Lock()
		defer mu.Unlock()
		for _, refusal := range some {
			refusals[refusal]++
		}
		return err
	}) {
		if err != nil {
			r.t.Fatal(err)
		}
	}
	return refusals
}

// Real processes on one file: five answers are compared, one right one counts,
// and budgets are those of all processes together.
func TestT05TwoProcessesCountTogether(t *testing.T) {
	const times = 20
	r := newRoom(t)
	both := []process{r.process(), r.process()}
	same := func(g guest) func(int) []Asker {
		askers := make([]Asker, times)
		for i := range askers {
			askers[i] = g.Asker
		}
		return func(int) []Asker { return askers }
	}

	t.Run("wrong answers", func(t *testing.T) {
		g := r.guest()
		right := r.asks(g, "ann@example.com")
		refusals := r.all(both, act{Digits: "x"}, same(g))
		for left := 1; left < attempts; left++ {
			if refusals[Wrong{Left: left}.Error()] != 1 {
				t.Errorf("%d tries left: said %d times, want once", left, refusals[Wrong{Left: left}.Error()])
			}
		}
		if refusals[ErrExhausted.Error()] != 2*times-attempts+1 || r.challenge(g).Attempts != attempts || r.total(failedGrant(g.GrantID)) != attempts {
			t.Errorf("%v; %d attempts, %d counted", refusals, r.challenge(g).Attempts, r.total(failedGrant(g.GrantID)))
		}
		if err := r.answer(g, right); !errors.Is(err, ErrExhausted) {
			t.Errorf("then the right digits: %v", err)
		}
	})
	t.Run("right answers", func(t *testing.T) {
		g := r.guest()
		refusals := r.all(both, act{Digits: r.asks(g, "bob@example.com")}, same(g))
		if refusals["<nil>"] != 1 || refusals[ErrSignedIn.Error()] != 2*times-1 || r.grant(g).Epoch != 2 {
			t.Errorf("%v, epoch %d", refusals, r.grant(g).Epoch)
		}
	})
	t.Run("mails to one address", func(t *testing.T) {
		r.flush()
		guests := r.guests(2 * times)
		refusals := r.all(both, act{Address: "cid@example.com"}, func(i int) (askers []Asker) {
			for _, g := range guests[i*times:][:times] {
				askers = append(askers, g.Asker)
			}
			return askers
		})
		if sent := r.flush(); len(sent) != 1 || refusals["<nil>"] != 2*times {
			t.Errorf("%d mails in a minute, want 1; refused %v", len(sent), refusals)
		}
	})
	t.Run("wrong answers for one address", func(t *testing.T) {
		const address = "dan@example.com"
		guests := r.guests(2 * times)
		for _, g := range guests {
			r.asks(g, address)
		}
		r.all(both, act{Digits: "x"}, func(i int) (askers []Asker) {
			for _, g := range guests[i*times:][:times] {
				askers = append(askers, g.Asker, g.Asker)
			}
			return askers
		})
		if compared := r.total(r.failedMail(email(t, address))); compared != 20 {
			t.Errorf("%d answers were compared, want 20", compared)
		}
	})
}
