package mcpgate

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"example.com/foyer/gate"
)

// A Verdict is what one rule says about a request, told without hiding anything.
type Verdict struct {
	Item     string // in the table
	Rule     gate.Rule
	Decision gate.Decision
	Misfit   error // why the arguments are none of the item's, or nil
	Listed   bool  // whether a list shows the item
}

// Explain returns the verdicts of every rule that r comes under, by the very ways
// by which a call is decided. There are none for an unknown name.
func (g *Gate) Explain(ctx context.Context, r gate.Request) ([]Verdict, error) {
	q := question{kind: r.Kind, name: r.Name, open: r.Arguments == nil}
	var err error
	if q.arguments, err = json.Marshal(r.Arguments); err != nil {
		return nil, err
	}
	under := []item{{name: r.Name, input: g.Items.inputs[r.Name]}}
	if r.Kind == resource {
		under = g.Items.matching(r.Name)
	}
	var verdicts []Verdict
	for _, it := range under {
		rule, known := g.Items.table(r.Kind)[it.name]
		if !known {
			continue
		}
		v := Verdict{Item: it.name, Rule: rule}
		c := carried{caller: r.Caller}
		v.Decision, v.Misfit = g.decideItem(ctx, c, q, it, gate.Rules{it.name: rule.Unhidden()})
		shown, _ := g.decideItem(ctx, c, question{kind: r.Kind, name: r.Name, open: true}, it, g.Items.table(r.Kind))
		v.Listed = shown.Listed()
		verdicts = append(verdicts, v)
	}
	return verdicts, nil
}

// Names are those of all items of a kind, as their table has them.
func (items *Items) Names(k gate.Kind) []string {
	return slices.Sorted(maps.Keys(items.table(k)))
}
