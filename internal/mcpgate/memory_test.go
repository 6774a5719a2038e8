package mcpgate_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/internal/secret"
)

const thousand = 1000

// A sink takes an answer, and says when it has begun.
type sink struct {
	header http.Header
	begun  chan struct{}
	once   sync.Once
}

func newSink() *sink { return &sink{header: http.Header{}, begun: make(chan struct{})} }

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(int)     {}
func (s *sink) Write(p []byte) (int, error) {
	s.once.Do(func() { close(s.begun) })
	return len(p), nil
}
func (s *sink) Flush() {}

// inUse returns the bytes of heap and stacks that are in use.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`

func postTo(b *testing.B, h http.Handler, token, session, body string) *sink {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "/mcp", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	r.RemoteAddr = "127.0.0.1:1"
	r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if session != "" {
		r.Header.Set("Mcp-Session-Id", session)
	}
	s := newSink()
	h.ServeHTTP(s, r)
	return s
}

// sessions opens a thousand of them, 25 for each token.
func sessions(b *testing.B, h http.Handler, tokens []string) []string {
	b.Helper()
	var ids []string
	for i := range thousand {
		s := postTo(b, h, tokens[i/25%len(tokens)], "", initialize)
		id := s.header.Get("Mcp-Session-Id")
		if id == "" {
			b.Fatal("no session")
		}
		ids = append(ids, id)
	}
	return ids
}

func tokensFor(r *room) []string {
	var tokens []string
	for range thousand / 25 {
		tokens = append(tokens, r.guest())
	}
	return tokens
}

// What an MCP session costs that nobody uses, behind the gate and without it:
// the SDK's state and goroutine, and what the gate knows.
func BenchmarkIdleSession(b *testing.B) {
	r, _, gated := benchRoom(b)
	tokens := tokensFor(r)
	plain := mcp.NewServer(&mcp.Implementation{Name: "room", Version: "1"}, nil)
	bare := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return plain }, nil)
	for b.Loop() {
		before := inUse()
		sessions(b, bare, []string{""})
		middle := inUse()
		sessions(b, gated, tokens)
		after := inUse()
		b.ReportMetric(float64(middle-before)/thousand, "B/bare-session")
		b.ReportMetric(float64(after-middle)/thousand, "B/session")
		r.gate.EndAll()
		for s := range plain.Sessions() {
			s.Close()
		}
	}
}

// What an open stream costs, of either kind, with the stack of its handler, and
// without what the HTTP server has for each connection.
func BenchmarkOpenStream(b *testing.B) {
	r, _, gated := benchRoom(b)
	tokens := tokensFor(r)
	for b.Loop() {
		ids := sessions(b, gated, tokens)
		var handlers sync.WaitGroup
		open := func(request func(i int) *http.Request) float64 {
			before := inUse()
			for i := range thousand {
				s, req := newSink(), request(i)
				handlers.Go(func() { gated.ServeHTTP(s, req) })
				select {
				case <-s.begun:
				case <-time.After(30 * time.Second):
					b.Fatal("no stream")
				}
			}
			return float64(inUse()-before) / thousand
		}
		b.ReportMetric(open(func(i int) *http.Request { return streamOf(b, tokens[i/25], ids[i]) }), "B/GET")
		b.ReportMetric(open(func(i int) *http.Request { return listenOf(b, r, tokens[i/25]) }), "B/listen")
		r.gate.EndAll()
		handlers.Wait()
	}
}

func streamOf(b *testing.B, token, session string) *http.Request {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "/mcp", http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	r.RemoteAddr = "127.0.0.1:1"
	r.Header = http.Header{"Accept": {"text/event-stream"}, "Authorization": {"Bearer " + token}, "Mcp-Session-Id": {session}}
	return r
}

func listenOf(b *testing.B, r *room, token string) *http.Request {
	req := r.request(b, "/mcp", modern, token, "subscriptions/listen", allLists)
	body, err := io.ReadAll(req.Body)
	if err != nil {
		b.Fatal(err)
	}
	req = req.WithContext(context.Background())
	req.Body, req.RemoteAddr = io.NopCloser(bytes.NewReader(body)), "127.0.0.1:1"
	return req
}

// A thousand sessions and a thousand streams end when their grants do.
func TestAThousandOfEachEndWithTheirGrants(t *testing.T) {
	r := newRoom(t)
	ctx := patient(t)
	var tokens []string
	for range thousand / 25 {
		token := r.guest()
		tokens = append(tokens, token)
		for range 25 {
			s := r.initialize(t, "/mcp", older, token)
			if len(tokens)%2 == 0 {
				s.get(t, ctx, token).ready(t)
			} else {
				r.hears(t, ctx, modern, token)
			}
		}
	}
	r.open(t, thousand, thousand)
	for _, token := range tokens {
		if err := r.grants.Revoke(ctx, "c1", secret.HashOf(token)); err != nil {
			t.Fatal(err)
		}
	}
	r.open(t, 0, 0)
	if _, _, parties := r.gate.Open(); parties != 0 {
		t.Errorf("%d parties are remembered", parties)
	}
}
