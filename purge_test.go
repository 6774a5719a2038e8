package foyer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// deletedUsers are how many users were deleted, as the trail says.
func (h *house) deletedUsers(t testing.TB) int {
	t.Helper()
	return h.count(t, "SELECT count(*) FROM foyer_events WHERE kind = 'user_deleted'")
}

// leaver is a house whose application is a, and in which somebody's seven days are
// over.
func leaver(t *testing.T, a *application) *house {
	t.Helper()
	h := newHouse(t, noLimits, a.with)
	h.chat(t, "Claude", "ann@example.com").call(t, "create_entry", `{"title":"Rain","content":"All day."}`)
	if _, err := h.kit.DeleteUser(t.Context(), h.userID(t, "ann@example.com")); err != nil {
		t.Fatal(err)
	}
	h.advance(7 * day)
	return h
}

// A process that dies after the application has deleted all, and before the kit has,
// leaves it to the next one, which asks once more.
func TestACrashBetweenTheApplicationAndTheStoreLosesNoDeletion(t *testing.T) {
	app := &application{}
	h := leaver(t, app)
	ctx, die := context.WithCancel(t.Context())
	app.after = func(string) { die() }
	h.kit.purger.once(ctx)
	if n := h.deletedUsers(t); n != 0 {
		t.Fatalf("%d are deleted by a process that died", n)
	}
	id := h.userID(t, "ann@example.com")
	if err := h.kit.KeepUser(t.Context(), id); !errors.Is(err, ErrNotLeaving) {
		t.Errorf("it can be taken back: %v", err)
	}
	b, page := h.account(t, "ann@example.com")
	wantsPage(t, "meanwhile", page, http.StatusOK, "<h1>Your account is being deleted</h1>")
	if strings.Contains(page.body, "<button") {
		t.Errorf("there is something to press: %s", page.body)
	}
	app.asked()
	app.after = nil
	h.restart()
	h.purge(t)
	if len(app.asked()) != 0 {
		t.Error("the lease is not kept")
	}
	h.advance(time.Hour)
	h.purge(t)
	if n := h.deletedUsers(t); n != 1 || len(app.asked()) == 0 || len(h.places(t, "ann@example")) != 0 {
		t.Errorf("%d deleted, the address stands in %v", n, h.places(t, "ann@example"))
	}
	wantsPage(t, "a session of before", b.open(t, "/account"), http.StatusOK, "<h1>Sign in</h1>")
}

// What goes wrong in the application is tried again, later and later, until it succeeds;
// nobody else waits for it, and no row goes before.
func TestAnApplicationThatFailsIsAskedAgain(t *testing.T) {
	app := &application{}
	h := leaver(t, app)
	h.chat(t, "Bobs", "bob@example.com")
	if _, err := h.kit.DeleteUser(t.Context(), h.userID(t, "bob@example.com")); err != nil {
		t.Fatal(err)
	}
	h.advance(7 * day)
	ann, bob := h.userID(t, "ann@example.com"), h.userID(t, "bob@example.com")
	release := make(chan struct{})
	fails := map[string]func(context.Context) error{
		"an error":          func(context.Context) error { return errors.New("the disk of ann@example.com is full") },
		"a panic":           func(context.Context) error { panic("ann@example.com") },
		"an end of its own": func(context.Context) error { runtime.Goexit(); return nil },
		"it hangs":          func(context.Context) error { <-release; return nil },
	}
	for i, name := range slices.Sorted(maps.Keys(fails)) {
		app.does(func(ctx context.Context, owner string) error {
			if owner == ann {
				return fails[name](ctx)
			}
			return nil
		})
		if name == "it hangs" { // the last
			h.kit.purger.patience, h.kit.purger.grace = 10*time.Millisecond, 10*time.Millisecond
		}
		h.purge(t)
		if n := h.deletedUsers(t); n != 1 || h.userID(t, "ann@example.com") != ann { // bob, who is due too
			t.Errorf("%s: %d are deleted", name, n)
		}
		asked := app.asked()
		if !slices.Contains(asked, ann) || i == 0 && !slices.Contains(asked, bob) {
			t.Errorf("%s: asked about %v", name, asked)
		}
		h.purge(t)
		if slices.Contains(app.asked(), ann) {
			t.Errorf("%s: is asked again at once", name)
		}
		h.advance(time.Minute << i)
	}
	h.purge(t)
	if slices.Contains(app.asked(), ann) {
		t.Error("is asked again beside a call that hangs")
	}
	for _, text := range []string{"the disk of", "panicked: string", "takes too long"} {
		if !strings.Contains(h.log.String(), text) {
			t.Errorf("the log says nothing of %q: %s", text, h.log)
		}
	}
	close(release)
	app.does(nil)
	h.kit.purger.patience, h.kit.purger.grace = purgePatience, purgeGrace
	for h.deletedUsers(t) < 2 { // as soon as the call that hung is over
		h.advance(6 * time.Hour)
		h.purge(t)
	}
	if places := h.places(t, "ann@example"); len(places) != 0 {
		t.Errorf("the address stands in %v", places)
	}
}

