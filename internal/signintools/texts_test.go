package signintools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
)

func (d *desk) listed() []*mcp.Tool {
	d.t.Helper()
	res, err := d.session.ListTools(d.t.Context(), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return res.Tools
}

func TestTheToolsAreListedWordForWord(t *testing.T) {
	d := newDesk(t)
	d.guest()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d.listed()); err != nil {
		t.Fatal(err)
	}
	golden(t, "tools.json", b.String())
}

// A client that shows annotations asks its user before a mail goes out, a grant
// changes hands or a user is signed out.
func TestT12AnnotationsMakeClientsAsk(t *testing.T) {
	d := newDesk(t)
	for _, tool := range d.listed() {
		a := tool.Annotations
		changes := tool.Name != words.Whoami
		mails := tool.Name == words.Authenticate || tool.Name == words.ValidateToken || tool.Name == words.SwitchAccount
		if a == nil || a.ReadOnlyHint == changes || changes && (a.DestructiveHint == nil || !*a.DestructiveHint) || a.OpenWorldHint == nil || *a.OpenWorldHint != mails {
			t.Errorf("%s: %+v", tool.Name, a)
		}
		if len(tool.Description) > 2048 || !slices.Contains(Names, tool.Name) {
			t.Errorf("%s: a description of %d bytes", tool.Name, len(tool.Description))
		}
	}
	if len(d.listed()) != len(Names) || len(Rules()) != len(Names) {
		t.Errorf("%d tools, %d names, %d rules", len(d.listed()), len(Names), len(Rules()))
	}
}

// refusalTexts is every text by which a tool refuses, with when it does.
func refusalTexts(t *testing.T, d *desk) (all []string) {
	add := func(when string, r reply) {
		data, err := json.Marshal(r.Data)
		if err != nil || !r.Refused {
			t.Errorf("%s: %v, %s", when, err, r.raw)
		}
		all = append(all, fmt.Sprintf("%s:\n%s\n%s\n", when, r.text(), data))
	}
	d.guest()
	add("authenticate without an address", d.call("authenticate", `{}`))
	add("authenticate with two addresses", d.call("authenticate", `{"email":"ann@example.com, bob@example.com"}`))
	add("validate_token without digits", d.call("validate_token", `{}`))
	add("validate_token with two sorts", d.call("validate_token", `{"code":"123456","validationToken":"654321"}`))
	refuse := func(err error) reply { return d.read(d.refusal(t.Context(), err).result()) }
	for _, row := range refusals {
		add(row.refusal.Error(), refuse(fmt.Errorf("wrapped: %w", row.refusal)))
	}
	for left := 4; left > 0; left-- {
		add(fmt.Sprintf("signin.Wrong, %d left", left), refuse(signin.Wrong{Left: left}))
	}
	for _, wait := range []time.Duration{1, 40 * time.Second, 23*time.Hour + 1} {
		add(fmt.Sprintf("signin.TooMany, %v", wait), refuse(signin.TooMany{Wait: wait}))
	}
	add("a fault", refuse(errors.New("disk full: /secret/path ann@example.com")))
	return all
}

func TestTheRefusalsAreSaidWordForWord(t *testing.T) {
	golden(t, "refusals.txt", strings.Join(refusalTexts(t, newDesk(t)), "\n"))
}

// A model that is refused must learn one thing to do next, and that it need not
// try the same again.
func TestEveryRefusalSaysWhatToDoNext(t *testing.T) {
	next := regexp.MustCompile(`[Cc]all (authenticate|validate_token|whoami|logout)|[Tt]ell the user|The user can|[Aa]sk (again in|the user)|The client should|nothing to sign out of`)
	for _, text := range refusalTexts(t, newDesk(t)) {
		said := strings.Split(text, "\n")[1]
		if !next.MatchString(said) || !strings.HasSuffix(said, ".") || len(said) > 300 {
			t.Errorf("no next step, or too long: %s", text)
		}
		if strings.Contains(text, "secret/path") && !strings.HasPrefix(text, "a fault") || strings.Contains(said, "ann@") {
			t.Errorf("shows what it must not: %s", text)
		}
	}
}

// elsewhere are the sentinels of the rules that no tool can meet.
var elsewhere = map[string]string{
	"grant.ErrCode":        "of Redeem",
	"grant.ErrCodeUsed":    "of Redeem",
	"grant.ErrResource":    "of Redeem and Refresh",
	"grant.ErrAnswered":    "of Refresh",
	"grant.ErrReused":      "of Refresh",
	"grant.ErrElevated":    "of Elevate",
	"grant.ErrNotElevated": "of Lower",
	"signin.ErrNoSession":  "of pages",
	"grant.ErrNoUser":      "of SetRoles",
	"grant.ErrRoles":       "of SetRoles",
	"grant.ErrElevation":   "of Elevate",
	"grant.ErrStale":       "of the account page",
	"grant.ErrElsewhere":   "of the account page",
	"grant.ErrNotLeaving":  "of the account page",
	"grant.ErrTooLate":     "of the account page",
	"grant.ErrScope":       "of Refresh",
	"grant.ErrNotYours":    "of Revoke",
}

func TestEveryRefusalOfTheRulesHasWords(t *testing.T) {
	known := map[string]bool{}
	for _, row := range refusals {
		known[row.refusal.Error()] = true
	}
	unseen := len(elsewhere)
	for _, pkg := range []string{"signin", "grant"} {
		files, err := filepath.Glob(filepath.Join("..", pkg, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, s := range regexp.MustCompile(`(Err\w+)\s*= errors\.New\("(.*)"\)`).FindAllStringSubmatch(string(source), -1) {
				found++
				_, other := elsewhere[pkg+"."+s[1]]
				if other {
					unseen--
				}
				if known[s[2]] == other {
					t.Errorf("%s.%s has words: %v; is said to come from elsewhere: %v", pkg, s[1], known[s[2]], other)
				}
			}
			for _, s := range regexp.MustCompile(`func \((?:\w+ )?\*?(\w+)\) Error\(\) string`).FindAllStringSubmatch(string(source), -1) {
				if s[1] != "Wrong" && s[1] != "TooMany" {
					t.Errorf("%s.%s is a refusal of a type that the tools do not know", pkg, s[1])
				}
			}
		}
		if found == 0 {
			t.Errorf("package %s has no refusals: where did they go?", pkg)
		}
	}
	if unseen != 0 {
		t.Errorf("%d of those from elsewhere are gone", unseen)
	}
}
