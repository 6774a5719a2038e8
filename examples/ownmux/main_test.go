package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/foyertest"
)

// A running is the program, serving.
type running struct {
	*foyertest.House
	log  *lockedBuffer
	stop context.CancelFunc
	done chan error // gets what serve returned
}

func start(t *testing.T) running {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	data := t.TempDir()
	r := running{foyertest.At(t, "http://"+listener.Addr().String()+"/mcp", filepath.Join(data, "mail")), &lockedBuffer{}, stop, make(chan error, 1)}
	over := make(chan struct{})
	go func() {
		defer close(over)
		r.done <- serve(ctx, listener, data, "a secret of the tests, and of nobody else", slog.New(slog.NewTextHandler(r.log, nil)))
	}()
	t.Cleanup(func() {
		stop()
		<-over // before its folder goes
	})
	return r
}

// A lockedBuffer takes the log of many goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestEachPathIsAnsweredByWhomItBelongsTo(t *testing.T) {
	r := start(t)
	for _, test := range []struct {
		name, path string
		status     int
		want       string
	}{
		{"the page", "/", 200, "<li>Middlemarch</li>"},
		{"the books", "/api/books", 200, `[{"title":"Emma","lent":false}`},
		{"an endpoint for guests", "/mcp", 401, `"code":401`},
		{"an endpoint that is lazy", "/public/mcp", 405, ""},
		{"its resource", "/.well-known/oauth-protected-resource/public/mcp", 200, `"resource":"` + r.Issuer + `/public/mcp"`},
		{"the other's", "/.well-known/oauth-protected-resource/mcp", 200, `"resource":"` + r.Issuer + `/mcp"`},
		{"the authorization server", "/.well-known/oauth-authorization-server", 200, `"issuer":"` + r.Issuer + `"`},
		{"nobody's", "/else", 404, ""},
	} {
		if status, body := get(t, r.Issuer+test.path); status != test.status || !strings.Contains(body, test.want) {
			t.Errorf("%s: %d %s\nwant %d with %q", test.name, status, body, test.status, test.want)
		}
		if want := "path=" + test.path + " status="; !strings.Contains(r.log.String(), want) {
			t.Errorf("%s: the log does not say %q", test.name, want)
		}
	}
}

func TestTheStoryUnderAMuxOfOnesOwn(t *testing.T) {
	r := start(t)
	c := r.Client(t)
	ann := session{c.Connect(t)}
	ann.ok(t, "list_books", nil, "Emma")
	ann.refused(t, "borrow_book", map[string]any{"title": "Emma"}, "call authenticate")
	r.Claim(t, ann.ClientSession, "ann@example.com")
	ann.ok(t, "borrow_book", map[string]any{"title": "Emma"}, `["Emma"]`)
	ann.refused(t, "borrow_book", map[string]any{"title": "Ulysses"}, "Call list_books for the titles")
	if _, books := get(t, r.Issuer+"/api/books"); !strings.Contains(books, `{"title":"Emma","lent":true}`) {
		t.Errorf("after Ann has borrowed Emma, the web door says %s", books)
	}
	if _, page := get(t, r.Issuer+"/"); !strings.Contains(page, "Emma (lent)") {
		t.Errorf("and the page %s", page)
	}
	bob := session{r.SignIn(t, "bob@example.com")}
	bob.refused(t, "borrow_book", map[string]any{"title": "Emma"}, "A neighbour has that book")
	bob.ok(t, "list_loans", nil, `{"loans":[]}`)
	ann.ok(t, "list_loans", nil, `{"loans":["Emma"]}`)
	for _, secret := range []string{c.Token(t), "code_challenge", "Bearer"} {
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("the log has a query or a header: %s", r.log)
		}
	}
}

// Without a token the lazy endpoint serves what is public, and answers 401 for
// the rest, upon which this client, which has no browser, gives up.
func TestTheLazyEndpointNeedsNoTokenForWhatIsPublic(t *testing.T) {
	r := start(t)
	public := r.Issuer + "/public/mcp"
	nobody := session{foyertest.At(t, public, "").Nobody(t)}
	nobody.ok(t, "list_books", nil, "Emma")
	if res, err := nobody.CallTool(t.Context(), &mcp.CallToolParams{Name: "list_loans"}); err == nil || !strings.Contains(err.Error(), "Unauthorized") {
		t.Errorf("list_loans without a token: %v, %v", res, err)
	}
	c := r.Client(t)
	session{c.Connect(t)}.ok(t, "list_books", nil, "Emma")
	if res := post(t, public, c.Token(t), "tools/list", ""); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token for /mcp opens /public/mcp: %s", res.Status)
	}
}

