package layout

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"example.com/foyer/internal/words"
)

// A Brand is how an operator's pages differ from others'. The zero Brand is ours.
type Brand struct {
	Logo   []byte // PNG or SVG, at most 64 KiB; nil for none
	Accent string // such as "#0b6e4f"; empty for ours
	Style  string // CSS that comes after ours, or with Page instead of ours
	Page   string // a template in the place of [Template]; empty for ours
}

// A Look is what pages look like. A nil Look is that of the zero [Brand].
type Look struct {
	style     template.CSS
	policy    string       // Content-Security-Policy
	logo      template.URL // or empty
	languages *words.Languages
	pages     map[string]*template.Template // by the tag of their language
}

var standard, _ = look(Brand{}, "", "", nil)

func (l *Look) orStandard() *Look {
	if l == nil {
		return standard
	}
	return l
}

const maxLogo = 64 << 10 // bytes

// Errors of New.
var (
	ErrLogo   = errors.New("the logo is neither a PNG nor an SVG of at most 64 KiB")
	ErrAccent = errors.New(`the accent is no colour such as "#0b6e4f"`)
	ErrStyle  = errors.New("the style has a tag in it: it is CSS alone")
)

// New returns the look of b, in languages, of which nil are ours. Where its accent cannot be read on a page, it is made
// darker, or on a dark page lighter, until it can (WCAG 2.2, 1.4.3: 4.5 to 1).
func New(b Brand, languages *words.Languages) (*Look, error) {
	var problems []error
	more, logo := "", template.URL("")
	if b.Accent != "" {
		c, err := parse(b.Accent)
		problems = append(problems, err)
		more = ":root { " + c.against(white, black).vars() + " }\n@media (prefers-color-scheme: dark) { :root { " + c.against(night, white).vars() + " } }\n"
	}
	if len(b.Logo) > 0 {
		media := mediaOf(b.Logo)
		if media == "" || len(b.Logo) > maxLogo {
			problems = append(problems, ErrLogo)
		}
		logo = template.URL("data:" + media + ";base64," + base64.StdEncoding.EncodeToString(b.Logo))
	}
	l, err := look(b, more, logo, languages)
	return l, errors.Join(append(problems, err)...)
}

func look(b Brand, more string, logo template.URL, languages *words.Languages) (*Look, error) {
	text, page := string(css)+more, b.Page
	if page == "" {
		page = Template
	} else {
		text = more
	}
	text += b.Style
	if strings.Contains(text, "</") {
		return nil, ErrStyle
	}
	sum := sha256.Sum256([]byte(text))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	if logo != "" {
		policy += "; img-src data:"
	}
	l := &Look{template.CSS(text), policy, logo, languages, map[string]*template.Template{}}
	for _, in := range languages.All() {
		t, err := template.New("page").Funcs(template.FuncMap{"say": in.Say}).Parse(page)
		if err != nil {
			return nil, fmt.Errorf("the page: %w", err)
		}
		l.pages[in.Tag] = t
	}
	return l, l.check()
}

// mediaOf is the media type of a logo, or empty. An SVG in an image runs no script.
func mediaOf(logo []byte) string {
	switch start := bytes.TrimSpace(logo); {
	case bytes.HasPrefix(logo, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(start, []byte("<svg")), bytes.HasPrefix(start, []byte("<?xml")) && bytes.Contains(start, []byte("<svg")):
		return "image/svg+xml"
	}
	return ""
}

// A colour is red, green and blue, from 0 to 1.
type colour [3]float64

var (
	white = colour{1, 1, 1}
	black = colour{}
	night = colour{0x1e / 255.0, 0x1e / 255.0, 0x21 / 255.0} // of a dark page
)

func parse(text string) (c colour, err error) {
	n, err := strconv.ParseUint(text[min(1, len(text)):], 16, 32)
	if err != nil || len(text) != 7 || text[0] != '#' {
		return colour{}, ErrAccent
	}
	for i := range c {
		c[i] = float64(n>>(16-8*i)&0xff) / 255
	}
	return c, nil
}

// against is c, as little nearer to end as lets it be read on ground.
func (c colour) against(ground, end colour) colour {
	for step := 0.0; step <= 1; step += 0.02 {
		mixed := c
		for i := range mixed {
			mixed[i] += (end[i] - mixed[i]) * step
		}
		if contrast(mixed, ground) >= 4.6 { // which rounding keeps above 4.5
			return mixed
		}
	}
	return end
}

// vars sets c, and what can be read on it.
func (c colour) vars() string {
	on := white
	if contrast(black, c) > contrast(white, c) {
		on = black
	}
	return "--accent: " + c.String() + "; --on-accent: " + on.String() + ";"
}

func (c colour) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0]*255)), int(math.Round(c[1]*255)), int(math.Round(c[2]*255)))
}

// contrast is that of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio").
func contrast(a, b colour) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is the relative luminance (WCAG 2.2).
func (c colour) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}
