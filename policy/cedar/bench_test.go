package cedar_test

import (
	"fmt"
	"testing"

	"example.com/foyer/gate"
	"example.com/foyer/policy/cedar"
)

// A house of 100 tools, with three policies about all of them and ten about one
// each.
func big(b *testing.B) (*cedar.Decider, []gate.Request) {
	b.Helper()
	cfg := cedar.Config{Tools: map[string]any{}, Policies: all +
		`forbid(principal is Nobody, action, resource) unless { resource == Tool::"tool 0" };
		forbid(principal is Guest, action, resource) when { principal.scopes.contains("frozen") };`}
	var rs []gate.Request
	for i := range 100 {
		name := fmt.Sprintf("tool %d", i)
		cfg.Tools[name] = rawSchema(`{"type":"object","required":["amount"],"properties":{"amount":{"type":"integer"},"to":{"type":"string"}}}`)
		if i < 10 {
			cfg.Policies += fmt.Sprintf(`forbid(principal, action == Action::"call", resource == Tool::"%s") when { context.arguments.amount > %d };`, name, 1000*(i+1))
		}
		rs = append(rs, call(writer, name, nil))
	}
	d, err := cedar.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	return d, rs
}

func BenchmarkDecide(b *testing.B) {
	d, _ := big(b)
	for name, r := range map[string]gate.Request{
		"arguments": call(writer, "tool 5", map[string]any{"amount": 7.0, "to": "somebody"}),
		"caller":    call(writer, "tool 50", map[string]any{"amount": 7.0, "to": "somebody"}),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got, err := d.Decide(b.Context(), r); err != nil || got.Outcome != gate.Allow {
					b.Fatal(got, err)
				}
			}
		})
	}
}

func BenchmarkList(b *testing.B) {
	d, rs := big(b)
	b.ReportAllocs()
	for b.Loop() {
		if got, err := d.DecideAll(b.Context(), rs); err != nil || len(got) != 100 {
			b.Fatal(got, err)
		}
	}
}
