package foyer

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

type (
	transfer struct {
		Amount float64 `json:"amount,omitempty"`
		To     string  `json:"to"`
	}
	transferred struct {
		Amount float64 `json:"amount"`
	}
)

// A bank has a tool for each thing that a rule can ask for.
func newBank(t *testing.T, change ...func(*Config)) *house {
	t.Helper()
	tools := gate.Rules{
		"transfer": gate.SignedIn().When(func(_ gate.Caller, args map[string]any) bool {
			amount, ok := args["amount"].(float64)
			return ok && amount <= 100
		}),
		"close_bank":  gate.Role("director"),
		"vault":       gate.Role("director").Hidden(),
		"cellar":      gate.SignedIn().Hidden(),
		"attic":       gate.SignedIn().Hidden(),
		"statement":   gate.Scope("journal:write").Level("email"),
		"new_payee":   gate.SignedIn().MaxAge(10 * time.Minute),
		"read_ledger": gate.Scope("ledger:read"),
	}
	return newHouseWith(t, func(h *house) {
		schema := map[string]any{"type": "object", "required": []string{"to"}, "properties": map[string]any{
			"amount": map[string]any{"type": "number", "default": 50, "minimum": 0}, "to": map[string]any{"type": "string"}}}
		mcp.AddTool(h.server, &mcp.Tool{Name: "transfer", InputSchema: schema}, func(_ context.Context, _ *mcp.CallToolRequest, in transfer) (*mcp.CallToolResult, transferred, error) {
			return nil, transferred{in.Amount}, nil
		})
		mcp.AddTool(h.server, &mcp.Tool{Name: "attic", InputSchema: schema}, func(context.Context, *mcp.CallToolRequest, transfer) (*mcp.CallToolResult, any, error) {
			return nil, nil, nil
		})
		for name := range tools {
			if name != "transfer" && name != "attic" {
				h.server.AddTool(&mcp.Tool{Name: name, InputSchema: map[string]any{"type": "object"}}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
					return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "done"}}}, nil
				})
			}
		}
	}, append([]func(*Config){func(cfg *Config) {
		all := gate.Rules{}
		for _, rules := range []gate.Rules{cfg.Tools, tools} {
			for name, rule := range rules {
				all[name] = rule
			}
		}
		cfg.Tools = all
		cfg.Scopes = append(cfg.Scopes, gate.ScopeInfo{Name: "ledger:read", Words: "Read the ledger", Default: true},
			gate.ScopeInfo{Name: "ledger:write", Words: "Write the ledger", Implies: []string{"ledger:read"}})
	}}, change...)...)
}

// What a rule asks about arguments is asked about those that the tool gets,
// defaults included; what does not fit the schema is never asked about.
func TestRulesSeeTheArgumentsThatTheToolGets(t *testing.T) {
	h := newBank(t)
	g := h.guest(t)
	g.signIn(t, "ann@example.com")
	for _, test := range []struct {
		name, arguments string
		refused         bool
		says            string
	}{
		{"within the limit", `{"amount":100,"to":"bob"}`, false, `"amount":100`},
		{"the default is", `{"to":"bob"}`, false, `"amount":50`},
		{"above it", `{"amount":100.01,"to":"bob"}`, true, "the rules of this server do not allow it to this user with these arguments"},
		{"another spelling of the name is not the amount", `{"Amount":1e9,"to":"bob"}`, false, `"amount":50`},
		{"a text is no amount", `{"amount":"1","to":"bob"}`, true, "its arguments do not fit its schema"},
		{"nor is less than nothing", `{"amount":-1,"to":"bob"}`, true, "its arguments do not fit its schema"},
		{"nothing to send to", `{"amount":1}`, true, "its arguments do not fit its schema"},
	} {
		a := g.call(t, "transfer", test.arguments)
		if a.isError != test.refused || !strings.Contains(a.raw, test.says) {
			t.Errorf("%s: %d %s", test.name, a.status, a.raw)
		}
	}
	if a := h.guest(t).call(t, "transfer", `{"amount":1000000,"to":"bob"}`); !a.isError || !strings.Contains(a.text, "Sign-in needed") {
		t.Errorf("a guest is asked to sign in: %s", a.raw)
	}
}

// A level is asked for as a scope, and an age by max_age, beside what else the
// operation needs, in one challenge (RFC 9470 section 3).
func TestLevelsAndAgesAreChallengedForAtOnce(t *testing.T) {
	h := newBank(t)
	g := h.guest(t)
	g.signIn(t, "ann@example.com")
	h.advance(11 * time.Minute)
	for tool, want := range map[string][]string{
		"statement": {`error="insufficient_scope"`, `scope="journal:write acr:email"`, `acr_values="email"`},
		"new_payee": {`error="insufficient_scope"`, `max_age="600"`},
	} {
		res := g.send(t, mcpRequest(t, h.issuer+"/mcp", g.access, 1, "tools/call", `{"name":"`+tool+`","arguments":{}}`))
		res.Body.Close()
		header := res.Header.Get("WWW-Authenticate")
		for _, part := range want {
			if res.StatusCode != http.StatusForbidden || !strings.Contains(header, part) {
				t.Errorf("%s: %d %s, want %s", tool, res.StatusCode, header, part)
			}
		}
	}
}

