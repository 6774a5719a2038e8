package foyertest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

// A table says who may do what, as people read it. Two spaces or more part its
// columns.
type table struct {
	callers []string
	rows    []row
}

// A row is one item, and a cell for each caller.
type row struct {
	kind, item string
	cells      []string
}

const gap = "  "

var gaps = regexp.MustCompile(gap + "+")

// check refuses what could not be read again, or would compare nothing.
func (tb table) check() error {
	if len(tb.callers) == 0 || len(tb.rows) == 0 {
		return fmt.Errorf("foyertest: %d callers and %d items: there is nothing to compare", len(tb.callers), len(tb.rows))
	}
	for i, name := range tb.callers {
		if slices.Contains(tb.callers[:i], name) {
			return fmt.Errorf("foyertest: caller %q comes twice", name)
		}
	}
	for _, r := range tb.rows {
		for _, text := range append([]string{r.item}, r.cells...) {
			if text == "" || strings.Contains(text, gap) || strings.ContainsAny(text, "\t\r\n") || strings.TrimSpace(text) != text {
				return fmt.Errorf("foyertest: %s %q: spaces like those of %q cannot stand in a table", r.kind, r.item, text)
			}
		}
	}
	return nil
}

// String is the text of a file.
func (tb table) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "# Who may do what: how a list shows each item to each caller, and what a call is told.\n# Written by foyertest.Rules. With %s=1 in the environment, go test writes it anew.\n\n", update)
	w := tabwriter.NewWriter(&text, 0, 0, len(gap), ' ', 0)
	fmt.Fprintf(w, "kind\titem\t%s\n", strings.Join(tb.callers, "\t"))
	for _, r := range tb.rows {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.kind, r.item, strings.Join(r.cells, "\t"))
	}
	_ = w.Flush() // to memory
	return text.String()
}

// parse reads the text of a file, and tells which lines it could not.
func parse(text string) (tb table, problems []string) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		columns := gaps.Split(line, -1)
		switch {
		case len(columns) < 3:
			problems = append(problems, fmt.Sprintf("line %d: too few columns; two spaces part them", number))
		case tb.callers == nil:
			tb.callers = columns[2:]
		case len(columns)-2 != len(tb.callers):
			problems = append(problems, fmt.Sprintf("line %d: %s %s: %d cells for %d callers", number, columns[0], columns[1], len(columns)-2, len(tb.callers)))
		case tb.find(columns[0], columns[1]) != nil:
			problems = append(problems, fmt.Sprintf("line %d: %s %s: comes twice", number, columns[0], columns[1]))
		default:
			tb.rows = append(tb.rows, row{columns[0], columns[1], columns[2:]})
		}
	}
	return tb, problems
}

// find returns the row of an item, or nil.
func (tb table) find(kind, item string) *row {
	i := slices.IndexFunc(tb.rows, func(r row) bool { return r.kind == kind && r.item == item })
	if i < 0 {
		return nil
	}
	return &tb.rows[i]
}

// differences tells how decided differs from what was kept.
func differences(kept, decided table) (all []string) {
	columns := map[string]int{} // of kept, by caller
	for i, name := range kept.callers {
		if slices.Contains(kept.callers[:i], name) {
			all = append(all, fmt.Sprintf("%s: comes twice in the file", name))
		}
		if columns[name] = i; !slices.Contains(decided.callers, name) {
			all = append(all, fmt.Sprintf("%s: is in the file, and the test does not name this caller", name))
		}
	}
	for _, name := range decided.callers {
		if _, ok := columns[name]; !ok {
			all = append(all, fmt.Sprintf("%s: the test names this caller, who is not in the file", name))
		}
	}
	for _, r := range decided.rows {
		was := kept.find(r.kind, r.item)
		if was == nil {
			all = append(all, fmt.Sprintf("%s %s: has a rule, and is not in the file", r.kind, r.item))
			continue
		}
		for i, name := range decided.callers {
			if c, ok := columns[name]; ok && was.cells[c] != r.cells[i] {
				all = append(all, fmt.Sprintf("%s %s, %s: is %q, and in the file %q", r.kind, r.item, name, r.cells[i], was.cells[c]))
			}
		}
	}
	for _, r := range kept.rows {
		if decided.find(r.kind, r.item) == nil {
			all = append(all, fmt.Sprintf("%s %s: is in the file, and has no rule", r.kind, r.item))
		}
	}
	return all
}
