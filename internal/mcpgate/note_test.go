package mcpgate_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/audit"
	"example.com/foyer/store"
)

// told returns the decisions that were noted since it was asked last.
func (r *room) told(t testing.TB) (all []store.Event) {
	t.Helper()
	if err := r.gate.Trail.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := r.store.View(t.Context(), func(tx store.Tx) error {
		all = nil
		events, err := tx.SealedEvents(t.Context(), r.seen, 100_000)
		for _, e := range events {
			if e.Kind == store.EventDecided {
				all = append(all, e)
			}
		}
		r.seen += len(events)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// anew makes a trail that has noted nothing.
func (r *room) anew() {
	r.told(r.t)
	r.gate.Trail = r.trail()
}

// Of each request that has a token the decision is recorded once, wherever it was
// made: what everybody may use is not, and of what a caller names only what is
// registered.
func TestEachDecisionIsRecordedOnce(t *testing.T) {
	r := newRoom(t)
	callers := map[string]string{"guest": r.guest(), "user": r.user("write", "export"), "user without scope": r.user()}
	for _, version := range []string{modern, older} {
		for _, path := range []string{"/mcp", "/inside"} {
			for name, token := range callers {
				for _, k := range kinds {
					if k.name == "listening" || k.name == "subscription" && version == modern {
						continue
					}
					for _, rule := range columns {
						what := fmt.Sprintf("%s %s, a %s asks for %s %s", version, path, name, k.name, rule)
						r.anew()
						a := r.try(t, path, version, caller{token: token}, k, rule)
						wantDecision(t, what, r.told(t), k, rule, strings.Contains(cell(a), "ok"))
					}
				}
			}
		}
	}
}

func wantDecision(t *testing.T, what string, told []store.Event, k kind, rule string, allowed bool) {
	t.Helper()
	if rule == "anyone" {
		if len(told) != 0 {
			t.Errorf("%s: %+v", what, told)
		}
		return
	}
	if len(told) != 1 {
		t.Errorf("%s: %d events: %+v", what, len(told), told)
		return
	}
	e := told[0]
	kindOf := map[string]string{"tools": "tool", "prompts": "prompt"}[k.key]
	if kindOf == "" {
		kindOf = "resource"
	}
	items := []string{kindOf + " " + rule, kindOf + " room://" + rule, kindOf + " room://" + rule + "/{id}"}
	if rule == "no_such" {
		items = []string{kindOf}
	}
	if (e.Outcome == store.OutcomeAllow) != allowed || !slices.Contains(items, e.Item) || e.Method != k.method || e.GrantID == "" || e.ClientID != "c1" || (e.Reason == "") != allowed {
		t.Errorf("%s: allowed %v, and recorded %+v", what, allowed, e)
	}
}

func TestAStrangersCallsAreNotRecorded(t *testing.T) {
	r := newRoom(t)
	for _, rule := range columns {
		for _, path := range []string{"/mcp", "/lazy/mcp"} {
			r.try(t, path, modern, caller{}, kinds[0], rule)
		}
	}
	if told := r.told(t); len(told) != 0 {
		t.Errorf("%+v", told)
	}
}

// Of a batch that is refused, each refused message is recorded, and none that did
// not run.
func TestABatchIsRecordedAsItWasRefused(t *testing.T) {
	r := newRoom(t)
	token := r.user("write")
	r.anew()
	call := func(id int, tool string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"%s","arguments":{}}}`, id, tool)
	}
	req := r.post(t, "/mcp", token, "["+call(1, "default")+","+call(2, "not_default")+","+call(3, "hidden")+"]")
	req.Header.Set("Mcp-Protocol-Version", "2025-03-26")
	_, body, ran := r.raw(t, req)
	var items []string
	for _, e := range r.told(t) {
		items = append(items, e.Outcome+" "+e.Item)
	}
	if want := []string{"challenge tool not_default", "deny tool hidden"}; len(ran) > 0 || !slices.Equal(slices.Sorted(slices.Values(items)), want) {
		t.Errorf("%q ran, and %q is recorded: %s", ran, items, body)
	}
}

// The hook hears of calls that reached their tool, and how they went.
func TestTheHookHearsOfCalls(t *testing.T) {
	var mu sync.Mutex
	var calls []audit.ToolCall
	r := newRoom(t)
	r.hooks = audit.Hooks{OnToolCall: func(_ context.Context, c audit.ToolCall) error {
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, c)
		return nil
	}}
	r.server.AddTool(&mcp.Tool{Name: "with_grant", InputSchema: map[string]any{"type": "object"}}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{IsError: true}, nil
	})
	token := r.user()
	r.anew()
	for _, tool := range []string{"signed_in", "with_grant", "breaks", "not_default", "hidden", "no_such"} {
		r.ask(t, modern, token, "tools/call", `{"name":"`+tool+`","arguments":{}}`)
	}
	if a := r.ask(t, modern, token, "prompts/get", `{"name":"signed_in"}`); a.status != http.StatusOK {
		t.Fatal(a.body)
	}
	r.gate.Trail.Close()
	slices.SortFunc(calls, func(a, b audit.ToolCall) int { return strings.Compare(a.Tool, b.Tool) })
	var got []string
	for _, c := range calls {
		got = append(got, c.Tool+" "+c.Outcome)
		if c.UserID == "" || c.GrantID != r.grantOf(t, token) {
			t.Errorf("%+v", c)
		}
	}
	if want := []string{"breaks error", "signed_in ok", "with_grant error"}; !slices.Equal(got, want) {
		t.Errorf("the hook heard %q, want %q", got, want)
	}
}
