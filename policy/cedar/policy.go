package cedar

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/ast"
	"github.com/cedar-policy/cedar-go/types"
	tree "github.com/cedar-policy/cedar-go/x/exp/ast"

	"example.com/foyer/gate"
)

// A policy is a statement of the text.
type policy struct {
	*cedar.Policy
	id     cedar.PolicyID
	scopes []string // that the annotation names
}

// policies are asked in the order of the text.
type policies []*policy

// All makes policies what Cedar asks.
func (ps policies) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for _, p := range ps {
			if !yield(p.id, p.Policy) {
				return
			}
		}
	}
}

// policy reads what is beside a statement. An annotation that asks for a scope
// which nobody can get would send people on a walk without an end.
func (cfg Config) policy(id cedar.PolicyID, parsed *cedar.Policy) (*policy, error) {
	p := &policy{Policy: parsed, id: id}
	for key, value := range parsed.Annotations() {
		if key != "scopes" {
			continue
		}
		p.scopes = strings.Fields(string(value))
		if len(p.scopes) == 0 {
			return nil, fmt.Errorf(`@scopes names none; write @scopes("notes:write")`)
		}
	}
	for _, s := range p.scopes {
		if level, ok := gate.LevelOf(s); ok && !slices.Contains(cfg.Levels, level) {
			return nil, fmt.Errorf("@scopes: level %q is not in Levels", level)
		} else if !ok && !cfg.Scopes.Known(s) {
			return nil, fmt.Errorf("@scopes: scope %q is not in Scopes", s)
		}
	}
	return p, nil
}

func (p *policy) tree() *tree.Policy { return (*tree.Policy)(p.AST()) }

// with returns p with other conditions.
func (p *policy) with(conditions []tree.ConditionType) *policy {
	changed := *p.tree()
	changed.Conditions = conditions
	return &policy{cedar.NewPolicyFromAST((*ast.Policy)(&changed)), p.id, p.scopes}
}

// isAbout reports whether the scope of p can match it: Cedar is asked, for
// every principal and without the conditions.
func (p *policy) isAbout(it *item) bool {
	whole := *p.tree()
	whole.Principal, whole.Conditions = tree.Scope{}.All(), nil
	matching := policies{{Policy: cedar.NewPolicyFromAST((*ast.Policy)(&whole)), id: p.id}}
	_, diagnosis := cedar.Authorize(matching, types.EntityMap{}, cedar.Request{Action: it.action, Resource: it.uid})
	return len(diagnosis.Reasons) > 0
}

func (p *policy) looks() bool {
	return slices.ContainsFunc(p.tree().Conditions, func(c tree.ConditionType) bool { return looks(c.Body) })
}

// looks reports whether an expression depends on the context, all of which is
// about arguments.
func looks(body tree.IsNode) (found bool) {
	tree.Inspect(tree.NewNode(body), func(n tree.IsNode) bool {
		v, ok := n.(tree.NodeTypeVariable)
		found = found || ok && v.Name == "context"
		return !found
	})
	return found
}

// listed returns p as it is asked where nobody knows the arguments, or nil where
// it is not: a forbid holds only if each of its parts does.
func (p *policy) listed() *policy {
	var known []tree.ConditionType
	for _, c := range p.tree().Conditions {
		for _, part := range parts(c) {
			if !looks(part.Body) {
				known = append(known, part)
			} else if p.Effect() == cedar.Forbid {
				return nil
			}
		}
	}
	return p.with(known)
}

// parts are conditions that say together what c says: when { a && b } is when
// { a } and when { b }, and unless { a || b } is unless { a } and unless { b }.
func parts(c tree.ConditionType) []tree.ConditionType {
	var left, right tree.IsNode
	switch n := c.Body.(type) {
	case tree.NodeTypeAnd:
		if c.Condition == tree.ConditionWhen {
			left, right = n.Left, n.Right
		}
	case tree.NodeTypeOr:
		if c.Condition == tree.ConditionUnless {
			left, right = n.Left, n.Right
		}
	}
	if left == nil {
		return []tree.ConditionType{c}
	}
	return append(parts(tree.ConditionType{Condition: c.Condition, Body: left}), parts(tree.ConditionType{Condition: c.Condition, Body: right})...)
}
