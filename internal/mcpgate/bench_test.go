package mcpgate_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/internal/mcpgate"
)

// benchRoom serves without a network: what is left is the handlers' own cost.
func benchRoom(b *testing.B) (r *room, bare, gated http.Handler) {
	r = newRoom(b)
	plain := mcp.NewServer(&mcp.Implementation{Name: "room", Version: "1"}, nil)
	plain.AddTool(&mcp.Tool{Name: "anyone", InputSchema: map[string]any{"type": "object"}},
		func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "ran"}}}, nil
		})
	bare = mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return plain },
		&mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true, DisableLocalhostProtection: true})
	return r, bare, r.gate.Handler(mcpgate.Endpoint{Resource: resource, MetadataURL: metadata})
}

func bench(b *testing.B, r *room, h http.Handler, token, tool string, status int) {
	b.Helper()
	model := r.request(b, "/mcp", modern, token, "tools/call", `{"name":"`+tool+`","arguments":{"text":"`+strings.Repeat("x", 40)+`"}}`)
	body, err := io.ReadAll(model.Body)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		req := model.Clone(b.Context())
		req.Body = io.NopCloser(strings.NewReader(string(body)))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code != status {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}

// A refusal of a body of about 300 bytes, after a look at the store. A goal is
// 20 µs, beside what the store takes.
func BenchmarkRefusal(b *testing.B) {
	r, _, gated := benchRoom(b)
	bench(b, r, gated, r.guest(), "not_default", http.StatusForbidden)
}

// A refusal of a token that nobody issued: the store is asked, and nothing else.
func BenchmarkRefusalOfAToken(b *testing.B) {
	r, _, gated := benchRoom(b)
	bench(b, r, gated, "fya_garbage", "anyone", http.StatusUnauthorized)
}

// A call behind the gate; the yardstick is [BenchmarkBareCall].
func BenchmarkGateCall(b *testing.B) {
	r, _, gated := benchRoom(b)
	bench(b, r, gated, r.guest(), "anyone", http.StatusOK)
}

func BenchmarkBareCall(b *testing.B) {
	r, bare, _ := benchRoom(b)
	bench(b, r, bare, "", "anyone", http.StatusOK)
}

// Both in turn, so that whatever else runs on the machine weighs on both: the
// metric is what a call behind the gate costs, in calls without it.
func BenchmarkGateRatio(b *testing.B) {
	r, bare, gated := benchRoom(b)
	token := r.guest()
	var took [2]time.Duration
	for b.Loop() {
		for i, h := range []http.Handler{gated, bare} {
			req := r.request(b, "/mcp", modern, token, "tools/call", `{"name":"anyone","arguments":{}}`)
			w := httptest.NewRecorder()
			began := time.Now()
			h.ServeHTTP(w, req)
			took[i] += time.Since(began)
		}
	}
	b.ReportMetric(float64(took[0])/float64(took[1]), "x/bare")
}

// What the store takes of it.
func BenchmarkCheck(b *testing.B) {
	r := newRoom(b)
	token := r.guest()
	for b.Loop() {
		if _, err := r.grants.Check(b.Context(), token, resource); err != nil {
			b.Fatal(err)
		}
	}
}
