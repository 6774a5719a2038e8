package cedar_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	engine "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/batch"
	"pgregory.net/rapid"

	"example.com/foyer/gate"
	"example.com/foyer/policy/cedar"
)

func TestAListIsDecidedWithoutArguments(t *testing.T) {
	for _, test := range []struct{ name, policies, want string }{
		{"a forbid about arguments is left out", all + `forbid(principal, action, resource == Tool::"transfer") when { context.arguments.amount > 5 };`, "allow"},
		{"a forbid about arguments and the caller, too", all + `forbid(principal is User, action, resource == Tool::"transfer") when { context.arguments.amount > 5 && principal.signedIn };`, "allow"},
		{"a forbid about the caller holds", all + `forbid(principal is User, action, resource == Tool::"transfer") when { principal.signedIn };`, "deny"},
		{"a permit about arguments is one", `permit(principal, action, resource == Tool::"transfer") when { context.arguments.amount < 5 };`, "allow"},
		{"a permit asks about the caller all the same", `permit(principal, action, resource == Tool::"transfer") when { context.arguments.amount < 5 && !principal.signedIn };`, "deny"},
		{"and in another clause", `permit(principal, action, resource == Tool::"transfer") when { context.arguments.amount < 5 } unless { principal.signedIn };`, "deny"},
		{"and behind or", `permit(principal, action, resource == Tool::"transfer") unless { context.arguments.amount > 5 || principal.signedIn };`, "deny"},
		{"but not where both are one part", `permit(principal, action, resource == Tool::"transfer") when { context.arguments.amount < 5 || !principal.signedIn };`, "allow"},
		{"arguments in a permit's unless", `permit(principal, action, resource == Tool::"transfer") unless { context.arguments.amount > 5 };`, "allow"},
		{"arguments in a forbid's unless", all + `forbid(principal, action, resource == Tool::"transfer") unless { context.arguments.amount < 5 };`, "allow"},
		{"what is unrepresentable is about arguments", `permit(principal, action, resource == Tool::"transfer") when { context.args_unrepresentable };`, "allow"},
		{"arguments by another name", all + `forbid(principal, action, resource == Tool::"transfer") when { context["arguments"]["amount"] > 5 };`, "allow"},
		{"what is challenged whatever the arguments", all + `@scopes("notes:export") forbid(principal, action, resource == Tool::"transfer") unless { principal.scopes.contains("notes:export") };`, "challenge notes:export"},
		{"what is challenged for some arguments", all + `@scopes("notes:export") forbid(principal, action, resource == Tool::"transfer") when { context.arguments.amount > 5 } unless { principal.scopes.contains("notes:export") };`, "allow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := outcome(t, decider(t, test.policies), call(writer, "transfer", nil)); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// Conditions of policies that the property tests are about. A part with "context"
// is about arguments, which tools have that have an amount.
var (
	ofCallers = []string{
		`principal.signedIn`, `!principal.signedIn`, `principal is User`, `principal is Guest`, `principal.level == "chat"`, `principal.level == "email"`,
		`principal.roles.contains("editor")`, `principal.scopes.contains("notes:write")`, `principal.scopes.contains("notes:export")`,
		`principal.scopes.containsAny(["acr:email", "notes:read"])`, `resource == Tool::"t3"`, `resource is Tool`, `true`, `false`,
	}
	ofArguments = []string{`context.arguments.amount > 5`, `context.arguments.amount == 5`, `context.args_unrepresentable`, `context.arguments has to && context.arguments.to == "x"`}
	resources   = []string{`resource`, `resource is Tool`, `resource == Tool::"t1"`, `resource == Tool::"t2"`, `resource == Prompt::"p"`, `resource in Tool::"t3"`}
)

func drawPolicies(t *rapid.T, arguments bool) string {
	condition := rapid.Custom(func(t *rapid.T) string {
		from := ofCallers
		if arguments {
			from = slices.Concat(ofCallers, ofArguments, ofArguments)
		}
		a, b := "("+rapid.SampledFrom(from).Draw(t, "a")+")", "("+rapid.SampledFrom(from).Draw(t, "b")+")"
		body := rapid.SampledFrom([]string{a, a + " && " + b, a + " || " + b, "!" + a, "if " + a + " then " + b + " else false"}).Draw(t, "body")
		return rapid.SampledFrom([]string{"when", "unless"}).Draw(t, "clause") + " { " + body + " }"
	})
	policy := rapid.Custom(func(t *rapid.T) string {
		resource := resources
		if arguments {
			resource = []string{`resource == Tool::"t1"`, `resource == Tool::"t2"`}
		}
		return rapid.SampledFrom([]string{"", "", `@scopes("notes:export") `, `@scopes("acr:email notes:write") `}).Draw(t, "annotation") +
			rapid.SampledFrom([]string{"permit", "permit", "forbid"}).Draw(t, "effect") +
			"(" + rapid.SampledFrom([]string{"principal", "principal", "principal is User", `principal == Guest::"g1"`}).Draw(t, "principal") + ", action, " +
			rapid.SampledFrom(resource).Draw(t, "resource") + ") " + strings.Join(rapid.SliceOfN(condition, 0, 3).Draw(t, "conditions"), " ") + ";"
	})
	return rapid.SampledFrom([]string{"", all, all}).Draw(t, "all") + strings.Join(rapid.SliceOfN(policy, 1, 6).Draw(t, "policies"), "\n")
}

func drawCaller(t *rapid.T) gate.Caller {
	c := gate.Caller{Scopes: rapid.SliceOfDistinct(rapid.SampledFrom([]string{"notes:write", "notes:export", "acr:chat", "acr:email"}), rapid.ID).Draw(t, "scopes")}
	switch rapid.IntRange(0, 2).Draw(t, "who") {
	case 1:
		c.GrantID, c.GuestID = "1", rapid.SampledFrom([]string{"g1", "g2"}).Draw(t, "guest")
	case 2:
		c.GrantID, c.UserID, c.Level = "2", "u1", rapid.SampledFrom([]string{"chat", "email"}).Draw(t, "level")
		c.Roles = rapid.SampledFrom([][]string{nil, {"editor"}}).Draw(t, "roles")
	}
	return c
}

func drawn(t *rapid.T, policies string) *cedar.Decider {
	const schema = `{"type":"object","required":["amount"],"properties":{"amount":{"type":"integer"},"to":{"type":"string"}}}`
	cfg := config(policies)
	cfg.Tools = map[string]any{"t3": nil}
	for _, name := range []string{"t1", "t2"} {
		cfg.Tools[name] = rawSchema(schema)
	}
	cfg.Prompts = map[string][]string{"p": nil}
	d, err := cedar.New(cfg)
	if err != nil {
		t.Fatalf("%s\n%v", policies, err)
	}
	return d
}

func list(c gate.Caller) (rs []gate.Request) {
	for _, name := range []string{"t1", "t2", "t3", "undeclared"} {
		rs = append(rs, call(c, name, nil))
	}
	return append(rs, gate.Request{Caller: c, Kind: gate.Prompt, Item: "p", Name: "p"})
}

func TestAListSaysWhatItsItemsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawn(t, drawPolicies(t, rapid.Bool().Draw(t, "arguments")))
		rs := slices.Concat(list(drawCaller(t)), list(drawCaller(t)))
		decisions, err := d.DecideAll(t.Context(), rs)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range rs {
			if one, err := d.Decide(t.Context(), r); err != nil || fmt.Sprint(one) != fmt.Sprint(decisions[i]) {
				t.Fatalf("%v: the list says %v, the item %v, %v", r.Item, decisions[i], one, err)
			}
		}
	})
}

