// Package layout is what the pages look like that people meet: one card, which says
// one thing and offers one step. No script runs on it, nothing is loaded, and nobody
// may frame it.
package layout

import (
	"embed"
	"html/template"
	"net/http"
)

//go:embed page.html page.css
var files embed.FS

var (
	css, _   = files.ReadFile("page.css")
	pageHTML = template.Must(template.ParseFS(files, "page.html"))
)

// A Page says one thing to a person, and may offer one step.
type Page struct {
	App    string // whose page it is
	Title  string
	Lines  []string
	Quote  string   // what somebody else has written, or empty
	Warn   []string // what speaks against the step
	Steps  []string // a list below the lines
	After  []string // lines below the list
	Code   string   // the word that a developer looks for, or empty
	Form   *Form    // nil for none
	Second *Form    // another way; nil for none

	Sections []Section // before the forms

	Back     template.URL // where the link leads, or empty; a place that was proven
	BackText string
}

// A Section is a part of a page, under a heading of its own. What is empty is left
// out.
type Section struct {
	Title string
	Facts []Fact
	Lines []string
	Items []string // a list
	Forms []Form

	Path, PathText string // a link to a page of this server
}

// A Fact is a term, and what there is to say about it.
type Fact struct {
	Term  string
	Texts []string
}

// A Form posts to this server.
type Form struct {
	Action  string // a path
	Problem string // what was wrong with what came before; empty for nothing
	Hidden  []Hidden
	Fields  []Field
	Choices []Choice
	Legend  string // of the choices
	Buttons []Button
}

// A Choice is a box that a person ticks or not.
type Choice struct {
	Name, Value, Label string
	Ticked             bool
}

// A Hidden is a value that the form carries.
type Hidden struct{ Name, Value string }

// A Field is one that a person fills in.
type Field struct {
	Name, Label, Hint      string
	Type                   string // of the input
	Autocomplete, Keyboard string // autocomplete and inputmode of HTML
	Value                  string
}

// A Button sends the form.
type Button struct {
	Text        string
	Name, Value string
	Plain       bool // as heavy as the others, in other colours
}

// Write writes p.
func (l *Look) Write(w http.ResponseWriter, status int, p Page) {
	if l == nil {
		l = standard
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", l.policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	w.WriteHeader(status)
	pageHTML.Execute(w, struct { // an error means that the browser has gone
		Page
		Style template.CSS
		Logo  template.URL
	}{p, l.style, l.logo})
}
