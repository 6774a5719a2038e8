package cedar_test

import (
	"context"
	"fmt"
	"log"

	"github.com/google/jsonschema-go/jsonschema"

	"example.com/foyer/gate"
	"example.com/foyer/policy/cedar"
)

type exportIn struct {
	Entries int  `json:"entries"`
	Private bool `json:"private,omitempty"`
}

// A user may export a few entries; for many, or for private ones, a scope is
// asked for that the user then consents to.
func Example() {
	schema, err := jsonschema.For[exportIn](nil)
	if err != nil {
		log.Fatal(err)
	}
	decider, err := cedar.New(cedar.Config{
		Tools:  map[string]any{"export_journal": schema},
		Scopes: gate.Scopes{{Name: "journal:export", Words: "Take a copy of your journal"}},
		Policies: `
			permit(principal, action, resource);

			@scopes("journal:export")
			forbid(principal, action == Action::"call", resource == Tool::"export_journal")
			when { context.arguments.entries > 10 || context.arguments has private && context.arguments.private }
			unless { principal.scopes.contains("journal:export") };`,
	})
	if err != nil {
		log.Fatal(err)
	}
	ann := gate.Caller{GrantID: "1", UserID: "ann", Level: "chat", Scopes: []string{"journal:read"}}
	for _, entries := range []float64{10, 11} {
		d, err := decider.Decide(context.Background(), gate.Request{Caller: ann, Kind: gate.Tool, Item: "export_journal",
			Name: "export_journal", Arguments: map[string]any{"entries": entries}})
		fmt.Println(d.Outcome == gate.Allow, d.Reason, d.Scopes, err)
	}
	// Output:
	// true  [] <nil>
	// false needs_scopes [journal:export] <nil>
}

// A misspelt argument is found before anybody is asked. In Cedar alone the policy
// would be a fault at every call, and the call would be allowed.
func ExampleNew() {
	_, err := cedar.New(cedar.Config{
		Tools: map[string]any{"pay": map[string]any{"type": "object", "required": []string{"amount"},
			"properties": map[string]any{"amount": map[string]any{"type": "integer"}}}},
		Policies: `permit(principal, action, resource);
forbid(principal, action, resource == Tool::"pay") when { context.arguments.amuont > 1000 };`,
	})
	fmt.Println(err)
	// Output:
	// cedar: the policy in line 2: for Tool::"pay": attribute `amuont` in context for Action::"call" not found
}