// Kits of several processes delete a user once, whoever looks at the same moment.
func TestOfManyProcessesOneDeletesAUser(t *testing.T) {
	var mu sync.Mutex
	asked := 0
	app := &application{}
	h := leaver(t, app)
	app.delete = func(context.Context, string) error {
		mu.Lock()
		defer mu.Unlock()
		asked++
		return nil
	}
	cfg := h.kit.cfg
	kits := []*Kit{h.kit}
	for range 3 {
		k, err := newAt(cfg, h.clock)
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		kits = append(kits, k)
	}
	atOnce(16, func(i int) { kits[i%len(kits)].purger.once(t.Context()) })
	if n := h.deletedUsers(t); n != 1 || asked != 2 { // the user, and the guest of before
		t.Errorf("%d deleted, and asked %d times", n, asked)
	}
}

// Without an application's part the kit deletes its own, and says so on the page.
func TestAKitAloneDeletesWhatIsItsOwn(t *testing.T) {
	h := newHouse(t, noLimits, func(cfg *Config) { cfg.UserData = nil })
	h.chat(t, "Claude", "ann@example.com")
	b, page := h.account(t, "ann@example.com")
	if files := unzipped(t, b.click(t, page, "Download your data").body); len(files) != 1 || files["foyer.json"] == "" {
		t.Errorf("the copy: %v", files)
	}
	asked := b.click(t, page, "Delete your account")
	wantsPage(t, "asked", asked, http.StatusOK, "What Journal itself keeps of you is not part of it")
	b.click(t, asked, "Delete my account")
	h.advance(7 * day)
	h.purge(t)
	if n, places := h.deletedUsers(t), h.places(t, "ann@example"); n != 1 || len(places) != 0 {
		t.Errorf("%d deleted; the address stands in %v", n, places)
	}
}

