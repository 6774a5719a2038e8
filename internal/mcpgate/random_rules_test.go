package mcpgate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"pgregory.net/rapid"

	"example.com/foyer/gate"
	"example.com/foyer/internal/mcpgate"
	"example.com/foyer/store"
)

// drawRule draws any rule that a table may hold.
func drawRule(t *rapid.T) gate.Rule {
	names := func(label string, all ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 2, rapid.ID).Draw(t, label)
	}
	rule := rapid.SampledFrom([]gate.Rule{gate.Anyone(), gate.AnyGrant(), gate.GuestsOnly(), gate.SignedIn(), gate.SignedIn(), gate.SignedIn()}).Draw(t, "who")
	if strings.HasPrefix(rule.String(), "users") {
		rule = rule.Scope(names("scopes", "write", "export")...).Role(names("roles", "admin", "owner")...)
		if level := rapid.SampledFrom([]string{"", "", "chat", "email"}).Draw(t, "level"); level != "" {
			rule = rule.Level(level)
		}
		rule = rule.MaxAge(rapid.SampledFrom([]time.Duration{0, 0, time.Minute, time.Hour}).Draw(t, "age"))
	}
	if rapid.IntRange(0, 3).Draw(t, "hidden") == 0 {
		rule = rule.Hidden()
	}
	return rule
}

// drawCaller makes a caller of any kind, and returns their token.
func (r *room) drawCaller(t *rapid.T) string {
	if rapid.IntRange(0, 3).Draw(t, "guest") == 0 {
		return r.guest()
	}
	token := r.user(rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"write", "export"}), 0, 2, rapid.ID).Draw(t, "granted")...)
	r.change(token, func(b *store.Bearer) {
		b.User.Roles = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"admin", "owner"}), 0, 2, rapid.ID).Draw(t, "roles of the user")
		b.Grant.Level = rapid.SampledFrom([]string{"chat", "email", "oidc"}).Draw(t, "level of the user")
		b.Grant.AuthTime = r.now().Add(-rapid.SampledFrom([]time.Duration{0, 2 * time.Minute, 2 * time.Hour}).Draw(t, "signed in before"))
	})
	return token
}

// change changes the user and the grant behind a token.
func (r *room) change(token string, how func(*store.Bearer)) {
	r.t.Helper()
	ctx := r.t.Context()
	b, err := r.grants.Check(ctx, token, resource)
	if err != nil {
		r.t.Fatal(err)
	}
	how(&b)
	err = r.store.Update(ctx, func(tx store.Tx) error { return errors.Join(tx.PutUser(ctx, b.User), tx.PutGrant(ctx, b.Grant)) })
	if err != nil {
		r.t.Fatal(err)
	}
}

// Over any rules and callers: what is listed unlocked can be called, and nothing
// else; what is hidden answers in the bytes of what is not there; and the
// middleware alone, without the gate in front, lets the very same calls through.
func TestListCallAndMiddlewareAgreeOverRandomRules(t *testing.T) {
	r := newRoom(t)
	rapid.Check(t, func(rt *rapid.T) {
		rules := gate.Rules{}
		for i := range 4 {
			rules[fmt.Sprint("tool_", i)] = drawRule(rt)
		}
		if err := rules.Check(scopes, gate.StandardLevels); err != nil {
			rt.Fatal(err)
		}
		items, err := mcpgate.NewItems(rules, nil, nil, nil, mcpgate.Schemas{})
		if err != nil {
			rt.Fatal(err)
		}
		server := mcp.NewServer(&mcp.Implementation{Name: "room", Version: "1"}, nil)
		for name := range rules {
			server.AddTool(&mcp.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object"}`)}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				r.note(name)
				return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "ran"}}}, nil
			})
		}
		g := mcpgate.New(mcpgate.Config{Items: items, Scopes: scopes, Levels: gate.StandardLevels, Grants: r.grants, Now: r.now, Log: r.gate.Log}, server)
		e := mcpgate.Endpoint{Resource: resource, MetadataURL: metadata}
		guarded, inside := g.Handler(e), g.Unguarded(e)
		token := r.drawCaller(rt)
		version := rapid.SampledFrom([]string{modern, older}).Draw(rt, "version")
		call := func(h http.Handler, name string) (*httptest.ResponseRecorder, bool) {
			w := record(h, r.request(t, "/mcp", version, token, "tools/call", `{"name":"`+name+`","arguments":{}}`))
			return w, len(r.took()) == 1
		}
		open := map[string]string{}
		list := record(guarded, r.request(t, "/mcp", version, token, "tools/list", `{}`))
		var listed struct{ Result mcp.ListToolsResult }
		if err := json.Unmarshal(list.Body.Bytes(), &listed); err != nil {
			rt.Fatalf("%s: %v", list.Body, err)
		}
		for _, tool := range listed.Result.Tools {
			open[tool.Name] = "open"
			if tool.Meta["foyer/access"] != nil {
				open[tool.Name] = "locked"
			}
		}
		unknown, _ := call(guarded, "tool_x")
		for name, rule := range rules {
			w, ran := call(guarded, name)
			if ran != (open[name] == "open") {
				rt.Errorf("%s (%v) is listed %q, and ran: %v: %d %s", name, rule, open[name], ran, w.Code, w.Body)
			}
			if _, alone := call(inside, name); alone != ran {
				rt.Errorf("%s (%v) ran behind the gate: %v, and without it: %v", name, rule, ran, alone)
			}
			hidden := strings.HasSuffix(rule.String(), "hidden from others")
			if same := strings.ReplaceAll(w.Body.String(), name, "tool_x") == unknown.Body.String() && w.Code == unknown.Code; !ran && hidden != same {
				rt.Errorf("%s (%v) is hidden: %v, and answers as what is not there: %v\n%s\n%s", name, rule, hidden, same, w.Body, unknown.Body)
			}
			if hidden && !ran && open[name] != "" {
				rt.Errorf("%s (%v) is hidden, and listed", name, rule)
			}
		}
	})
}
