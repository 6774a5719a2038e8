package cedar

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go/types"
	tree "github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"

	"example.com/foyer/gate"
)

// check returns what is wrong with p: once for every item that its scope can
// match, with that item's types.
func (p *policy) check(items map[types.EntityUID]*item) error {
	var about []*item
	for _, it := range items {
		if p.isAbout(it) {
			about = append(about, it)
		}
	}
	slices.SortFunc(about, func(a, b *item) int {
		return cmp.Or(cmp.Compare(a.uid.Type, b.uid.Type), cmp.Compare(a.uid.ID, b.uid.ID))
	})
	if err := p.namesKnown(items); err != nil {
		return err
	}
	if len(about) == 0 && p.isNarrow() {
		return errors.New("no item that Config names comes under its scope; what is called is a Tool, what is read a Resource, what is got a Prompt")
	}
	if err := p.hasKnown(about); err != nil {
		return err
	}
	if len(about) == 0 {
		about = []*item{{action: kinds[gate.Tool].action, uid: types.NewEntityUID(kinds[gate.Tool].entity, "")}}
	}
	for _, it := range about {
		if err := validate.New(it.schema()).Policy("", p.tree()); err != nil {
			text, _, _ := strings.Cut(err.Error(), "\n")
			return fmt.Errorf("for %s: %s", it.uid, text)
		}
	}
	return nil
}

// isNarrow reports whether the scope names an action or a resource.
func (p *policy) isNarrow() bool {
	_, anyAction := p.tree().Action.(tree.ScopeTypeAll)
	_, anyResource := p.tree().Resource.(tree.ScopeTypeAll)
	return !anyAction || !anyResource
}

// schema is what it says to Cedar's validator: the types of one item.
func (it *item) schema() *resolved.Schema {
	s := &resolved.Schema{Entities: map[types.EntityType]resolved.Entity{}, Actions: map[types.EntityUID]resolved.Action{}}
	for _, name := range principals {
		s.Entities[name] = resolved.Entity{Name: name, Shape: caller}
	}
	for _, k := range kinds {
		s.Entities[k.entity] = resolved.Entity{Name: k.entity}
		s.Actions[k.action] = resolved.Action{Entity: types.Entity{UID: k.action}}
	}
	s.Actions[it.action] = resolved.Action{Entity: types.Entity{UID: it.action}, AppliesTo: &resolved.AppliesTo{
		Principals: principals, Resources: []types.EntityType{it.uid.Type}, Context: it.contextType()}}
	return s
}

func (it *item) contextType() resolved.RecordType {
	arguments := resolved.RecordType{}
	if it.arguments != nil {
		arguments = it.arguments.cedar().(resolved.RecordType)
	}
	return resolved.RecordType{"arguments": {Type: arguments}, "args_unrepresentable": {Type: resolved.BoolType{}}}
}

// namesKnown refuses items that nobody has declared. The validator knows types of
// entities only.
func (p *policy) namesKnown(items map[types.EntityUID]*item) error {
	var named []types.EntityUID
	switch scope := p.tree().Resource.(type) {
	case tree.ScopeTypeEq:
		named = append(named, scope.Entity)
	case tree.ScopeTypeIn:
		named = append(named, scope.Entity)
	case tree.ScopeTypeIsIn:
		named = append(named, scope.Entity)
	}
	p.inspect(func(n tree.IsNode) {
		if v, ok := n.(tree.NodeValue); ok {
			if uid, ok := v.Value.(types.EntityUID); ok {
				named = append(named, uid)
			}
		}
	})
	for _, uid := range named {
		for kind, of := range kinds {
			if _, ok := items[uid]; !ok && uid.Type == of.entity {
				return fmt.Errorf("there is no %s %q", kind, uid.ID)
			}
		}
	}
	return nil
}

// hasKnown refuses has with a name that nothing it is asked of can have. To the
// validator that is false, and what stands behind it is not looked at: a typo
// would switch a prohibition off.
func (p *policy) hasKnown(about []*item) (err error) {
	p.inspect(func(n tree.IsNode) {
		has, ok := n.(tree.NodeTypeHas)
		if !ok || err != nil {
			return
		}
		root, path, ok := steps(has.Arg)
		path = append(path, has.Value)
		known := root == "principal" && declares(caller, path) || root == "context" && slices.ContainsFunc(about, func(it *item) bool { return declares(it.contextType(), path) })
		if !ok || !known {
			err = fmt.Errorf("has %s: nothing that the policy is about declares that, with one type", has.Value)
		}
	})
	return err
}

func (p *policy) inspect(f func(tree.IsNode)) {
	for _, c := range p.tree().Conditions {
		tree.Inspect(tree.NewNode(c.Body), func(n tree.IsNode) bool {
			f(n)
			return true
		})
	}
}

// steps takes variable.a.b apart.
func steps(n tree.IsNode) (root types.String, path []types.String, ok bool) {
	switch n := n.(type) {
	case tree.NodeTypeVariable:
		return n.Name, nil, true
	case tree.NodeTypeAccess:
		root, path, ok = steps(n.Arg)
		return root, append(path, n.Value), ok
	}
	return "", nil, false
}

func declares(r resolved.RecordType, path []types.String) bool {
	attribute, ok := r[path[0]]
	if !ok || len(path) == 1 {
		return ok
	}
	inner, ok := attribute.Type.(resolved.RecordType)
	return ok && declares(inner, path[1:])
}
