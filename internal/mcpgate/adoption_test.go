package mcpgate_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A grant that adopts sessions which were opened without a token has no more of
// them than one that opens its own.
func TestAdoptionMakesRoomToo(t *testing.T) {
	r := newRoom(t)
	token := r.issue(lazyResource).Access.Reveal()
	var all []mcpSession
	for range 40 {
		s := r.initialize(t, "/lazy/mcp", older, "")
		if a := s.ask(t, token, "tools/call", `{"name":"anyone"}`); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		all = append(all, s)
	}
	r.open(t, 32, 0)
	if a := all[0].ask(t, token, "tools/call", `{"name":"anyone"}`); a.status != http.StatusNotFound {
		t.Errorf("the least used: %d", a.status)
	}
	if a := all[39].ask(t, token, "tools/call", `{"name":"anyone"}`); a.status != http.StatusOK {
		t.Errorf("the latest: %d", a.status)
	}
}

// What comes after the end, over a connection that is there already, opens
// nothing that would keep the server from stopping.
func TestNothingOpensAfterTheEnd(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	r.gate.Drain()
	a := r.ask(t, "", token, "initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}`)
	r.open(t, 0, 0)
	s := mcpSession{r, "/mcp", older, a.header.Get("Mcp-Session-Id")}
	if a := s.bare(t, http.MethodGet, token); a.status != http.StatusNotFound {
		t.Errorf("a session: %d %s", a.status, a.body)
	}
	if a := r.ask(t, modern, token, "subscriptions/listen", allLists); a.status != http.StatusOK {
		t.Errorf("a stream: %d %s", a.status, a.body)
	}
	r.open(t, 0, 0)
	if a := r.ask(t, modern, token, "tools/call", `{"name":"anyone"}`); a.status != http.StatusOK || len(a.ran) != 1 {
		t.Errorf("a call: %d %s", a.status, a.body)
	}
}

// A call that comes into the middleware when its session has just ended does
// not wait for an answer that nobody can give any more.
func TestACallOfASessionThatIsOverIsCancelled(t *testing.T) {
	sdks := make(chan *mcp.ServerSession, 1)
	r := newRoom(t)
	r.server.AddTool(&mcp.Tool{Name: "anyone", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			sdks <- req.Session
			return &mcp.CallToolResult{}, nil
		})
	token := r.guest()
	s := r.initialize(t, "/mcp", older, token)
	s.ask(t, token, "tools/call", `{"name":"anyone"}`)
	sdk := <-sdks
	if err := r.gate.Running(t.Context(), sdk).Err(); err != nil {
		t.Errorf("while it is open: %v", err)
	}
	r.gate.EndAll()
	if r.gate.Running(t.Context(), sdk).Err() == nil {
		t.Error("a call is left to itself")
	}
}

// A stream without a token, which a grant's adoption of its session overtook, is
// not that grant's.
func TestAnAdoptionThatOvertakesAStreamEndsIt(t *testing.T) {
	r := newRoom(t)
	s := r.initialize(t, "/lazy/mcp", older, "")
	open := r.gate.StreamLater(s.id, lazyResource)
	if a := s.ask(t, r.issue(lazyResource).Access.Reveal(), "tools/call", `{"name":"anyone"}`); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if open().Err() == nil {
		t.Error("it hears what the grant hears")
	}
}

// Versions that have sessions have no subscriptions/listen. In a session its
// stream would get all of the session's news, in the place of the GET, and run
// on when its client has gone.
func TestOlderVersionsCannotListen(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	for _, version := range sessionVersions {
		s := r.initialize(t, "/mcp", version, token)
		for name, a := range map[string]reply{
			"in a session":      s.ask(t, token, "subscriptions/listen", allLists),
			"outside of one":    r.ask(t, version, token, "subscriptions/listen", allLists),
			"without a version": r.ask(t, "", token, "subscriptions/listen", allLists),
		} {
			if a.status != http.StatusOK || a.code() != -32601 {
				t.Errorf("%s, %s: %d %s", version, name, a.status, a.body)
			}
		}
	}
}
