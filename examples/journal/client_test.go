package journal

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/elicit"
	"example.com/foyer/gate"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store/sqlite"
)

var (
	ada    = gate.Caller{UserID: "ada"}
	bert   = gate.Caller{UserID: "bert"}
	guest  = gate.Caller{GuestID: "guest-1"}
	nobody = gate.Caller{}
)

// A bench is a journal on a real file, and a client of its server that speaks
// as whoever the test names.
type bench struct {
	*Journal
	server *mcp.Server
	client *mcp.ClientSession
	caller atomic.Pointer[gate.Caller]
	clock  time.Time
	asked  []string // what the person was asked
	answer mcp.ElicitResult
	news   chan string // URIs of resources that changed
}

// newBench returns a bench whose client asks its person, who agrees to everything.
func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{answer: yes, news: make(chan string, 100)}
	b.open(t, &mcp.ClientOptions{
		ElicitationHandler: func(_ context.Context, req *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			b.asked = append(b.asked, req.Params.Message)
			return &b.answer, nil
		},
		ResourceUpdatedHandler: func(_ context.Context, req *mcp.ResourceUpdatedNotificationRequest) { b.news <- req.Params.URI },
	}, "2025-11-25")
	return b
}

var (
	yes = mcp.ElicitResult{Action: "accept", Content: map[string]any{"confirmed": true}}
	no  = mcp.ElicitResult{Action: "accept", Content: map[string]any{"confirmed": false}}
)

func (b *bench) open(t *testing.T, options *mcp.ClientOptions, version string) {
	t.Helper()
	j, err := Open(filepath.Join(t.TempDir(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	b.Journal, b.clock = j, time.Date(2026, 5, 20, 9, 30, 0, 0, time.UTC)
	j.now = func() time.Time { return b.clock }
	b.caller.Store(&nobody)

	b.server = j.Server(questions(t))
	b.server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			return next(gate.WithCaller(ctx, *b.caller.Load()), method, req)
		}
	})
	here, there := mcp.NewInMemoryTransports()
	session, err := b.server.Connect(t.Context(), there, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.client, err = mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, options).
		Connect(t.Context(), here, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.client.InitializeResult().ProtocolVersion; got != version {
		t.Fatalf("the client speaks %s, want %s", got, version)
	}
	t.Cleanup(func() {
		b.client.Close()
		session.Wait()
		j.Close()
	})
}

// questions returns what a kit would: a store to remember answers in, and keys.
func questions(t *testing.T) *elicit.Questions {
	t.Helper()
	store, err := sqlite.Open(filepath.Join(t.TempDir(), "foyer.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	keys, err := secret.NewKeys([]string{"a secret of the tests, and of nobody else"})
	if err != nil {
		t.Fatal(err)
	}
	return elicit.New(store, keys, time.Now, slog.New(slog.DiscardHandler))
}

// A failer is a test or a rapid check.
type failer interface {
	Helper()
	Fatalf(string, ...any)
}

// call calls a tool as caller.
func (b *bench) call(t failer, caller gate.Caller, tool string, arguments any) *mcp.CallToolResult {
	t.Helper()
	b.caller.Store(&caller)
	res, err := b.client.CallTool(context.Background(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	return res
}

// ok calls a tool that must succeed, and returns its structured output.
func ok[Out any](t failer, b *bench, caller gate.Caller, tool string, arguments any) Out {
	t.Helper()
	res := b.call(t, caller, tool, arguments)
	if res.IsError {
		t.Fatalf("%s: refused with %q", tool, said(res))
	}
	var out Out
	raw, err := json.Marshal(res.StructuredContent)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	return out
}

// fails calls a tool that must answer with an error that contains want.
func (b *bench) fails(t failer, caller gate.Caller, tool string, arguments any, want string) {
	t.Helper()
	res := b.call(t, caller, tool, arguments)
	if !res.IsError || !strings.Contains(said(res), want) {
		t.Fatalf("%s: error %v, text %q; want an error with %q", tool, res.IsError, said(res), want)
	}
}

// said returns the first text of a result.
func said(res *mcp.CallToolResult) string {
	for _, c := range res.Content {
		if text, ok := c.(*mcp.TextContent); ok {
			return text.Text
		}
	}
	return ""
}
