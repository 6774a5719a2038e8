package foyer

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

// keys types what a person types.
func (b tab) keys(text string) { b.t.Helper(); b.do(chromedp.KeyEvent(text)) }

// tabs goes on by the tabulator to the link or button whose text begins so, and presses
// Enter there.
func (b tab) tabs(text string) {
	b.t.Helper()
	for range 40 {
		b.keys("\t")
		at, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.activeElement.textContent`))
		if err != nil {
			b.t.Fatal(err)
		}
		if strings.HasPrefix(at, text) {
			b.keys("\r")
			return
		}
	}
	b.t.Fatalf("the keyboard does not reach %q", text)
}

// shows waits for a heading with such a text.
func (b tab) shows(text string) {
	b.t.Helper()
	for {
		got, err := chromedp.Run(b.ctx, chromedp.Poll[string](fmt.Sprintf(`document.querySelector("h1")?.textContent.includes(%q) && document.title`, text)))
		switch {
		case err != nil && b.ctx.Err() == nil && (strings.Contains(err.Error(), "navigated") || strings.Contains(err.Error(), "context with specified id")): // the page goes on to the next
			continue
		case err != nil || got == "":
			b.t.Fatalf("%s: title %q, %v", text, got, err)
		}
		return
	}
}

// fits fails where the page is wider than the screen, or where what is pressed is small,
// has no name or the name of something else; and keeps a picture where FOYER_PICTURES
// names a folder.
func (b tab) fits(name string) {
	b.t.Helper()
	problems, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`(() => {
		const problems = []
		if (document.documentElement.scrollWidth > window.innerWidth) problems.push("wider than the screen")
		if (document.querySelectorAll("h1, main").length != 2) problems.push("not one main and one h1")
		for (const b of document.querySelectorAll("button")) {
			if (b.textContent.trim() == "") problems.push("a button without a name")
			if (b.getBoundingClientRect().height < 44) problems.push("small: " + b.textContent)
		}
		for (const s of document.querySelectorAll("section"))
			if (!document.getElementById(s.getAttribute("aria-labelledby"))?.textContent) problems.push("a section without a name")
		const ids = [...document.querySelectorAll("[id]")].map(e => e.id)
		if (new Set(ids).size != ids.length) problems.push("an id comes twice")
		return problems
	})()`))
	if err != nil || len(problems) > 0 {
		b.t.Errorf("%s: %q, %v", name, problems, err)
	}
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

// A person with a keyboard sees what is connected, gives a scope, takes one back and
// disconnects, on a phone's screen and on a wide one; the pages run no script.
func TestAPersonChangesWhatIsConnectedByKeyboard(t *testing.T) {
	for _, width := range []int64{320, 1280} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			ctx := chromium.Start(t)
			h := newHouse(t)
			long, ann := h.chat(t, `<b>`+strings.Repeat("Long", 20)+`\u202e`, "ann@example.com"), h.chat(t, "Claude", "ann@example.com")
			b := tab{t, ctx}
			b.do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(h.issuer+"/account"))
			b.shows("Sign in")
			b.keys("ann@example.com\r") // the field has the focus
			b.shows("Look into your mail")
			b.keys(digitsIn(t, h.mail(t, "ann@example.com")) + "\r")
			b.shows("Connected apps")
			b.fits(fmt.Sprint("account-", width))
			b.tabs("Change what “Claude” may do")
			b.shows("What “Claude” may do")
			b.fits(fmt.Sprint("connection-", width))
			b.tabs("Let “Claude” do this: “Take a copy")
			b.shows("Given")
			if a := ann.call(t, "export_journal", ""); a.isError {
				t.Errorf("after it was given: %s", a.raw)
			}
			b.tabs("See what it may do now")
			b.shows("What “Claude” may do")
			b.tabs("Take back “Take a copy")
			b.shows("Taken back")
			b.fits(fmt.Sprint("taken-", width))
			b.do(chromedp.Navigate(h.issuer + "/account"))
			b.shows("Connected apps")
			b.tabs("Disconnect “<b>Long")
			b.shows("Disconnected")
			if a := long.call(t, "whoami", ""); a.status != 401 {
				t.Errorf("after it was disconnected: %d %s", a.status, a.raw)
			}
			ann.works(t, "what is left")
		})
	}
}
