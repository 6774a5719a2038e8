package foyer

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// who calls too often is told to wait, runs nothing meanwhile, and holds up
// nobody else.
func TestR39CallsAreLimitedForEachGrant(t *testing.T) {
	h := newHouse(t, func(cfg *Config) { cfg.CallsPerMinute = 5 })
	g, other := h.guest(t), h.guest(t)
	for i := range 5 {
		if a := g.call(t, "save_draft", `{"text":"x"}`); a.status != http.StatusOK || a.isError {
			t.Fatalf("call %d: %d %s", i, a.status, a.raw)
		}
	}
	res := g.send(t, mcpRequest(t, h.issuer+"/mcp", g.access, 1, "tools/call", `{"name":"save_draft","arguments":{"text":"x"}}`))
	res.Body.Close()
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "12" {
		t.Errorf("the sixth: %d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
	}
	if a := g.call(t, "whoami", ""); a.status != http.StatusTooManyRequests || !strings.Contains(a.text, "Wait 12 seconds, then go on; nothing was run") {
		t.Errorf("another tool: %d %s", a.status, a.raw)
	}
	if a := other.call(t, "whoami", ""); a.status != http.StatusOK {
		t.Errorf("another grant: %d %s", a.status, a.raw)
	}
	h.advance(12 * time.Second)
	if n := len(g.drafts(t)); n != 5 {
		t.Errorf("%d drafts were kept, want 5", n)
	}
	if a := g.call(t, "whoami", ""); a.status != http.StatusTooManyRequests {
		t.Errorf("one call came free, and two were made: %d", a.status)
	}
	free := newHouse(t, func(cfg *Config) { cfg.CallsPerMinute, cfg.DangerouslyNoLimits = 1, true })
	g = free.guest(t)
	for range 3 {
		if a := g.call(t, "whoami", ""); a.status != http.StatusOK {
			t.Errorf("without limits: %d %s", a.status, a.raw)
		}
	}
}
