package mcpgate

import (
	"maps"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/yosida95/uritemplate/v3"

	"example.com/foyer/gate"
)

// Items are the items of a server and their rules.
type Items struct {
	tools, resources, prompts gate.Rules
	templates                 []template
	outputs                   map[string]bool // tools that declare an output schema
	inputs                    map[string]*jsonschema.Resolved
	lists                     lists
}

// Schemas are what tools declare: the input schema of each, and which have one
// for their output.
type Schemas struct {
	Inputs  map[string]*jsonschema.Resolved
	Outputs map[string]bool
}

type template struct {
	name string // as registered
	uri  *uritemplate.Template
}

// NewItems returns the items of three tables, in which resource templates are
// named by their URI template. The tables are not to be changed after.
func NewItems(tools, resources, prompts gate.Rules, templates []string, schemas Schemas) (*Items, error) {
	items := &Items{tools: tools, resources: resources, prompts: prompts, outputs: schemas.Outputs, inputs: schemas.Inputs, lists: newLists(tools, resources, prompts)}
	for _, name := range templates {
		t, err := uritemplate.New(name)
		if err != nil {
			return nil, err
		}
		items.templates = append(items.templates, template{name, t})
	}
	return items, nil
}

type kind = gate.Kind

const (
	tool     = gate.Tool
	resource = gate.Resource
	prompt   = gate.Prompt
)

// table is the rules of a kind of item.
func (items *Items) table(k kind) gate.Rules {
	switch k {
	case tool:
		return items.tools
	case prompt:
		return items.prompts
	}
	return items.resources
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
