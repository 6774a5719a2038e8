package gate_test

import (
	"strings"
	"testing"

	"example.com/foyer/gate"
)

// A confirmation changes nothing of who may: it is asked for last, and as
// strongly as the rule or the policy says, whoever asks for more.
func TestAConfirmationIsAskedForLast(t *testing.T) {
	user := gate.Caller{GrantID: "g", UserID: "u", Scopes: []string{"w"}}
	guest := gate.Caller{GrantID: "g", GuestID: "v"}
	never := func(gate.Caller, map[string]any) bool { return false }
	for _, test := range []struct {
		name    string
		rule    gate.Rule
		caller  gate.Caller
		outcome gate.Outcome
		confirm gate.Confirmation
	}{
		{"a confirmed tool", gate.Scope("w").Confirmed(), user, gate.Confirm, gate.ByModel},
		{"a stronger one", gate.Scope("w").ConfirmedBy(gate.ByPage), user, gate.Confirm, gate.ByPage},
		{"the stronger of two", gate.Scope("w").ConfirmedBy(gate.ByClient).Confirmed(), user, gate.Confirm, gate.ByClient},
		{"a guest's own", gate.AnyGrant().Confirmed(), guest, gate.Confirm, gate.ByModel},
		{"a guest signs in first", gate.Scope("w").Confirmed(), guest, gate.Challenge, gate.NotConfirmed},
		{"arguments are asked about first", gate.Scope("w").Confirmed().When(never), user, gate.Deny, gate.NotConfirmed},
	} {
		rules := gate.Rules{"item": test.rule}
		d := rules.Decide(test.caller, "item", nil)
		if d.Outcome != test.outcome || d.Confirm != test.confirm || d.Listed() != (test.outcome != gate.Deny) {
			t.Errorf("%s: %+v", test.name, d)
		}
		if test.outcome != gate.Confirm {
			continue
		}
		if hidden := (gate.Rules{"item": test.rule.Hidden()}).Decide(test.caller, "item", nil); hidden.Outcome != gate.Confirm {
			t.Errorf("%s, hidden from others: %+v", test.name, hidden)
		}
		for policy, want := range map[gate.Confirmation]gate.Confirmation{gate.NotConfirmed: test.confirm, gate.ByFreshPage: gate.ByFreshPage} {
			said := gate.Decision{Outcome: gate.Allow}
			if policy > gate.NotConfirmed {
				said = gate.Decision{Outcome: gate.Confirm, Confirm: policy}
			}
			if d := rules.Told("item", said); d.Outcome != gate.Confirm || d.Confirm != want {
				t.Errorf("%s, where a policy says %v: %+v", test.name, policy, d)
			}
		}
	}
}

// A confirmation is bound to whom it was shown to.
func TestAConfirmationNeedsSomebodyToBindItTo(t *testing.T) {
	for name, test := range map[string]struct {
		rule gate.Rule
		want string
	}{
		"anyone":                     {gate.Anyone().Confirmed(), "bound to a grant"},
		"guests":                     {gate.GuestsOnly().Confirmed(), "bound to a grant"},
		"any grant":                  {gate.AnyGrant().ConfirmedBy(gate.ByClient), ""},
		"any grant, on a page":       {gate.AnyGrant().ConfirmedBy(gate.ByPage), "only a user confirms on a page"},
		"any grant, by a fresh page": {gate.AnyGrant().ConfirmedBy(gate.ByFreshPage), "begin it with SignedIn, or have it confirmed ByClient"},
		"anyone, on a page":          {gate.Anyone().ConfirmedBy(gate.ByPage), "begin it with SignedIn"},
		"guests, on a page":          {gate.GuestsOnly().ConfirmedBy(gate.ByPage), "begin it with SignedIn"},
		"users on a page":            {gate.Scope().ConfirmedBy(gate.ByPage), ""},
		"roles on a page":            {gate.Role("admin").ConfirmedBy(gate.ByPage), ""},
		"users":                      {gate.SignedIn().ConfirmedBy(gate.ByFreshPage), ""},
		"a confirmation there isn't": {gate.SignedIn().ConfirmedBy(9), "there is no confirmation 9"},
	} {
		err := (gate.Rules{"item": test.rule}).Check(nil, gate.StandardLevels)
		if test.want != "" && err != nil && (!strings.HasPrefix(err.Error(), "item: ") || strings.Count(err.Error(), "\n") > 0 && name != "a confirmation there isn't") {
			t.Errorf("%s, told: %v", name, err)
		}
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
