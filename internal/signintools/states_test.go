package signintools

import (
	"context"
	"database/sql"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/words"
)

// The steps run in order, on one grant.
func TestTheToolsAnswerByTheStateOfTheGrant(t *testing.T) {
	d := newDesk(t)
	d.guest()
	for _, step := range []struct {
		sentence, tool, arguments string
		refused                   bool
		text                      string // its beginning
		status                    string
		next                      []any
	}{
		{"a guest", "whoami", `{}`, false, "Nobody is signed in: this is a guest.", "guest", []any{"authenticate"}},
		{"a guest signs out", "logout", `{}`, false, words.NobodySignedIn, "guest", nil},
		{"digits that nobody asked for", "validate_token", `{"code":"123456"}`, true, words.NoCodeAsked, "refused", nil},
		{"asking for a mail", "authenticate", `{"email":" Ann@Example.com "}`, false, "A mail is on its way to a***@example.com, if that can receive mail. Ask the user for the 6 digits in it", "pending", []any{"validate_token"}},
		{"digits are expected", "whoami", `{}`, false, "A guest, who was mailed a one-time code to a***@example.com.", "pending", []any{"validate_token"}},
		{"asking again at once", "authenticate", `{"email":"ann@example.com"}`, true, "No mail was sent: too many were asked for. Ask again in 60 seconds", "refused", nil},
		{"wrong digits", "validate_token", `{"code":"x"}`, true, "Not correct. 4 tries are left.", "refused", nil},
		{"right digits", "validate_token", `{"code":"<digits>"}`, false, "Signed in as a***@example.com. You can now call: list_notes, save_note. Call again now what was refused before", "signed_in", nil},
		{"a user", "whoami", `{}`, false, "Signed in as a***@example.com.", "signed_in", []any{"logout"}},
		{"T15: a user asks for a mail", "authenticate", `{"email":"bob@example.com"}`, false, "Already signed in as a***@example.com. Nothing was sent.", "signed_in", nil},
		{"T15: a user gives digits", "validate_token", `{"code":"<digits>"}`, false, "Already signed in as a***@example.com.", "signed_in", nil},
		{"T15: a user switches to themselves", "switch_account", `{"email":"ANN@example.com"}`, false, "Already signed in as a***@example.com. Nothing was sent.", "signed_in", nil},
		{"a user switches to no address", "switch_account", `{"email":"bob"}`, true, "No mail was sent. ", "refused", nil},
		{"a user switches to nobody", "switch_account", `{"email":""}`, true, words.EmailMissing, "refused", nil},
		{"signing out", "logout", `{}`, false, words.SignedOut, "guest", []any{"authenticate"}},
		{"T62: the digits from the transcript", "validate_token", `{"code":"<digits>"}`, true, words.NoCodeAsked, "refused", nil},
		{"a guest switches", "switch_account", `{"email":"bob@example.com"}`, true, words.YouAreAGuest, "refused", nil},
		{"a guest again", "whoami", `{}`, false, "Nobody is signed in", "guest", []any{"authenticate"}},
		{"T20: another signs in", "authenticate", `{"email":"bob@example.com"}`, false, "A mail is on its way to b***@example.com", "pending", []any{"validate_token"}},
		{"T20: and is told as another", "validate_token", `{"code":"<digits>"}`, false, "Signed in as b***@example.com.", "signed_in", nil},
		{"T20: also by whoami", "whoami", `{}`, false, "Signed in as b***@example.com.", "signed_in", []any{"logout"}},
		{"tr13: a user switches", "switch_account", `{"email":"cat@example.com"}`, false, "Signed b***@example.com out. A mail is on its way to c***@example.com, if that can receive mail.", "pending", []any{"validate_token"}},
		{"tr13: and is a guest", "whoami", `{}`, false, "A guest, who was mailed a one-time code to c***@example.com.", "pending", []any{"validate_token"}},
		{"tr13: until the digits come", "validate_token", `{"code":"<digits>"}`, false, "Signed in as c***@example.com.", "signed_in", nil},
		{"tr13: a fourth address in a day is one too many", "switch_account", `{"email":"dan@example.com"}`, true, "No mail was sent: too many were asked for.", "refused", nil},
		{"tr13: which signs nobody out", "whoami", `{}`, false, "Signed in as c***@example.com.", "signed_in", []any{"logout"}},
	} {
		arguments := step.arguments
		if strings.Contains(arguments, "<digits>") {
			arguments = strings.ReplaceAll(arguments, "<digits>", d.digits())
		}
		r := d.call(step.tool, arguments)
		next, _ := r.Data["next"].([]any)
		if r.Refused != step.refused || !strings.HasPrefix(r.text(), step.text) || r.Data["status"] != step.status || !slices.Equal(next, step.next) {
			t.Errorf("%s: %s", step.sentence, r.raw)
		}
	}
}

func TestWhoamiFitsItsSchema(t *testing.T) {
	d := newDesk(t)
	d.guest()
	var schema struct {
		Properties map[string]any
		Required   []string
	}
	if err := json.Unmarshal(whoamiTool("Notes").OutputSchema.(json.RawMessage), &schema); err != nil {
		t.Fatal(err)
	}
	check := func(state string) {
		t.Helper()
		r := d.call("whoami", `{}`)
		for key := range r.Data {
			if schema.Properties[key] == nil {
				t.Errorf("%s: %q is not in the schema: %s", state, key, r.raw)
			}
		}
		for _, key := range schema.Required {
			if r.Data[key] == nil {
				t.Errorf("%s: %q is missing: %s", state, key, r.raw)
			}
		}
	}
	check("guest")
	right := d.asks("ann@example.com")
	check("pending")
	d.call("validate_token", `{"code":"`+right+`"}`)
	check("signed in")
}

