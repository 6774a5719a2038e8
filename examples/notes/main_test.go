package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
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

// A client is the SDK's own, with a browser that only follows the redirect,
// because no page comes.
func newClient(t *testing.T) auth.OAuthHandler {
	t.Helper()
	const callback = "http://127.0.0.1:33418/callback"
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		RedirectURL: callback,
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{
			Metadata: &oauthex.ClientRegistrationMetadata{ClientName: "Test", RedirectURIs: []string{callback}}},
		AuthorizationCodeFetcher: func(ctx context.Context, a *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL, nil)
			if err != nil {
				return nil, err
			}
			res, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			defer res.Body.Close()
			location, err := res.Location()
			if err != nil {
				return nil, err
			}
			q := location.Query()
			return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// connect returns a function that calls a tool.
func connect(t *testing.T, url string, handler auth.OAuthHandler) func(tool string, arguments map[string]any) (text string, isError bool) {
	t.Helper()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(),
		&mcp.StreamableClientTransport{Endpoint: url, OAuthHandler: handler, MaxRetries: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return func(tool string, arguments map[string]any) (string, bool) {
		t.Helper()
		res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
		if err != nil {
			t.Fatalf("%s: %v", tool, err)
		}
		return res.Content[0].(*mcp.TextContent).Text, res.IsError
	}
}

// digits waits for the mail, which goes out behind the answer.
func digits(t *testing.T, path string) string {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-tick.C {
		text, err := os.ReadFile(path)
		if found := regexp.MustCompile(`(?m)^([0-9]{6})\r?$`).FindSubmatch(text); err == nil && found != nil {
			return string(found[1])
		}
	}
	t.Fatalf("no mail with six digits came to %s", path)
	return ""
}

func TestTheStory(t *testing.T) {
	data := t.TempDir()
	url, mails, stop := start(t, "127.0.0.1:0", data)
	signIn := func(call func(string, map[string]any) (string, bool), email string) {
		t.Helper()
		if text, isError := call("authenticate", map[string]any{"email": email}); isError {
			t.Fatal(text)
		}
		code := digits(t, filepath.Join(mails, email, "000001.eml"))
		if text, isError := call("validate_token", map[string]any{"code": code}); isError {
			t.Fatal(text)
		}
	}
	ann := newClient(t)
	call := connect(t, url, ann)
	if text, isError := call("search", map[string]any{"words": "FROST"}); isError || !strings.Contains(text, "Tomatoes") || strings.Contains(text, "Garlic") {
		t.Errorf("a guest searches, and gets %s", text)
	}
	for _, tool := range []string{"list_notes", "save_note"} {
		if text, isError := call(tool, map[string]any{"text": "From nobody."}); !isError || !strings.Contains(text, "call authenticate") {
			t.Errorf("a guest calls %s, and gets %s", tool, text)
		}
	}
	signIn(call, "ann@example.com")
	if text, isError := call("list_notes", nil); isError || text != `{"notes":[]}` {
		t.Errorf("the same call, after the sign-in: %s", text)
	}
	if text, isError := call("save_note", map[string]any{"text": "The rhubarb is Bob's."}); isError {
		t.Errorf("save_note: %s", text)
	}

	bob := connect(t, url, newClient(t))
	signIn(bob, "bob@example.com")
	if text, isError := bob("list_notes", nil); isError || strings.Contains(text, "rhubarb") {
		t.Errorf("Bob reads %s", text)
	}

	stop()
	url, _, _ = start(t, strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/mcp"), data)
	if text, isError := connect(t, url, ann)("list_notes", nil); isError || !strings.Contains(text, "The rhubarb is Bob's.") {
		t.Errorf("after a second start, under the same token: %s", text)
	}
}

func TestANoteThatCannotBeKeptIsRefusedWithTheNextStep(t *testing.T) {
	url, mails, _ := start(t, "127.0.0.1:0", t.TempDir())
	call := connect(t, url, newClient(t))
	call("authenticate", map[string]any{"email": "ann@example.com"})
	call("validate_token", map[string]any{"code": digits(t, filepath.Join(mails, "ann@example.com", "000001.eml"))})
	for name, text := range map[string]string{"empty": "", "too long": strings.Repeat("é", longest+1)} {
		if said, isError := call("save_note", map[string]any{"text": text}); !isError || !strings.Contains(said, "1 to 1000 characters") {
			t.Errorf("a note that is %s: %s", name, said)
		}
	}
	for range mostKept {
		if said, isError := call("save_note", map[string]any{"text": strings.Repeat("é", longest)}); isError {
			t.Fatal(said)
		}
	}
	if said, isError := call("save_note", map[string]any{"text": "One more."}); !isError || !strings.Contains(said, "is full") {
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
