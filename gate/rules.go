// Package gate decides which items of an MCP server a caller may see and call.
//
// One table says it all:
//
//	gate.Rules{
//		"search":       gate.Anyone(),
//		"list_notes":   gate.SignedIn(),
//		"save_note":    gate.Scope("notes:write"),
//		"export_notes": gate.Scope("notes:export").Level("email"),
//		"purge_trash":  gate.Role("admin").Hidden(),
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
// everyone, scopes that scopes does not know and levels that levels does not,
// and what a rule asks of a user without asking for one.
func (rs Rules) Check(scopes Scopes, levels Levels) error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(rs)) {
		r := rs[name]
		if r.who == nobody {
			problems = append(problems, fmt.Errorf("%s: the rule is empty, so nobody could ever use the item", name))
		}
		for _, s := range r.scopes {
			if level, ok := LevelOf(s); ok && !slices.Contains(levels, level) {
				problems = append(problems, fmt.Errorf("%s: level %q is not in Levels", name, level))
			} else if !ok && !scopes.Known(s) {
				problems = append(problems, fmt.Errorf("%s: scope %q is not in Scopes", name, s))
			}
		}
		if r.who != nobody && r.who != signedIn && (len(r.scopes) > 0 || len(r.roles) > 0 || r.maxAge != 0) {
			problems = append(problems, fmt.Errorf("%s: scopes, roles, levels and ages are users'; begin the rule with SignedIn", name))
		}
		if r.maxAge < 0 {
			problems = append(problems, fmt.Errorf("%s: MaxAge %v is negative", name, r.maxAge))
		}
		if r.confirm >= ByPage && r.who != signedIn && r.who != nobody {
			problems = append(problems, fmt.Errorf("%s: only a user confirms on a page, and the rule lets guests in, who never could; begin it with SignedIn, or have it confirmed ByClient", name))
		} else if r.confirm != NotConfirmed && r.who != signedIn && r.who != anyGrant {
			problems = append(problems, fmt.Errorf("%s: a confirmation is bound to a grant, which anyone may lack; begin the rule with AnyGrant or SignedIn", name))
		}
		if r.confirm < NotConfirmed || r.confirm > ByFreshPage {
			problems = append(problems, fmt.Errorf("%s: there is no confirmation %d", name, r.confirm))
		}
		if slices.Contains(r.roles, "") {
			problems = append(problems, fmt.Errorf("%s: a role has no name", name))
		}
	}
	return errors.Join(problems...)
}
