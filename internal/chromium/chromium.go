// Package chromium starts the browser in which tests look at pages.
package chromium

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience bounds a whole test in the browser.
const patience = 10 * time.Minute

// names are what distributions call it, in the order in which they are tried.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

// Start starts a headless Chromium with a profile of its own, and returns the
// context of an empty tab. Both end with t. Where there is no Chromium, t is
// skipped; CI counts that as a failure.
//
// Each host is a rule such as "app.example 127.0.0.1:4711": where the browser finds
// a name of the test's, and believes whatever certificate is there.
func Start(t testing.TB, hosts ...string) context.Context {
	t.Helper()
	path := find()
	if path == "" {
		t.Skip("SKIPPED FOR WANT OF A BROWSER: install Chromium (Debian: apt-get install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()))
	if len(hosts) > 0 {
		options = append(options, chromedp.Flag("host-resolver-rules", "MAP "+strings.Join(hosts, ",MAP ")), chromedp.IgnoreCertErrors)
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox does not run as root
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	if _, err := chromedp.Run(ctx, chromedp.Navigate("about:blank")); err != nil { // now it has started, and may be used by many at once
		t.Fatal(err)
	}
	return ctx
}

func find() string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