// Cedar itself, asked about all policies and all items at once, allows the same.
func TestAListSaysWhatABatchOfCedarSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policies := drawPolicies(t, false)
		d := drawn(t, policies)
		caller := drawCaller(t)
		decisions, err := d.DecideAll(t.Context(), list(caller))
		if err != nil {
			t.Fatal(err)
		}
		text, err := engine.NewPolicySetFromBytes("", []byte(policies))
		if err != nil {
			t.Fatal(err)
		}
		allowed := map[types.EntityUID]bool{}
		uid, entities := entity(caller)
		for kind, action := range map[types.EntityType]types.String{"Tool": "call", "Prompt": "get"} {
			var resources []types.Value
			for _, name := range map[types.EntityType][]types.String{"Tool": {"t1", "t2", "t3", "undeclared"}, "Prompt": {"p"}}[kind] {
				resources = append(resources, types.NewEntityUID(kind, name))
			}
			err := batch.Authorize(t.Context(), text, entities, batch.Request{Principal: uid, Action: types.NewEntityUID("Action", action),
				Resource: batch.Variable("resource"), Context: types.Record{}, Variables: batch.Variables{"resource": resources}},
				func(r batch.Result) error {
					allowed[r.Request.Resource] = r.Decision == engine.Allow && len(r.Diagnostic.Errors) == 0
					return nil
				})
			if err != nil {
				t.Fatal(err)
			}
		}
		for i, r := range list(caller) {
			of := types.NewEntityUID(map[gate.Kind]types.EntityType{gate.Tool: "Tool", gate.Prompt: "Prompt"}[r.Kind], types.String(r.Item))
			if got := decisions[i].Outcome == gate.Allow; got != allowed[of] {
				t.Fatalf("%s\n%s: we say %v, Cedar %v", policies, of, got, allowed[of])
			}
		}
	})
}

