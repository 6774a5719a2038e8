package mcpgate_test

import (
	"net/http"
	"strings"
	"testing"
)

// Without a token a lazy endpoint answers what anyone may use, and asks for a
// token, with all scopes, where a rule asks for more; in every version.
func TestALazyEndpointAsksOnlyWhereARuleDoes(t *testing.T) {
	r := newRoom(t)
	for _, version := range append(sessionVersions, modern, "") {
		for _, test := range []struct {
			method, params string
			status         int
			scope          string
		}{
			{"tools/call", `{"name":"anyone"}`, http.StatusOK, ""},
			{"tools/call", `{"name":"guests_only"}`, http.StatusOK, ""},
			{"resources/read", `{"uri":"room://anyone"}`, http.StatusOK, ""},
			{"prompts/get", `{"name":"anyone"}`, http.StatusOK, ""},
			{"tools/list", `{}`, http.StatusOK, ""},
			{"tools/call", `{"name":"with_grant"}`, http.StatusUnauthorized, "guest"},
			{"tools/call", `{"name":"signed_in"}`, http.StatusUnauthorized, "guest"},
			{"tools/call", `{"name":"default"}`, http.StatusUnauthorized, "write"},
			{"tools/call", `{"name":"not_default"}`, http.StatusUnauthorized, "write export"},
			{"resources/read", `{"uri":"room://not_default"}`, http.StatusUnauthorized, "write export"},
			{"prompts/get", `{"name":"not_default"}`, http.StatusUnauthorized, "write export"},
			{"completion/complete", `{"ref":{"type":"ref/prompt","name":"default"},"argument":{"name":"a","value":"b"}}`, http.StatusUnauthorized, "write"},
		} {
			a := r.do(t, r.request(t, "/lazy/mcp", version, "", test.method, test.params))
			challenge := a.header.Get("WWW-Authenticate")
			ran := len(a.ran) > 0 || test.method == "tools/list"
			if a.status != test.status || ran != (test.status == http.StatusOK) || (test.scope == "") != (challenge == "") ||
				test.scope != "" && (!strings.HasSuffix(challenge, `scope="`+test.scope+`"`) || strings.Contains(challenge, "error=")) {
				t.Errorf("%q %s %s: %d, ran %v, %s: %s", version, test.method, test.params, a.status, a.ran, challenge, a.body)
			}
		}
	}
}

// A token that does not work is refused by a lazy endpoint as by any other, and
// never taken for none.
func TestALazyEndpointRefusesABadToken(t *testing.T) {
	r := newRoom(t)
	for name, token := range map[string]string{"unknown": "fya_garbage", "of another endpoint": r.guest()} {
		a := r.do(t, r.request(t, "/lazy/mcp", modern, token, "tools/call", `{"name":"anyone"}`))
		if a.status != http.StatusUnauthorized || len(a.ran) > 0 || !strings.Contains(a.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		}
	}
}

// What takes a grant is not listed without one, and what takes a person is,
// locked; a hidden item and an unknown one get one answer.
func TestListsWithoutAToken(t *testing.T) {
	r := newRoom(t)
	a := r.do(t, r.request(t, "/lazy/mcp", modern, "", "tools/list", `{}`))
	for name, want := range map[string]bool{"anyone": true, "signed_in": true, "not_default": true, "guests_only": true, "with_grant": false, "hidden": false} {
		if got := strings.Contains(a.body, `"name":"`+name+`"`); got != want {
			t.Errorf("%s is listed: %v", name, got)
		}
	}
	if strings.Contains(a.body, "authenticate") {
		t.Errorf("a list without a token speaks of authenticate: %s", a.body)
	}
	hidden := r.do(t, r.request(t, "/lazy/mcp", modern, "", "tools/call", `{"name":"hidden"}`))
	unknown := r.do(t, r.request(t, "/lazy/mcp", modern, "", "tools/call", `{"name":"nobody"}`))
	if hidden.status != unknown.status || strings.ReplaceAll(hidden.body, "hidden", "nobody") != unknown.body {
		t.Errorf("hidden %d %s, unknown %d %s", hidden.status, hidden.body, unknown.status, unknown.body)
	}
	listed := r.do(t, r.request(t, "/lazy/mcp", modern, r.issue(lazyResource).Access.Reveal(), "tools/list", `{}`))
	if !strings.Contains(listed.body, `"name":"with_grant"`) {
		t.Errorf("a guest's list: %s", listed.body)
	}
}

// A stream without a token brings news of what anyone may read, and no more.
func TestAStreamWithoutAToken(t *testing.T) {
	r := newRoom(t)
	s := r.listenAt(t, patient(t), "/lazy/mcp", "", `{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["room://anyone","room://signed_in"]}}`)
	ack, ok := s.next(t)
	if !ok || len(ack.Params.Notifications.URIs) != 1 || ack.Params.Notifications.URIs[0] != "room://anyone" {
		t.Errorf("%+v", ack)
	}
	r.open(t, 0, 1)
}
