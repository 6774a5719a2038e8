package mcpgate

import (
	"maps"
	"slices"

	"github.com/yosida95/uritemplate/v3"

	"example.com/foyer/gate"
)

// Items are the items of a server and their rules.
type Items struct {
	tools, resources, prompts gate.Rules
	templates                 []template
	outputs                   map[string]bool // tools that declare an output schema
	lists                     lists
}

type template struct {
	name string // as registered
	uri  *uritemplate.Template
}

// NewItems returns the items of three tables, in which resource templates are
// named by their URI template. The tables are not to be changed after. outputs
// are the tools that declare an output schema.
func NewItems(tools, resources, prompts gate.Rules, templates []string, outputs map[string]bool) (*Items, error) {
	items := &Items{tools: tools, resources: resources, prompts: prompts, outputs: outputs, lists: newLists(tools, resources, prompts)}
	for _, name := range templates {
		t, err := uritemplate.New(name)
		if err != nil {
			return nil, err
		}
		items.templates = append(items.templates, template{name, t})
	}
	return items, nil
}

// A kind of item, as texts call it.
type kind string

const (
	tool     kind = "tool"
	resource kind = "resource"
	prompt   kind = "prompt"
)

// A refusal is a decision about an item that is not Allow.
type refusal struct {
	kind     kind
	name     string // as the client called it
	decision gate.Decision
}

// refused returns why m is not allowed to c, or nil. What a message touches:
// a call its item, a completion what it completes for, a subscription what it
// subscribes to. Messages that touch no item are the middleware's to know.
func (items *Items) refused(c gate.Caller, m message) *refusal {
	switch m.Method {
	case "tools/call":
		return items.decide(c, tool, m.Params.Name)
	case "prompts/get":
		return items.decide(c, prompt, m.Params.Name)
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		return items.decide(c, resource, m.Params.URI)
	case "completion/complete":
		if m.Params.Ref.Type == "ref/prompt" {
			return items.decide(c, prompt, m.Params.Ref.Name)
		}
		return items.decide(c, resource, m.Params.Ref.URI)
	}
	return nil
}

// decide asks the rule of an item, or every rule that a URI comes under.
func (items *Items) decide(c gate.Caller, k kind, name string) *refusal {
	var d gate.Decision
	switch k {
	case tool:
		d = items.tools.Decide(c, name)
	case prompt:
		d = items.prompts.Decide(c, name)
	case resource:
		d = items.decideURI(c, name)
	}
	if d.Outcome == gate.Allow {
		return nil
	}
	return &refusal{k, name, d}
}

// decideURI asks about a URI: the rule of the resource that is registered by it,
// or else of every template that it names (as a completion does) or matches, of
// which each must allow. A URI that nothing matches is an unknown name.
func (items *Items) decideURI(c gate.Caller, uri string) gate.Decision {
	if _, ok := items.resources[uri]; ok && !items.isTemplate(uri) {
		return items.resources.Decide(c, uri)
	}
	d := gate.Decision{Outcome: gate.Deny, Reason: gate.Unknown}
	matched := false
	for _, t := range items.templates {
		if t.name != uri && !t.uri.Regexp().MatchString(uri) {
			continue
		}
		next := items.resources.Decide(c, t.name)
		if !matched || next.Outcome < d.Outcome {
			d = next
		}
		matched = true
	}
	return d
}

func (items *Items) isTemplate(name string) bool {
	return slices.ContainsFunc(items.templates, func(t template) bool { return t.name == name })
}

// Unruled returns what is registered and has no rule, and what has a rule and is
// not registered.
func Unruled(rules gate.Rules, registered []string) (unruled, unregistered []string) {
	for _, name := range registered {
		if _, ok := rules[name]; !ok {
			unruled = append(unruled, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		if !slices.Contains(registered, name) {
			unregistered = append(unregistered, name)
		}
	}
	return unruled, unregistered
}