func entity(c gate.Caller) (types.EntityUID, types.EntityMap) {
	uid := types.NewEntityUID("Nobody", "")
	if c.SignedIn() {
		uid = types.NewEntityUID("User", types.String(c.UserID))
	} else if c.GrantID != "" {
		uid = types.NewEntityUID("Guest", types.String(c.GuestID))
	}
	strings := func(names []string) types.Value {
		var values []types.Value
		for _, name := range names {
			values = append(values, types.String(name))
		}
		return types.NewSet(values...)
	}
	return uid, types.EntityMap{uid: {UID: uid, Attributes: types.NewRecord(types.RecordMap{"signedIn": types.Boolean(c.SignedIn()),
		"level": types.String(c.Level), "roles": strings(c.Roles), "scopes": strings(c.Scopes)})}}
}

// What some arguments may be allowed, a list does not hide; and where no policy
// looks at them it says what the call gets.
func TestAListHidesNothingThatMayBeAllowed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		about := rapid.Bool().Draw(t, "about arguments")
		policies := drawPolicies(t, about)
		d := drawn(t, policies)
		for _, caller := range []gate.Caller{stranger, visitor, writer, drawCaller(t)} {
			for _, tool := range []string{"t1", "t2"} {
				listed, err := d.Decide(t.Context(), call(caller, tool, nil))
				if err != nil {
					t.Fatal(err)
				}
				for _, arguments := range []map[string]any{{"amount": 4.0}, {"amount": 5.0, "to": "x"}, {"amount": 6.0, "to": "y"}, {"amount": 1e300}} {
					called, err := d.Decide(t.Context(), call(caller, tool, arguments))
					if called.Outcome == gate.Allow && listed.Outcome != gate.Allow {
						t.Fatalf("%s\n%v is allowed and not listed: %v", policies, arguments, listed)
					}
					if !about && (err != nil || fmt.Sprint(called) != fmt.Sprint(listed)) {
						t.Fatalf("%s\nthe call gets %v, %v, the list says %v", policies, called, err, listed)
					}
				}
			}
		}
	})
}