func TestAFreshSignInOpensWhatAsksForOne(t *testing.T) {
	h := newBank(t)
	g := h.guest(t)
	g.signIn(t, "ann@example.com")
	if a := g.call(t, "new_payee", ""); a.isError {
		t.Errorf("just signed in: %s", a.raw)
	}
	if a := g.call(t, "read_ledger", ""); a.isError {
		t.Errorf("a default scope: %s", a.raw)
	}
}

// A policy can take away what the table allows, in lists too, and give nothing;
// its faults deny.
func TestAPolicyOnlyTakesAway(t *testing.T) {
	p := &policy{}
	h := newBank(t, func(cfg *Config) { cfg.Decider = p })
	g := h.guest(t)
	g.signIn(t, "ann@example.com")
	p.answer = func(r gate.Request) (gate.Decision, error) {
		switch {
		case r.Item == "list_entries":
			return gate.Decision{Outcome: gate.Deny, Reason: gate.Policy}, nil
		case r.Item == "get_entry":
			return gate.Decision{Outcome: gate.Challenge, Reason: gate.NeedsScope, Scopes: []string{"journal:export"}}, nil
		case r.Item == "get_tag":
			return gate.Decision{Outcome: gate.Challenge, Reason: gate.NeedsScope, Scopes: []string{"no:such"}}, nil
		case r.Item == "cellar":
			return gate.Decision{Outcome: gate.Challenge, Reason: gate.NeedsScope, Scopes: []string{"journal:export"}}, nil
		case r.Item == "whoami" || r.Item == "authenticate" || r.Item == "validate_token" || r.Item == "merge_guest_data":
			p.own = true
			return gate.Decision{Outcome: gate.Deny, Reason: gate.Policy}, nil
		case r.Item == "view_journal":
			return gate.Decision{Outcome: gate.Allow}, errors.New("the engine is on fire")
		case r.Item == "transfer" && r.Arguments["to"] == "eve":
			return gate.Decision{Outcome: gate.Deny, Reason: gate.Policy}, nil
		}
		return gate.Decision{Outcome: gate.Allow}, nil
	}
	for _, test := range []struct {
		tool, arguments string
		status          int
		refused         bool
	}{
		{"transfer", `{"to":"bob"}`, 200, false},
		{"transfer", `{"to":"eve"}`, 200, true},
		{"transfer", `{"to":"bob","amount":1000}`, 200, true}, // the table's no
		{"list_entries", `{}`, 200, true},
		{"get_entry", `{"id":"x"}`, 403, true},
		{"view_journal", `{}`, 200, true},
		{"get_tag", `{"id":"x"}`, 200, true}, // there is no such scope to be had
		{"whoami", `{}`, 200, false},
		{"close_bank", `{}`, 200, true},
		{"export_journal", `{}`, 403, true},
	} {
		if a := g.call(t, test.tool, test.arguments); a.status != test.status || a.isError != test.refused {
			t.Errorf("%s %s: %d %s", test.tool, test.arguments, a.status, a.raw)
		}
	}
	if log := h.log.String(); !strings.Contains(log, "the engine is on fire") {
		t.Error("the fault is not logged")
	}
	if p.own {
		t.Error("the policy is asked about the kit's own tools")
	}
	_, list := g.post(t, "tools/list", `{}`)
	if strings.Contains(list, `"name":"list_entries"`) || strings.Contains(list, `"name":"view_journal"`) || strings.Contains(list, `"name":"cellar"`) || !strings.Contains(list, `"name":"whoami"`) || !strings.Contains(list, `"name":"get_entry"`) || !strings.Contains(list, `"name":"transfer"`) {
		t.Errorf("the list: %s", list)
	}
	p.answer = func(r gate.Request) (gate.Decision, error) {
		return gate.Decision{Outcome: gate.Challenge, Reason: gate.NeedsScope, Scopes: []string{"journal:export", "journal:write"}}, nil
	}
	res := g.send(t, mcpRequest(t, h.issuer+"/mcp", g.access, 1, "tools/call", `{"name":"create_entry","arguments":{"title":"x","content":"x"}}`))
	res.Body.Close()
	if header := res.Header.Get("WWW-Authenticate"); !strings.Contains(header, `scope="journal:write journal:export"`) {
		t.Errorf("a challenge of the policy asks for what the rule needs, too: %s", header)
	}
	p.answer = denyAll
	_, denied := g.post(t, "tools/call", `{"name":"cellar","arguments":{}}`)
	_, unknown := g.post(t, "tools/call", `{"name":"celler","arguments":{}}`)
	if denied != strings.ReplaceAll(unknown, "celler", "cellar") {
		t.Errorf("what is hidden and denied is told from what is not there:\n%s\n%s", denied, unknown)
	}
	_, denied = g.post(t, "tools/call", `{"name":"attic","arguments":{"amount":"odd"}}`)
	_, unknown = g.post(t, "tools/call", `{"name":"attik","arguments":{"amount":"odd"}}`)
	if denied != strings.ReplaceAll(unknown, "attik", "attic") {
		t.Errorf("arguments that do not fit give away what the policy denies and the rule hides:\n%s\n%s", denied, unknown)
	}
	if p.twice {
		t.Error("one request asked the same question twice")
	}
}

