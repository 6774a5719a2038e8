package mcpgate_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// counting is a server that counts the subscriptions it has.
func counting(subscribed *atomic.Int64) func(*mcp.ServerOptions) {
	return func(o *mcp.ServerOptions) {
		o.SubscribeHandler = func(context.Context, *mcp.SubscribeRequest) error { subscribed.Add(1); return nil }
		o.UnsubscribeHandler = func(context.Context, *mcp.UnsubscribeRequest) error { subscribed.Add(-1); return nil }
	}
}

// The SDK remembers each URI of a subscription for ever if nobody takes the
// subscription back, and goes through all of them whenever any session ends,
// which is with every request of everybody. So a session's end takes back what
// it has subscribed to, as does that of a request which has none.
func TestNoSubscriptionOutlivesItsSession(t *testing.T) {
	var subscribed atomic.Int64
	r := newRoom(t, counting(&subscribed))
	token := r.guest()
	s := r.initialize(t, "/mcp", older, token)
	for i := range 20 {
		if a := s.ask(t, token, "resources/subscribe", fmt.Sprintf(`{"uri":"room://anyone/%d"}`, i)); a.status != http.StatusOK || a.code() != 0 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	s.ask(t, token, "resources/unsubscribe", `{"uri":"room://anyone/0"}`)
	s.ask(t, token, "resources/subscribe", `{"uri":"room://anyone/1"}`) // again
	s.bare(t, http.MethodDelete, token)
	patience := patient(t)
	for subscribed.Load() != 1 { // what was subscribed to twice is taken back once
		if patience.Err() != nil {
			t.Fatalf("%d subscriptions are left", subscribed.Load())
		}
	}
	subscribed.Store(0)
	for _, version := range []string{"", "2025-03-26", older} {
		if a := r.ask(t, version, token, "resources/subscribe", `{"uri":"room://anyone/alone"}`); a.code() != 0 || subscribed.Load() != 0 {
			t.Errorf("%q, outside of a session: %d %s, and %d subscriptions are left", version, a.status, a.body, subscribed.Load())
		}
	}
}

// A grant cannot fill the server's memory with subscriptions, of which each URI
// may be as long as a body.
func TestASessionHasSoManySubscriptions(t *testing.T) {
	var subscribed atomic.Int64
	r := newRoom(t, counting(&subscribed))
	token := r.guest()
	s := r.initialize(t, "/mcp", older, token)
	var uris []string
	for i := range 257 {
		uris = append(uris, fmt.Sprintf("%q", fmt.Sprintf("room://anyone/%d", i)))
		if a := s.ask(t, token, "resources/subscribe", `{"uri":`+uris[i]+`}`); (a.code() == 0) != (i < 256) {
			t.Fatalf("subscription %d: %s", i, a.body)
		}
	}
	if a := s.ask(t, token, "resources/subscribe", `{"uri":"room://anyone/0"}`); a.code() != 0 {
		t.Errorf("one that it has: %s", a.body)
	}
	s.ask(t, token, "resources/unsubscribe", `{"uri":"room://anyone/0"}`)
	if a := s.ask(t, token, "resources/subscribe", `{"uri":"room://anyone/new"}`); a.code() != 0 {
		t.Errorf("after one less: %s", a.body)
	}
	all := strings.Join(uris, ",")
	if a := r.ask(t, modern, token, "subscriptions/listen", `{"notifications":{"resourceSubscriptions":[`+all+`]}}`); a.status != http.StatusBadRequest || a.code() == 0 {
		t.Errorf("a stream: %d %s", a.status, a.body)
	}
}
