package mcpgate_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// A refusal that the model can mend is a result: it says the one next step, and
// is complete in the words of its version. A tool with an output schema gets no
// structured content, because clients hold it against the schema, errors
// included. (R-26, R-32; T70)
func TestWhatARefusalSays(t *testing.T) {
	r := newRoom(t)
	guest, user := r.guest(), r.user("write", "export")
	for _, test := range []struct {
		name, token, tool string
		status, reason    string
		text              string
		next              bool
		scope             string // in mcp/www_authenticate; empty for no challenge
		structured        bool
	}{
		{"a guest must sign in", guest, "signed_in", "sign_in_required", "sign_in", "call authenticate with it", true, "guest", true},
		{"and for a scope that comes with it", guest, "default", "sign_in_required", "sign_in", "call authenticate with it", true, "write", true},
		{"for a tool with an output schema, too", guest, "shaped", "sign_in_required", "sign_in", "call authenticate with it", true, "guest", false},
		{"a user is no guest", user, "guests_only", "denied", "guests_only", "only for guests", false, "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, version := range []string{modern, older} {
				a := r.ask(t, version, test.token, "tools/call", `{"name":"`+test.tool+`","arguments":{}}`)
				if len(a.ran) > 0 || a.status != 200 || a.rpc.Result["isError"] != true {
					t.Fatalf("%s: %d, ran %v: %s", version, a.status, a.ran, a.body)
				}
				if got, has := a.rpc.Result["resultType"]; has != (version == modern) || has && got != "complete" {
					t.Errorf("%s: resultType %v", version, got)
				}
				denial := a.object("_meta", "foyer/denial")
				if denial["status"] != test.status || denial["reason"] != test.reason || (denial["next"] != nil) != test.next ||
					(denial["retry"] == test.tool) != (test.status != "denied") || denial["v"] != 1.0 {
					t.Errorf("%s: denial %v", version, denial)
				}
				structured, has := a.rpc.Result["structuredContent"].(map[string]any)
				if has != test.structured || has && !reflect.DeepEqual(structured["auth"], any(denial)) {
					t.Errorf("%s: structuredContent %v", version, structured)
				}
				content, _ := a.rpc.Result["content"].([]any)
				if len(content) != 1 || !strings.Contains(content[0].(map[string]any)["text"].(string), test.text) {
					t.Errorf("%s: %v", version, content)
				}
				r.checkInBand(t, a, test.scope)
			}
		})
	}
}

func (r *room) checkInBand(t *testing.T, a reply, scope string) {
	t.Helper()
	values, has := a.object("_meta")["mcp/www_authenticate"].([]any)
	if has != (scope != "") {
		t.Errorf("mcp/www_authenticate: %v", values)
	}
	for _, value := range values {
		scheme, params, err := parseChallenge(value.(string))
		if err != nil || scheme != "Bearer" || params["scope"] != scope || params["error"] != "insufficient_scope" || params["resource_metadata"] != metadata {
			t.Errorf("mcp/www_authenticate: %v: %v", value, err)
		}
	}
}

// Prompts and resources have no isError: their refusals are errors, with the
// same data, under a code that nobody has reserved. (MCP 2026-07-28, basic,
// Error Codes)
func TestRefusalsOfWhatHasNoResult(t *testing.T) {
	r := newRoom(t)
	for _, version := range []string{modern, older} {
		for _, k := range []kind{kinds[1], kinds[2], kinds[3], kinds[4]} {
			a := r.try(t, "/mcp", version, caller{token: r.guest()}, k, "signed_in")
			var data struct {
				Auth struct {
					Status string
					Retry  string
					Next   []struct{ Tool string }
				}
			}
			if a.rpc.Error == nil || json.Unmarshal(a.rpc.Error.Data, &data) != nil {
				t.Fatalf("%s: %s", k.name, a.body)
			}
			if a.code() != 403 || data.Auth.Status != "sign_in_required" || len(data.Auth.Next) != 2 || !strings.Contains(a.rpc.Error.Message, "call authenticate") {
				t.Errorf("%s: %s", k.name, a.body)
			}
		}
	}
}

// A tool that panics ends its call, not the server, and nobody reads the value:
// it may hold a secret.
func TestAPanicOfAToolEndsOnlyItsCall(t *testing.T) {
	r := newRoom(t)
	for _, version := range []string{modern, older} {
		a := r.ask(t, version, r.guest(), "tools/call", `{"name":"breaks"}`)
		if a.code() != -32603 || strings.Contains(a.body, "secret") {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if log := r.log.String(); strings.Contains(log, "secret-in-a-panic") || !strings.Contains(log, "type=string") || !strings.Contains(log, "room_test.go") {
		t.Errorf("log: %s", log)
	}
	if a := r.ask(t, modern, r.guest(), "tools/call", `{"name":"anyone"}`); len(a.ran) != 1 {
		t.Errorf("after it: %s", a.body)
	}
}
