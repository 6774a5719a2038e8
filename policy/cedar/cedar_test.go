package cedar_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/foyer/gate"
	"example.com/foyer/policy/cedar"
)

var (
	stranger = gate.Caller{}
	visitor  = gate.Caller{GrantID: "1", GuestID: "g1", Scopes: []string{"guest"}}
	writer   = gate.Caller{GrantID: "2", UserID: "u1", Level: "chat", Scopes: []string{"notes:write", "acr:chat"}, Roles: []string{"editor"}}
)

// transfer is the input schema of a tool that has everything.
const transfer = `{"type":"object","required":["amount","to"],"properties":{
	"amount":{"type":"integer"}, "rate":{"type":"number"}, "to":{"type":"string"}, "note":{"type":["string","null"]},
	"tags":{"type":"array","items":{"type":"string"}}, "urgent":{"type":"boolean"}, "any":{},
	"box":{"type":"object","properties":{"__entity":{"type":"object","required":["type"],"properties":{"type":{"type":"string"}}}}},
	"from":{"type":"object","required":["bank"],"properties":{"bank":{"type":"string"}}}}}`

func config(policies string) cedar.Config {
	return cedar.Config{
		Policies:  policies,
		Tools:     map[string]any{"transfer": json.RawMessage(transfer), "search": json.RawMessage(`{"type":"object","properties":{"q":{"type":"string"}}}`), "wild": nil},
		Resources: []string{"notes://help", "notes://notes/{id}"},
		Prompts:   map[string][]string{"review": {"style"}},
		Scopes:    gate.Scopes{{Name: "notes:write", Words: "Write"}, {Name: "notes:export", Words: "Export", Implies: []string{"notes:read"}}, {Name: "notes:read", Words: "Read"}},
	}
}

