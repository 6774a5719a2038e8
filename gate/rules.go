// Package gate decides which items of an MCP server a caller may see and call.
//
// One table says it all:
//
//	gate.Rules{
//		"search":       gate.Anyone(),
//		"list_notes":   gate.SignedIn(),
//		"save_note":    gate.Scope("notes:write"),
//		"purge_trash":  gate.Scope("notes:write").Hidden(),
//	}
//
// An item without a rule is refused: forgetting a line closes a door, it never
// opens one. The package does no I/O and has no clock.
package gate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Rules maps the names of items to what they ask of a caller: tools and prompts
// by name, resources by URI, resource templates by their URI template.
type Rules map[string]Rule

// Check returns everything that is wrong with the table: rules that refuse
// everyone, and scopes that scopes does not know.
func (rs Rules) Check(scopes Scopes) error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(rs)) {
		r := rs[name]
		if r.who == nobody {
			problems = append(problems, fmt.Errorf("%s: the rule is empty, so nobody could ever use the item", name))
		}
		for _, s := range r.scopes {
			if !scopes.Known(s) {
				problems = append(problems, fmt.Errorf("%s: scope %q is not in Scopes", name, s))
			}
		}
	}
	return errors.Join(problems...)
}
