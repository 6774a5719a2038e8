package mcpgate_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

var update = flag.Bool("update", false, "write testdata/matrix.txt anew, to be read by a person")

// matrixRules are those of the matrix: what only some users meet, too.
func matrixRules() gate.Rules {
	all := maps.Clone(rules)
	all["role"] = gate.Role("admin")
	all["level"] = gate.SignedIn().Level("email")
	all["fresh"] = gate.SignedIn().MaxAge(90 * time.Minute)
	return all
}

// An entry is an endpoint of the room.
type entry struct{ name, path, resource string }

var entries = []entry{{"guest", "/mcp", resource}, {"lazy", "/lazy/mcp", lazyResource}, {"eager", "/eager/mcp", eagerResource}}

// A caller has a token, or none, and may show an MCP session.
type caller struct {
	name, token, session string
	bad                  bool // the token does not work
}

// callers are everybody who may come to e.
func callers(r *room, e entry, version string) []caller {
	r.t.Helper()
	issue := func() string { return r.issue(e.resource).Access.Reveal() }
	user := func(u store.User, level string, scopes ...string) string {
		token := issue()
		r.claimAs(token, u, grant.Proof{Level: level, Scopes: scopes, Epoch: 1})
		return token
	}
	expired, stale := issue(), r.issue(e.resource)
	r.claimAs(stale.Access.Reveal(), store.User{Roles: []string{"admin"}}, grant.Proof{Level: "email", Scopes: []string{"write", "export"}, Epoch: 1})
	r.wait(2 * time.Hour)
	stale = r.refresh(r.t, stale)
	revoked := issue()
	if err := r.grants.Revoke(r.t.Context(), "c1", secret.HashOf(revoked)); err != nil {
		r.t.Fatal(err)
	}
	elsewhere := entries[0].resource
	if e.resource == elsewhere {
		elsewhere = entries[1].resource
	}
	own, other := user(store.User{}, "chat", "write", "export"), user(store.User{}, "chat", "write", "export")
	sessions := min(version, older) // 2026-07-28 has none: what is shown there is an older one
	return []caller{
		{"no token", "", "", false},
		{"garbage", "fya_garbage", "", true},
		{"expired", expired, "", true},
		{"another entry's", r.issue(elsewhere).Access.Reveal(), "", true},
		{"revoked", revoked, "", true},
		{"a refresh token", r.issue(e.resource).Refresh.Reveal(), "", true},
		{"guest", issue(), "", false},
		{"user", user(store.User{}, "chat", "write", "export"), "", false},
		{"user without scope", user(store.User{}, "chat"), "", false},
		{"user of another role", user(store.User{Roles: []string{"editor"}}, "email", "write", "export"), "", false},
		{"admin", user(store.User{Roles: []string{"admin"}}, "email", "write", "export"), "", false},
		{"admin of long ago", stale.Access.Reveal(), "", false},
		{"in a session of its own", own, r.initialize(r.t, e.path, sessions, own).id, false},
		{"in another grant's", own, r.initialize(r.t, e.path, sessions, other).id, false},
	}
}

// A kind of item, and the message that touches the item of a rule.
type kind struct{ name, method, params, list, key, field string }

var kinds = []kind{
	{"tool", "tools/call", `{"name":"%s","arguments":{}}`, "tools/list", "tools", "name"},
	{"prompt", "prompts/get", `{"name":"%s"}`, "prompts/list", "prompts", "name"},
	{"resource", "resources/read", `{"uri":"room://%s"}`, "resources/list", "resources", "uri"},
	{"template", "resources/read", `{"uri":"room://%s/7"}`, "resources/templates/list", "resourceTemplates", "uriTemplate"},
	{"completion of a prompt", "completion/complete", `{"ref":{"type":"ref/prompt","name":"%s"},"argument":{"name":"a","value":"b"}}`, "prompts/list", "prompts", "name"},
	{"completion of a template", "completion/complete", `{"ref":{"type":"ref/resource","uri":"room://%s/{id}"},"argument":{"name":"a","value":"b"}}`, "resources/templates/list", "resourceTemplates", "uriTemplate"},
	{"subscription", "resources/subscribe", `{"uri":"room://%s"}`, "resources/list", "resources", "uri"},
	{"listening", "subscriptions/listen", `{"notifications":{"resourceSubscriptions":["room://%s"]}}`, "resources/list", "resources", "uri"},
}

