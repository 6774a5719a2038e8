package mcpgate_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
)

var update = flag.Bool("update", false, "write testdata/matrix.txt anew, to be read by a person")

// A caller has a token, or none.
type caller struct{ name, token string }

func callers(r *room) []caller {
	expired := r.guest()
	r.wait(2 * time.Hour)
	revoked := r.issue(resource).Access
	if err := r.grants.Revoke(r.t.Context(), "c1", secret.HashOf(revoked.Reveal())); err != nil {
		r.t.Fatal(err)
	}
	return []caller{
		{"no token", ""},
		{"garbage", "fya_garbage"},
		{"expired", expired},
		{"another resource's", r.issue("https://room.example/other").Access.Reveal()},
		{"revoked", revoked.Reveal()},
		{"a refresh token", r.issue(resource).Refresh.Reveal()},
		{"guest", r.guest()},
		{"user", r.user("write", "export")},
		{"user without scope", r.user()},
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

var columns = []string{"anyone", "guests_only", "signed_in", "default", "not_default", "hidden", "no_such"}

// A cell is what becomes of one request.
func cell(a reply) string {
	var words []string
	switch reason, _ := a.object("_meta", "foyer/denial")["reason"].(string); {
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		words = append(words, fmt.Sprint(a.status), challengeOf(a)["error"])
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
func (r *room) try(t *testing.T, path, version, token string, k kind, rule string) reply {
	t.Helper()
	req := r.request(t, path, version, token, k.method, fmt.Sprintf(k.params, rule))
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

// Every caller tries every kind of item under every rule, in both eras. The
// expected table is a file. (R-6, R-24, R-25, R-30, R-115, T70; X41, X47, X53,
// X54, X79)
func TestTheMatrixOfCallersItemsAndRules(t *testing.T) {
	r := newRoom(t)
	all := callers(r)
	var got strings.Builder
	for _, version := range []string{modern, older} {
		for _, k := range kinds {
			if k.name == "listening" && version == older {
				continue // came with 2026-07-28
			}
			fmt.Fprintf(&got, "%s, %s (%s)\n", version, k.name, k.method)
			row(&got, "", columns)
			for _, c := range all {
				cells := make([]string, len(columns))
				for i, rule := range columns {
					cells[i] = cell(r.try(t, "/mcp", version, c.token, k, rule))
				}
				row(&got, c.name, cells)
			}
			got.WriteString("\n")
		}
	}
	const file = "testdata/matrix.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wantLines, gotLines := strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")
	if len(wantLines) != len(gotLines) {
		t.Fatalf("the table has %d lines, want %d", len(gotLines), len(wantLines))
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
	line := fmt.Sprintf("%-20s", name)
	for _, c := range cells {
		line += fmt.Sprintf("| %-24s", c)
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

// What is allowed is listed as it is, what could be got is listed locked, and
// the rest is absent: a list never disagrees with a call. (R-115, T70, X52)
func TestListAndCallAgree(t *testing.T) {
	r := newRoom(t)
	for _, version := range []string{modern, older} {
		for _, c := range callers(r)[6:] {
			for _, k := range kinds {
				if k.name == "listening" || k.name == "subscription" && version == modern {
					continue // has no answer that tells a locked item from an absent one
				}
				for _, rule := range columns {
					want := "listed"
					switch got := cell(r.try(t, "/mcp", version, c.token, k, rule)); {
					case strings.HasSuffix(got, " ran"):
					case strings.Contains(got, "insufficient_scope"), strings.Contains(got, "isError sign_in"), got == "200 error 403" && rule != "guests_only":
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
	r := newRoom(t)
	for _, version := range []string{modern, older} {
		for _, c := range callers(r) {
			for _, k := range kinds {
				if k.name == "listening" && version == older {
					continue
				}
				for _, rule := range columns {
					guarded := r.try(t, "/mcp", version, c.token, k, rule)
					alone := r.try(t, "/inside", version, c.token, k, rule)
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
	token := r.user("write", "export")
	for _, version := range []string{modern, older} {
		for _, k := range kinds[:7] {
			for _, rule := range columns {
				open := (rule == "anyone" || rule == "guests_only") && (k.method != "resources/subscribe" || version == older)
				if a := r.try(t, "/naked", version, token, k, rule); (len(a.ran) > 0) != open {
					t.Errorf("%s, %s of %s: %d, ran %v, want to run: %t", version, k.name, rule, a.status, a.ran, open)
				}
			}
		}
	}
}
