//go:build unix

package mcpgate_test

import (
	"context"
	"net/http"
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
	for _, name := range []string{"anyone", "signed_in"} {
		plain.AddTool(&mcp.Tool{Name: name, InputSchema: map[string]any{"type": "object"}},
			func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "ran"}}}, nil
			})
	}
	return r, stateless(plain), r.gate.Handler(mcpgate.Endpoint{Resource: resource, MetadataURL: metadata})
}

func (r *room) call(b *testing.B, h http.Handler, version, token, tool string, status int) contender {
	b.Helper()
	return contend(b, h, r.request(b, "/mcp", version, token, "tools/call", `{"name":"`+tool+`","arguments":{"text":"`+strings.Repeat("x", 40)+`"}}`), status)
}

// A call behind the gate costs at most a tenth more than one that nobody guards,
// beside what the store takes.
func BenchmarkGateRatio(b *testing.B) {
	race(b, callLimit, func() (ours, yardstick contender) {
		r, bare, gated := benchRoom(b)
		token := r.guest()
		r.remember(b, token)
		return r.call(b, gated, modern, token, "anyone", http.StatusOK), r.call(b, bare, modern, token, "anyone", http.StatusOK)
	})
}

// A call that is recorded costs no more: it is noted, and written by somebody
// else.
func BenchmarkGateRatioRecorded(b *testing.B) {
	race(b, callLimit, func() (ours, yardstick contender) {
		r, bare, gated := benchRoom(b)
		token := r.user()
		r.remember(b, token)
		return r.call(b, gated, modern, token, "signed_in", http.StatusOK), r.call(b, bare, modern, token, "signed_in", http.StatusOK)
	})
}

const callLimit = 1.10

// A refusal takes 20 µs at the most, beside what the store takes, wherever it is
// told.
func BenchmarkRefusal(b *testing.B) {
	r, _, gated := benchRoom(b)
	token := r.guest()
	r.remember(b, token)
	for _, test := range []struct {
		name   string
		refuse contender
	}{
		{"by HTTP", r.call(b, gated, modern, token, "not_default", http.StatusForbidden)},
		{"of a token", r.call(b, gated, modern, "fya_garbage", "anyone", http.StatusUnauthorized)},
		{"of no token", r.call(b, gated, modern, "", "anyone", http.StatusUnauthorized)},
		{"in a result", r.call(b, gated, modern, token, "default", http.StatusOK)},
	} {
		b.Run(test.name, func(b *testing.B) { within(b, test.refuse, 20*time.Microsecond) })
	}
}

// What the store takes of a request.
func BenchmarkCheck(b *testing.B) {
	r := newRoom(b)
	token := r.guest()
	for b.Loop() {
		if _, err := r.grants.Check(b.Context(), token, resource); err != nil {
			b.Fatal(err)
		}
	}
}
