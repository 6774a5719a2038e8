// Package layout is what the pages look like that people meet: one card, which says
// one thing and offers one step. No script runs on it, nothing is loaded, and nobody
// may frame it.
package layout

import (
	"embed"
	"html/template"
	"io"
	"net/http"

	"example.com/foyer/internal/words"
)

//go:embed page.html page.css
var files embed.FS

var css, _ = files.ReadFile("page.css")

// Template is that of a page. It is executed with a [Page], and besides with
// Language, Style, Logo and ForDevelopers; its function say says a text.
var Template = func() string { b, _ := files.ReadFile("page.html"); return string(b) }()

// A Page says one thing to a person, and may offer one step.
type Page struct {
	App    string // whose page it is
	Title  words.Text
	Lines  []words.Text
	Quote  string       // what somebody else has written, or empty
	Warn   []words.Text // what speaks against the step
	Steps  []words.Text // a list below the lines
	After  []words.Text // lines below the list
	Code   string       // the word that a developer looks for, or empty
	Form   *Form        // nil for none
	Second *Form        // another way; nil for none

	Sections []Section // before the forms

	Back     template.URL // where the link leads, or empty; a place that was proven
	BackText words.Text
}

// A Section is a part of a page, under a heading of its own. What is empty is left
// out.
type Section struct {
	Title words.Text
	Facts []Fact
	Lines []words.Text
	Items []words.Text // a list
	Forms []Form

	Path     string // of a link to a page of this server, or empty
	PathText words.Text
}

// A Fact is a term, and what there is to say about it.
type Fact struct {
	Term  words.Text
	Texts []words.Text
}

// A Form posts to this server.
type Form struct {
	Action  string     // a path
	Problem words.Text // what was wrong with what came before; empty for nothing
	Hidden  []Hidden
	Fields  []Field
	Choices []Choice
	Legend  words.Text // of the choices
	Buttons []Button
}

// A Choice is a box that a person ticks or not.
type Choice struct {
	Name, Value string
	Label       words.Text
	Ticked      bool
}

// A Hidden is a value that the form carries.
type Hidden struct{ Name, Value string }

// A Field is one that a person fills in.
type Field struct {
	Name                   string
	Label, Hint            words.Text
	Type                   string // of the input
	Autocomplete, Keyboard string // autocomplete and inputmode of HTML
	Value                  string
	Optional               bool
}

// A Button sends the form.
type Button struct {
	Text        words.Text
	Name, Value string
	Plain       bool // as heavy as the others, in other colours
}

// Language returns the one in which a page answers r: what its browser asks for
// (RFC 9110 section 12.5.4), as far as the server speaks it.
func (l *Look) Language(r *http.Request) *words.Language {
	return l.orStandard().languages.Best(r.Header.Get("Accept-Language"))
}

// Write answers r with p.
func (l *Look) Write(w http.ResponseWriter, r *http.Request, status int, p Page) {
	l = l.orStandard()
	Seal(w.Header(), l.policy)
	w.WriteHeader(status)
	l.execute(w, l.Language(r), p) // an error means that the browser has gone
}

// Seal sets the headers of a page: no cache keeps it, no other page frames it or holds
// its window, and none is told where it was.
func Seal(h http.Header, policy string) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

func (l *Look) execute(w io.Writer, in *words.Language, p Page) error {
	return l.pages[in.Tag].Execute(w, struct {
		Page
		Language      *words.Language
		Style         template.CSS
		Logo          template.URL
		ForDevelopers words.Text
	}{p, in, l.style, l.logo, words.T("For developers:")})
}
