package gate_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"example.com/foyer/gate"
)

var (
	tokenless = gate.Caller{}
	guest     = gate.Caller{GrantID: "g", GuestID: "v1", Scopes: []string{gate.Guest}}
	reader    = gate.Caller{GrantID: "g", GuestID: "v1", UserID: "u1", Scopes: []string{gate.Guest}}
	writer    = gate.Caller{GrantID: "g", GuestID: "v1", UserID: "u1", Scopes: []string{gate.Guest, "w", "x"}}
)

func TestDecide(t *testing.T) {
	for _, test := range []struct {
		name    string
		rule    gate.Rule
		caller  gate.Caller
		outcome gate.Outcome
		reason  gate.Reason
		scopes  []string
	}{
		{"a forgotten rule refuses even a writer", gate.Rule{}, writer, gate.Deny, gate.Unknown, nil},
		{"anyone may, even without a token", gate.Anyone(), tokenless, gate.Allow, "", nil},
		{"a user may too", gate.Anyone(), writer, gate.Allow, "", nil},
		{"a guest may do what is for guests", gate.GuestsOnly(), guest, gate.Allow, "", nil},
		{"a user may not", gate.GuestsOnly(), reader, gate.Deny, gate.ForGuests, nil},
		{"a guest must sign in", gate.SignedIn(), guest, gate.Challenge, gate.NeedsSignIn, nil},
		{"a user need not", gate.SignedIn(), reader, gate.Allow, "", nil},
		{"a guest is told all scopes at once", gate.Scope("w", "x"), guest, gate.Challenge, gate.NeedsSignIn, []string{"w", "x"}},
		{"a reader lacks the scope", gate.Scope("w"), reader, gate.Challenge, gate.NeedsScope, []string{"w"}},
		{"one scope of two is not enough, and both are named", gate.Scope("w", "y"), writer, gate.Challenge, gate.NeedsScope, []string{"w", "y"}},
		{"all scopes are", gate.Scope("w", "x"), writer, gate.Allow, "", nil},
		{"a guest with the scope is still a guest", gate.Scope("guest"), guest, gate.Challenge, gate.NeedsSignIn, []string{"guest"}},
		{"hidden from a guest", gate.SignedIn().Hidden(), guest, gate.Deny, gate.Unknown, nil},
		{"hidden from a user without the scope", gate.Scope("w").Hidden(), reader, gate.Deny, gate.Unknown, nil},
		{"not hidden from who may", gate.Scope("w").Hidden(), writer, gate.Allow, "", nil},
		{"hidden guests' things are hidden from users", gate.GuestsOnly().Hidden(), reader, gate.Deny, gate.Unknown, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := gate.Decision{Outcome: test.outcome, Reason: test.reason, Scopes: test.scopes}
			if got := (gate.Rules{"item": test.rule}).Decide(test.caller, "item"); !reflect.DeepEqual(got, want) {
				t.Errorf("Decide = %+v, want %+v", got, want)
			}
		})
	}
}

// Over any rule and caller: hidden is unknown, a refusal is never an
// allowance for having less, and a challenge names what the rule needs.
func TestDecideHolds(t *testing.T) {
	scope := rapid.SampledFrom([]string{"w", "x", "y"})
	rapid.Check(t, func(t *rapid.T) {
		scopes := rapid.SliceOfN(scope, 0, 3).Draw(t, "scopes of the rule")
		rule := rapid.SampledFrom([]gate.Rule{{}, gate.Anyone(), gate.GuestsOnly(), gate.SignedIn(), gate.Scope(scopes...)}).Draw(t, "rule")
		caller := gate.Caller{GrantID: "g", GuestID: "v", Scopes: rapid.SliceOfN(scope, 0, 3).Draw(t, "scopes of the caller")}
		if rapid.Bool().Draw(t, "signed in") {
			caller.UserID = "u"
		}
		open := gate.Rules{"i": rule}.Decide(caller, "i")
		hidden := gate.Rules{"i": rule.Hidden()}.Decide(caller, "i")
		unknown := gate.Rules{}.Decide(caller, "i")
		switch {
		case open.Outcome == gate.Allow && !reflect.DeepEqual(hidden, open):
			t.Errorf("hiding took an allowed item away: %+v", hidden)
		case open.Outcome != gate.Allow && !reflect.DeepEqual(hidden, unknown):
			t.Errorf("hidden %+v is not like unknown %+v", hidden, unknown)
		case unknown.Outcome != gate.Deny || unknown.Listed():
			t.Errorf("an unknown item is %+v", unknown)
		}
		caller.Scopes = append(caller.Scopes, "w", "x", "y")
		if more := (gate.Rules{"i": rule}).Decide(caller, "i"); open.Outcome == gate.Allow && more.Outcome != gate.Allow {
			t.Errorf("with more scopes %+v became %+v", open, more)
		}
	})
}

func TestOwner(t *testing.T) {
	for _, test := range []struct {
		name   string
		caller gate.Caller
		want   string
	}{
		{"nobody owns nothing", tokenless, ""},
		{"a guest owns what is a guest's", guest, "v1"},
		{"a user owns what is the user's, whatever guest they were", reader, "u1"},
	} {
		if got := test.caller.Owner(); got != test.want {
			t.Errorf("%s: Owner = %q, want %q", test.name, got, test.want)
		}
		if got := gate.CallerFrom(gate.WithCaller(t.Context(), test.caller)); !reflect.DeepEqual(got, test.caller) {
			t.Errorf("%s: CallerFrom = %+v", test.name, got)
		}
	}
	if got := gate.CallerFrom(t.Context()); !reflect.DeepEqual(got, tokenless) {
		t.Errorf("outside of a call: CallerFrom = %+v, want nobody", got)
	}
}

func TestCheckNamesEveryProblem(t *testing.T) {
	scopes := gate.Scopes{{Name: "write", Words: "Write"}, {Name: "write", Words: "Again"}, {Name: "no words"}, {Name: "guest", Words: "x"}, {Name: "acr:x", Words: "x"}}
	err := gate.Rules{
		"empty": gate.Rule{},
		"typo":  gate.Scope("write", "wirte"),
		"fine":  gate.Scope("write"),
	}.Check(scopes)
	for _, test := range []struct {
		err  error
		want []string
	}{
		{err, []string{
			"empty: the rule is empty, so nobody could ever use the item",
			`typo: scope "wirte" is not in Scopes`,
		}},
		{scopes.Check(), []string{
			`scope "write": declared twice`,
			`scope "no words": a name is made of ASCII letters, digits and punctuation but " and \`,
			`scope "no words": Words are missing: people approve words, not names`,
			`scope "guest": the name is taken by the kit`,
			`scope "acr:x": the name is taken by the kit`,
		}},
	} {
		if got := strings.Split(test.err.Error(), "\n"); !slices.Equal(got, test.want) {
			t.Errorf("got  %q\nwant %q", got, test.want)
		}
	}
	fine := gate.Scopes{{Name: "w", Words: "Write", Default: true}, {Name: "x", Words: "Export"}}
	if err := fine.Check(); err != nil {
		t.Errorf("Check = %v, want nothing", err)
	}
	if got := fine.Defaults().Names(); !slices.Equal(got, []string{"w"}) {
		t.Errorf("Defaults = %v, want w alone", got)
	}
}
