package gate_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/foyer/gate"
)

var (
	tokenless = gate.Caller{}
	guest     = gate.Caller{GrantID: "g", GuestID: "v1", Scopes: []string{gate.Guest}}
	reader    = gate.Caller{GrantID: "g", GuestID: "v1", UserID: "u1", Scopes: []string{gate.Guest}}
	writer    = gate.Caller{GrantID: "g", GuestID: "v1", UserID: "u1", Scopes: []string{gate.Guest, "w", "x"}}
	noon      = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	admin     = gate.Caller{GrantID: "g", GuestID: "v1", UserID: "u1", Scopes: []string{gate.Guest, "w", "acr:chat", "acr:email"}, Roles: []string{"admin", "billing"},
		AuthTime: noon, At: noon.Add(5 * time.Minute)}
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
			if got := (gate.Rules{"item": test.rule}).Decide(test.caller, "item", nil); !reflect.DeepEqual(got, want) {
				t.Errorf("Decide = %+v, want %+v", got, want)
			}
		})
	}
}

func TestRolesLevelsAndAges(t *testing.T) {
	ask := func(why gate.Reason, scopes []string, age time.Duration) gate.Decision {
		return gate.Decision{Outcome: gate.Challenge, Reason: why, Scopes: scopes, MaxAge: age}
	}
	allow := gate.Decision{Outcome: gate.Allow}
	for _, test := range []struct {
		name   string
		rule   gate.Rule
		caller gate.Caller
		want   gate.Decision
	}{
		{"an admin has the role", gate.Role("admin"), admin, allow},
		{"and several", gate.Role("admin", "billing"), admin, allow},
		{"a missing role is denied and named, never asked for", gate.Role("admin", "owner"), admin, gate.Decision{Outcome: gate.Deny, Reason: gate.NeedsRole, Roles: []string{"admin", "owner"}}},
		{"before a missing scope, which would help nobody", gate.Scope("x").Role("owner"), admin, gate.Decision{Outcome: gate.Deny, Reason: gate.NeedsRole, Roles: []string{"owner"}}},
		{"a guest may turn out to have the role", gate.Role("admin"), guest, gate.Decision{Outcome: gate.Challenge, Reason: gate.NeedsSignIn, Roles: []string{"admin"}}},
		{"a hidden role is unknown", gate.Role("owner").Hidden(), admin, gate.Decision{Outcome: gate.Deny, Reason: gate.Unknown}},
		{"a level that the user has", gate.SignedIn().Level("email"), admin, allow},
		{"a weaker one", gate.SignedIn().Level("chat"), admin, allow},
		{"a stronger one", gate.Scope("w").Level("passkey"), admin, ask(gate.NeedsLevel, []string{"w", "acr:passkey"}, 0)},
		{"a scope and a level are asked for together", gate.Scope("x").Level("passkey"), admin, ask(gate.NeedsScope, []string{"x", "acr:passkey"}, 0)},
		{"a guest is told the level at once", gate.Scope("w").Level("email"), guest, ask(gate.NeedsSignIn, []string{"w", "acr:email"}, 0)},
		{"fresh enough", gate.SignedIn().MaxAge(5 * time.Minute), admin, allow},
		{"not fresh enough", gate.Scope("w").MaxAge(5*time.Minute - 1), admin, ask(gate.NeedsFresh, []string{"w"}, 5*time.Minute-1)},
		{"a guest is told the age at once", gate.SignedIn().MaxAge(time.Minute), guest, ask(gate.NeedsSignIn, nil, time.Minute)},
		{"who was never authenticated is not fresh", gate.SignedIn().MaxAge(time.Hour), gate.Caller{UserID: "u", At: noon}, ask(gate.NeedsFresh, nil, time.Hour)},
	} {
		if got := (gate.Rules{"item": test.rule}).Decide(test.caller, "item", nil); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: Decide = %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestADecisionSaysInWordsAllThatItHas(t *testing.T) {
	for want, d := range map[string]gate.Decision{
		"allow":                              {Outcome: gate.Allow},
		"challenge: sign_in":                 {Outcome: gate.Challenge, Reason: gate.NeedsSignIn},
		"challenge: sign_in as admin for w":  {Outcome: gate.Challenge, Reason: gate.NeedsSignIn, Scopes: []string{"w"}, Roles: []string{"admin"}},
		"confirm by the model":               {Outcome: gate.Confirm, Confirm: gate.ByModel},
		"challenge: needs_fresh within 1m0s": {Outcome: gate.Challenge, Reason: gate.NeedsFresh, MaxAge: time.Minute},
		"challenge: needs_level for w, acr:email within 5m0s": {Outcome: gate.Challenge, Reason: gate.NeedsLevel, Scopes: []string{"w", "acr:email"}, MaxAge: 5 * time.Minute},
		"deny: unknown":                    {Reason: gate.Unknown},
		"deny: needs_roles admin, billing": {Reason: gate.NeedsRole, Roles: []string{"admin", "billing"}},
	} {
		if got := d.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}

func TestArgumentsAreAskedAboutLast(t *testing.T) {
	small := func(_ gate.Caller, args map[string]any) bool { n, ok := args["n"].(float64); return ok && n < 10 }
	own := func(c gate.Caller, args map[string]any) bool { return args["of"] == c.UserID }
	rules := gate.Rules{"item": gate.Scope("w").When(small).When(own), "hidden": gate.Scope("w").When(small).Hidden()}
	for _, test := range []struct {
		name, item string
		caller     gate.Caller
		args       map[string]any
		want       gate.Decision
	}{
		{"all agree", "item", writer, map[string]any{"n": 1.0, "of": "u1"}, gate.Decision{Outcome: gate.Allow}},
		{"the first does not", "item", writer, map[string]any{"n": 10.0, "of": "u1"}, gate.Decision{Outcome: gate.Deny, Reason: gate.NotThese}},
		{"the second does not", "item", writer, map[string]any{"n": 1.0, "of": "u2"}, gate.Decision{Outcome: gate.Deny, Reason: gate.NotThese}},
		{"no arguments", "item", writer, nil, gate.Decision{Outcome: gate.Deny, Reason: gate.NotThese}},
		{"a guest is asked to sign in, whatever the arguments", "item", guest, map[string]any{"n": 1.0}, gate.Decision{Outcome: gate.Challenge, Reason: gate.NeedsSignIn, Scopes: []string{"w"}}},
		{"hidden, it is unknown with these arguments", "hidden", writer, map[string]any{"n": 10.0}, gate.Decision{Outcome: gate.Deny, Reason: gate.Unknown}},
	} {
		if got := rules.Decide(test.caller, test.item, test.args); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: Decide = %+v, want %+v", test.name, got, test.want)
		}
		if got := rules.Show(writer, test.item); got.Outcome != gate.Allow {
			t.Errorf("%s: the list shows %+v", test.name, got)
		}
	}
}

func TestScopesImplyNarrowerOnes(t *testing.T) {
	scopes := gate.Scopes{
		{Name: "admin", Words: "All", Implies: []string{"write", "export"}},
		{Name: "write", Words: "Write", Default: true, Implies: []string{"read"}},
		{Name: "read", Words: "Read", Default: true, Implies: []string{"write"}}, // a circle ends
		{Name: "export", Words: "Export"},
	}
	for _, test := range []struct{ have, want []string }{
		{nil, []string{}},
		{[]string{"guest"}, []string{"guest"}},
		{[]string{"guest", "admin"}, []string{"guest", "admin", "write", "read", "export"}},
		{[]string{"read", "write"}, []string{"read", "write"}},
		{[]string{"export"}, []string{"export"}},
		{[]string{"gone"}, []string{"gone"}},
	} {
		if got := scopes.With(test.have); !slices.Equal(got, test.want) {
			t.Errorf("With(%v) = %v, want %v", test.have, got, test.want)
		}
	}
	if err := scopes.Check(); err != nil {
		t.Error(err)
	}
	scopes[1].Implies = []string{"export", "gone"}
	want := []string{
		`scope "write": it implies "gone", which is not in Scopes`,
		`scope "write": it is a default and implies "export", which is none, so that a claim in the chat would give it`,
	}
	err := scopes.Check()
	for _, problem := range want {
		if err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("Check = %v, want %s", err, problem)
		}
	}
	if levels := gate.StandardLevels.Scopes("email"); !slices.Equal(levels, []string{"acr:chat", "acr:email"}) || len(gate.StandardLevels.Scopes("strange")) != 0 || len(gate.StandardLevels.Scopes("")) != 0 {
		t.Errorf("a level stands for %v", levels)
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
		open := gate.Rules{"i": rule}.Decide(caller, "i", nil)
		hidden := gate.Rules{"i": rule.Hidden()}.Decide(caller, "i", nil)
		unknown := gate.Rules{}.Decide(caller, "i", nil)
		switch {
		case open.Outcome == gate.Allow && !reflect.DeepEqual(hidden, open):
			t.Errorf("hiding took an allowed item away: %+v", hidden)
		case open.Outcome != gate.Allow && !reflect.DeepEqual(hidden, unknown):
			t.Errorf("hidden %+v is not like unknown %+v", hidden, unknown)
		case unknown.Outcome != gate.Deny || unknown.Listed():
			t.Errorf("an unknown item is %+v", unknown)
		}
		caller.Scopes = append(caller.Scopes, "w", "x", "y")
		if more := (gate.Rules{"i": rule}).Decide(caller, "i", nil); open.Outcome == gate.Allow && more.Outcome != gate.Allow {
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
		"fine":  gate.Scope("write").Level("email"),
		"guest": gate.Anyone().Role("admin"),
		"level": gate.SignedIn().Level("emial").MaxAge(-1).Role(""),
	}.Check(scopes, gate.StandardLevels)
	for _, test := range []struct {
		err  error
		want []string
	}{
		{err, []string{
			"empty: the rule is empty, so nobody could ever use the item",
			"guest: scopes, roles, levels and ages are users'; begin the rule with SignedIn",
			`level: level "emial" is not in Levels`,
			"level: MaxAge -1ns is negative",
			"level: a role has no name",
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
