package chromium

import (
	"os"

	"github.com/chromedp/chromedp"
)

// accessible runs every rule of axe-core for WCAG 2.0 to 2.2, A and AA. FOYER_AXE is
// where axe.min.js is, of the version in test/pages; without it nothing is checked,
// which CI does not let pass. A page that was loaded without scripts stays as it is; axe
// alone runs in it.
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
	if b.way.NoScripts {
		b.scripts(true)
		defer b.scripts(false)
	}
	there, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`typeof axe === "object"`))
	if err == nil && !there {
		_, err = chromedp.Run(b.ctx, chromedp.Evaluate[any](string(axe)+";1"))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](run, chromedp.EvalAwaitPromise))
	if err != nil || found != "" {
		b.t.Errorf("%s: axe finds\n%s%v", what, found, err)
	}
}
