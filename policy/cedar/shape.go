package cedar

import (
	"encoding/json"
	"slices"

	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
)

// A shape is a type of arguments, of those that Cedar can tell apart.
type shape struct {
	is      is
	element *shape           // of a list
	fields  map[string]field // of a record; it may have others that nobody declared
}

type is int

// The zero shape is of anything.
const (
	anything is = iota
	text
	truth
	integer
	number
	list
	record
)

type field struct {
	shape    *shape
	required bool
}

// A schema is what a shape takes from JSON Schema. Every other keyword only
// narrows it.
type schema struct {
	Type        json.RawMessage            `json:"type"`
	Properties  map[string]json.RawMessage `json:"properties"`
	Required    []string                   `json:"required"`
	Items       json.RawMessage            `json:"items"`
	PrefixItems json.RawMessage            `json:"prefixItems"`
}

// readShape returns the shape of the arguments that a schema describes. What it
// does not understand is anything.
func readShape(input []byte) *shape {
	s, _ := read(input, 0)
	if s.is != record {
		return &shape{is: record}
	}
	return s
}

func read(input []byte, depth int) (s *shape, nullable bool) {
	s = &shape{}
	var in schema
	if depth > maxDepth || json.Unmarshal(input, &in) != nil {
		return s, true
	}
	one, nullable := in.oneType()
	switch one {
	case "string":
		s.is = text
	case "boolean":
		s.is = truth
	case "integer":
		s.is = integer
	case "number":
		s.is = number
	case "array":
		if element, holes := read(in.Items, depth+1); in.PrefixItems == nil && !holes && element.is != anything {
			s.is, s.element = list, element
		}
	case "object":
		s.is, s.fields = record, map[string]field{}
		for name, property := range in.Properties {
			f, null := read(property, depth+1)
			s.fields[name] = field{f, !null && slices.Contains(in.Required, name)}
		}
	}
	return s, nullable
}

// oneType is the type where there is one, beside null or without it.
func (in schema) oneType() (name string, nullable bool) {
	if json.Unmarshal(in.Type, &name) == nil {
		return name, false
	}
	var names []string
	if json.Unmarshal(in.Type, &names) != nil {
		return "", true
	}
	rest := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "null" })
	if len(rest) != 1 {
		return "", true
	}
	return rest[0], len(rest) != len(names)
}

// cedar returns the type in Cedar, or nil for anything.
func (s *shape) cedar() resolved.IsType {
	switch s.is {
	case text:
		return resolved.StringType{}
	case truth:
		return resolved.BoolType{}
	case integer:
		return resolved.LongType{}
	case number:
		return resolved.ExtensionType("decimal")
	case list:
		return resolved.SetType{Element: s.element.cedar()}
	case record:
		r := resolved.RecordType{}
		for name, f := range s.fields {
			if of := f.shape.cedar(); of != nil {
				r[types.String(name)] = resolved.Attribute{Type: of, Optional: !f.required}
			}
		}
		return r
	}
	return nil
}
