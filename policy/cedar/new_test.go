package cedar_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"example.com/foyer/gate"
	"example.com/foyer/policy/cedar"
)

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct{ name, policies, want string }{
		{"nothing", "", "there is no policy"},
		{"a comment", "// permit(principal, action, resource);", "there is no policy"},
		{"no Cedar", all + "forbid(principal", "cannot be read"},
		{"a misspelt argument", all + "\n" + `forbid(principal, action == Action::"call", resource == Tool::"transfer") when { context.arguments.amuont > 1000 };`, "line 3: for Tool::\"transfer\": attribute `amuont`"},
		{"an argument of other tools", all + `forbid(principal, action == Action::"call", resource) when { context.arguments.amount > 1000 };`, `line 2: for Tool::"search"`},
		{"an argument of the wrong type", all + `forbid(principal, action, resource == Tool::"transfer") when { context.arguments.amount == "1000" };`, "not compatible"},
		{"a number compared with an integer", all + `forbid(principal, action, resource == Tool::"transfer") when { context.arguments has rate && context.arguments.rate > 1 };`, "line 2"},
		{"an optional argument without has", all + `forbid(principal, action, resource == Tool::"transfer") when { context.arguments.urgent };`, "line 2"},
		{"a misspelt argument behind has", all + `forbid(principal, action, resource == Tool::"transfer") when { context.arguments has amuont && context.arguments.amuont > 1 };`, "line 2: has amuont"},
		{"a misspelt argument behind or", all + `forbid(principal, action, resource == Tool::"transfer") when { context.arguments.amount > 1 || context.arguments has urgnet };`, "line 2: has urgnet"},
		{"a misspelt part of an argument", all + `forbid(principal, action, resource == Tool::"transfer") when { context.arguments has from.bnak };`, "line 2: has bnak"},
		{"a misspelt attribute behind has", all + `forbid(principal, action, resource) when { principal has levle };`, "line 2: has levle"},
		{"has of what no policy can see", all + `forbid(principal, action, resource) when { resource has owner };`, "line 2: has owner"},
		{"an argument of several types", all + `forbid(principal, action, resource == Tool::"transfer") when { context.arguments has any };`, "line 2: has any"},
		{"an argument of a tool without a schema", all + `forbid(principal, action, resource == Tool::"wild") when { context.arguments.a };`, "line 2"},
		{"a misspelt attribute", all + `forbid(principal, action, resource) when { principal.levle == "chat" };`, "line 2"},
		{"a misspelt tool", all + `forbid(principal, action, resource == Tool::"trasnfer");`, `line 2: there is no tool "trasnfer"`},
		{"a misspelt tool in a condition", all + `forbid(principal, action, resource) when { resource == Tool::"trasnfer" };`, `line 2: there is no tool "trasnfer"`},
		{"a misspelt type of item", all + `forbid(principal, action, resource is Tol);`, "line 2"},
		{"a misspelt type of caller", all + `forbid(principal is Gest, action, resource);`, "line 2"},
		{"a misspelt action", all + `forbid(principal, action == Action::"cal", resource);`, "line 2"},
		{"a misspelt action beside another", all + `forbid(principal, action in [Action::"call", Action::"raed"], resource);`, "line 2"},
		{"an action that the item does not have", all + `forbid(principal, action == Action::"read", resource == Tool::"search");`, "line 2: no item"},
		{"a group that nobody knows", all + `forbid(principal in Group::"x", action, resource);`, "line 2"},
		{"an empty annotation", all + `@scopes("") forbid(principal, action, resource);`, "line 2: @scopes names none"},
		{"a scope that nobody knows", all + `@scopes("notes:exprot") forbid(principal, action, resource);`, `line 2: @scopes: scope "notes:exprot"`},
		{"a level that nobody knows", all + `@scopes("acr:phone") forbid(principal, action, resource);`, `line 2: @scopes: level "phone"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := cedar.New(config(test.policies)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v\nwant %s", err, test.want)
			}
		})
	}
}

func TestNewListsEveryProblem(t *testing.T) {
	_, err := cedar.New(config(`permit(principal is Gest, action, resource);
permit(principal, action, resource);
permit(principal, action, resource == Tool::"x");`))
	if err == nil || !strings.Contains(err.Error(), "line 1") || strings.Contains(err.Error(), "line 2") || !strings.Contains(err.Error(), "line 3") {
		t.Error(err)
	}
}

func TestNewTakesWhatSpeaksOfManyTools(t *testing.T) {
	d := decider(t, all+`forbid(principal, action, resource) when { context.arguments has amount && context.arguments.amount > 5 };`)
	if got := outcome(t, d, call(writer, "transfer", arguments(t, `{"amount":6,"to":"x"}`))); got != "deny" {
		t.Error(got)
	}
	if got := outcome(t, d, call(writer, "search", arguments(t, `{"q":"x"}`))); got != "allow" {
		t.Error(got)
	}
}

func TestNewRefusesItemsThatAreNamedTwice(t *testing.T) {
	if _, err := cedar.New(cedar.Config{Policies: all, Resources: []string{"a", "a"}}); err == nil {
		t.Error("one resource was named twice")
	}
	if _, err := cedar.New(cedar.Config{Policies: all, Tools: map[string]any{"": nil}}); err == nil {
		t.Error("a tool has no name")
	}
	if _, err := cedar.New(cedar.Config{Policies: all, Tools: map[string]any{"a": func() {}}}); err == nil {
		t.Error("a function is no schema")
	}
}

func TestSchemasOfGoTypesWillDo(t *testing.T) {
	type in struct {
		Amount int      `json:"amount"`
		Note   *string  `json:"note,omitempty"`
		Tags   []string `json:"tags"`
	}
	schema, err := jsonschema.For[in](nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, told := range []any{schema, json.RawMessage(text)} {
		d, err := cedar.New(cedar.Config{Tools: map[string]any{"pay": told},
			Policies: all + `forbid(principal, action, resource == Tool::"pay") when { context.arguments.amount > 10 || context.arguments has note };`})
		if err != nil {
			t.Fatal(err)
		}
		if got := outcome(t, d, gate.Request{Caller: writer, Kind: gate.Tool, Item: "pay", Arguments: map[string]any{"amount": 11.0}}); got != "deny" {
			t.Error(got)
		}
	}
}