// listed is the name under which the item of a rule is listed.
func (k kind) listed(rule string) string {
	return map[string]string{"name": rule, "uri": "room://" + rule, "uriTemplate": "room://" + rule + "/{id}"}[k.field]
}

var (
	columns = []string{"anyone", "guests_only", "signed_in", "default", "not_default", "hidden", "no_such"}
	wider   = append(slices.Clone(columns), "role", "level", "fresh") // of the matrix
)

// A cell is what becomes of one request.
func cell(a reply) string {
	var words []string
	switch reason, _ := a.object("_meta", "foyer/denial")["reason"].(string); {
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		words = append(words, fmt.Sprint(a.status), challengeOf(a)["error"])
	case a.status == http.StatusNotFound && a.code() == http.StatusNotFound:
		words = append(words, "404 no session")
	case a.rpc.Error != nil:
		words = append(words, fmt.Sprint(a.status), "error", fmt.Sprint(a.code()))
	case a.rpc.Result["isError"] == true:
		words = append(words, fmt.Sprint(a.status), "isError", reason)
	case strings.Contains(a.body, "acknowledged"):
		words = append(words, fmt.Sprint(a.status), "left out")
		if strings.Contains(a.body, `"resourceSubscriptions":["room://`) {
			words[1] = "acknowledged"
		}
	default:
		words = append(words, fmt.Sprint(a.status), "ok")
	}
	ran := "" // what the rules have refused must not have run, and the rest must
	if len(a.ran) > 0 {
		ran = "ran"
	}
	return strings.Join(strings.Fields(strings.Join(append(words, ran), " ")), " ")
}

