package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"example.com/foyer/foyertest"
)

// TestMain runs the program itself where a test asks for it: the tests start it
// as people do, in a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("FOYER_TEST_PROGRAM") != "" {
		main()
	}
	os.Exit(m.Run())
}

func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), "FOYER_TEST_PROGRAM=1")
	return cmd
}

// A running demo.
type running struct {
	*exec.Cmd
	url string // of the server
	out *bytes.Buffer
}

// start starts the demo on a free port, or on that of an earlier one, and waits
// until it says where it is.
func start(t *testing.T, args ...string) running {
	t.Helper()
	r := running{Cmd: program(t, append([]string{"demo"}, args...)...), out: &bytes.Buffer{}}
	out, err := r.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Stderr = r.out
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Process.Kill() }) // does nothing once it has ended
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found := regexp.MustCompile(`MCP server +(http://[^/]+)/mcp`).FindStringSubmatch(lines.Text()); found != nil {
			r.url = found[1]
		}
		if strings.Contains(lines.Text(), "goes on where this one ended") {
			go io.Copy(io.Discard, out)
			return r
		}
	}
	r.Wait()
	t.Fatalf("the demo ended: %s", r.out)
	return r
}

// stop asks the demo to end, as Ctrl-C does, and waits until it has.
func (r running) stop(t *testing.T) {
	t.Helper()
	if err := r.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := r.Wait(); err != nil {
		t.Errorf("the demo ended with %v: %s", err, r.out)
	}
}

func TestWhatALaterVersionBringsIsRefusedByName(t *testing.T) {
	for _, test := range []struct{ name, args, want string }{
		{"another application", "demo --app todo", "--app todo is not in this version; there is: journal, appointments, conformance"},
		{"another store", "demo --store postgres://localhost/foyer", "--store postgres://localhost/foyer is not in this version; there is: sqlite"},
		{"another entry", "demo --entry shy", "--entry shy is not in this version; there is: guest, lazy, eager"},
		{"a flag that does not exist", "demo --frobnicate", "unknown flag --frobnicate"},
		{"a command that does not exist", "serve", "unexpected argument serve"},
		{"a duration that is none", "demo --access-ttl soon", "--access-ttl"},
		{"a lifetime of nothing", "demo --access-ttl 0s", "a lifetime must be more than 0"},
	} {
		cmd := program(t, strings.Fields(test.args)...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != exitUsage || !strings.Contains(string(out), test.want) {
			t.Errorf("%s: %v, %s\nwant exit status 2 and %q", test.name, err, out, test.want)
		}
	}
}

func TestWhatCannotWorkIsSaidWithTheNextStep(t *testing.T) {
	taken := start(t, "--addr", "127.0.0.1:0", "--data", t.TempDir())
	defer taken.stop(t)
	file := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"a port that is taken", []string{"--addr", strings.TrimPrefix(taken.url, "http://"), "--data", t.TempDir()}, "choose another address with --addr"},
		{"a folder that is a file", []string{"--addr", "127.0.0.1:0", "--data", file}, "not a directory"},
		{"an issuer without TLS", []string{"--addr", "127.0.0.1:0", "--data", t.TempDir(), "--issuer", "http://example.com"}, "must be https"},
		{"digits that live too long", []string{"--addr", "127.0.0.1:0", "--data", t.TempDir(), "--one-time-code-ttl", "1h"}, "more than 10m"},
	} {
		cmd := program(t, append([]string{"demo"}, test.args...)...)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(string(out), test.want) {
			t.Errorf("%s: exit status %d, %s\nwant 1 and %q", test.name, cmd.ProcessState.ExitCode(), out, test.want)
		}
	}
}

func TestTheContract(t *testing.T) {
	d := start(t, "--addr", "127.0.0.1:0", "--data", t.TempDir())
	defer d.stop(t)
	for _, test := range []struct {
		name, method, path, host string
		status                   int
		want                     string
	}{
		{"ready", "GET", "/healthz", "", 200, "ok"},
		{"the inbox", "GET", "/dev/mail", "", 200, "Demo inbox"},
		{"the inbox is nobody else's", "GET", "/dev/mail", "demo.example.com", 403, "only for this device"},
		{"a tokenless call", "POST", "/mcp", "", 401, `"code":401`},
		{"a stream without a token", "GET", "/mcp", "", 401, `"code":401`},
		{"the end of a session without a token", "DELETE", "/mcp", "", 401, `"code":401`},
		{"with a slash", "POST", "/mcp/", "", 401, `"code":401`},
		{"another host", "POST", "/mcp", "evil.example.com", 403, "this server is not evil.example.com"},
		{"the lazy entry wants a message", "POST", "/lazy/mcp", "", 400, ""},
		{"the eager entry wants a person", "POST", "/eager/mcp", "", 401, "for people who have signed in"},
		{"the resource", "GET", "/.well-known/oauth-protected-resource/mcp", "", 200, `"resource":"` + d.url + `/mcp"`},
		{"the authorization server", "GET", "/.well-known/openid-configuration", "", 200, `"issuer":"` + d.url + `"`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), test.method, d.url+test.path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = test.host
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != test.status || !strings.Contains(string(body), test.want) {
			t.Errorf("%s: %d %s\nwant %d with %q", test.name, res.StatusCode, body, test.status, test.want)
		}
	}
}