func TestWhatASignInUnlocksIsAskedForTheUser(t *testing.T) {
	d := newDesk(t)
	d.guest()
	d.signsIn("ann@example.com")
	if len(d.unlocks) != 1 {
		t.Fatalf("asked %d times", len(d.unlocks))
	}
	c := d.unlocks[0]
	if c.UserID == "" || c.Email != "ann@example.com" || c.Level != "chat" || !slices.Equal(c.Scopes, []string{grant.Guest, "notes:write"}) {
		t.Errorf("asked for %+v", c)
	}
}

func TestT31TheToolsAnswerEveryAddressAlike(t *testing.T) {
	d := newDesk(t)
	d.guest()
	d.signsIn("known@example.com")
	d.advance(24 * time.Hour)
	for i := range 20 {
		d.guest()
		d.asks("off@example.com")
		d.call("validate_token", `{"code":"x"}`)
		if i < 3 {
			d.asks("overbudget@example.com")
			d.advance(time.Minute)
		}
	}
	d.guest()
	d.asks("muted@example.com")
	var first []string
	for _, name := range []string{"new", "known", "overbudget", "off", "muted"} {
		d.guest()
		asked := d.call("authenticate", `{"email":"`+name+`@example.com"}`)
		said := []string{strings.ReplaceAll(asked.raw, asked.Data["pairing_code"].(string), "K7QX"), d.call("whoami", `{}`).raw} // each challenge has its own
		for range 6 {
			said = append(said, d.call("validate_token", `{"code":"x"}`).raw)
		}
		said = append(said, d.call("whoami", `{}`).raw)
		for i := range said {
			said[i] = strings.ReplaceAll(said[i], name[:1]+"***@", "n***@")
		}
		if first == nil {
			first = said
		}
		if !reflect.DeepEqual(said, first) {
			t.Errorf("%s:\n%s\na new address:\n%s", name, strings.Join(said, "\n"), strings.Join(first, "\n"))
		}
	}
}

// A whole story, with what goes wrong in it: nothing of it may stand in the log
// or name a counter.
func TestT60NeitherLogsNorCountersHaveSecrets(t *testing.T) {
	d := newDesk(t)
	g := d.guest()
	right := d.asks("ann@example.com")
	d.call("validate_token", `{"code":"918273645"}`)
	d.call("authenticate", `{"email":"not an address `+canary+`"}`)
	d.call("validate_token", `{"code":"`+right+`"}`)
	d.call("whoami", `{}`)
	d.call("logout", `{}`)
	d.asks("bob+tag@example.com")
	other := d.digits()

	counters := d.counters()
	ctx := d.with(t.Context())
	if err := d.store.Close(); err != nil {
		t.Fatal(err)
	}
	for tool, call := range map[string]func(context.Context, json.RawMessage) (answer, error){"authenticate": d.authenticate, "validate_token": d.validate, "whoami": d.whoami, "logout": d.logout} {
		_, err := call(ctx, json.RawMessage(`{"email":"ann@example.com","code":"`+other+`"}`))
		if a := d.refusal(t.Context(), err); a.text != words.Fault {
			t.Errorf("%s without a store: %+v", tool, a)
		}
	}
	log := d.log.String()
	if strings.Count(log, "level=ERROR") != 4 {
		t.Errorf("four faults are logged once each:\n%s", log)
	}
	for _, secret := range []string{right, other, "918273645", canary, "ann@", "bob", "example.com", g.pair.Access.Reveal(), g.pair.Refresh.Reveal()} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %q:\n%s", secret, log)
		}
		for _, key := range counters {
			if strings.Contains(key, secret) {
				t.Errorf("a counter is named %q", key)
			}
		}
	}
	if len(counters) == 0 {
		t.Error("no counters were found")
	}
}

// counters returns the name of every counter in the file, and its labels.
func (d *desk) counters() (all []string) {
	d.t.Helper()
	db, err := sql.Open("sqlite", d.path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT id || ' ' || labels FROM foyer_counters")
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			d.t.Fatal(err)
		}
		all = append(all, key)
	}
	return all
}

// A client that has gone is no fault.
func TestACallThatWasGivenUpIsNotLogged(t *testing.T) {
	d := newDesk(t)
	d.guest()
	ctx, cancel := context.WithCancel(d.with(t.Context()))
	cancel()
	_, err := d.authenticate(ctx, json.RawMessage(`{"email":"ann@example.com"}`))
	if a := d.refusal(ctx, err); err == nil || a.text != words.Fault || d.log.Len() > 0 {
		t.Errorf("%v, %+v, log %q", err, a, d.log.String())
	}
}

func TestCallsWithoutAGrantAreRefused(t *testing.T) {
	d := newDesk(t)
	for tool, arguments := range map[string]string{"authenticate": `{"email":"ann@example.com"}`, "validate_token": `{"code":"123456"}`, "logout": `{}`} {
		if r := d.call(tool, arguments); !r.Refused || r.text() != words.BadToken {
			t.Errorf("%s: %s", tool, r.raw)
		}
	}
	if r := d.call("whoami", `{}`); r.Refused || r.Data["status"] != "guest" {
		t.Errorf("whoami: %s", r.raw)
	}
}
