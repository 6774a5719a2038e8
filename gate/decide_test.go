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
