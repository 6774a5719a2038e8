package authzen_test

import (
	"reflect"
	"slices"
	"testing"

	"example.com/foyer/gate"
)

// notebook is a policy that nothing in the tables says: who may write needs
// notes:write, note 1 is never deleted, and a copy needs notes:export.
func notebook(q question) object {
	properties, _ := q.subject["properties"].(object)
	arguments, called := q.context["arguments"].(object)
	switch tool := q.resource["id"]; {
	case tool == "purge":
		return object{"decision": false, "context": object{"reason_admin": object{"403": "Policy C076E82F"}}}
	case tool == "save_note" && !has(properties["scopes"], "notes:write"):
		return lacks("notes:write")
	case tool == "export_notes" && !has(properties["scopes"], "notes:export"):
		return lacks("notes:write", "notes:export")
	case tool == "delete_note" && called && arguments["id"] == 1.0:
		return deny
	}
	return allow
}

// A policy engine is asked what a user may see, and then about a call with its
// parameters; a denial names the scopes that are missing; with them the same call
// goes through.
func TestAPolicyEngineDecidesAListACallAndItsRetry(t *testing.T) {
	d := serve(t, &pdp{policy: notebook})
	list := func(c gate.Caller) (names []string) {
		t.Helper()
		all := []string{"list_notes", "save_note", "delete_note", "export_notes", "purge"}
		var rs []gate.Request
		for _, name := range all {
			rs = append(rs, call(c, name, nil))
		}
		decisions, err := d.DecideAll(t.Context(), rs)
		if err != nil {
			t.Fatal(err)
		}
		for i, decision := range decisions {
			switch decision.Outcome {
			case gate.Allow:
				names = append(names, all[i])
			case gate.Challenge:
				names = append(names, all[i]+" (locked)")
			}
		}
		return names
	}
	decide := func(r gate.Request) gate.Decision {
		t.Helper()
		decision, err := d.Decide(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return decision
	}
	if got, want := list(user), []string{"list_notes", "save_note", "delete_note", "export_notes (locked)"}; !slices.Equal(got, want) {
		t.Errorf("the list is %v, want %v", got, want)
	}
	if got := decide(call(user, "delete_note", map[string]any{"id": 1.0})); !reflect.DeepEqual(got, gate.Decision{Outcome: gate.Deny, Reason: gate.Policy}) {
		t.Errorf("note 1: %+v", got)
	}
	if got := decide(call(user, "delete_note", map[string]any{"id": 7.0})); got.Outcome != gate.Allow {
		t.Errorf("note 7: %+v", got)
	}
	retry := call(user, "export_notes", map[string]any{"format": "json"})
	if got, want := decide(retry), (gate.Decision{Outcome: gate.Challenge, Reason: gate.NeedsScope, Scopes: []string{"notes:write", "notes:export"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("a copy: %+v, want %+v", got, want)
	}
	retry.Caller.Scopes = append(slices.Clone(user.Scopes), "notes:export")
	if got := decide(retry); got.Outcome != gate.Allow {
		t.Errorf("a copy, after the step up: %+v", got)
	}
	if got, want := list(retry.Caller), []string{"list_notes", "save_note", "delete_note", "export_notes"}; !slices.Equal(got, want) {
		t.Errorf("the list is then %v, want %v", got, want)
	}
}
