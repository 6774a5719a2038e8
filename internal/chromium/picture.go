package chromium

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A Look is a screen, and what its user likes.
type Look struct {
	Name   string
	Width  int64  // CSS pixels
	Scheme string // light or dark
	Mobile bool   // held in a hand: three pixels for two, and what a page says of its width counts
}

// Both widths, in both themes.
var (
	Phone     = Look{"phone", 320, "light", true}
	Desk      = Look{"desk", 1280, "dark", false}
	PhoneDark = Look{"phone-dark", 320, "dark", true}
	DeskLight = Look{"desk-light", 1280, "light", false}
)

// looks makes the screen of the tab l.
func (b Tab) looks(l Look) {
	b.t.Helper()
	screen := []chromedp.EmulateViewportOption{chromedp.EmulateScale(1)}
	if l.Mobile {
		screen = []chromedp.EmulateViewportOption{chromedp.EmulateScale(1.5), chromedp.EmulateMobile}
	}
	b.do(chromedp.EmulateViewport(l.Width, 640, screen...))
	tell(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.Scheme}}})
}

// Picture checks on a phone and at a desk, in light and in dark, that the page fits the
// screen and the thumb, and has no fault that axe finds. Of these four looks it takes two
// where scripts run, and the others where none does: a page is looked at in both ways.
// It keeps what is shown with scripts where FOYER_PICTURES names a folder.
func (b Tab) Picture(name string) {
	b.t.Helper()
	looks := []Look{Phone, Desk}
	if b.way.NoScripts {
		looks = []Look{PhoneDark, DeskLight}
	}
	for _, l := range looks {
		b.looks(l)
		what := name + "-" + l.Name
		b.shape(what)
		b.accessible(what)
		if !b.way.NoScripts {
			b.keep(what + ".png")
		}
	}
	b.looks(b.way.Look)
}

// shape fails where the page is wider than the screen, and where what is pressed is
// smaller than a thumb.
func (b Tab) shape(what string) {
	b.t.Helper()
	problems, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`[
		document.documentElement.scrollWidth > window.innerWidth && "wider than the screen",
		document.querySelectorAll("main").length != 1 && "not one main",
		...[...document.querySelectorAll("button")].map(b => b.getBoundingClientRect().height < 44 && "small: " + b.textContent),
	].filter(p => p)`))
	if err != nil || len(problems) > 0 {
		b.t.Errorf("%s: %q: %v", what, problems, err)
	}
}

func (b Tab) keep(file string) {
	b.t.Helper()
	folder := os.Getenv("FOYER_PICTURES")
	if folder == "" {
		return
	}
	shot, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, file), smaller(shot), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

const colours = 16 // of a picture that is kept: pages have few, and the edges of letters

// smaller is a picture in its most frequent colours.
func smaller(shot []byte) []byte {
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return shot
	}
	area, often := full.Bounds(), map[color.Color]int{}
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			often[full.At(x, y)]++
		}
	}
	palette := color.Palette(slices.SortedFunc(maps.Keys(often), func(a, b color.Color) int { return often[b] - often[a] }))
	small := image.NewPaletted(area, palette[:min(len(palette), colours)])
	nearest := map[color.Color]uint8{}
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			c := full.At(x, y)
			i, known := nearest[c]
			if !known {
				i = uint8(small.Palette.Index(c))
				nearest[c] = i
			}
			small.SetColorIndex(x, y, i)
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small); err != nil {
		return shot
	}
	return out.Bytes()
}
