package grant

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store/sqlite"
)

// Run again with this variable, the test binary is a process with rules of its
// own over the file that the variable names.
const childVariable = "FOYER_GRANT_TEST_CHILD"

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

// An act is what a process does, so many times at once, and an outcome what came
// of it once.
type (
	act struct {
		What  string // a key of acts
		Token string
		Times int
		At    time.Time
	}
	outcome struct{ Access, Refresh, Refusal string }
)

var acts = map[string]func(context.Context, *Grants, string) (Issued, error){
	"redeem": func(ctx context.Context, g *Grants, code string) (Issued, error) {
		return g.Redeem(ctx, right(secret.Plain(code)))
	},
	"refresh": func(ctx context.Context, g *Grants, token string) (Issued, error) {
		return g.Refresh(ctx, Renewal{RefreshToken: secret.Plain(token), ClientID: client})
	},
	"check": func(ctx context.Context, g *Grants, token string) (Issued, error) {
		_, err := g.Check(ctx, token, resource)
		return Issued{}, err
	},
	"sign out": func(ctx context.Context, g *Grants, token string) (Issued, error) {
		return Issued{}, g.SignOut(ctx, secret.HashOf(token))
	},
}

// serve is the process: it does what it reads, and writes what came of it.
func serve(path string, in io.Reader, out io.Writer) error {
	s, err := sqlite.Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	k, err := secret.NewKeys([]string{oldSecret})
	if err != nil {
		return err
	}
	clock := &clock{}
	g := New(s, k, life, JWTs{}, clock.now)
	for steps, results := json.NewDecoder(in), json.NewEncoder(out); ; {
		var a act
		if err := steps.Decode(&a); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		clock.at = a.At
		outcomes := make([]outcome, a.Times)
		race(a.Times, func(i int) error {
			issued, err := acts[a.What](context.Background(), g, a.Token)
			outcomes[i] = outcome{Access: issued.Access.Reveal(), Refresh: issued.Refresh.Reveal(), Refusal: fmt.Sprint(err)}
			return err
		})
		g.Close()
		if err := results.Encode(outcomes); err != nil {
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

func (f *fixture) process() process {
	f.t.Helper()
	p := process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), childVariable+"="+f.path)
	stderr := &strings.Builder{}
	p.cmd.Stderr = stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		in.Close()
		if err := p.cmd.Wait(); err != nil {
			f.t.Errorf("process: %v: %s", err, stderr)
		}
	})
	p.acts, p.done = json.NewEncoder(in), json.NewDecoder(out)
	return p
}

// all has each of the processes do the same at once, and returns what came of
// all of it.
func (f *fixture) all(processes []process, what string, token secret.Text, times int) (outcomes []outcome) {
	f.t.Helper()
	var mu sync.Mutex
	for _, err := range race(len(processes), func(i int) error {
		if err := processes[i].acts.Encode(act{what, token.Reveal(), times, f.now()}); err != nil {
			return err
		}
		var some []outcome
		err := processes[i].done.Decode(&some)
		mu.Lock()
		defer mu.Unlock()
		outcomes = append(outcomes, some...)
		return err
	}) {
		if err != nil {
			f.t.Fatal(err)
		}
	}
	return outcomes
}

// tally counts the refusals, and the pairs that were issued.
func tally(outcomes []outcome) (refusals map[string]int, pairs map[outcome]int) {
	refusals, pairs = map[string]int{}, map[outcome]int{}
	for _, o := range outcomes {
		refusals[o.Refusal]++
		if o.Access != "" {
			pairs[o]++
		}
	}
	return refusals, pairs
}

const none = "<nil>" // no refusal

// Real processes on one file: what counts once counts once for all of them, and
// windows that two of them serve get one pair.
func TestT47T48TwoProcessesAreAsOne(t *testing.T) {
	const times = 10
	f := newFixture(t)
	both := []process{f.process(), f.process()}

	for round := range 3 {
		refusals, pairs := tally(f.all(both, "redeem", f.code(), times))
		if refusals[none] != 1 || refusals[ErrCodeUsed.Error()] != 2*times-1 || len(pairs) != 1 {
			t.Errorf("round %d: of %d redemptions: %v", round, 2*times, refusals)
		}
		for o := range pairs {
			if refusals, _ := tally(f.all(both, "check", secret.Plain(o.Access), 1)); refusals[ErrRevoked.Error()] != 2 {
				t.Errorf("round %d: what a code gave that was redeemed twice: %v", round, refusals)
			}
		}
	}

	first := f.claimed()
	token := first.Refresh
	var last outcome
	for round := range 3 {
		refusals, pairs := tally(f.all(both, "refresh", token, times))
		if refusals[none] != 2*times || len(pairs) != 1 {
			t.Fatalf("round %d: of %d refreshes: %v, and %d pairs", round, 2*times, refusals, len(pairs))
		}
		for last = range pairs {
			token = secret.Plain(last.Refresh)
		}
		if refusals, _ := tally(f.all(both[:1], "check", secret.Plain(last.Access), 1)); refusals[none] != 1 {
			t.Errorf("round %d: the access token: %v", round, refusals)
		}
		f.wait(time.Second)
	}
	f.wait(time.Minute)
	refusals, _ := tally(f.all(both[1:], "refresh", first.Refresh, 1))
	if refusals[ErrReused.Error()] != 1 || len(f.mails()) != 1 {
		t.Errorf("the oldest refresh token, at the other process: %v, and %d mails", refusals, len(f.mails()))
	}
	if refusals, _ := tally(f.all(both, "check", secret.Plain(last.Access), 1)); refusals[ErrRevoked.Error()] != 2 {
		t.Errorf("after the reuse, at both: %v", refusals)
	}

	issued := f.claimed()
	if refusals, _ := tally(f.all(both, "sign out", issued.Access, times)); refusals[none] != 1 || refusals[ErrGuest.Error()] != 2*times-1 {
		t.Errorf("of %d sign-outs: %v", 2*times, refusals)
	}
}

// That an answer was used is known wherever it was used: after the overlap the
// token before it is a copy at every process.
func TestT48OneProcessSeesThatAnotherHasUsedTheAnswer(t *testing.T) {
	for _, used := range []bool{false, true} {
		f := newFixture(t)
		both := []process{f.process(), f.process()}
		first := f.claimed()
		_, pairs := tally(f.all(both[:1], "refresh", first.Refresh, 1))
		for o := range pairs {
			if used {
				f.all(both[:1], "check", secret.Plain(o.Access), 1)
			}
		}
		f.wait(life.Overlap)
		refusals, again := tally(f.all(both[1:], "refresh", first.Refresh, 1))
		if want := map[bool]string{true: ErrReused.Error(), false: none}[used]; refusals[want] != 1 {
			t.Errorf("used %v: the other process: %v, want %s", used, refusals, want)
		}
		for o := range again {
			if pairs[o] != 1 {
				t.Error("the other process has another pair")
			}
		}
	}
}
