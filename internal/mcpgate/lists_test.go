package mcpgate_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
)

var cacheable = map[string]string{ // what 2026-07-28 calls so
	"tools/list": `{}`, "prompts/list": `{}`, "resources/list": `{}`, "resources/templates/list": `{}`,
	"server/discover": `{}`, "resources/read": `{"uri":"room://anyone"}`,
}

// What depends on the caller is kept out of every cache, on the wire and in the
// message. (R-114, R-115, T69, X80)
func TestWhatDependsOnTheCallerIsNotCached(t *testing.T) {
	r := newRoom(t)
	for who, token := range map[string]string{"guest": r.guest(), "user": r.user("write", "export")} {
		for method, params := range cacheable {
			a := r.ask(t, modern, token, method, params)
			ttl, ok := a.rpc.Result["ttlMs"]
			if a.rpc.Result["cacheScope"] != "private" || !ok || ttl != 0.0 || a.rpc.Result["resultType"] != "complete" {
				t.Errorf("%s's %s: %s", who, method, a.body)
			}
			guarded(t, who+"'s "+method, a)
		}
		for what, a := range map[string]reply{
			"a call":          r.ask(t, modern, token, "tools/call", `{"name":"anyone"}`),
			"an old call":     r.ask(t, older, token, "tools/call", `{"name":"anyone"}`),
			"an old list":     r.ask(t, older, token, "tools/list", `{}`),
			"an unknown tool": r.ask(t, modern, token, "tools/call", `{"name":"nobody"}`),
			"a locked tool":   r.ask(t, modern, token, "tools/call", `{"name":"signed_in"}`),
			"a notification":  r.do(t, r.post(t, "/mcp", token, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)),
			"a broken body":   r.do(t, r.post(t, "/mcp", token, `{`)),
			"a stream":        r.try(t, "/mcp", modern, caller{token: token}, kinds[7], "anyone"),
		} {
			guarded(t, who+"'s "+what, a)
		}
	}
	for _, method := range []string{"GET", "DELETE"} {
		req := r.post(t, "/mcp", r.guest(), "")
		req.Method = method
		guarded(t, method, r.do(t, req))
	}
}

//
func TestTheSameListTwiceIsTheSameBytes(t *testing.T) {
	r := newRoom(t)
	for _, token := range []string{r.guest(), r.user(), r.user("write", "export")} {
		for method, params := range cacheable {
			if first, second := r.ask(t, modern, token, method, params), r.ask(t, modern, token, method, params); first.body != second.body {
				t.Errorf("%s: %s\nthen %s", method, first.body, second.body)
			}
		}
	}
}

// A claim changes a list's locks, not its names; nothing else changes it.
func TestOnlyAClaimOpensTheLocks(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	before := r.ask(t, modern, token, "tools/list", `{}`)
	for _, rule := range columns {
		r.ask(t, modern, token, "tools/call", `{"name":"`+rule+`"}`)
	}
	if after := r.ask(t, modern, token, "tools/list", `{}`); after.body != before.body {
		t.Errorf("calls changed the list:\n%s\n%s", before.body, after.body)
	}
	r.claim(token, "write")
	want := map[string]string{"anyone": "listed", "breaks": "listed", "default": "listed", "not_default": "locked", "shaped": "listed", "signed_in": "listed", "with_grant": "listed"}
	if got := r.tools(t, token); !reflect.DeepEqual(got, want) {
		t.Errorf("after the claim: %v", got)
	}
}

func (r *room) tools(t *testing.T, token string) map[string]string {
	t.Helper()
	list, ok := r.ask(t, modern, token, "tools/list", `{}`).rpc.Result["tools"].([]any)
	if !ok {
		t.Fatal("no tools")
	}
	states := map[string]string{}
	for _, item := range list {
		item := item.(map[string]any)
		meta, _ := item["_meta"].(map[string]any)
		states[item["name"].(string)] = "listed"
		if meta["foyer/access"] != nil {
			states[item["name"].(string)] = "locked"
		}
	}
	return states
}

// A locked item says what it needs and how to get it, beside what its author
// says in _meta. (threats, "JSON exposed to clients")
func TestWhatALockedItemSays(t *testing.T) {
	r := newRoom(t)
	for _, test := range []struct{ who, token, item, want string }{
		{"a guest", r.guest(), "signed_in", `{"v":1,"state":"locked","reason":"sign_in","scopes":[],"acquire":["authenticate"]}`},
		{"a guest", r.guest(), "default", `{"v":1,"state":"locked","reason":"sign_in","scopes":["write"],"acquire":["authenticate"]}`},
		{"a guest", r.guest(), "not_default", `{"v":1,"state":"locked","reason":"sign_in","scopes":["write","export"],"acquire":["oauth"]}`},
		{"a user", r.user(), "default", `{"v":1,"state":"locked","reason":"needs_scopes","scopes":["write"],"acquire":["oauth"]}`},
		{"a user", r.user("write"), "not_default", `{"v":1,"state":"locked","reason":"needs_scopes","scopes":["write","export"],"acquire":["oauth"]}`},
	} {
		var res struct {
			Result struct {
				Tools []struct {
					Name string
					Meta map[string]json.RawMessage `json:"_meta"`
				}
			}
		}
		if err := json.Unmarshal([]byte(r.ask(t, modern, test.token, "tools/list", `{}`).body), &res); err != nil {
			t.Fatal(err)
		}
		for _, tool := range res.Result.Tools {
			if tool.Name != test.item {
				continue
			}
			if got := string(tool.Meta["foyer/access"]); got != test.want || string(tool.Meta["own"]) != `"`+test.item+`"` {
				t.Errorf("%s, %s: %s %s, want %s", test.who, test.item, got, tool.Meta["own"], test.want)
			}
		}
	}
}

// All callers share the server's items: a list that marks one for a guest marks
// a copy. Run with -race.
func TestListsOfManyCallersAtOnce(t *testing.T) {
	r, quiet := newRoom(t), newRoom(t) // in r nobody has listed yet
	want := map[string]string{}
	tokens := map[string]string{"guest": r.guest(), "user": r.user("write", "export")}
	methods := []string{"tools/list", "prompts/list", "resources/list", "resources/templates/list"}
	for _, method := range methods {
		want["guest"+method] = quiet.ask(t, modern, quiet.guest(), method, `{}`).body
		want["user"+method] = quiet.ask(t, modern, quiet.user("write", "export"), method, `{}`).body
	}
	var wg sync.WaitGroup
	for range 4 {
		for who, token := range tokens {
			wg.Go(func() {
				for i := range 20 {
					method := methods[i%len(methods)]
					if got := r.ask(t, modern, token, method, `{}`).body; got != want[who+method] {
						t.Errorf("%s's %s: %s\nwant %s", who, method, got, want[who+method])
					}
				}
			})
		}
	}
	wg.Wait()
	if user := want["usertools/list"]; strings.Contains(user, "foyer/access") {
		t.Errorf("a user's list has a guest's locks: %s", user)
	}
}

// Whoever begins is told how a guest gets in, behind what the server says
// itself; two callers get two copies.
func TestInstructionsTellHowToGetIn(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	for range 2 {
		for _, a := range []reply{
			r.ask(t, modern, token, "server/discover", `{}`),
			r.ask(t, older, token, "initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}`),
		} {
			if text := fmt.Sprint(a.rpc.Result["instructions"]); strings.Count(text, "call validate_token") != 1 {
				t.Errorf("instructions: %s", text)
			}
		}
	}
}
