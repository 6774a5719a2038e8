package elicit

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
)

// A form is what a T looks like in a question.
type form struct {
	schema *jsonschema.Schema
	fields []field
}

// A field is one line of a form.
type field struct {
	name     string
	schema   *jsonschema.Schema
	rule     *jsonschema.Resolved
	required bool
}

// formOf derives the form of a T, or says what does not fit into one.
func formOf[T any]() (form, error) {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct {
		return form{}, fmt.Errorf("%v is no struct", t)
	}
	whole, err := jsonschema.For[T](nil)
	if err != nil {
		return form{}, err
	}
	f := form{schema: whole}
	whole.Required, whole.AdditionalProperties = nil, nil // the protocol has no such keyword in a form
	for _, sf := range reflect.VisibleFields(t) {
		if sf.Anonymous {
			return form{}, fmt.Errorf("field %s is embedded; forms are flat", sf.Name)
		}
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if !sf.IsExported() || name == "-" && options == "" {
			continue
		}
		if name == "" {
			name = sf.Name
		}
		l, err := line(name, whole.Properties[name], sf)
		if err != nil {
			return form{}, fmt.Errorf("field %s: %w", sf.Name, err)
		}
		l.required = l.schema.Default == nil && !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero")
		if l.required {
			whole.Required = append(whole.Required, name)
		}
		f.fields = append(f.fields, l)
	}
	if len(f.fields) == 0 {
		return form{}, errors.New("the form has no field; a bool is a yes or no")
	}
	return f, nil
}

// line makes s the schema of field sf, with what its tags say.
func line(name string, s *jsonschema.Schema, sf reflect.StructField) (l field, err error) {
	switch {
	case s == nil || !slices.Contains([]string{"string", "integer", "number", "boolean"}, s.Type):
		return l, fmt.Errorf("a form holds strings, numbers, bools and times; not %v", sf.Type)
	case secretive(name):
		return l, errors.New("a form must not ask for secrets; send the user to a page with URL")
	}
	s.Title = sf.Tag.Get("title")
	if sf.Type == reflect.TypeFor[time.Time]() {
		s.Format = "date-time"
	}
	for _, tag := range tags {
		text, ok := sf.Tag.Lookup(tag.name)
		if !ok {
			continue
		}
		if err := tag.set(s, text); err != nil {
			return l, fmt.Errorf("tag %s:%q: %w", tag.name, text, err)
		}
	}
	switch {
	case sf.Type == reflect.TypeFor[time.Time]() && s.Format != "date-time":
		return l, errors.New("a time has the format date-time")
	case s.MinLength != nil && s.MaxLength != nil && *s.MinLength > *s.MaxLength, s.Minimum != nil && s.Maximum != nil && *s.Minimum > *s.Maximum:
		return l, errors.New("min is above max")
	}
	l = field{name: name, schema: s}
	if l.rule, err = s.Resolve(nil); err != nil {
		return l, err
	}
	if s.Default != nil {
		var v any
		if err := json.Unmarshal(s.Default, &v); err != nil {
			return l, err
		}
		if !l.fits(v) {
			return l, errors.New("the default does not fit")
		}
	}
	return l, nil
}

// tags, in the order in which they apply.
var tags = []struct {
	name string
	set  func(s *jsonschema.Schema, text string) error
}{
	{"enum", func(s *jsonschema.Schema, text string) error {
		for choice := range strings.SplitSeq(text, ",") {
			s.Enum = append(s.Enum, choice)
		}
		return stringsOnly(s)
	}},
	{"format", func(s *jsonschema.Schema, text string) error {
		s.Format = text
		if formats[text].check == nil {
			return errors.New("formats are email, uri, date and date-time")
		}
		return stringsOnly(s)
	}},
	{"min", func(s *jsonschema.Schema, text string) error { return bound(s, text, &s.MinLength, &s.Minimum) }},
	{"max", func(s *jsonschema.Schema, text string) error { return bound(s, text, &s.MaxLength, &s.Maximum) }},
	{"default", func(s *jsonschema.Schema, text string) error {
		s.Default = json.RawMessage(text)
		if s.Type == "string" {
			s.Default, _ = json.Marshal(text) // a string is JSON
		}
		if !json.Valid(s.Default) {
			return errors.New("this is no " + s.Type)
		}
		return nil
	}},
}

func stringsOnly(s *jsonschema.Schema) error {
	if s.Type != "string" {
		return errors.New("only a string has one")
	}
	return nil
}

// bound sets a limit: of characters, or of a number.
func bound(s *jsonschema.Schema, text string, length **int, value **float64) error {
	switch s.Type {
	case "string":
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return errors.New("characters are counted by a whole number")
		}
		*length = &n
	case "integer", "number":
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return errors.New("this is no number")
		}
		*value = &n
	default:
		return errors.New("only strings and numbers have one")
	}
	return nil
}

// read returns what content says about the fields of f, as JSON, or a misfit.
// Other fields are dropped.
func (f form) read(content map[string]any) (json.RawMessage, error) {
	values := map[string]any{}
	for _, l := range f.fields {
		v, ok := content[l.name]
		switch {
		case !ok && l.schema.Default != nil:
			values[l.name] = l.schema.Default
		case !ok && l.required:
			return nil, misfit(l.label() + " is missing")
		case ok && !l.fits(v):
			return nil, misfit(l.label() + " has to be " + l.words())
		case ok:
			values[l.name] = v
		}
	}
	raw, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFault, err) // cannot happen: it was JSON
	}
	if len(raw) > maxAnswer {
		return nil, misfit("it is too long")
	}
	return raw, nil
}