// tr21, tr22, T50, T53: of another browser, site or user, by another form, or with a
// sign-in that is too old, nothing is deleted, kept or copied.
func TestTr21Tr22OfAnotherBrowserSiteOrUserNothingIsDeletedOrCopied(t *testing.T) {
	h := newHouse(t, noLimits)
	ann := h.chat(t, "Claude", "ann@example.com")
	hers, page := h.account(t, "ann@example.com")
	his, _ := h.account(t, "bob@example.com")
	asked := hers.click(t, page, "Delete your account")
	moved := func(from, to string) response {
		r := page
		r.body = strings.ReplaceAll(r.body, `action="`+from+`"`, `action="`+to+`"`)
		return r
	}
	forged := asked
	forged.body = strings.ReplaceAll(asked.body, `name="form" value="`, `name="form" value="A`)
	for name, r := range map[string]response{
		"another browser":               his.click(t, asked, "Delete my account"),
		"another browser's first":       his.click(t, page, "Delete your account"),
		"another browser's copy":        his.click(t, page, "Download your data"),
		"no cookies":                    h.browser(t).click(t, asked, "Delete my account"),
		"another site":                  hers.click(t, asked, "Delete my account", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"),
		"another site's copy":           hers.click(t, page, "Download your data", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"),
		"a forged form":                 hers.click(t, forged, "Delete my account"),
		"the first form is not enough":  hers.click(t, moved("/account/delete", "/account/delete/now"), "Delete your account"),
		"a copy's form deletes nothing": hers.click(t, moved("/account/export", "/account/delete/now"), "Download your data"),
		"a form keeps nobody":           hers.click(t, moved("/account/export", "/account/keep"), "Download your data"),
	} {
		wantsPage(t, name, r, http.StatusForbidden, "no longer works")
		if r.header.Get("Content-Type") == "application/zip" {
			t.Errorf("%s: a copy", name)
		}
	}
	for _, path := range []string{"/account/export", "/account/delete", "/account/delete/now", "/account/keep"} {
		if r := hers.open(t, path); r.status == http.StatusOK {
			t.Errorf("GET %s: %d %s", path, r.status, r.body)
		}
	}
	h.advance(10*time.Minute + time.Second)
	for what, r := range map[string]response{"the second button": hers.click(t, asked, "Delete my account"), "the first": hers.click(t, page, "Delete your account"), "a copy": hers.click(t, page, "Download your data")} {
		wantsPage(t, what, r, http.StatusForbidden, "<h1>Sign in again</h1>")
	}
	back := hers.signsIn(t, hers.click(t, asked, "Delete my account"), "ann@example.com")
	wantsPage(t, "the way back", back, http.StatusOK, "<h1>Connected apps</h1>")
	ann.works(t, "after all")
	if n := h.count(t, "SELECT count(*) FROM foyer_deletions"); n != 0 {
		t.Errorf("%d are leaving", n)
	}
}

// tr22: a fault gives no file, not even a part of one, and what went wrong is logged.
func TestTr22AFaultGivesNoHalfOfAFile(t *testing.T) {
	app := &application{}
	h := newHouse(t, noLimits, app.with)
	h.chat(t, "Claude", "ann@example.com")
	b, page := h.account(t, "ann@example.com")
	for name, export := range map[string]func(create func(string) (io.Writer, error)) error{
		"an error": func(create func(string) (io.Writer, error)) error {
			w, err := create("half.txt")
			fmt.Fprint(w, strings.Repeat("half", 100_000))
			return errors.Join(err, errors.New("a fault of the disk"))
		},
		"a path that leads out": func(create func(string) (io.Writer, error)) error { _, _ = create("../foyer.json"); return nil },
		"a panic":               func(func(string) (io.Writer, error)) error { panic("a fault") },
	} {
		app.export = export
		r := b.click(t, page, "Download your data")
		if r.status != http.StatusInternalServerError || strings.Contains(r.body, "half") || strings.HasPrefix(r.body, "PK") || r.header.Get("Content-Type") == "application/zip" {
			t.Errorf("%s: %d %v %.200s", name, r.status, r.header, r.body)
		}
	}
	app.export = nil
	if files := unzipped(t, b.click(t, page, "Download your data").body); len(files) != 5 {
		t.Errorf("afterwards: %v", files)
	}
	if !strings.Contains(h.log.String(), "a fault of the disk") {
		t.Errorf("the log: %s", h.log)
	}
}

// tr22: a user has one copy made at a time.
func TestTr22OneCopyAtATime(t *testing.T) {
	app := &application{}
	h := newHouse(t, noLimits, app.with)
	h.chat(t, "Claude", "ann@example.com")
	b, page := h.account(t, "ann@example.com")
	other, otherPage := h.account(t, "ann@example.com")
	app.export = func(func(string) (io.Writer, error)) error {
		wantsPage(t, "meanwhile", other.click(t, otherPage, "Download your data"), http.StatusServiceUnavailable, "Not just now")
		return nil
	}
	if r := b.click(t, page, "Download your data"); r.status != http.StatusOK {
		t.Errorf("the first: %d", r.status)
	}
}
