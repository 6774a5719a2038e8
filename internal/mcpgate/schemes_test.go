package mcpgate_test

import (
	"encoding/json"
	"testing"
)

// A tool says how it may be called, the same to everybody who is shown it, and
// what the endpoint asks for where the rule asks for nothing.
func TestToolsDeclareTheirSecuritySchemes(t *testing.T) {
	r := newRoomOf(t, matrixRules())
	asks := map[string]string{ // of a caller without a token
		"signed_in":   `[{"type":"oauth2","scopes":["guest"]}]`,
		"with_grant":  `[{"type":"oauth2","scopes":["guest"]}]`,
		"default":     `[{"type":"oauth2","scopes":["write"]}]`,
		"not_default": `[{"type":"oauth2","scopes":["write","export"]}]`,
		"hidden":      `[{"type":"oauth2","scopes":["write","export"]}]`,
		"level":       `[{"type":"oauth2","scopes":["acr:email"]}]`,
	}
	open := map[string]string{
		"guest": `[{"type":"oauth2","scopes":["guest"]}]`,
		"lazy":  `[{"type":"noauth"}]`,
		"eager": `[{"type":"oauth2","scopes":["write"]}]`,
	}
	for _, e := range entries {
		for _, c := range callers(r, e, older) {
			if c.bad || c.token == "" && e.name != "lazy" {
				continue
			}
			for _, version := range []string{modern, older} {
				schemes := r.schemes(t, e, version, c)
				for name, want := range schemes {
					expected, known := asks[name]
					if name == "anyone" {
						expected, known = open[e.name], true
					}
					if e.name == "eager" && name == "signed_in" {
						expected = open[e.name]
					}
					if known && want != expected {
						t.Errorf("%s, %s, %s: %s says %s, want %s", e.name, version, c.name, name, want, expected)
					}
				}
				if schemes["anyone"] == "" || schemes["signed_in"] == "" {
					t.Errorf("%s, %s, %s: %v", e.name, version, c.name, schemes)
				}
			}
		}
	}
}

func (r *room) schemes(t *testing.T, e entry, version string, c caller) map[string]string {
	t.Helper()
	var res struct {
		Result struct {
			Tools []struct {
				Name string
				Meta struct{ SecuritySchemes json.RawMessage } `json:"_meta"`
			}
		}
	}
	a := r.do(t, r.request(t, e.path, version, c.token, "tools/list", `{}`))
	if err := json.Unmarshal([]byte(a.body), &res); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	all := map[string]string{}
	for _, tool := range res.Result.Tools {
		all[tool.Name] = string(tool.Meta.SecuritySchemes)
	}
	return all
}
