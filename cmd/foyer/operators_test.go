package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/foyertest"
	"example.com/foyer/internal/grant"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// stored makes a database in a new folder with the user ann@example.com, grants of
// hers, and one of a guest, and returns the folder. Names in it are odd.
func stored(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	db, err := sqlite.Open(filepath.Join(dir, database))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Now()
	of := func(id, user string) store.Grant {
		return store.Grant{ID: id, ClientID: "client_\x1b[2J", RedirectHost: "a\u202eb.example", GuestID: "guest_" + id, UserID: user, Epoch: 1, Level: "chat",
			Scopes: []string{"guest", "journal:write"}, Created: now, Expires: now.Add(time.Hour)}
	}
	one, full, revoked, expired := of("one", "ann"), of("full", "ann"), of("revoked", "ann"), of("expired", "ann")
	one.Elevations = []store.Elevation{
		{Role: "clerk", Until: now.Add(time.Hour), Reason: "a\ttab\nand \u009b31mred", By: "b\x07b"},
		{Scope: "journal:export", Until: now.Add(-time.Hour), Reason: "it is over", By: "bob"}}
	for i := range 16 {
		full.Elevations = append(full.Elevations, store.Elevation{Role: "role" + string(rune('a'+i)), Until: now.Add(time.Hour), Reason: "r", By: "bob"})
	}
	revoked.RevokedAt, expired.Expires = now, now.Add(-time.Minute)
	err = db.Update(t.Context(), func(tx store.Tx) error {
		err := tx.PutUser(t.Context(), store.User{ID: "ann", Email: "ann@example.com", Created: now, Roles: []string{"cl\u200ferk", "director"}})
		for _, g := range []store.Grant{one, full, revoked, expired, of("guests", "")} {
			err = errors.Join(err, tx.PutGrant(t.Context(), g))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// ran runs the program on the folder dir in a process of its own.
func ran(t *testing.T, dir string, args ...string) (status int, out string) {
	t.Helper()
	cmd := program(t, append(args, "--data", dir)...)
	text, _ := cmd.CombinedOutput() // the status tells
	return cmd.ProcessState.ExitCode(), string(text)
}

func TestCommandsOfOperatorsRefuseWithTheNextStep(t *testing.T) {
	dir := stored(t)
	raise := func(args ...string) []string {
		return append([]string{"grants", "elevate", "--for", "1h", "--reason", "the vault is on fire", "--by", "bob"}, args...)
	}
	for _, test := range []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"nobody's address", []string{"users", "show", "eve@example.com"}, 1, "look for a typo"},
		{"roles for nobody", []string{"users", "roles", "eve@example.com", "clerk"}, 1, "look for a typo"},
		{"nobody to delete", []string{"users", "delete", "eve@example.com"}, 1, "look for a typo"},
		{"nobody to keep", []string{"users", "keep", "eve@example.com"}, 1, "look for a typo"},
		{"to delete no address", []string{"users", "delete", "ann"}, 2, "It has no @."},
		{"to keep no address", []string{"users", "keep", "ann"}, 2, "It has no @."},
		{"to keep who stays", []string{"users", "keep", "ann@example.com"}, 1, "so they stay"},
		{"no address", []string{"users", "show", "ann"}, 2, "It has no @."},
		{"roles for no address", []string{"users", "roles", "ann", "clerk"}, 2, "It has no @."},
		{"an address that is missing", []string{"users", "show"}, 2, "address"},
		{"roles without a role", []string{"users", "roles", "ann@example.com"}, 2, "take all away with --none"},
		{"a role and none", []string{"users", "roles", "ann@example.com", "clerk", "--none"}, 2, "take all away with --none"},
		{"a role without a name", []string{"users", "roles", "ann@example.com", ""}, 2, "a role has a name without spaces"},
		{"a role of two words", []string{"users", "roles", "ann@example.com", "a b"}, 2, "a role has a name without spaces"},
		{"another app", []string{"users", "show", "ann@example.com", "--app", "todo"}, 2, "there is: journal, appointments, conformance"},
		{"another app's scopes", raise("one", "--scope", "journal:export", "--app", "todo"), 2, "there is: journal, appointments, conformance"},
		{"a scope that there is not", raise("one", "--scope", "journal:\x1b[2J"), 2, "journal has these scopes: journal:write journal:export"},
		{"a level for a scope", raise("one", "--scope", "acr:email"), 2, "journal has these scopes"},
		{"an app without scopes", raise("one", "--scope", "journal:export", "--app", "conformance"), 2, "(none)"},
		{"a scope and a role", raise("one", "--scope", "journal:export", "--role", "director"), 2, "--scope and --role"},
		{"neither", raise("one"), 2, "--scope=SCOPE or --role=ROLE"},
		{"an empty role", raise("one", "--role", ""), 2, "an elevation is to one scope or one role"},
		{"too long", append(raise("one", "--role", "director"), "--for", "25h"), 2, "at most 24h"},
		{"no time", append(raise("one", "--role", "director"), "--for", "0s"), 2, "more than 0"},
		{"no reason", []string{"grants", "elevate", "one", "--role", "director", "--for", "1h", "--by", "bob"}, 2, "--reason"},
		{"nobody approved", append(raise("one", "--role", "director"), "--by", " "), 2, "a --reason and --by that are not empty"},
		{"no grant", raise("nothing", "--role", "director"), 1, "see a user's with: foyer users show ADDRESS"},
		{"a grant that has expired", raise("expired", "--role", "director"), 1, "see a user's with: foyer users show ADDRESS"},
		{"a grant that is revoked", raise("revoked", "--role", "director"), 1, "has to connect anew"},
		{"a guest's grant", raise("guests", "--role", "director"), 1, "who has to sign in first"},
		{"too many", raise("full", "--role", "director"), 1, "end one with: foyer grants lower"},
		{"nothing to lower", []string{"grants", "lower", "one", "--role", "director"}, 1, "see what it has with: foyer users show ADDRESS"},
		{"what is over", []string{"grants", "lower", "one", "--scope", "journal:export"}, 1, "it is over"},
		{"an empty role to lower", []string{"grants", "lower", "one", "--role", ""}, 2, "leave both out"},
		{"an empty scope to lower", []string{"grants", "lower", "one", "--scope="}, 2, "leave both out"},
		{"both to lower", []string{"grants", "lower", "one", "--scope", "a", "--role", "b"}, 2, "--scope and --role"},
		{"no grant to lower", []string{"grants", "lower", "nothing"}, 1, "there is no such grant"},
		{"no grant to revoke", []string{"grants", "revoke", "nothing"}, 1, "there is no such grant"},
		{"what is revoked", []string{"grants", "revoke", "revoked"}, 1, "which is for good"},
	} {
		status, out := ran(t, dir, test.args...)
		if status != test.status || !strings.Contains(out, test.want) || strings.Contains(out, "@") && test.status == 1 || strings.Contains(out, "\x1b") {
			t.Errorf("%s: exit status %d, %s\nwant %d and %q, and no address", test.name, status, out, test.status, test.want)
		}
	}
	if _, out := ran(t, dir, "users", "show", "ann@example.com"); !strings.Contains(out, "director") || strings.Count(out, "role clerk") != 1 {
		t.Errorf("a refusal has changed something: %s", out)
	}
}

// A refusal that an operator cannot read the next step of is a riddle.
func TestEveryRefusalOfTheRulesHasWordsForOperators(t *testing.T) {
	for _, refusal := range []error{grant.ErrNoUser, grant.ErrRoles, grant.ErrElevation, grant.ErrElevated, grant.ErrNotElevated, grant.ErrGuest, grant.ErrUnknown, grant.ErrRevoked} {
		if err := inWords(refusal); errors.Is(err, refusal) || strings.Contains(err.Error(), "grant: ") {
			t.Errorf("%v has no words", refusal)
		}
	}
	if fault := errors.New("the disk is full"); inWords(fault) != fault || inWords(nil) != nil {
		t.Error("a fault is said in other words")
	}
}

func TestADatabaseThatDoesNotExistIsNotMade(t *testing.T) {
	for name, dir := range map[string]string{"an empty folder": t.TempDir(), "no folder": filepath.Join(t.TempDir(), "none")} {
		for _, args := range [][]string{{"users", "show", "ann@example.com"}, {"users", "roles", "ann@example.com", "--none"}, {"grants", "revoke", "one"},
			{"grants", "lower", "one"}, {"grants", "elevate", "one", "--role", "clerk", "--for", "1h", "--reason", "r", "--by", "b"}} {
			if status, out := ran(t, dir, args...); status != exitFailed || !strings.Contains(out, "there is no database "+filepath.Join(dir, database)+"; name its folder with --data") {
				t.Errorf("%s: %v: exit status %d, %s", name, args, status, out)
			}
		}
		if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) > 0 {
			t.Errorf("%s: there is %v now", name, files)
		}
	}
}

// What is stored comes from clients and from other operators: nothing of it
// reaches the terminal but what can be seen there.
func TestWhatIsShownIsTame(t *testing.T) {
	dir := stored(t)
	for _, args := range [][]string{{"users", "show", "ann@example.com"}, {"users", "show", "ann@example.com", "--json"}, {"grants", "lower", "one"}, {"users", "roles", "ann@example.com", "--none"}} {
		status, out := ran(t, dir, args...)
		if status != 0 || strings.ContainsFunc(out, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
			t.Errorf("%v: exit status %d, %q", args, status, out)
		}
	}
}

// What users have is shown, to people and to scripts, and nothing else: no
// address, no guest, no grant or elevation that is over.
func TestAUserIsShown(t *testing.T) {
	dir := stored(t)
	_, table := ran(t, dir, "users", "show", " ANN@Example.com ")
	for _, want := range []string{"user   ann\n", "cl\ufffderk director\n", "REDIRECT HOST", "full   client_\ufffd[2J  a\ufffdb.example    chat   guest journal:write  ", "role clerk", "a\ufffdtab\ufffdand \ufffd31mred", "b\ufffdb\n"} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
	_, text := ran(t, dir, "users", "show", "ann@example.com", "--json")
	var got shownUser
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if got.ID != "ann" || got.Since.IsZero() || len(got.Roles) != 2 || len(got.Grants) != 2 || got.Grants[0].ID != "full" || got.Grants[1].ID != "one" {
		t.Fatalf("%+v", got)
	}
	g := got.Grants[1]
	if g.Client != "client_\x1b[2J" || g.RedirectHost != "a\u202eb.example" || g.Level != "chat" || len(g.Scopes) != 2 || g.Since.IsZero() || g.Expires.IsZero() {
		t.Errorf("%+v", g)
	}
	if len(g.Elevations) != 1 || g.Elevations[0].Role != "clerk" || g.Elevations[0].Reason != "a\ttab\nand \u009b31mred" || g.Elevations[0].By != "b\x07b" || g.Elevations[0].Until.IsZero() {
		t.Errorf("%+v", g.Elevations)
	}
	for _, shown := range []string{table, text} {
		for _, secret := range []string{"@", "guest_", "revoked", "expired", "it is over", "null"} {
			if strings.Contains(shown, secret) {
				t.Errorf("%q in\n%s", secret, shown)
			}
		}
	}
	if text := escaped([]byte(`"\u007f\u0085` + "\u007f\u0085\U000e0041" + `"`)); text != `"\u007f\u0085\u007f\u0085\udb40\udc41"` {
		t.Errorf("escaped: %s", text)
	}
}

// The story of an operator, with the program itself: beside a demo that runs, and
// after it has stopped.
func TestAnOperatorBesideADemoThatRuns(t *testing.T) {
	data := t.TempDir()
	d := start(t, "--addr", "127.0.0.1:0", "--data", data)
	session := foyertest.At(t, d.url+"/mcp", filepath.Join(data, "mail")).SignIn(t, "ann@example.com")
	works := func(tool string, arguments map[string]any) bool {
		t.Helper()
		res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
		return err == nil && !res.IsError
	}
	does := func(want string, args ...string) (out string) {
		t.Helper()
		status, out := ran(t, data, args...)
		if status != 0 || !strings.Contains(out, want) {
			t.Fatalf("%v: exit status %d, %s\nwant %q", args, status, out, want)
		}
		return out
	}
	var ann shownUser
	if err := json.Unmarshal([]byte(does("client_id", "users", "show", "ann@example.com", "--json")), &ann); err != nil || len(ann.Grants) != 1 {
		t.Fatalf("%+v: %v", ann, err)
	}
	id := ann.Grants[0].ID
	does("was  (none)\nis   clerk director\n", "users", "roles", "Ann@example.com", "director", "clerk", "director")
	does("was  clerk director\nis   (none)\n", "users", "roles", "ann@example.com", "--none")
	does("elevated to scope journal:export until 2", "grants", "elevate", id, "--scope", "journal:export", "--for", "1h", "--reason", "she leaves", "--by", "bob")
	if !works("export_journal", nil) {
		t.Error("an elevation opens nothing in a server that runs")
	}
	does("she leaves", "users", "show", "ann@example.com")
	does("no longer elevated to scope journal:export, which was until 2", "grants", "lower", id, "--scope", "journal:export")
	if works("export_journal", nil) {
		t.Error("an elevation that was ended opens")
	}
	does("revoked; ", "grants", "revoke", id)
	if works("list_entries", nil) {
		t.Error("a revoked grant opens")
	}
	session.Close()
	d.stop(t)
	if out := does("(none)", "users", "show", "ann@example.com"); strings.Contains(out, id) {
		t.Errorf("a revoked grant is shown: %s", out)
	}
	secret := filepath.Join(data, "secret")
	if err := os.Remove(secret); err != nil {
		t.Fatal(err)
	}
	does("is   clerk\n", "users", "roles", "ann@example.com", "clerk")
	if _, err := os.Stat(secret); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a command makes a secret: %v", err)
	}
}

// A user is deleted and kept, and is shown to be leaving between the two.
func TestAUserIsDeletedAndKept(t *testing.T) {
	dir := stored(t)
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"users", "delete", "ann@example.com"}, "will be deleted at 20"},
		{[]string{"users", "delete", "ann@example.com"}, "will be deleted at 20"},
		{[]string{"users", "show", "ann@example.com"}, "will be deleted  20"},
		{[]string{"users", "show", "--json", "ann@example.com"}, `"will_be_deleted_at": "20`},
		{[]string{"users", "keep", "ann@example.com"}, "kept"},
	} {
		if status, out := ran(t, dir, step.args...); status != 0 || !strings.Contains(out, step.want) || strings.Contains(out, "@") {
			t.Errorf("%v: %d, %s", step.args, status, out)
		}
	}
	if _, out := ran(t, dir, "users", "show", "ann@example.com"); strings.Contains(out, "will be deleted") || strings.Contains(out, "one ") {
		t.Errorf("kept: %s", out)
	}
}
