// Package archtest keeps the ladder of imports.
package archtest

import (
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "example.com/foyer"

// floors are the house from the ground up. A package imports only packages of
// lower floors; packages on one floor do not know each other. A pattern is one
// of path.Match.
var floors = [][]string{
	{"store", "internal/oauth", "internal/secret", "internal/jwt", "internal/fetch"},
	{"gate", "audit", "mail", "internal/words", "internal/grant", "internal/client", "internal/limit", "internal/sqlstore", "internal/archive", "store/storetest", "internal/chromium"},
	{"internal/signin", "internal/operation", "internal/outbox", "internal/layout", "store/sqlite", "policy/*", "elicit"},
	{"confirm", "internal/pages", "internal/mcpgate", "internal/signintools", "internal/authserver", "internal/front"},
	{""}, // package foyer
	{"examples/*", "foyertest"},
	{"cmd/foyer", "internal/archtest", "test/*"},
}

// pure packages import only the standard library.
var pure = []string{"gate", "audit", "store", "internal/oauth", "internal/secret", "internal/jwt", "internal/fetch", "policy/authzen"}

// rules decide, and therefore know no HTTP and no HTML.
var rules = []string{"gate", "audit", "store", "internal/oauth", "internal/secret", "internal/jwt", "internal/grant", "internal/client", "internal/limit",
	"internal/signin", "internal/operation"}

func TestPackagesImportOnlyLowerFloors(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for line := range strings.Lines(string(out)) {
		paths := strings.Fields(line)
		from := strings.TrimPrefix(strings.TrimPrefix(paths[0], module), "/")
		height, ok := floor(from)
		if !ok {
			t.Errorf("package %q has no floor: decide where it stands", from)
		}
		for _, p := range paths[1:] {
			to, inHouse := strings.CutPrefix(p+"/", module+"/")
			to = strings.TrimSuffix(to, "/")
			switch below, _ := floor(to); {
			case inHouse && below >= height:
				t.Errorf("%s (floor %d) imports %s (floor %d)", from, height, to, below)
			case !inHouse && oneOf(pure, from) && strings.Contains(p, "."):
				t.Errorf("%s imports %s: it needs the standard library only", from, p)
			case oneOf(rules, from) && (p == "net/http" || p == "html/template"):
				t.Errorf("%s imports %s: rules know no HTTP and no HTML", from, p)
			}
			if inHouse {
				ours++
			}
		}
	}
	if ours == 0 {
		t.Error("no package imports another: is the module still called " + module + "?")
	}
}

// Only tests, and the packages that other people's tests import, may pull in the
// testing package and what goes with it.
func TestTestHelpersStayOutOfPrograms(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", `{{.ImportPath}}`, module, module+"/cmd/foyer").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	for _, p := range []string{"testing", "pgregory.net/rapid", "github.com/chromedp/chromedp", module + "/store/storetest", module + "/foyertest", "golang.org/x/tools/txtar"} {
		if slices.Contains(deps, p) {
			t.Errorf("a program links %s", p)
		}
	}
}

// Who does not import a policy engine does not link one.
func TestTheKitLinksNoPolicyEngine(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", `{{.ImportPath}}`, module).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range strings.Fields(string(out)) {
		if strings.HasPrefix(p, module+"/policy/") || strings.HasPrefix(p, "github.com/cedar-policy/") {
			t.Errorf("the kit links %s", p)
		}
	}
}

func floor(pkg string) (height int, ok bool) {
	for height, patterns := range floors {
		if oneOf(patterns, pkg) {
			return height, true
		}
	}
	return -1, false
}

func oneOf(patterns []string, pkg string) bool {
	for _, p := range patterns {
		if ok, _ := path.Match(p, pkg); ok {
			return true
		}
	}
	return false
}