func decider(t testing.TB, policies string) *cedar.Decider {
	t.Helper()
	d, err := cedar.New(config(policies))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// arguments are as the gate reads them.
func arguments(t testing.TB, text string) map[string]any {
	t.Helper()
	var values map[string]any
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

func rawSchema(text string) any { return json.RawMessage(text) }

// outcome is a decision in one word, or "error".
func outcome(t testing.TB, d *cedar.Decider, r gate.Request) string {
	t.Helper()
	got, err := d.Decide(t.Context(), r)
	switch {
	case err != nil && got.Outcome != gate.Deny:
		t.Fatalf("an error came with %v", got)
	case err != nil:
		return "error"
	case got.Outcome == gate.Deny:
		return "deny"
	case got.Outcome == gate.Challenge:
		return "challenge " + strings.Join(got.Scopes, " ")
	}
	return "allow"
}

func call(c gate.Caller, tool string, arguments map[string]any) gate.Request {
	return gate.Request{Caller: c, Kind: gate.Tool, Item: tool, Name: tool, Arguments: arguments}
}

const all = "permit(principal, action, resource);\n"

func TestDecide(t *testing.T) {
	for _, test := range []struct {
		name, policies string
		request        gate.Request
		want           string
	}{
		{"what is permitted is allowed", all, call(writer, "search", map[string]any{}), "allow"},
		{"what nothing permits is denied", `permit(principal is User, action, resource);`, call(visitor, "search", map[string]any{}), "deny"},
		{"forbid wins", all + `forbid(principal, action, resource == Tool::"search");`, call(writer, "search", map[string]any{}), "deny"},
		{"a forbid of another tool does not", all + `forbid(principal, action, resource == Tool::"search");`, call(writer, "wild", map[string]any{}), "allow"},
		{"a caller without a token is nobody", `permit(principal == Nobody::"", action, resource);`, call(stranger, "search", map[string]any{}), "allow"},
		{"a guest is not nobody", `permit(principal == Nobody::"", action, resource);`, call(visitor, "search", map[string]any{}), "deny"},
		{"a guest has an ID", `permit(principal == Guest::"g1", action, resource);`, call(visitor, "search", map[string]any{}), "allow"},
		{"a user has an ID", `permit(principal == User::"u1", action, resource);`, call(writer, "search", map[string]any{}), "allow"},
		{"a guest with the ID of a user is another", `permit(principal == User::"g1", action, resource);`, call(visitor, "search", map[string]any{}), "deny"},
		{"a user has a role", `permit(principal, action, resource) when { principal.roles.contains("editor") };`, call(writer, "search", map[string]any{}), "allow"},
		{"a user has a level", `permit(principal, action, resource) when { principal.signedIn && principal.level == "chat" };`, call(writer, "search", map[string]any{}), "allow"},
		{"a guest is not signed in", `permit(principal, action, resource) unless { principal.signedIn };`, call(visitor, "search", map[string]any{}), "allow"},
		{"an argument is looked at", all + `forbid(principal, action == Action::"call", resource == Tool::"transfer") when { context.arguments.amount > 1000 };`,
			call(writer, "transfer", arguments(t, `{"amount":1001,"to":"x"}`)), "deny"},
		{"an argument may be small enough", all + `forbid(principal, action == Action::"call", resource == Tool::"transfer") when { context.arguments.amount > 1000 };`,
			call(writer, "transfer", arguments(t, `{"amount":1000,"to":"x"}`)), "allow"},
		{"a number is a decimal", all + `forbid(principal, action, resource == Tool::"transfer") when { context.arguments has rate && context.arguments.rate.greaterThan(decimal("1.5")) };`,
			call(writer, "transfer", arguments(t, `{"amount":1,"to":"x","rate":2}`)), "deny"},
		{"null is absent", all + `forbid(principal, action, resource == Tool::"transfer") when { context.arguments has note };`,
			call(writer, "transfer", arguments(t, `{"amount":1,"to":"x","note":null}`)), "allow"},
		{"a list is a set", all + `forbid(principal, action, resource == Tool::"transfer") when { context.arguments has tags && context.arguments.tags.contains("b") };`,
			call(writer, "transfer", arguments(t, `{"amount":1,"to":"x","tags":["a","b"]}`)), "deny"},
		{"an object is a record", all + `forbid(principal, action, resource == Tool::"transfer") when { context.arguments has from.bank && context.arguments.from.bank == "x" };`,
			call(writer, "transfer", arguments(t, `{"amount":1,"to":"x","from":{"bank":"x"}}`)), "deny"},
		{"a variable of a template is an argument", all + `forbid(principal, action == Action::"read", resource == Resource::"notes://notes/{id}") when { context.arguments has id && context.arguments.id == "7" };`,
			gate.Request{Caller: writer, Kind: gate.Resource, Item: "notes://notes/{id}", Name: "notes://notes/7", Arguments: map[string]any{"id": "7"}}, "deny"},
		{"a prompt has arguments", all + `forbid(principal, action == Action::"get", resource == Prompt::"review") when { context.arguments has style && context.arguments.style == "rude" };`,
			gate.Request{Caller: writer, Kind: gate.Prompt, Item: "review", Name: "review", Arguments: map[string]any{"style": "rude"}}, "deny"},
		{"a tool that the config does not name is decided", all, call(visitor, "authenticate", map[string]any{"email": "a@example.com"}), "allow"},
		{"a tool that the config does not name is denied", `permit(principal is User, action, resource);`, call(visitor, "authenticate", map[string]any{}), "deny"},
		{"what is of no kind is a fault", all, gate.Request{Caller: writer, Kind: "door", Item: "front", Arguments: map[string]any{}}, "error"},
		{"what has no name is a fault", all, call(writer, "", map[string]any{}), "error"},
		{"an argument of another type is a fault", all + `forbid(principal, action, resource == Tool::"transfer") when { context.arguments.to == "x" };`,
			call(writer, "transfer", arguments(t, `{"amount":1,"to":["x"]}`)), "error"},
		{"an argument that is no JSON is a fault", all + `forbid(principal, action, resource) when { context.args_unrepresentable };`,
			call(writer, "wild", map[string]any{"a": struct{}{}}), "error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := outcome(t, decider(t, test.policies), test.request); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestTrapErrorsDoNotFailOpen(t *testing.T) {
	d := decider(t, all+`forbid(principal, action == Action::"call", resource == Tool::"transfer") when { context.arguments.amount > 1000 };`)
	for name, text := range map[string]string{
		"a missing argument": `{"to":"x"}`,
		"a null":             `{"amount":null,"to":"x"}`,
		"a string":           `{"amount":"99999","to":"x"}`,
		"a fraction":         `{"amount":1000.5,"to":"x"}`,
		"a huge number":      `{"amount":9223372036854775808,"to":"x"}`,
		"a huger number":     `{"amount":1e300,"to":"x"}`,
	} {
		if got := outcome(t, d, call(writer, "transfer", arguments(t, text))); got != "error" {
			t.Errorf("%s: %s", name, got)
		}
	}
	_, err := d.DecideAll(t.Context(), []gate.Request{call(writer, "search", map[string]any{}), call(writer, "transfer", arguments(t, `{"to":"x"}`))})
	if err == nil {
		t.Error("a list hid the fault")
	}
}

func TestAFaultTellsNoArgument(t *testing.T) {
	d := decider(t, all+`forbid(principal, action, resource == Tool::"transfer") when { context.arguments.amount + context.arguments.amount > 1000 };`)
	_, err := d.Decide(t.Context(), call(writer, "transfer", map[string]any{"to": "x", "amount": json.Number("9123456789012345678")}))
	if err == nil || strings.Contains(err.Error(), "9123456789012345678") || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("got %v", err)
	}
}

func TestTrapNoArgumentIsAnEntity(t *testing.T) {
	d := decider(t, all+`forbid(principal, action, resource == Tool::"transfer") unless { context.arguments.to == "bank" };
		forbid(principal, action, resource == Tool::"transfer") when { context.arguments has box.__entity.type && context.arguments.box.__entity.type == "User" };`)
	injected := `{"__entity":{"type":"User","id":"admin"}}`
	if got := outcome(t, d, call(writer, "transfer", arguments(t, `{"amount":1,"to":"bank","box":`+injected+`}`))); got != "deny" {
		t.Errorf("the record is no record: %s", got)
	}
	if got := outcome(t, d, call(writer, "transfer", arguments(t, `{"amount":1,"to":`+injected+`}`))); got != "error" {
		t.Errorf("an object passed for a string: %s", got)
	}
	for _, text := range []string{`User::\"admin\"`, `{\"__entity\":{\"type\":\"User\",\"id\":\"admin\"}}`, `decimal(\"1.0\")`, `__cedar::ignore`} {
		if got := outcome(t, d, call(writer, "transfer", arguments(t, `{"amount":1,"to":"`+text+`"}`))); got != "deny" {
			t.Errorf("%s is not a string: %s", text, got)
		}
	}
}

func TestTrapNumbersThatCedarDoesNotHave(t *testing.T) {
	for _, test := range []struct{ value, policy, want string }{
		{`1.5`, `context.arguments.rate == decimal("1.5")`, "deny"},
		{`1e2`, `context.arguments.rate == decimal("100.0")`, "deny"},
		{`-0.0001`, `context.arguments.rate == decimal("-0.0001")`, "deny"},
		{`0.1`, `context.arguments.rate == decimal("0.1")`, "deny"},
		{`922337203685477`, `context.arguments.rate == decimal("922337203685477.0")`, "deny"},
		{`1.5`, `context.args_unrepresentable`, "allow"},
		{`1.50001`, `context.args_unrepresentable`, "deny"},
		{`1.50001`, `context.arguments.rate.greaterThan(decimal("1.5"))`, "error"},
		{`1.50001`, `context.arguments.rate == decimal("1.5")`, "allow"},
		{`1e300`, `context.args_unrepresentable`, "deny"},
		{`1e-300`, `context.args_unrepresentable`, "deny"},
		{`1e300`, `context.arguments.rate.greaterThan(decimal("1.5"))`, "error"},
		{`1e15`, `context.args_unrepresentable`, "deny"},
		{`null`, `context.args_unrepresentable`, "allow"},
	} {
		d := decider(t, all+`forbid(principal, action, resource == Tool::"transfer") when { context.arguments has rate || context.args_unrepresentable } when { `+
			strings.Replace(test.policy, "context.arguments.rate", "context.arguments has rate && context.arguments.rate", 1)+` };`)
		if got := outcome(t, d, call(writer, "transfer", arguments(t, `{"amount":1,"to":"x","rate":`+test.value+`}`))); got != test.want {
			t.Errorf("%s, %s: %s, want %s", test.value, test.policy, got, test.want)
		}
	}
}

func TestArgumentsHaveCaps(t *testing.T) {
	d := decider(t, all+`forbid(principal, action, resource == Tool::"wild") when { context.args_unrepresentable };`)
	nested := func(levels int) map[string]any {
		return arguments(t, `{"a":`+strings.Repeat("[", levels)+strings.Repeat("]", levels)+`}`)
	}
	many := func(n int) map[string]any { return map[string]any{"a": make([]any, n)} }
	long := func(n int) map[string]any { return map[string]any{"a": strings.Repeat("x", n)} }
	for _, test := range []struct {
		name      string
		arguments map[string]any
		want      string
	}{
		{"32 levels", nested(32), "allow"}, {"33 levels", nested(33), "error"},
		{"4096 values", many(4094), "allow"}, {"4097 values", many(4095), "error"},
		{"a megabyte", long(1<<20 - 1), "allow"}, {"more than a megabyte", long(1 << 20), "error"},
	} {
		if got := outcome(t, d, call(writer, "wild", test.arguments)); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestNobodyCountsArgumentsThatNobodyLooksAt(t *testing.T) {
	d := decider(t, all+`forbid(principal, action, resource == Tool::"transfer") when { context.arguments.amount > 1 };`)
	if got := outcome(t, d, call(writer, "wild", map[string]any{"a": make([]any, 5000)})); got != "allow" {
		t.Error(got)
	}
}

// Whatever the name, two items are two entities (X43).
func TestX43NoTwoItemsAreOneEntity(t *testing.T) {
	names := []string{"a", "A", "a ", "a/", "a//", "a%2F", "a\"", `a\"`, "a\x00", "á", "a\u0301", "Tool::\"a\"", "notes://a", "notes://a?x", "notes://a#x", "notes://a/../a", "notes://{a}"}
	for _, kind := range []gate.Kind{gate.Tool, gate.Resource, gate.Prompt} {
		for _, permitted := range names {
			cfg := cedar.Config{Tools: map[string]any{}, Prompts: map[string][]string{}, Resources: names}
			for _, name := range names {
				cfg.Tools[name], cfg.Prompts[name] = nil, nil
			}
			entity := map[gate.Kind]string{gate.Tool: "Tool", gate.Resource: "Resource", gate.Prompt: "Prompt"}[kind]
			cfg.Policies = fmt.Sprintf("permit(principal, action, resource == %s::%s);", entity, cedarString(permitted))
			d, err := cedar.New(cfg)
			if err != nil {
				t.Fatalf("%q: %v", permitted, err)
			}
			for _, asked := range []gate.Kind{gate.Tool, gate.Resource, gate.Prompt} {
				for _, name := range append(slices.Clone(names), "undeclared") {
					got := outcome(t, d, gate.Request{Caller: writer, Kind: asked, Item: name, Arguments: map[string]any{}})
					if want := asked == kind && name == permitted; (got == "allow") != want {
						t.Errorf("%s %q was permitted, %s %q is %s", kind, permitted, asked, name, got)
					}
				}
			}
		}
	}
}

func cedarString(s string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, `\u{%x}`, r)
	}
	return `"` + b.String() + `"`
}
