package foyer

import (
	"archive/zip"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// noLimits are houses in which somebody may be mailed often.
func noLimits(cfg *Config) { cfg.DangerouslyNoLimits = true }

// userID is that of the user with an address.
func (h *house) userID(t testing.TB, address string) string {
	t.Helper()
	u, err := h.kit.UserByEmail(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	return u.ID
}

// account opens the account page, signed in just now.
func (h *house) account(t testing.TB, address string) (*browser, response) {
	t.Helper()
	b := h.browser(t)
	return b, b.signsIn(t, b.open(t, "/account"), address)
}

// leaves has somebody delete their account.
func (h *house) leaves(t testing.TB, address string) {
	t.Helper()
	b, page := h.account(t, address)
	asked := b.click(t, page, "Delete your account")
	if done := b.click(t, asked, "Delete my account"); done.status != http.StatusOK {
		t.Fatalf("delete: %d %s", done.status, done.body)
	}
}

// purge deletes who is due.
func (h *house) purge(t testing.TB) { h.kit.purger.once(t.Context()) }

// places are the tables, of all databases of the house, in which a row has text.
func (h *house) places(t testing.TB, text string) (tables []string) {
	t.Helper()
	for _, name := range []string{"foyer.db", "journal.db"} {
		db, err := sql.Open("sqlite", filepath.Join(h.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, table := range column(t, db, "SELECT name FROM sqlite_master WHERE type = 'table'") {
			if rows := dumped(t, db, table); strings.Contains(strings.ToLower(rows), strings.ToLower(text)) {
				tables = append(tables, table)
			}
		}
	}
	return tables
}

func column(t testing.TB, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// dumped is every value of a table.
func dumped(t testing.TB, db *sql.DB, table string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if raw, ok := v.([]byte); ok {
				v = string(raw)
			}
			fmt.Fprintf(&b, "%v\n", v)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// An application is the journal, with what goes wrong in it.
type application struct {
	UserData
	mu      sync.Mutex
	deleted []string // owners, as often as it was asked
	export  func(create func(string) (io.Writer, error)) error
	delete  func(ctx context.Context, owner string) error // before the journal does; or nil
	after   func(owner string)                            // or nil
}

func (a *application) Export(ctx context.Context, userID string, create func(string) (io.Writer, error)) error {
	if a.export != nil {
		if err := a.export(create); err != nil {
			return err
		}
	}
	return a.UserData.Export(ctx, userID, create)
}

func (a *application) Delete(ctx context.Context, owner string) error {
	a.mu.Lock()
	a.deleted = append(a.deleted, owner)
	before := a.delete
	a.mu.Unlock()
	if before != nil {
		if err := before(ctx, owner); err != nil {
			return err
		}
	}
	if err := a.UserData.Delete(ctx, owner); err != nil {
		return err
	}
	if a.after != nil {
		a.after(owner)
	}
	return nil
}

// does has a do that before it deletes.
func (a *application) does(before func(ctx context.Context, owner string) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.delete = before
}

// asked are the owners that it was asked to delete since this was asked last.
func (a *application) asked() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := a.deleted
	a.deleted = nil
	return asked
}

// with puts a before the journal.
func (a *application) with(cfg *Config) { a.UserData, cfg.UserData = cfg.UserData, a }

// tr21: who asks for it twice is signed out everywhere at once and told by mail, can do
// nothing but stay for seven days, stays, and has everything.
func TestTr21WhoLeavesMayStayForSevenDays(t *testing.T) {
	h := newHouse(t, noLimits)
	ann, other, bob := h.chat(t, "Claude", "ann@example.com"), h.chat(t, "Other", "ann@example.com"), h.chat(t, "Bobs", "bob@example.com")
	ann.call(t, "create_entry", `{"title":"Rain","content":"All day."}`)
	id := h.userID(t, "ann@example.com")
	stream := ann.listens(t, modern)
	elsewhere, _ := h.account(t, "ann@example.com")
	b, page := h.account(t, "ann@example.com")
	asked := b.click(t, page, "Delete your account")
	wantsPage(t, "asked", asked, http.StatusOK, "<h1>Delete your account?</h1>", "account of a***@example.com", "Nothing was deleted yet", "For seven days", "Go back, and delete nothing")
	ann.works(t, "after the first button")
	left := b.click(t, asked, "Delete my account")
	wantsPage(t, "left", left, http.StatusOK, "<h1>Your account will be deleted on 28 November 2026, 14:", "signed out, here")
	for _, g := range []*guest{ann, other} {
		if a := g.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
			t.Errorf("a client of hers: %d %s", a.status, a.raw)
		}
		if status, _ := g.refreshed(t, g.refresh); status != http.StatusBadRequest {
			t.Errorf("its refresh: %d", status)
		}
	}
	for stream.next() != "" {
	}
	bob.works(t, "another user")
	for name, b := range map[string]*browser{"this browser": b, "another one": elsewhere} {
		wantsPage(t, name, b.open(t, "/account"), http.StatusOK, "<h1>Sign in</h1>")
	}
	letter := strings.Join(strings.Fields(h.mail(t, "ann@example.com")), " ")
	for _, text := range []string{"will be deleted", "28 November 2026, 14:", h.issuer + "/account", "Keep my account"} {
		if !strings.Contains(letter, text) {
			t.Errorf("no %q in the mail %s", text, letter)
		}
	}
	if u, err := h.kit.UserByEmail(t.Context(), "ann@example.com"); err != nil || !u.Leaves.After(h.clock().Add(6*day)) {
		t.Errorf("%+v, %v", u, err)
	}
	h.advance(6 * day)
	h.purge(t)
	b, page = h.account(t, "ann@example.com")
	wantsPage(t, "six days later", page, http.StatusOK, "<h1>Your account will be deleted on 28 November 2026", "Keep my account", "Download your data")
	if strings.Contains(page.body, "Connected apps") || strings.Contains(page.body, "Lately") {
		t.Errorf("more than that: %s", page.body)
	}
	wantsPage(t, "another page", b.open(t, "/account/x"), http.StatusOK, "<h1>Your account will be deleted on")
	wantsPage(t, "a confirmation", b.open(t, "/confirm/x"), http.StatusOK, "<h1>Your account will be deleted on")
	wantsPage(t, "kept", b.click(t, page, "Keep my account"), http.StatusOK, "<h1>Your account is kept</h1>")
	wantsPage(t, "pressed twice", b.click(t, page, "Keep my account"), http.StatusOK, "<h1>Your account is kept</h1>")
	wantsPage(t, "afterwards", b.open(t, "/account"), http.StatusOK, "Connected apps", "No app can act as you", "This account was to be deleted", "This account was kept")
	h.advance(20 * day)
	h.purge(t)
	again := h.chat(t, "Claude", "ann@example.com")
	if a := again.call(t, "list_entries", ""); !strings.Contains(a.raw, "Rain") || h.userID(t, "ann@example.com") != id {
		t.Errorf("who stayed has %s", a.raw)
	}
}

// tr21: a chat is not signed in as somebody who is leaving, and nobody learns that but
// who has the right digits. Consent is refused, too.
func TestTr21NobodyConnectsAnAccountThatIsToBeDeleted(t *testing.T) {
	h := newHouse(t, noLimits)
	h.chat(t, "Claude", "ann@example.com")
	h.leaves(t, "ann@example.com")
	g := h.guest(t)
	told := func(g *guest, address string) string {
		a := g.call(t, "authenticate", `{"email":"`+address+`"}`)
		pairing, _ := a.data["pairing_code"].(string)
		return strings.NewReplacer(address[:1]+"***@", "somebody@", pairing, "a code").Replace(a.text)
	}
	if asked, unknown := told(g, "ann@example.com"), told(h.guest(t), "zoe@example.com"); asked != unknown || !strings.Contains(asked, "somebody@") {
		t.Errorf("who asks is told %q, and of somebody unknown %q", asked, unknown)
	}
	digits := digitsIn(t, h.mail(t, "ann@example.com"))
	wrong := "000000"
	if digits == wrong {
		wrong = "111111"
	}
	if a := g.call(t, "validate_token", `{"code":"`+wrong+`"}`); !a.isError || strings.Contains(a.text, "deleted") {
		t.Errorf("wrong digits: %s", a.text)
	}
	refused := g.call(t, "validate_token", `{"code":"`+digits+`"}`)
	if !refused.isError || !strings.Contains(refused.text, "about to be deleted") || !strings.Contains(refused.text, "open "+h.issuer+"/account ") {
		t.Errorf("right digits: %s", refused.text)
	}
	if gr := g.bearer(t).Grant; gr.UserID != "" || gr.KnownUserID != "" {
		t.Errorf("the grant: %+v", gr)
	}
	if a := g.call(t, "validate_token", `{"code":"`+digits+`"}`); !a.isError || strings.Contains(a.text, "about to be deleted") {
		t.Errorf("the digits work twice: %s", a.text)
	}
	b, client := h.browser(t), h.client(t, "App")
	linked := h.guest(t).linked(t, "ann@example.com")
	wantsPage(t, "the link", b.types(t, b.open(t, linked.link), linked.pairing), http.StatusForbidden, "<h1>This account is about to be deleted</h1>", "The chat was not signed in", "See how to keep it")
	page := b.follow(t, b.authorize(t, client, "scope", "journal:write"))
	page = b.signsIn(t, page, "ann@example.com")
	wantsPage(t, "consent", page, http.StatusForbidden, "Your account will be deleted on", "cannot be connected", "See how to keep it", "Use another account")
	b.click(t, page, "Use another account")
	if n := h.count(t, "SELECT count(*) FROM foyer_grants WHERE user_id <> '' AND revoked_at = 0"); n != 0 {
		t.Errorf("%d grants are a user's", n)
	}
}

// tr21: a page of consent that was open before gives nothing, nor does a code.
func TestTr21AConsentFromBeforeGivesNothing(t *testing.T) {
	h := newHouse(t, noLimits)
	h.chat(t, "Claude", "ann@example.com")
	b, client := h.browser(t), h.client(t, "App")
	page := b.signsIn(t, b.follow(t, b.authorize(t, client, "scope", "journal:write")), "ann@example.com")
	if _, err := h.kit.DeleteUser(t.Context(), h.userID(t, "ann@example.com")); err != nil {
		t.Fatal(err)
	}
	wantsPage(t, "the session is over", b.click(t, page, "Allow"), http.StatusForbidden, "no longer works")
	fresh := b.signsIn(t, b.open(t, "/account"), "ann@example.com")
	wantsPage(t, "signed in anew", fresh, http.StatusOK, "Your account will be deleted on")
}

// tr21: after seven days all is deleted, the application's first, and the address
// stands nowhere any more. The trail holds. Who comes with the address is somebody new.
func TestTr21AfterSevenDaysTheAddressStandsNowhere(t *testing.T) {
	app := &application{}
	h := newHouse(t, noLimits, app.with)
	ann, bob := h.guest(t), h.chat(t, "Bobs", "bob@example.com")
	ann.call(t, "save_draft", `{"text":"what a guest kept"}`)
	guestID := ann.bearer(t).Grant.GuestID
	ann.signIn(t, "ann@example.com")
	for _, g := range []*guest{ann, bob} {
		g.call(t, "create_entry", `{"title":"Rain","content":"On ann and bob."}`)
	}
	id := h.userID(t, "ann@example.com")
	h.leaves(t, "ann@example.com")
	h.advance(7*day - time.Hour)
	h.purge(t)
	if h.guest(t).call(t, "authenticate", `{"email":"ann@example.com"}`); len(app.asked()) != 0 { // digits that a stranger asks for
		t.Error("deleted too early")
	}
	under := h.browser(t) // and a sign-in that is under way
	under.fill(t, under.open(t, "/account"), 0, url.Values{"email": {"ann@example.com"}})
	h.flush(t)
	if places := h.places(t, "ann@example"); len(places) < 3 {
		t.Errorf("the search finds only %v", places)
	}
	h.advance(time.Hour)
	h.purge(t)
	if got := strings.Join(app.asked(), " "); got != id+" "+guestID {
		t.Errorf("the application was asked to delete %s", got)
	}
	if places := h.places(t, "ann@example"); len(places) != 0 {
		t.Errorf("the address stands in %v", places)
	}
	for _, table := range h.places(t, id) {
		if table != "foyer_events" && table != "foyer_counters" {
			t.Errorf("the ID stands in %s", table)
		}
	}
	if places := h.places(t, guestID); len(places) != 1 || places[0] != "foyer_events" {
		t.Errorf("the guest's ID stands in %v", places)
	}
	bob.renew(t)
	if a := bob.call(t, "list_entries", ""); !strings.Contains(a.raw, "Rain") {
		t.Errorf("another user has %s", a.raw)
	}
	again := h.chat(t, "Claude", "ann@example.com")
	if a := again.call(t, "list_entries", ""); strings.Contains(a.raw, "Rain") || h.userID(t, "ann@example.com") == id {
		t.Errorf("who is new has %s", a.raw)
	}
	h.advance(9 * day)
	h.purge(t)
	again.renew(t)
	again.works(t, "who is new")
	h.restart() // which seals what happened
	if report, err := h.kit.VerifyAudit(t.Context()); err != nil || report.Sealed == 0 {
		t.Errorf("the trail: %+v, %v", report, err)
	}
}

// Operators delete and keep by the ID, and are refused what is not there.
func TestOperatorsDeleteKeepAndCopyUsers(t *testing.T) {
	h := newHouse(t, noLimits)
	ann := h.chat(t, "Claude", "ann@example.com")
	id := h.userID(t, "ann@example.com")
	until, err := h.kit.DeleteUser(t.Context(), id)
	if err != nil || !until.Equal(h.clock().Add(7*day)) {
		t.Errorf("%v, %v", until, err)
	}
	if a := ann.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
		t.Errorf("its client: %d", a.status)
	}
	h.flush(t)
	if !strings.Contains(h.mail(t, "ann@example.com"), "will be deleted") {
		t.Error("no mail")
	}
	if err := h.kit.KeepUser(t.Context(), id); err != nil {
		t.Error(err)
	}
	var b bytes.Buffer
	if err := h.kit.ExportUser(t.Context(), id, &b); err != nil || !bytes.HasPrefix(b.Bytes(), []byte("PK")) {
		t.Errorf("a copy: %d bytes, %v", b.Len(), err)
	}
	if _, err := h.kit.DeleteUser(t.Context(), id); err != nil {
		t.Error(err)
	}
	h.advance(7 * day)
	b.Reset()
	for name, c := range map[string]struct{ got, want error }{
		"kept too late":     {h.kit.KeepUser(t.Context(), id), ErrNotLeaving},
		"copied too late":   {h.kit.ExportUser(t.Context(), id, &b), ErrNotLeaving},
		"nobody is deleted": {second(h.kit.DeleteUser(t.Context(), "user_x")), ErrNoUser},
		"nobody is kept":    {h.kit.KeepUser(t.Context(), "user_x"), ErrNotLeaving},
		"nobody is copied":  {h.kit.ExportUser(t.Context(), "user_x", &b), ErrNoUser},
	} {
		if !errors.Is(c.got, c.want) || b.Len() > 0 {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// unzipped are the files of an archive.
func unzipped(t testing.TB, body string) map[string]string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}

// tr22: the button answers with the file: what the kit knows, without secrets, and what
// the application adds. So it does for who is leaving.
func TestTr22UsersTakeTheirDataAway(t *testing.T) {
	h := newHouse(t, noLimits)
	ann, bob := h.chat(t, "Claude", "ann@example.com"), h.chat(t, "Bobs", "bob@example.com")
	for name, g := range map[string]*guest{"Ann": ann, "Bob": bob} {
		g.call(t, "create_entry", `{"title":"Rain on `+name+`","content":"All day."}`)
	}
	if err := h.kit.Elevate(t.Context(), Elevation{GrantID: ann.bearer(t).Grant.ID, Scope: "journal:export", For: time.Hour, Reason: "a repair", Approver: "Carol"}); err != nil {
		t.Fatal(err)
	}
	b, page := h.account(t, "ann@example.com")
	file := b.click(t, page, "Download your data")
	for name, want := range map[string]string{"Content-Type": "application/zip", "Content-Disposition": `attachment; filename="my-data-2026-11-21.zip"`, "Cache-Control": "no-store",
		"X-Content-Type-Options": "nosniff", "Content-Length": fmt.Sprint(len(file.body)), "Referrer-Policy": "no-referrer"} {
		if got := file.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	files := unzipped(t, file.body)
	for name, texts := range map[string][]string{
		"foyer.json":       {"ann@example.com", h.issuer, "Claude", "127.0.0.1:33418", "journal:write", "a repair", "grant_claimed", "session_opened", `"first_seen"`},
		"app/journal.md":   {"Rain on Ann"},
		"app/entries.json": {"Rain on Ann"},
		"app/tags.json":    {"[]"},
		"app/drafts.json":  {"[]"},
	} {
		for _, text := range texts {
			if !strings.Contains(files[name], text) {
				t.Errorf("%s: no %q in %s", name, text, files[name])
			}
		}
	}
	all := fmt.Sprint(files)
	for _, secret := range []string{"bob@", "Rain on Bob", "Carol", ann.access, ann.refresh, b.cookie(t), "mac", "hash"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is in the file", secret)
		}
	}
	if !json.Valid([]byte(files["foyer.json"])) || len(files) != 5 {
		t.Errorf("%d files: %s", len(files), files["foyer.json"])
	}
	wantsPage(t, "lately", b.open(t, "/account"), http.StatusOK, "A copy of the data was downloaded")
	h.leaves(t, "ann@example.com")
	b, page = h.account(t, "ann@example.com")
	if files := unzipped(t, b.click(t, page, "Download your data").body); !strings.Contains(files["foyer.json"], "will_be_deleted_at") {
		t.Errorf("who is leaving gets %s", files["foyer.json"])
	}
	h.advance(6 * day)
	b, page = h.account(t, "ann@example.com")
	h.advance(11 * time.Minute)
	wantsPage(t, "stale", b.click(t, page, "Download your data"), http.StatusForbidden, "Sign in again")
}

// cookie is that of the session.
func (b *browser) cookie(t testing.TB) string {
	t.Helper()
	issuer, err := url.Parse(b.issuer)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.jar.Cookies(issuer) {
		if c.Name == "foyer-session" {
			return c.Value
		}
	}
	t.Fatal("no cookie")
	return ""
}
