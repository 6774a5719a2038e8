package gate

import "context"

// A Kind is one of an item.
type Kind string

// Kinds of item, as texts call them. A resource template is a resource.
const (
	Tool     Kind = "tool"
	Resource Kind = "resource"
	Prompt   Kind = "prompt"
)

// A Request asks whether a caller may use an item.
type Request struct {
	Caller Caller
	Kind   Kind
	Item   string // as the table names it: of a resource template, the template
	Name   string // as the caller calls it: of a resource, its URI

	// Arguments of a call, as for [Rule.When]; of a resource, the variables of its
	// template. Nil where nobody knows them yet: for a list, and for a completion.
	Arguments map[string]any
}

// A Decider is a policy beside the table: it is asked about what the table
// allows, and can only take away. Safe for concurrent use.
type Decider interface {
	// Decide answers r. A Challenge names scopes that the caller can get, and a
	// Deny should have the reason [Policy]. An error denies.
	Decide(ctx context.Context, r Request) (Decision, error)
}

// A ListDecider answers for many items at once: a list asks one question, not
// one for each item.
type ListDecider interface {
	Decider

	// DecideAll answers each of rs, in their order. An error denies all of them.
	DecideAll(ctx context.Context, rs []Request) ([]Decision, error)
}