// try sends the message of a cell. A stream that stays open is left after its
// first event.
func (r *room) try(t *testing.T, path, version string, c caller, k kind, rule string) reply {
	t.Helper()
	req := r.request(t, path, version, c.token, k.method, fmt.Sprintf(k.params, rule))
	if c.session != "" {
		req.Header.Set("Mcp-Session-Id", c.session)
	}
	if k.name != "listening" {
		return r.do(t, req)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r.took()
	res, err := http.DefaultClient.Do(req.WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	a := reply{status: res.StatusCode, header: res.Header}
	for lines := bufio.NewScanner(res.Body); lines.Scan() && !strings.Contains(a.body, "acknowledged"); {
		a.body += lines.Text() + "\n"
	}
	a.ran = r.took()
	return a
}

// Every caller tries every kind of item under every rule, at every entry, in
// every version. The expected tables are a file; what is the same stands there
// once. (R-6, R-24, R-25, R-30, R-115, T70; X41, X47, X53, X54, X79)
func TestTheMatrixOfEntriesVersionsCallersAndItems(t *testing.T) {
	tables := map[string][]string{} // table → where it holds
	var order []string
	for _, e := range entries {
		for _, version := range append([]string{modern}, sessionVersions...) {
			r := newRoomOf(t, matrixRules())
			all := callers(r, e, version)
			for _, k := range kinds {
				if k.name == "listening" && version != modern {
					continue // came with 2026-07-28
				}
				table := r.matrix(t, e, version, all, k)
				if tables[table] == nil {
					order = append(order, table)
				}
				tables[table] = append(tables[table], fmt.Sprintf("%s, %s, %s", e.name, version, k.name))
			}
		}
	}
	var got strings.Builder
	for _, table := range order {
		fmt.Fprintf(&got, "%s\n%s\n", strings.Join(folded(tables[table]), "\n"), table)
	}
	checkFile(t, "testdata/matrix.txt", got.String())
}

// matrix is the table of one kind of item.
func (r *room) matrix(t *testing.T, e entry, version string, all []caller, k kind) string {
	t.Helper()
	var table strings.Builder
	row(&table, "", wider)
	for _, c := range all {
		cells := make([]string, len(wider))
		for i, rule := range wider {
			cells[i] = cell(r.try(t, e.path, version, c, k, rule))
		}
		row(&table, c.name, cells)
	}
	return table.String()
}

// folded writes places that differ only in the kind of item on one line.
func folded(places []string) (lines []string) {
	for _, place := range places {
		at := strings.LastIndex(place, ", ")
		if n := len(lines); n > 0 && strings.HasPrefix(lines[n-1], place[:at]) {
			lines[n-1] += place[at:]
			continue
		}
		lines = append(lines, place)
	}
	return lines
}

// checkFile compares got with a file, line by line.
func checkFile(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wantLines, gotLines := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	if len(wantLines) != len(gotLines) {
		t.Fatalf("%s has %d lines, and should have %d:\n%s", file, len(wantLines), len(gotLines), got)
	}
	title := ""
	for i, line := range wantLines {
		if i == 0 || wantLines[i-1] == "" {
			title = line
		}
		if gotLines[i] != line {
			t.Errorf("%s\ngot  %s\nwant %s", title, gotLines[i], line)
		}
	}
}

func row(b *strings.Builder, name string, cells []string) {
	line := fmt.Sprintf("%-23s", name)
	for _, c := range cells {
		line += fmt.Sprintf("| %-23s", c)
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

// What is allowed is listed as it is, what could be got is listed locked, and
// the rest is absent: a list never disagrees with a call. (R-115, T70, X52)
func TestListAndCallAgree(t *testing.T) {
	r := newRoomOf(t, matrixRules())
	for _, version := range []string{modern, older} {
		for _, c := range callers(r, entries[0], version)[1:] {
			for _, k := range kinds {
				if c.bad || c.session != "" || k.name == "listening" || k.name == "subscription" && version == modern {
					continue // has no answer that tells a locked item from an absent one
				}
				for _, rule := range wider {
					want := "listed"
					switch got := cell(r.try(t, "/mcp", version, c, k, rule)); {
					case strings.HasSuffix(got, " ran"):
					case strings.Contains(got, "insufficient_scope"), strings.Contains(got, "isError sign_in"), got == "200 error 403" && rule != "guests_only" && (rule != "role" || c.name == "guest"):
						want = "locked"
					default:
						want = "absent"
					}
					if got := r.state(t, version, c.token, k, rule); got != want {
						t.Errorf("%s, %s, %s of %s: %s in the list, want %s", version, c.name, k.name, rule, got, want)
					}
				}
			}
		}
	}
}

// state is how a list shows the item of a rule.
func (r *room) state(t *testing.T, version, token string, k kind, rule string) string {
	t.Helper()
	items, ok := r.ask(t, version, token, k.list, `{}`).rpc.Result[k.key].([]any)
	if !ok {
		t.Fatalf("%s has no %s", k.list, k.key)
	}
	for _, item := range items {
		item := item.(map[string]any)
		if item[k.field] != k.listed(rule) {
			continue
		}
		meta, _ := item["_meta"].(map[string]any)
		if access, ok := meta["foyer/access"].(map[string]any); !ok {
			return "listed"
		} else if access["state"] == "locked" && access["v"] == 1.0 {
			return "locked"
		}
		return fmt.Sprint("odd: ", meta)
	}
	return "absent"
}

// Without the handler in front the middleware refuses the same, and nothing
// runs that would not run behind it. (T67, X54)
func TestTheMiddlewareAloneRefusesTheSame(t *testing.T) {
	r := newRoomOf(t, matrixRules())
	for _, version := range []string{modern, older} {
		for _, c := range callers(r, entries[0], version) {
			for _, k := range kinds {
				if c.session != "" || k.name == "listening" && version == older {
					continue
				}
				for _, rule := range wider {
					guarded := r.try(t, "/mcp", version, c, k, rule)
					alone := r.try(t, "/inside", version, c, k, rule)
					if fmt.Sprint(guarded.ran) != fmt.Sprint(alone.ran) {
						t.Errorf("%s, %s, %s of %s: ran %v behind the gate, %v without", version, c.name, k.name, rule, guarded.ran, alone.ran)
					}
				}
			}
		}
	}
}

// With nobody to look the caller up, whoever comes is a guest, whatever token
// they show. (T67, X46, X54)
func TestTheMiddlewareAloneTakesStrangersForGuests(t *testing.T) {
	r := newRoom(t)
	c := caller{token: r.user("write", "export")}
	for _, version := range []string{modern, older} {
		for _, k := range kinds[:7] {
			for _, rule := range columns {
				open := (rule == "anyone" || rule == "guests_only") && (k.method != "resources/subscribe" || version == older)
				if a := r.try(t, "/naked", version, c, k, rule); (len(a.ran) > 0) != open {
					t.Errorf("%s, %s of %s: %d, ran %v, want to run: %t", version, k.name, rule, a.status, a.ran, open)
				}
			}
		}
	}
}