func TestEachAppIsServed(t *testing.T) {
	for app, tool := range map[string]string{"journal": "writing_prompt", "appointments": "list_slots", "conformance": "test_simple_text"} {
		d := start(t, "--app", app, "--addr", "127.0.0.1:0", "--data", t.TempDir())
		session := foyertest.At(t, d.url+"/mcp", "").Guest(t)
		if text, isError := foyertest.Call(t, session, tool, nil); isError {
			t.Errorf("%s: %s of a guest: %s", app, tool, text)
		}
		session.Close()
		d.stop(t)
	}
}

func TestEachAppIsGreetedAndKeptApart(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	dirs := map[string]bool{}
	for _, app := range appNames {
		d := demo{place: place{App: app}, Issuer: "http://127.0.0.1:8080"}
		dir, err := d.dir()
		if err != nil || dirs[dir] {
			t.Errorf("%s is kept in %s: %v", app, dir, err)
		}
		dirs[dir] = true
		var said strings.Builder
		d.greet(&said, dir)
		if askFirst[app] == "" || !strings.Contains(said.String(), "Foyer is serving the "+app+".") || strings.Contains(said.String(), "%!") {
			t.Errorf("%s is greeted with %s", app, &said)
		}
	}
}

// The story, before and after a stop: a second start on the same folder goes on
// where the first ended, for a client that has kept its tokens.
func TestASecondStartGoesOn(t *testing.T) {
	data := t.TempDir()
	first := start(t, "--addr", "127.0.0.1:0", "--data", data)
	house := foyertest.At(t, first.url+"/mcp", filepath.Join(data, "mail"))
	client := house.Client(t)
	session := client.Connect(t)
	house.Claim(t, session, "ann@example.com")
	if text, isError := foyertest.Call(t, session, "create_entry", map[string]any{"title": "Before the stop", "content": "It holds."}); isError {
		t.Fatal(text)
	}
	session.Close()
	first.stop(t)

	second := start(t, "--addr", strings.TrimPrefix(first.url, "http://"), "--data", data)
	defer second.stop(t)
	if text, isError := foyertest.Call(t, client.Connect(t), "list_entries", nil); isError || !strings.Contains(text, "Before the stop") {
		t.Errorf("after the second start: %s", text)
	}
	for _, name := range []string{"secret", "foyer.db", "journal.db", "mail/ann@example.com/000001.eml"} {
		info, err := os.Stat(filepath.Join(data, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", name, info.Mode(), err)
		}
	}
}

func TestExplainPrintsWhatTheRulesDecide(t *testing.T) {
	for _, test := range []struct {
		name string
		cmd  explain
		want []string
	}{
		{"a guest", explain{App: "journal", As: "guest", Kind: "tool", Item: "list_entries"}, []string{"tool", "list_entries", "users", "locked", "challenge: sign_in", "a sign-in, in the chat or in the browser"}},
		{"a user", explain{App: "journal", As: "user", Level: "chat", Kind: "tool", Item: "export_journal"}, []string{"users with journal:export", "locked", "challenge: needs_scopes", "consent in the browser to journal:export"}},
		{"a user with the scope", explain{App: "journal", As: "user", Level: "chat", Scopes: []string{"journal:export"}, Kind: "tool", Item: "export_journal"}, []string{"open", "allow"}},
		{"everything", explain{App: "journal", As: "nobody"}, []string{"journal://entries/{id}", "suggest_tags", "writing_prompt", "whoever has a token"}},
	} {
		var out strings.Builder
		if err := test.cmd.run(t.Context(), &out); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", test.name, want, out.String())
			}
		}
	}
	for name, cmd := range map[string]explain{
		"an unknown item":  {App: "journal", As: "guest", Kind: "tool", Item: "nothing"},
		"an unknown app":   {App: "nothing", As: "guest"},
		"an unknown scope": {App: "journal", As: "user", Level: "chat", Scopes: []string{"nothing"}},
		"an unknown level": {App: "journal", As: "user", Level: "nothing"},
		"odd arguments":    {App: "journal", As: "user", Level: "chat", Kind: "tool", Item: "list_entries", Arguments: "[]"},
	} {
		if err := cmd.run(t.Context(), &strings.Builder{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
