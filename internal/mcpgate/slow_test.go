package mcpgate_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// deaf opens the stream of s and never reads from it.
func (s mcpSession) deaf(t *testing.T, token string) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.(*net.TCPConn).SetReadBuffer(1024); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer %s\r\nMcp-Session-Id: %s\r\nMcp-Protocol-Version: %s\r\n\r\n", s.path, token, s.id, s.version)
}

// A client that opens a stream and reads nothing delays nobody else's news, and
// loses the stream. Who reads keeps it.
func TestADeafClientDelaysNobody(t *testing.T) {
	r := newRoom(t)
	ctx := patient(t)
	honest, attacker := r.guest(), r.guest()
	uri := "room://anyone/" + strings.Repeat("x", 8<<10)
	for range 3 {
		s := r.initialize(t, "/mcp", older, attacker)
		s.ask(t, attacker, "resources/subscribe", `{"uri":"`+uri+`"}`)
		s.deaf(t, attacker)
	}
	r.open(t, 3, 3)
	s := r.initialize(t, "/mcp", older, honest)
	s.ask(t, honest, "resources/subscribe", `{"uri":"`+uri+`"}`)
	own := s.get(t, ctx, honest)
	own.ready(t)
	var slowest time.Duration
	for streams := 4; streams > 1; _, streams, _ = r.gate.Open() {
		before := time.Now()
		if err := r.server.ResourceUpdated(ctx, &mcp.ResourceUpdatedNotificationParams{URI: uri}); err != nil || ctx.Err() != nil {
			t.Fatalf("%d streams are open: %v, %v", streams, err, ctx.Err())
		}
		if slowest = max(slowest, time.Since(before)); slowest > 5*time.Second {
			t.Fatalf("an update took %v", slowest)
		}
		if e, ok := own.next(t); !ok || e.Params.URI != uri {
			t.Fatalf("who reads hears %+v, %v", e.Method, ok)
		}
	}
}
