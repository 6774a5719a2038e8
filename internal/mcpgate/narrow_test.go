package mcpgate_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"example.com/foyer/internal/grant"
)

// What a refresh cut a token to is what its caller may do: items that need more
// are listed locked, or not at all, and answer with a challenge, while the
// grant's other tokens open them, in every version of the protocol.
func TestR62ATokenThatARefreshCutOpensNoMore(t *testing.T) {
	r := newRoom(t)
	first := r.issue(resource)
	r.claim(first.Access.Reveal(), "write", "export")
	second, err := r.grants.Refresh(t.Context(), grant.Renewal{RefreshToken: first.Refresh, ClientID: "c1", Scopes: []string{"write"}})
	if err != nil {
		t.Fatal(err)
	}
	third := r.refresh(t, second)
	for _, version := range []string{older, modern} {
		for _, test := range []struct {
			name  string
			token string
			whole bool
		}{
			{"the token before the cut", first.Access.Reveal(), true},
			{"the token that was cut", second.Access.Reveal(), false},
			{"the token of the next refresh", third.Access.Reveal(), true},
		} {
			t.Run(version+" "+test.name, func(t *testing.T) {
				list := r.ask(t, version, test.token, "tools/list", `{}`)
				if locked := strings.Contains(list.body, `"foyer/access"`); locked == test.whole || list.status != http.StatusOK {
					t.Errorf("listed with locks: %v: %s", locked, list.body)
				}
				if listed := strings.Contains(list.body, `"name":"hidden"`); listed != test.whole {
					t.Errorf("the hidden tool is listed: %v, want %v", listed, test.whole)
				}
				if a := r.ask(t, version, test.token, "tools/call", `{"name":"default"}`); a.status != http.StatusOK || fmt.Sprint(a.ran) != "[tool default]" {
					t.Errorf("what needs only what was kept: %d, ran %v: %s", a.status, a.ran, a.body)
				}
				for name, call := range map[string][2]string{
					"a tool":     {"tools/call", `{"name":"not_default"}`},
					"a prompt":   {"prompts/get", `{"name":"not_default"}`},
					"a resource": {"resources/read", `{"uri":"room://not_default"}`},
				} {
					a := r.ask(t, version, test.token, call[0], call[1])
					switch {
					case test.whole && (a.status != http.StatusOK || len(a.ran) != 1):
						t.Errorf("%s: %d, ran %v: %s", name, a.status, a.ran, a.body)
					case !test.whole && (a.status != http.StatusForbidden || len(a.ran) != 0 || challengeOf(a)["error"] != "insufficient_scope"):
						t.Errorf("%s: %d %v, ran %v; want 403 insufficient_scope and nothing run", name, a.status, a.header["Www-Authenticate"], a.ran)
					}
				}
			})
		}
	}
}