func denyAll(gate.Request) (gate.Decision, error) {
	return gate.Decision{Outcome: gate.Deny, Reason: gate.Policy}, nil
}

// A policy answers by a function, and notices when one request asks it again.
type policy struct {
	answer func(gate.Request) (gate.Decision, error)
	last   gate.Request
	twice  bool
	own    bool // it was asked about a tool of the kit's own
}

func (p *policy) Decide(_ context.Context, r gate.Request) (gate.Decision, error) {
	p.twice = p.twice || r.Arguments != nil && reflect.DeepEqual(p.last, r) // At differs between requests
	p.last = r
	if p.answer == nil {
		return gate.Decision{Outcome: gate.Allow}, nil
	}
	return p.answer(r)
}

func TestExplainTellsWhyAndWhatWouldChangeIt(t *testing.T) {
	h := newBank(t)
	guest := gate.Caller{GrantID: "g", GuestID: "v", Scopes: []string{gate.Guest}}
	user := gate.Caller{GrantID: "g", GuestID: "v", UserID: "u", Scopes: []string{gate.Guest, "journal:write", "acr:chat"}, AuthTime: h.clock()}
	for _, test := range []struct {
		caller  gate.Caller
		kind    gate.Kind
		name    string
		args    map[string]any
		rule    string
		outcome gate.Outcome
		listed  bool
		change  string
	}{
		{guest, gate.Tool, "writing_prompt", nil, "anyone", gate.Allow, true, ""},
		{guest, gate.Tool, "list_entries", nil, "users", gate.Challenge, true, "a sign-in, in the chat or in the browser"},
		{guest, gate.Tool, "statement", nil, "users with journal:write, authenticated by email or better", gate.Challenge, true, "consent in the browser to journal:write, acr:email"},
		{user, gate.Tool, "statement", nil, "users with journal:write, authenticated by email or better", gate.Challenge, true, "a stronger sign-in in the browser, for journal:write, acr:email"},
		{user, gate.Tool, "close_bank", nil, "users who are director", gate.Deny, false, "the roles director, which the application gives"},
		{user, gate.Tool, "vault", nil, "users who are director; hidden from others", gate.Deny, false, "the roles director, which the application gives"},
		{user, gate.Tool, "transfer", nil, "users, for some arguments", gate.Allow, true, ""},
		{user, gate.Tool, "transfer", map[string]any{"to": "bob", "amount": 1000}, "users, for some arguments", gate.Deny, true, "other arguments"},
		{user, gate.Tool, "transfer", map[string]any{"amount": 1}, "users, for some arguments", gate.Deny, true, "arguments that fit the schema: "},
		{user, gate.Tool, "new_payee", nil, "users, at most 10m0s ago", gate.Allow, true, ""},
		{guest, gate.Resource, "journal://entries/x", nil, "users", gate.Challenge, true, "a sign-in, in the chat or in the browser"},
		{user, gate.Prompt, "reflect", nil, "users", gate.Allow, true, ""},
	} {
		got, err := h.kit.Explain(t.Context(), gate.Request{Caller: test.caller, Kind: test.kind, Name: test.name, Arguments: test.args})
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %v, %v", test.name, got, err)
		}
		if e := got[0]; e.Rule.String() != test.rule || e.Decision.Outcome != test.outcome || e.Listed != test.listed || !strings.HasPrefix(e.Change, test.change) || (e.Change == "") != (test.change == "") {
			t.Errorf("%s: %+v, %q", test.name, e, e.Rule.String())
		}
	}
	if got, err := h.kit.Explain(t.Context(), gate.Request{Caller: user, Kind: gate.Tool, Name: "nothing"}); err != nil || len(got) != 0 {
		t.Errorf("an unknown name: %v, %v", got, err)
	}
	p := &policy{answer: denyAll}
	ruled := newBank(t, func(cfg *Config) { cfg.Decider = p })
	for name, change := range map[string]string{"cellar": "another policy", "list_entries": "another policy", "close_bank": "the roles director, which the application gives"} {
		got, err := ruled.kit.Explain(t.Context(), gate.Request{Caller: user, Kind: gate.Tool, Name: name, Arguments: map[string]any{}})
		if err != nil || len(got) != 1 || got[0].Decision.Outcome != gate.Deny || got[0].Change != change || got[0].Listed {
			t.Errorf("%s, under a policy that denies all: %+v, %v", name, got, err)
		}
	}
	all, err := h.kit.ExplainAll(t.Context(), user)
	if err != nil || len(all) < 40 {
		t.Errorf("%d items: %v", len(all), err)
	}
	if _, err := newDesk(t).Kit.Explain(t.Context(), gate.Request{}); err == nil {
		t.Error("a kit without a server explains")
	}
}
