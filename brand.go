package foyer

import (
	"fmt"

	"example.com/foyer/internal/layout"
)

// A Brand is what people see of you on pages, and read in mails. The zero Brand is
// the title of the MCP server, in our colours.
type Brand struct {
	Name   string // what people call what they sign in to; empty means the server's title
	Logo   []byte // PNG or SVG, at most 64 KiB, shown 24 pixels high beside the name; nil means none
	Accent string // of buttons and links, such as "#0b6e4f"; made darker or lighter where it could not be read
}

// look is what pages look like.
func (b Brand) look() (*layout.Look, error) {
	look, err := layout.New(layout.Brand{Logo: b.Logo, Accent: b.Accent})
	if err != nil {
		return nil, fmt.Errorf("Brand: %w", err)
	}
	return look, nil
}
