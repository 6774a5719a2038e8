package foyertest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/foyer"
	"example.com/foyer/foyertest"
	"example.com/foyer/gate"
)

// A recorder takes down what a test would have said.
type recorder struct {
	testing.TB
	said strings.Builder
}

func (r *recorder) Errorf(format string, args ...any) { fmt.Fprintf(&r.said, format+"\n", args...) }
func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...); runtime.Goexit() }
func (r *recorder) Fatal(args ...any)                 { r.Fatalf("%s", fmt.Sprint(args...)) }

// said runs f, and returns of what it complains.
func said(t *testing.T, f func(testing.TB)) string {
	t.Helper()
	r, done := &recorder{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r.said.String()
}

// bank is the tables of a server that has some of everything.
func bank() foyer.Config {
	return foyer.Config{
		Scopes: gate.Scopes{
			{Name: "money:send", Words: "Send money", Default: true, Implies: []string{"money:see"}},
			{Name: "money:see", Words: "See your money", Default: true},
			{Name: "export", Words: "Take a copy"},
		},
		Tools: gate.Rules{
			"rates":      gate.Anyone(),
			"basket":     gate.AnyGrant(),
			"tour":       gate.GuestsOnly(),
			"send":       gate.Scope("money:send").MaxAge(5 * time.Minute).When(small),
			"export":     gate.Scope("export").Level("email"),
			"audit_logs": gate.Role("auditor").Hidden(),
			"close":      gate.Role("director"),
		},
		Resources: gate.Rules{"bank://help": gate.Anyone(), "bank://accounts/{id}": gate.Scope("money:see")},
		Prompts:   gate.Rules{"greet": gate.SignedIn()},
	}
}

func small(_ gate.Caller, arguments map[string]any) bool {
	amount, ok := arguments["amount"].(float64)
	return ok && amount <= 100
}

func callers() []foyertest.Caller {
	return []foyertest.Caller{foyertest.Nobody(), foyertest.Guest(), foyertest.User("ann").Age(time.Hour),
		foyertest.User("auditor").Scopes("money:send", "export").Roles("auditor").Level("email")}
}

func TestWhoMayDoWhatIsWrittenForPeople(t *testing.T) {
	foyertest.Rules(t, "testdata/rules.txt", bank(), callers()...)
}

func TestTheFileIsWrittenOnlyWhereItIsAskedForAndNeverUnderCI(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "rules.txt")
	compare := func(tb testing.TB) { foyertest.Rules(tb, path, bank(), callers()...) }
	t.Setenv("CI", "")
	t.Setenv("FOYERTEST_UPDATE", "")
	if text := said(t, compare); !strings.Contains(text, "there is no "+path) || !strings.Contains(text, "FOYERTEST_UPDATE=1 go test -run "+t.Name()) {
		t.Errorf("without a file it says %q", text)
	}
	t.Setenv("FOYERTEST_UPDATE", "1")
	for _, ci := range []string{"true", "1"} {
		t.Setenv("CI", ci)
		if text := said(t, compare); !strings.Contains(text, "there is no "+path) {
			t.Errorf("under CI=%s it says %q", ci, text)
		}
	}
	t.Setenv("CI", "")
	if text := said(t, compare); text != "" {
		t.Errorf("told to write, it says %q", text)
	}
	t.Setenv("FOYERTEST_UPDATE", "")
	if text := said(t, compare); text != "" {
		t.Errorf("what it wrote itself is not as it has it: %q", text)
	}
	written, err := os.ReadFile(path)
	if kept, err2 := os.ReadFile("testdata/rules.txt"); errors.Join(err, err2) != nil || string(written) != string(kept) {
		t.Errorf("another file was written: %v\n%s", errors.Join(err, err2), written)
	}
}

