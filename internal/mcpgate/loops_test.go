package mcpgate_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/foyer/gate"
)

// T87: a client that comes back with the same grant and the same need is told in
// the result, so that the model stops it, and its calls are as refused as before.
func TestT87AClientThatComesBackIsToldInTheResult(t *testing.T) {
	r := newRoom(t)
	user, other := r.user("write"), r.user("write")
	for _, step := range []struct {
		name   string
		wait   time.Duration
		token  string
		method string
		params string
		status int
	}{
		{"the first challenge", 0, user, "tools/call", `{"name":"not_default","arguments":{}}`, http.StatusForbidden},
		{"a parallel call gets the same", 9 * time.Second, user, "tools/call", `{"name":"not_default","arguments":{}}`, http.StatusForbidden},
		{"who comes back is told in the result", time.Second, user, "tools/call", `{"name":"not_default","arguments":{}}`, http.StatusOK},
		{"also about another item with the same need", 0, user, "resources/read", `{"uri":"room://not_default"}`, http.StatusOK},
		{"another grant has challenges of its own", 0, other, "tools/call", `{"name":"not_default","arguments":{}}`, http.StatusForbidden},
		{"still", 9 * time.Minute, user, "tools/call", `{"name":"not_default","arguments":{}}`, http.StatusOK},
		{"after ten minutes the browser may be tried again", time.Minute, user, "tools/call", `{"name":"not_default","arguments":{}}`, http.StatusForbidden},
	} {
		r.wait(step.wait)
		a := r.ask(t, modern, step.token, step.method, step.params)
		if a.status != step.status || len(a.ran) != 0 {
			t.Errorf("%s: %d %v %s", step.name, a.status, a.ran, a.body)
		}
		if !strings.Contains(a.body, "not_default was not run: it needs consent in the browser for write, export") {
			t.Errorf("%s: %s", step.name, a.body)
		}
		if told := step.status == http.StatusOK && step.method == "tools/call"; told && (a.rpc.Result["isError"] != true || !strings.Contains(a.body, `"mcp/www_authenticate":["Bearer error=\"insufficient_scope\"`)) {
			t.Errorf("%s: %s", step.name, a.body)
		}
	}
}

// What is remembered of challenges is bounded.
func TestT87OnlySoManyChallengesAreRemembered(t *testing.T) {
	r := newRoom(t)
	a := gate.Decision{Outcome: gate.Challenge, Reason: gate.NeedsScope, Scopes: []string{"a"}}
	for i := range 25_000 {
		if r.gate.Again(gate.Caller{GrantID: string(rune(i))}, a, r.now()) {
			t.Fatalf("grant %d was never challenged", i)
		}
		if n := r.gate.Loops(); n > 10_000 {
			t.Fatalf("%d are remembered", n)
		}
	}
}
