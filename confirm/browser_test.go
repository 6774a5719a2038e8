package confirm_test

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

	"example.com/foyer/internal/chromium"
)

// A tab is a real browser, which a person drives by keyboard.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func (b tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, a := range actions {
		if _, err := chromedp.Run(b.ctx, a); err != nil {
			b.t.Fatal(err)
		}
	}
}

// shows waits for a heading, or another element with such a text.
func (b tab) shows(selector, text string) {
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
func (b tab) narrow(what string) {
	b.t.Helper()
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[float64](`document.documentElement.scrollWidth - window.innerWidth`))
	if err != nil || got > 0 {
		b.t.Errorf("%s: %v pixels wider than the screen: %v", what, got, err)
	}
}

// picture keeps what is shown, in light and dark, where FOYER_PICTURES names a folder.
func (b tab) picture(name string) {
	b.t.Helper()
	b.narrow(name)
	folder := os.Getenv("FOYER_PICTURES")
	if folder == "" {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		b.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
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

// A person with a keyboard and a phone's screen signs in and confirms; the pages run no
// script.
func TestAPersonConfirmsByKeyboard(t *testing.T) {
	ctx := chromium.Start(t)
	s := newShop(t, byPage)
	ann := s.house.SignIn(t, "ann@example.com")
	link, token := asked(t, s, ann, "a table for two on Friday at eight, by the window, and a cake with candles for the one whose birthday it is")
	b := tab{t, ctx}
	b.do(chromedp.EmulateViewport(320, 640, chromedp.EmulateScale(2), chromedp.EmulateMobile), chromedp.Navigate(link))
	b.shows("h1", "Sign in")
	b.picture("sign-in")
	b.do(chromedp.KeyEvent("ann@example.com\r")) // the field has the focus
	b.shows("h1", "Look into your mail")
	b.do(chromedp.KeyEvent("12345\r"))
	b.shows(".problem", "4 tries are left")
	b.picture("wrong-digits")
	b.do(chromedp.KeyEvent(s.house.Digits(t, "ann@example.com") + "\r"))
	b.shows("h1", "Confirm this?")
	b.picture("confirm")
	b.do(chromedp.KeyEvent("\t\r")) // the first button
	b.shows("h1", "Confirmed")
	b.picture("confirmed")
	want(t, "the model comes back", confirms(t, ann, token), "succeeded", "Done")
}