// The file is the one of the test above, changed.
func TestEachDifferenceNamesItemAndCaller(t *testing.T) {
	kept, err := os.ReadFile("testdata/rules.txt")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rules.txt")
	t.Setenv("FOYERTEST_UPDATE", "")
	for _, test := range []struct {
		name   string
		text   func(string) string
		change func(*foyer.Config)
		also   []foyertest.Caller
		want   string // empty for none
	}{
		{name: "a rule was opened", change: func(cfg *foyer.Config) { cfg.Tools["export"] = gate.Anyone() },
			want: `tool export, guest: is "open, allow", and in the file "locked, challenge: sign_in for export, acr:email"`},
		{name: "a rule is hidden no more", change: func(cfg *foyer.Config) { cfg.Tools["audit_logs"] = gate.Role("auditor") },
			want: `tool audit_logs, guest: is "locked, challenge: sign_in as auditor", and in the file "absent, challenge: sign_in as auditor"`},
		{name: "a rule asks about arguments no more", change: func(cfg *foyer.Config) { cfg.Tools["send"] = gate.Scope("money:send").MaxAge(5 * time.Minute) },
			want: `tool send, auditor: is "open, allow", and in the file "open, allow for some arguments"`},
		{name: "a resource was opened", change: func(cfg *foyer.Config) { cfg.Resources["bank://accounts/{id}"] = gate.Anyone() },
			want: `resource bank://accounts/{id}, nobody: is "open, allow"`},
		{name: "a scope became a default", change: func(cfg *foyer.Config) { cfg.Scopes[2].Default = true },
			want: `tool export, ann: is "locked, challenge: needs_level for export, acr:email"`},
		{name: "a policy takes away", change: func(cfg *foyer.Config) { cfg.Decider = never{} },
			want: `tool rates, guest: is "absent, deny: policy", and in the file "open, allow"`},
		{name: "a tool came", change: func(cfg *foyer.Config) { cfg.Tools["new"] = gate.Anyone() }, want: "tool new: has a rule, and is not in the file"},
		{name: "a prompt went", change: func(cfg *foyer.Config) { cfg.Prompts = nil }, want: "prompt greet: is in the file, and has no rule"},
		{name: "a caller came", also: []foyertest.Caller{foyertest.User("bob")}, want: "bob: the test names this caller, who is not in the file"},
		{name: "a caller went", text: func(s string) string { return strings.Replace(s, "ann", "eve", 1) }, want: "eve: is in the file, and the test does not name this caller"},
		{name: "a caller twice", text: func(s string) string { return strings.Replace(s, "ann", "guest", 1) }, want: "guest: comes twice in the file"},
		{name: "a cell too many", text: func(s string) string { return strings.Replace(s, "greet", "greet  open", 1) }, want: "prompt greet: 5 cells for 4 callers"},
		{name: "an item twice", text: func(s string) string { return s + s }, want: "tool rates: comes twice"},
		{name: "a line of nothing", text: func(s string) string { return s + "tool\n" }, want: "line 15: too few columns"},
		{name: "an empty file", text: func(string) string { return "" }, want: "tool rates: has a rule, and is not in the file"},
		{name: "comments, and lines of another system", text: func(s string) string { return "# mine\n\n" + strings.ReplaceAll(s, "\n", "  \r\n") }},
		{name: "a table that is not straight", text: func(s string) string { return strings.ReplaceAll(s, "  ", "    ") }},
	} {
		text := string(kept)
		if test.text != nil {
			text = test.text(text)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := bank()
		if test.change != nil {
			test.change(&cfg)
		}
		got := said(t, func(tb testing.TB) { foyertest.Rules(tb, path, cfg, append(callers(), test.also...)...) })
		if test.want == "" && got != "" || !strings.Contains(got, test.want) || test.want != "" && !strings.Contains(got, "write it anew: FOYERTEST_UPDATE=1") {
			t.Errorf("%s: it says\n%s\nwant %s", test.name, got, test.want)
		}
	}
}

// A never is a policy that denies everything.
type never struct{}

func (never) Decide(context.Context, gate.Request) (gate.Decision, error) {
	return gate.Decision{Outcome: gate.Deny, Reason: gate.Policy}, nil
}

func TestATableOfNonsenseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.txt")
	t.Setenv("CI", "")
	t.Setenv("FOYERTEST_UPDATE", "1")
	for _, test := range []struct {
		name    string
		change  func(*foyer.Config)
		callers []foyertest.Caller
		want    string
	}{
		{"nobody is asked about", nil, nil, "0 callers and 10 items: there is nothing to compare"},
		{"nothing is asked about", func(cfg *foyer.Config) { *cfg = foyer.Config{} }, []foyertest.Caller{foyertest.Guest()}, "1 callers and 0 items"},
		{"a rule that is empty", func(cfg *foyer.Config) { cfg.Tools["x"] = gate.Rule{} }, callers(), "Tools: x: the rule is empty"},
		{"a scope that there is not", func(cfg *foyer.Config) { cfg.Prompts["x"] = gate.Scope("x") }, callers(), `Prompts: x: scope "x" is not in Scopes`},
		{"a template that is none", func(cfg *foyer.Config) { cfg.Resources["x://{"] = gate.Anyone() }, callers(), "bad config"},
		{"a name that breaks the table", func(cfg *foyer.Config) { cfg.Prompts["two  spaces"] = gate.Anyone() }, callers(), "cannot stand in a table"},
		{"one caller twice", nil, []foyertest.Caller{foyertest.Guest(), foyertest.Guest()}, `caller "guest" comes twice`},
		{"a caller who is not said", nil, []foyertest.Caller{{}}, "make one with Nobody, Guest or User"},
		{"a guest with a role", nil, []foyertest.Caller{foyertest.Guest().Roles("auditor")}, "are users'; begin with User"},
		{"a scope that nobody has", nil, []foyertest.Caller{foyertest.User("ann").Scopes("x")}, `scope "x" is not in Scopes`},
		{"a level that nobody reaches", nil, []foyertest.Caller{foyertest.User("ann").Level("x")}, `level "x" is not in Levels`},
		{"a role with a space", nil, []foyertest.Caller{foyertest.User("ann").Roles("a b")}, "a role has no name, or a space in it"},
		{"a sign-in of tomorrow", nil, []foyertest.Caller{foyertest.User("ann").Age(-time.Hour)}, "age -1h0m0s is negative"},
		{"a name that is none", nil, []foyertest.Caller{foyertest.User("a name")}, "cannot stand in front of an @"},
	} {
		cfg := bank()
		if test.change != nil {
			test.change(&cfg)
		}
		if got := said(t, func(tb testing.TB) { foyertest.Rules(tb, path, cfg, test.callers...) }); !strings.Contains(got, test.want) {
			t.Errorf("%s: it says %q, want %q", test.name, got, test.want)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("something was written")
	}
}
