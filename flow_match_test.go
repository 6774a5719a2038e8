package foyer

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var variable = regexp.MustCompile(`<([a-z]+)(?::([^>]*))?>`)

// matches compares got with a pattern, and learns the variables in it.
func (f *flow) matches(pattern, got string) bool {
	var expr strings.Builder
	var names []string
	rest := pattern
	literal := func(s string) {
		expr.WriteString(strings.ReplaceAll(regexp.QuoteMeta(s), "…", ".*"))
	}
	for {
		at := variable.FindStringSubmatchIndex(rest)
		if at == nil {
			literal(rest)
			break
		}
		literal(rest[:at[0]])
		name, shape := rest[at[2]:at[3]], ".+"
		if at[4] >= 0 {
			shape = rest[at[4]:at[5]]
		}
		if value, known := f.vars[name]; known {
			literal(value)
		} else {
			names = append(names, name)
			expr.WriteString("(" + shape + ")")
		}
		rest = rest[at[1]:]
	}
	found := regexp.MustCompile("(?s)^" + expr.String() + "$").FindStringSubmatch(got)
	if found == nil {
		return false
	}
	for i, name := range names {
		f.vars[name] = found[i+1]
	}
	return true
}

// check compares a response with what is expected of it.
func (f *flow) check(t *testing.T, got response, want string) {
	t.Helper()
	want = strings.TrimSpace(want)
	head, body, _ := strings.Cut(want, "\n\n")
	lines := strings.Split(head, "\n")
	if status, err := strconv.Atoi(lines[0]); err != nil || status != got.status {
		t.Fatalf("status %d, want %s\n%v\n%s", got.status, lines[0], got.header, got.body)
	}
	for _, line := range lines[1:] {
		name, pattern, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("no header: %q", line)
		}
		pattern = strings.TrimSpace(pattern)
		if value := strings.Join(got.header.Values(name), ", "); !f.matches(pattern, value) {
			t.Fatalf("%s: %s\nwant %s", name, value, pattern)
		}
	}
	body = strings.TrimSpace(body)
	switch {
	case body == "":
	case body[0] == '{':
		var wantJSON, gotJSON any
		if err := json.Unmarshal([]byte(body), &wantJSON); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if err := json.Unmarshal([]byte(got.body), &gotJSON); err != nil {
			t.Fatalf("%s: %v", got.body, err)
		}
		if problem := f.json("", wantJSON, gotJSON); problem != "" {
			t.Fatalf("%s\nin %s", problem, got.body)
		}
	default:
		f.lines(t, got.body, body)
	}
}

// json returns how got differs from want, which names only a part of it.
func (f *flow) json(at string, want, got any) string {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %v, want an object", at, got)
		}
		keys := make([]string, 0, len(want))
		for key := range want {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			value, there := object[key]
			if want[key] == nil && there && value != nil || want[key] != nil && !there {
				return fmt.Sprintf("%s.%s is %v, want %v", at, key, value, want[key])
			}
			if problem := f.json(at+"."+key, want[key], value); problem != "" {
				return problem
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok {
			return fmt.Sprintf("%s is %v, want a list", at, got)
		}
		return f.list(at, want, list)
	case string:
		if s, ok := got.(string); !ok || !f.matches(want, s) {
			return fmt.Sprintf("%s is %q, want %q", at, got, want)
		}
		return ""
	}
	if want != got {
		return fmt.Sprintf("%s is %v, want %v", at, got, want)
	}
	return ""
}

func (f *flow) list(at string, want, got []any) string {
	skip := false
	for _, w := range want {
		if w == "…" {
			skip = true
			continue
		}
		for {
			if len(got) == 0 {
				return fmt.Sprintf("%s lacks %v", at, w)
			}
			problem := f.json(at+"[]", w, got[0])
			got = got[1:]
			if problem == "" {
				break
			}
			if !skip {
				return problem
			}
		}
		skip = false
	}
	if len(got) > 0 && !skip {
		return fmt.Sprintf("%s has %v too much", at, got)
	}
	return ""
}

// lines finds the lines of want in got, in that order.
func (f *flow) lines(t *testing.T, got, want string) {
	t.Helper()
	rest := strings.Split(strings.ReplaceAll(got, "\r\n", "\n"), "\n")
	for line := range strings.Lines(strings.TrimSpace(want)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		i := slices.IndexFunc(rest, func(s string) bool { return f.matches(line, strings.TrimSpace(s)) })
		if i < 0 {
			t.Fatalf("no line %q in\n%s", line, got)
		}
		rest = rest[i+1:]
	}
}
