package cedar_test

import (
	"slices"
	"testing"

	"example.com/foyer/gate"
)

func TestChallenges(t *testing.T) {
	exporter := writer
	exporter.Scopes = []string{"notes:write", "notes:export", "notes:read", "acr:chat"}
	const unless = all + `@scopes("notes:export") forbid(principal, action, resource == Tool::"search") unless { principal.scopes.contains("notes:export") };`
	for _, test := range []struct {
		name, policies string
		caller         gate.Caller
		want           string
		reason         gate.Reason
	}{
		{"who lacks the scope is challenged", unless, writer, "challenge notes:export", gate.NeedsScope},
		{"who has it is allowed", unless, exporter, "allow", ""},
		{"a guest is to sign in", unless, visitor, "challenge notes:export", gate.NeedsSignIn},
		{"a caller without a token, too", unless, stranger, "challenge notes:export", gate.NeedsSignIn},
		{"a forbid without the annotation denies", all + `forbid(principal, action, resource == Tool::"search") unless { principal.scopes.contains("notes:export") };`, writer, "deny", gate.Policy},
		{"a forbid that a sign-in opens needs no annotation beside another's", unless + `forbid(principal is Guest, action, resource);`, visitor, "challenge notes:export", gate.NeedsSignIn},
		{"a sign-in that no policy names is not asked for", all + `forbid(principal is Guest, action, resource);`, visitor, "deny", gate.Policy},
		{"a forbid that the scopes do not open denies", unless + `forbid(principal, action, resource == Tool::"search") unless { principal.roles.contains("admin") };`, writer, "deny", gate.Policy},
		{"two forbids name what both need", unless + `@scopes("acr:email") forbid(principal, action, resource == Tool::"search") unless { principal.scopes.contains("acr:email") };`,
			writer, "challenge notes:export acr:email", gate.NeedsScope},
		{"a challenge names what the caller has, too", all + `@scopes("notes:write notes:export") forbid(principal, action, resource) unless { principal.scopes.containsAll(["notes:write", "notes:export"]) };`,
			writer, "challenge notes:write notes:export", gate.NeedsScope},
		{"who has the scopes and is forbidden all the same is denied", all + `@scopes("notes:write") forbid(principal, action, resource);`, writer, "deny", gate.Policy},
		{"scopes that would not open it are not asked for", all + `@scopes("notes:export") forbid(principal, action, resource);`, writer, "deny", gate.Policy},
		{"nor where nothing would permit it after", `permit(principal == User::"u2", action, resource);` + unless[len(all):], writer, "deny", gate.Policy},
		{"a level is a scope", all + `@scopes("acr:email") forbid(principal, action, resource) unless { principal.scopes.contains("acr:email") };`, writer, "challenge acr:email", gate.NeedsLevel},
		{"a level brings the weaker ones", all + `@scopes("acr:passkey") forbid(principal, action, resource) unless { principal.scopes.contains("acr:email") };`, writer, "challenge acr:passkey", gate.NeedsLevel},
		{"a level may be asked for by its name", all + `@scopes("acr:email") forbid(principal, action, resource) unless { principal.level == "email" };`, writer, "challenge acr:email", gate.NeedsLevel},
		{"a scope brings what it implies", all + `@scopes("notes:export") forbid(principal, action, resource) unless { principal.scopes.contains("notes:read") };`, writer, "challenge notes:export", gate.NeedsScope},
		{"a guest who signs in is a user", all + `@scopes("acr:chat") forbid(principal, action, resource) unless { principal is User };`, visitor, "challenge acr:chat", gate.NeedsSignIn},
		{"a permit may name what it needs", `@scopes("notes:export") permit(principal, action, resource) when { principal.scopes.contains("notes:export") };`, writer, "challenge notes:export", gate.NeedsScope},
		{"the first permit that would help is named", `@scopes("notes:read") permit(principal, action, resource == Tool::"wild") when { principal.scopes.contains("notes:read") };
			@scopes("acr:oidc") permit(principal, action, resource) when { principal.roles.contains("admin") };
			@scopes("notes:export") permit(principal, action, resource) when { principal.scopes.contains("notes:export") };`, writer, "challenge notes:export", gate.NeedsScope},
		{"a permit does not soften a forbid", `@scopes("notes:export") permit(principal, action, resource) when { principal.scopes.contains("notes:export") };
			forbid(principal, action, resource);`, writer, "deny", gate.Policy},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := decider(t, test.policies)
			r := call(test.caller, "search", map[string]any{"q": "x"})
			if got := outcome(t, d, r); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			got, err := d.Decide(t.Context(), r)
			if err != nil || got.Reason != test.reason {
				t.Errorf("%v, %v, want %q", got, err, test.reason)
			}
			r.Arguments = nil // a list says the same where no policy looks at arguments
			if listed := outcome(t, d, r); listed != test.want {
				t.Errorf("a list says %s, want %s", listed, test.want)
			}
		})
	}
}

func TestAChallengeLeavesTheCallerAlone(t *testing.T) {
	d := decider(t, all+`@scopes("notes:export") forbid(principal, action, resource) unless { principal.scopes.contains("notes:export") };`)
	c := writer
	c.Scopes = append(make([]string, 0, 16), writer.Scopes...)
	before := slices.Clone(c.Scopes[:cap(c.Scopes)])
	if got := outcome(t, d, call(c, "search", map[string]any{})); got != "challenge notes:export" {
		t.Fatal(got)
	}
	if !slices.Equal(before, c.Scopes[:cap(c.Scopes)]) {
		t.Errorf("the scopes became %v", c.Scopes[:cap(c.Scopes)])
	}
}

// What one call needs, another call of the same tool does not, and a list cannot
// know of it.
func TestAScopeMayBeAskedForByTheArguments(t *testing.T) {
	d := decider(t, all+`@scopes("notes:export") forbid(principal, action, resource == Tool::"search")
		when { context.arguments has q && context.arguments.q like "all*" } unless { principal.scopes.contains("notes:export") };`)
	exporter := writer
	exporter.Scopes = []string{"notes:write", "notes:export"}
	for _, test := range []struct {
		caller    gate.Caller
		arguments map[string]any
		want      string
	}{
		{writer, map[string]any{"q": "all notes"}, "challenge notes:export"},
		{exporter, map[string]any{"q": "all notes"}, "allow"},
		{writer, map[string]any{"q": "one note"}, "allow"},
		{writer, nil, "allow"},
	} {
		if got := outcome(t, d, call(test.caller, "search", test.arguments)); got != test.want {
			t.Errorf("%v with %q: %s, want %s", test.arguments, test.caller.Scopes, got, test.want)
		}
	}
}

// An argument that is a fault once the caller has more is no reason to challenge.
func TestAChallengeIsNotPromisedAcrossAFault(t *testing.T) {
	d := decider(t, all+`@scopes("notes:export") forbid(principal, action, resource == Tool::"transfer")
		when { !principal.scopes.contains("notes:export") || context.arguments.amount + 1 > 5 };`)
	r := call(writer, "transfer", map[string]any{"to": "x"})
	if got := outcome(t, d, r); got != "deny" {
		t.Error(got)
	}
}
