package chromium

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A Tab is one that a person drives by keyboard.
type Tab struct {
	t   testing.TB
	ctx context.Context
}

// Open starts a browser as [Start] does, whose screen is so wide, and opens link.
func Open(t testing.TB, width int64, link string) Tab {
	t.Helper()
	b := Tab{t, Start(t)}
	b.do(chromedp.EmulateViewport(width, 640, chromedp.EmulateScale(2), chromedp.EmulateMobile), chromedp.Navigate(link))
	return b
}

// Goes opens link.
func (b Tab) Goes(link string) {
	b.t.Helper()
	b.do(chromedp.Navigate(link))
}

// Types presses keys: "\t" goes on to the next element, "\r" is Enter.
func (b Tab) Types(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// Presses goes on by the tabulator to the link or button whose text begins so, and
// presses Enter there.
func (b Tab) Presses(text string) {
	b.t.Helper()
	for range 40 {
		b.Types("\t")
		at, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.activeElement.textContent.trim()`))
		if err != nil {
			b.t.Fatal(err)
		}
		if at != "" && strings.HasPrefix(at, text) {
			b.Types("\r")
			return
		}
	}
	b.t.Fatalf("the keyboard does not reach %q", text)
}

func (b Tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, a := range actions {
		if _, err := chromedp.Run(b.ctx, a); err != nil {
			b.t.Fatal(err)
		}
	}
}

// Shows waits for an element with such a text, and until the page takes what is typed.
func (b Tab) Shows(selector, text string) {
	b.t.Helper()
	for {
		got, err := chromedp.Run(b.ctx, chromedp.Poll[string](fmt.Sprintf(`document.querySelector(%q)?.textContent.includes(%q) && document.readyState == "complete" &&
			(!document.querySelector("[autofocus]") || document.activeElement?.matches("[autofocus]")) && document.title`, selector, text)))
		switch {
		case err != nil && b.ctx.Err() == nil && (strings.Contains(err.Error(), "navigated") || strings.Contains(err.Error(), "context with specified id")): // the page goes on to the next
			continue
		case err != nil || got == "":
			b.t.Fatalf("%s: title %q, %v", text, got, err)
		}
		return
	}
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

// Picture checks that the page fits the screen and the thumb, and has no fault that axe
// finds, in light and in dark. It keeps what is shown where FOYER_PICTURES names a
// folder.
func (b Tab) Picture(name string) {
	b.t.Helper()
	b.shape(name)
	for _, scheme := range []string{"light", "dark"} {
		b.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
			return chromedp.Void{}, err
		})
		b.accessible(name + ", " + scheme)
		b.keep(name + "-" + scheme + ".png")
	}
}

func (b Tab) keep(file string) {
	b.t.Helper()
	folder := os.Getenv("FOYER_PICTURES")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, file), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// accessible runs every rule of axe-core for WCAG 2.0 to 2.2, A and AA. FOYER_AXE is
// where axe.min.js is, of the version in test/pages; without it nothing is checked,
// which CI does not let pass.
func (b Tab) accessible(what string) {
	b.t.Helper()
	path := os.Getenv("FOYER_AXE")
	if path == "" {
		if os.Getenv("CI") != "" {
			b.t.Fatal("FOYER_AXE is not set")
		}
		b.t.Log("NOT CHECKED FOR WANT OF AXE: npm ci --prefix test/pages; FOYER_AXE=$PWD/test/pages/node_modules/axe-core/axe.min.js go test")
		return
	}
	axe, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	const run = `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'] }).then(r => r.passes.length < 5
		? 'axe checked next to nothing' : r.violations.map(v => v.id + ': ' + v.help + ': ' + v.nodes.map(n => n.html).join(', ')).join('\n'))`
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](string(axe)+";1")); err != nil {
		b.t.Fatal(err)
	}
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](run, chromedp.EvalAwaitPromise))
	if err != nil || found != "" {
		b.t.Errorf("%s: axe finds\n%s%v", what, found, err)
	}
}
