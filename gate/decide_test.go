package gate_test

import (
	"fmt"
	"testing"
	"time"

	"example.com/foyer/gate"
)

// A decision takes less than 1 µs and no memory, in a table of a thousand items.
func BenchmarkDecide(b *testing.B) {
	rules := gate.Rules{"allow": gate.Scope("w", "x"), "challenge": gate.Scope("w", "y"), "hidden": gate.Scope("y").Hidden()}
	for i := range 1000 {
		rules[fmt.Sprint("item ", i)] = gate.Anyone()
	}
	for _, test := range []struct {
		name, item string
		caller     gate.Caller
	}{
		{"allow", "allow", writer},
		{"sign in", "challenge", guest},
		{"step up", "challenge", writer},
		{"hide", "hidden", writer},
		{"unknown", "unknown", writer},
	} {
		b.Run(test.name, func(b *testing.B) {
			if n := testing.AllocsPerRun(100, func() { rules.Decide(test.caller, test.item, nil) }); n > 0 {
				b.Errorf("%.0f allocations", n)
			}
			for b.Loop() {
				rules.Decide(test.caller, test.item, nil)
			}
			if each := b.Elapsed() / time.Duration(b.N); b.N >= 1000 && each > time.Microsecond {
				b.Errorf("it took %v", each)
			}
		})
	}
}

// Only a rule that asks for nothing at all is open.
func TestWhichRulesAreOpen(t *testing.T) {
	for name, test := range map[string]struct {
		rule gate.Rule
		open bool
	}{
		"no rule": {gate.Rule{}, false}, "anyone": {gate.Anyone(), true}, "anyone, hidden": {gate.Anyone().Hidden(), true}, "any grant": {gate.AnyGrant(), false},
		"guests only": {gate.GuestsOnly(), false}, "signed in": {gate.SignedIn(), false}, "a scope": {gate.Anyone().Scope("a"), false}, "a role": {gate.Anyone().Role("a"), false},
		"an age": {gate.Anyone().MaxAge(1), false}, "arguments": {gate.Anyone().When(func(gate.Caller, map[string]any) bool { return true }), false},
	} {
		if got := test.rule.IsOpen(); got != test.open {
			t.Errorf("%s: %v", name, got)
		}
	}
}
