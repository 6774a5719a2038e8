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

func (b Tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, a := range actions {
		if _, err := chromedp.Run(b.ctx, a); err != nil {
			b.t.Fatal(err)
		}
	}
}

// Shows waits for an element with such a text.
func (b Tab) Shows(selector, text string) {
	b.t.Helper()
	for {
		got, err := chromedp.Run(b.ctx, chromedp.Poll[string](fmt.Sprintf(`document.querySelector(%q)?.textContent.includes(%q) && document.title`, selector, text)))
		switch {
		case err != nil && b.ctx.Err() == nil && (strings.Contains(err.Error(), "navigated") || strings.Contains(err.Error(), "context with specified id")): // the page goes on to the next
			continue
		case err != nil || got == "":
			b.t.Fatalf("%s: title %q, %v", text, got, err)
		}
		return
	}
}

// narrow fails where the page is wider than the screen of a phone.
func (b Tab) narrow(what string) {
	b.t.Helper()
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[float64](`document.documentElement.scrollWidth - window.innerWidth`))
	if err != nil || got > 0 {
		b.t.Errorf("%s: %v pixels wider than the screen: %v", what, got, err)
	}
}

// Picture checks that nothing is wider than the screen, and keeps what is shown, in light and dark, where FOYER_PICTURES names a folder.
func (b Tab) Picture(name string) {
	b.t.Helper()
	b.narrow(name)
	folder := os.Getenv("FOYER_PICTURES")
	if folder == "" {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		b.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
			return chromedp.Void{}, err
		})
		png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name+"-"+scheme+".png"), png, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
}