// Streams live under the middleware: what is said on them arrives while they
// are open, and a stop ends them at once.
func TestStreamsLiveUnderTheMiddlewareAndEndAtAStop(t *testing.T) {
	r := start(t)
	c, changed := r.Client(t), make(chan struct{}, 10)
	c.Version = "2025-11-25"
	c.Options = &mcp.ClientOptions{ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { changed <- struct{}{} }}
	ann := c.Connect(t) // opens the stream of its session
	events := listen(t, post(t, r.URL, c.Token(t), "subscriptions/listen", `"notifications":{"toolsListChanged":true}`))
	if m := next(t, events); m != "notifications/subscriptions/acknowledged" {
		t.Fatalf("the stream begins with %q", m)
	}
	r.Claim(t, ann, "ann@example.com")
	if m := next(t, events); m != "notifications/tools/list_changed" {
		t.Errorf("of the sign-in the stream says %q", m)
	}
	select {
	case <-changed:
	case <-time.After(20 * time.Second):
		t.Error("the stream of the session says nothing of the sign-in")
	}

	began := time.Now()
	r.stop()
	select {
	case err := <-r.done:
		if took := time.Since(began); err != nil || took > time.Second {
			t.Errorf("with two streams open the stop took %v: %v", took, err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the program does not stop")
	}
	for m := next(t, events); m != ""; m = next(t, events) {
		t.Logf("before its end the stream says %q", m)
	}
	if log := r.log.String(); !strings.Contains(log, "method=GET path=/mcp status=200") || strings.Contains(log, "level=ERROR") {
		t.Errorf("the log has no GET that ended, or an error:\n%s", log)
	}
}

// The kit is served twice: by the server, and by one whose WriteTimeout is over
// before an answer can begin.
func TestStreamsOutliveTheWriteTimeout(t *testing.T) {
	data, books := t.TempDir(), newLibrary()
	usual := httptest.NewUnstartedServer(nil)
	g, err := guard(books, "http://"+usual.Listener.Addr().String(), data, strings.Repeat("s", 32), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	handler := logging(slog.New(slog.DiscardHandler), routes(books, g.handler))
	late := httptest.NewUnstartedServer(nil)
	usual.Config, late.Config = newServer(handler), newServer(handler)
	late.Config.WriteTimeout = time.Nanosecond
	usual.Start()
	late.Start()
	t.Cleanup(func() {
		g.kit.Drain()
		late.Close()
		usual.Close()
		if err := errors.Join(g.kit.Close(), g.store.Close()); err != nil {
			t.Error(err)
		}
	})
	if usual.Config.WriteTimeout == 0 {
		t.Error("the server has no WriteTimeout: what is this test about?")
	}
	if res, err := http.Get(late.URL + "/api/books"); err == nil {
		res.Body.Close()
		t.Errorf("the books come after the WriteTimeout: %s", res.Status)
	}
	c := foyertest.At(t, usual.URL+"/mcp", filepath.Join(data, "mail")).Client(t)
	session{c.Connect(t)}.ok(t, "list_books", nil, "Emma")
	events := listen(t, post(t, late.URL+"/mcp", c.Token(t), "subscriptions/listen", `"notifications":{"toolsListChanged":true}`))
	if m := next(t, events); m != "notifications/subscriptions/acknowledged" {
		t.Errorf("after the WriteTimeout the stream says %q", m)
	}
}

func TestWithoutASecretItSaysWhatToDo(t *testing.T) {
	if err := run(t.Context(), "127.0.0.1:0", t.TempDir(), ""); err == nil || !strings.Contains(err.Error(), "export LIBRARY_SECRET=") {
		t.Errorf("error = %v", err)
	}
	for name, test := range map[string]struct{ data, secret, want string }{
		"a secret that is short":     {t.TempDir(), "short", "Secrets: "},
		"a folder that is not there": {filepath.Join(t.TempDir(), "none"), strings.Repeat("s", 32), "no such file or directory"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if err := run(ctx, "127.0.0.1:0", test.data, test.secret); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error = %v, want %q", name, err, test.want)
		}
		cancel()
	}
}
