package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/foyertest"
)

// TestMain runs the program itself where a test asks for it, in a process of its
// own, as people do.
func TestMain(m *testing.M) {
	if os.Getenv("NOTES_TEST_PROGRAM") != "" {
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
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // should it serve where it must not
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), "NOTES_TEST_PROGRAM=1", "NOTES_SECRET=")
	return cmd
}

// start starts the program and reads from what it prints where it is.
func start(t *testing.T, addr, data string) (url, mails string, stop func()) {
	t.Helper()
	cmd := program(t, "-addr", addr, "-data", data)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() {
		cmd.Process.Kill() // it keeps everything in files, and needs no goodbye
		cmd.Wait()
	}
	t.Cleanup(stop)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if at, found := strings.CutPrefix(lines.Text(), "MCP server"); found {
			url = strings.TrimSpace(at)
		}
		if at, found := strings.CutPrefix(lines.Text(), "Mails"); found {
			go io.Copy(io.Discard, out)
			return url, strings.TrimSpace(at), stop
		}
	}
	stop()
	t.Fatalf("the program ended: %s", &complaints)
	return
}

func TestWhoMayDoWhat(t *testing.T) {
	foyertest.Rules(t, "testdata/rules.txt", foyer.Config{Tools: rules}, foyertest.Nobody(), foyertest.Guest(), foyertest.User("ann"))
}

func TestTheStory(t *testing.T) {
	data := t.TempDir()
	url, mails, stop := start(t, "127.0.0.1:0", data)
	house := foyertest.At(t, url, mails)
	client := house.Client(t)
	ann := client.Connect(t)
	if text, isError := foyertest.Call(t, ann, "search", map[string]any{"words": "FROST"}); isError || !strings.Contains(text, "Tomatoes") || strings.Contains(text, "Garlic") {
		t.Errorf("a guest searches, and gets %s", text)
	}
	for _, tool := range []string{"list_notes", "save_note"} {
		if text, isError := foyertest.Call(t, ann, tool, map[string]any{"text": "From nobody."}); !isError || !strings.Contains(text, "call authenticate") {
			t.Errorf("a guest calls %s, and gets %s", tool, text)
		}
	}
	house.Claim(t, ann, "ann@example.com")
	if text, isError := foyertest.Call(t, ann, "list_notes", nil); isError || text != `{"notes":[]}` {
		t.Errorf("the same call, after the sign-in: %s", text)
	}
	if text, isError := foyertest.Call(t, ann, "save_note", map[string]any{"text": "The rhubarb is Bob's."}); isError {
		t.Errorf("save_note: %s", text)
	}

	bob := house.SignIn(t, "bob@example.com")
	if text, isError := foyertest.Call(t, bob, "list_notes", nil); isError || strings.Contains(text, "rhubarb") {
		t.Errorf("Bob reads %s", text)
	}

	stop()
	start(t, strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/mcp"), data)
	if text, isError := foyertest.Call(t, client.Connect(t), "list_notes", nil); isError || !strings.Contains(text, "The rhubarb is Bob's.") {
		t.Errorf("after a second start, under the same token: %s", text)
	}
}

func TestANoteThatCannotBeKeptIsRefusedWithTheNextStep(t *testing.T) {
	book, err := openNotebook(filepath.Join(t.TempDir(), "notes.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.db.Close() })
	ann := foyertest.New(t, foyer.Config{Tools: rules}, func(*foyer.Kit) *mcp.Server { return book.server() }).SignIn(t, "ann@example.com")
	save := func(text string) (string, bool) {
		t.Helper()
		return foyertest.Call(t, ann, "save_note", map[string]any{"text": text})
	}
	for name, text := range map[string]string{"empty": "", "too long": strings.Repeat("é", longest+1)} {
		if said, isError := save(text); !isError || !strings.Contains(said, "1 to 1000 characters") {
			t.Errorf("a note that is %s: %s", name, said)
		}
	}
	for range mostKept {
		if said, isError := save(strings.Repeat("é", longest)); isError {
			t.Fatal(said)
		}
	}
	if said, isError := save("One more."); !isError || !strings.Contains(said, "is full") {
		t.Errorf("one note more: %s", said)
	}
}

func TestWhatCannotWorkIsSaid(t *testing.T) {
	url, _, _ := start(t, "127.0.0.1:0", t.TempDir())
	taken := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/mcp")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, addr, data, secret, want string }{
		{"a port that is taken", taken, t.TempDir(), "", "address already in use"},
		{"a folder that is a file", "127.0.0.1:0", file, "", "not a directory"},
		{"a secret that is short", "127.0.0.1:0", t.TempDir(), "short", "Secrets: "},
		{"an address for everybody, without TLS", "0.0.0.0:0", t.TempDir(), "", "must be https"},
	} {
		cmd := program(t, "-addr", test.addr, "-data", test.data)
		cmd.Env = append(cmd.Env, "NOTES_SECRET="+test.secret)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), test.want) {
			t.Errorf("%s: %v, %s\nwant %q", test.name, err, out, test.want)
		}
	}
}

// The file that a newcomer copies stays short, and its secret private.
func TestWhatANewcomerCopies(t *testing.T) {
	text, err := os.ReadFile("main.go")
	if n := strings.Count(string(text), "\n"); err != nil || n >= 60 {
		t.Errorf("main.go has %d lines, want fewer than 60: %v", n, err)
	}
	dir := filepath.Join(t.TempDir(), "new")
	t.Setenv("NOTES_SECRET", "")
	first, err := secretIn(dir)
	if err != nil || len(first) < 32 {
		t.Fatalf("%d bytes of secret: %v", len(first), err)
	}
	if again, err := secretIn(dir); err != nil || again != first {
		t.Errorf("the second start has another secret: %v", err)
	}
	for name, mode := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "secret"): 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode(), err, mode)
		}
	}
	t.Setenv("NOTES_SECRET", "from the environment")
	if secret, err := secretIn(dir); err != nil || secret != "from the environment" {
		t.Errorf("the environment has the word, and yet: %v", err)
	}
}
