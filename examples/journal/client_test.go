package journal

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
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
	client *mcp.ClientSession
	caller atomic.Pointer[gate.Caller]
	clock  time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	j, err := Open(filepath.Join(t.TempDir(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{Journal: j, clock: time.Date(2026, 5, 20, 9, 30, 0, 0, time.UTC)}
	j.now = func() time.Time { return b.clock }
	b.caller.Store(&nobody)

	server := j.Server()
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			return next(gate.WithCaller(ctx, *b.caller.Load()), method, req)
		}
	})
	here, there := mcp.NewInMemoryTransports()
	session, err := server.Connect(t.Context(), there, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.client, err = mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.client.Close()
		session.Wait()
		j.Close()
	})
	return b
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
