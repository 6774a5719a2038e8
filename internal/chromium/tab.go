package chromium

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// A Tab is one that a person drives by keyboard.
type Tab struct {
	t   testing.TB
	ctx context.Context
	way Way
}

// A Way is how a person uses a tab.
type Way struct {
	Look      Look // zero means a phone's, in light
	NoScripts bool // pages run none
}

// Ways are those in which every page has to work; with -short the first of them.
func Ways() map[string]Way {
	ways := map[string]Way{"phone": {Look: Phone}}
	if !testing.Short() {
		ways["desk, no scripts"] = Way{Look: DeskLight, NoScripts: true}
	}
	return ways
}

// Open starts a browser as [Start] does, and opens link as a phone does.
func Open(t testing.TB, link string) Tab {
	t.Helper()
	return OpenIn(Start(t), t, Way{}, link)
}

// OpenIn opens link in a new tab of the browser of ctx. The tab has cookies of its own,
// and closes with t.
func OpenIn(ctx context.Context, t testing.TB, way Way, link string) Tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	if way.Look == (Look{}) {
		way.Look = Phone
	}
	b := Tab{t, ctx, way}
	b.scripts(!way.NoScripts)
	tell(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	b.looks(way.Look)
	b.do(chromedp.Navigate(link))
	return b
}

// Goes opens link.
func (b Tab) Goes(link string) {
	b.t.Helper()
	b.do(chromedp.Navigate(link))
}

// Forgets loses all cookies.
func (b Tab) Forgets() {
	b.t.Helper()
	tell(b, network.ClearBrowserCookies, cdp.Empty{})
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

// Shows waits until the page is there, has an element with such a text, and has the
// focus where it wants it. It asks again and again from here: a page without scripts
// has no clock.
func (b Tab) Shows(selector, text string) {
	b.t.Helper()
	there := fmt.Sprintf(`document.readyState === "complete" && (!document.querySelector("[autofocus]") || document.activeElement !== document.body) &&
		!!document.querySelector(%q)?.textContent.includes(%q)`, selector, text)
	again := time.NewTicker(interval)
	defer again.Stop()
	for end := time.Now().Add(wait); time.Now().Before(end); <-again.C {
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](there)); ok && err == nil { // an error: the page goes on to the next
			return
		}
	}
	shown, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.body.innerText`))
	b.t.Fatalf("no %q, but\n%s%v", text, shown, err)
}

const (
	wait     = 30 * time.Second // for a page
	interval = 20 * time.Millisecond
)

func (b Tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, a := range actions {
		if _, err := chromedp.Run(b.ctx, a); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b Tab) scripts(run bool) {
	b.t.Helper()
	tell(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run})
}

// tell gives the browser a command about the tab.
func tell[P any](b Tab, command cdp.Command[P, cdp.Empty], params P) {
	b.t.Helper()
	b.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, command, params)
		return chromedp.Void{}, err
	})
}
