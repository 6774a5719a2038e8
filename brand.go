package foyer

import (
	"fmt"

	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/words"
)

// A Brand is what people see of you on pages, and read in mails. The zero Brand is
// the title of the MCP server, in our colours.
type Brand struct {
	Name   string // what people call what they sign in to; empty means the server's title
	Logo   []byte // PNG or SVG, at most 64 KiB, shown 24 pixels high beside the name; nil means none
	Accent string // of buttons and links, such as "#0b6e4f"; made darker or lighter where it could not be read

	// Style is CSS that follows ours. No page loads anything, so it has no url() but
	// data:, and no @import. Optional.
	Style string

	// Page is the template (html/template) of every page, in the place of ours, which
	// [PageTemplate] returns; Style is then all the style there is. Scripts do not
	// run, and what the page has to show is checked at the start. Optional.
	Page string
}

// PageTemplate is our template of every page, to begin one of your own with.
func PageTemplate() string { return layout.Template }

// Sentences are all that pages and mails say, in English, for [Config.Languages]. What
// stands in braces is a gap, and has to be in a translation too.
func Sentences() []string { return words.Sentences() }

// look is what pages look like, and what languages they and mails speak.
func (cfg *Config) look() (*layout.Look, *words.Languages, error) {
	languages, err := words.NewLanguages(cfg.Languages)
	if err != nil {
		return nil, nil, fmt.Errorf("Languages: %w", err)
	}
	look, err := layout.New(layout.Brand{Logo: cfg.Brand.Logo, Accent: cfg.Brand.Accent, Style: cfg.Brand.Style, Page: cfg.Brand.Page}, languages)
	if err != nil {
		return nil, nil, fmt.Errorf("Brand: %w", err)
	}
	return look, languages, nil
}
