package mcpgate_test

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A refusal that the gate tells by itself is the one that the middleware gives
// through the SDK, in every version and for all who are told one. Behind /inside
// the middleware is alone.
func TestARefusalInAResultIsTheMiddlewares(t *testing.T) {
	r := newRoom(t)
	guest, user := r.guest(), r.user()
	for _, version := range append(mcp.SupportedProtocolVersions(), "") {
		for _, test := range []struct{ token, tool string }{{guest, "signed_in"}, {guest, "default"}, {guest, "shaped"}, {user, "guests_only"}} {
			params := `{"name":"` + test.tool + `","arguments":{"text":"<&>"}}`
			told := r.ask(t, version, test.token, "tools/call", params)
			inside := r.do(t, r.request(t, "/inside", version, test.token, "tools/call", params))
			if len(told.rpc.Result) == 0 || !reflect.DeepEqual(told.rpc, inside.rpc) || told.status != inside.status {
				t.Errorf("%q, %s:\ntold   %d %s\ninside %d %s", version, test.tool, told.status, told.body, inside.status, inside.body)
			}
			for _, name := range []string{"Cache-Control", "Content-Type"} {
				if told.header.Get(name) != inside.header.Get(name) {
					t.Errorf("%q, %s: %s %q, inside %q", version, test.tool, name, told.header.Get(name), inside.header.Get(name))
				}
			}
		}
	}
}

// What the SDK finds fault with is the SDK's to answer, also where the rules
// refuse it.
func TestARefusalDoesNotHideAFaultOfTheRequest(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	for name, test := range map[string]struct {
		version string
		change  func(http.Header)
	}{
		"a version that nobody speaks": {modern, func(h http.Header) { h.Set("Mcp-Protocol-Version", "2999-01-01") }},
		"an old one that nobody spoke": {older, func(h http.Header) { h.Set("Mcp-Protocol-Version", "2001-01-01") }},
		"another method in the header": {modern, func(h http.Header) { h.Set("Mcp-Method", "tools/list") }},
		"no method in the header":      {modern, func(h http.Header) { h.Del("Mcp-Method") }},
		"another tool in the header":   {modern, func(h http.Header) { h.Set("Mcp-Name", "anyone") }},
		"another type of content":      {modern, func(h http.Header) { h.Set("Content-Type", "text/plain") }},
		"no type of content":           {older, func(h http.Header) { h.Del("Content-Type") }},
	} {
		req := r.request(t, "/mcp", test.version, token, "tools/call", `{"name":"default"}`)
		test.change(req.Header)
		if a := r.do(t, req); a.status < 400 || a.rpc.Error == nil || len(a.ran) > 0 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	for _, id := range []string{"", `"id":null,`} {
		if a := r.do(t, r.post(t, "/mcp", token, `{"jsonrpc":"2.0",`+id+`"method":"tools/call","params":{"name":"default"}}`)); a.rpc.Result != nil || len(a.ran) > 0 {
			t.Errorf("a call that wants no answer: %d %s", a.status, a.body)
		}
	}
}
