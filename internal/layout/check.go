package layout

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"example.com/foyer/internal/words"
)

// check returns an error where the template leaves something out of a page: a person
// could say yes then to what they were not shown, or could not say no.
func (l *Look) check() error {
	said := func(what string) words.Text { return words.As("the " + what) }
	several := func(what string) []words.Text { return []words.Text{said(what)} }
	form := func(name string) Form {
		return Form{Action: "/" + name, Problem: said(name + " problem"), Hidden: []Hidden{{name + "-hidden", "value of " + name + "-hidden"}}, Legend: said(name + " legend"),
			Fields:  []Field{{Name: name + "-field", Type: "text", Label: said(name + " label"), Hint: said(name + " hint")}},
			Choices: []Choice{{Name: name + "-choice", Value: "value of " + name + "-choice", Label: said(name + " choice")}},
			Buttons: []Button{{Text: said(name + " button"), Name: name + "-button", Value: "value of " + name + "-button"}}}
	}
	one, two, three := form("form"), form("second"), form("inner")
	page := Page{App: "the app", Title: said("title"), Lines: several("line"), Quote: "the quote", Warn: several("warning"), Steps: several("step"), After: several("end"),
		Code: "the code", Form: &one, Second: &two, Back: "/the-back", BackText: said("way back"),
		Sections: []Section{{Title: said("section"), Facts: []Fact{{said("term"), several("fact")}}, Lines: several("section line"), Items: several("item"),
			Forms: []Form{three}, Path: "/the-path", PathText: said("path text")}}}
	want := []string{"the app", "the title", "the line", "the quote", "the warning", "the step", "the end", "the code", `href="/the-back"`, "the way back",
		"the section", "the term", "the fact", "the section line", "the item", `href="/the-path"`, "the path text"}
	for _, name := range []string{"form", "second", "inner"} {
		want = append(want, `action="/`+name+`"`, "the "+name+" problem", `name="`+name+`-hidden"`, `value="value of `+name+`-hidden"`, "the "+name+" legend",
			`name="`+name+`-field"`, "the "+name+" label", "the "+name+" hint", `name="`+name+`-choice"`, `value="value of `+name+`-choice"`, "the "+name+" choice",
			"the "+name+" button", `name="`+name+`-button"`, `value="value of `+name+`-button"`)
	}
	var got bytes.Buffer
	if err := l.execute(&got, l.languages.All()[0], page); err != nil {
		return fmt.Errorf("the page: %w", err)
	}
	shown := html.UnescapeString(got.String())
	var missing []string
	for _, what := range want {
		if !strings.Contains(shown, what) {
			missing = append(missing, what)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the page leaves out %q: begin with a copy of ours", missing)
	}
	return nil
}
