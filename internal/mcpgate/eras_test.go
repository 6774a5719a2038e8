package mcpgate_test

import (
	"encoding/base64"
	"net/http"
	"testing"
)

// Each era has its own methods, in a session and outside of one.
func TestMethodsOfTheOtherEraAreUnknown(t *testing.T) {
	r := newRoom(t)
	token := r.user()
	s := r.initialize(t, "/mcp", older, token)
	for _, test := range []struct {
		name string
		ask  func() reply
		want int
	}{
		{"ping in the new one", func() reply { return r.ask(t, modern, token, "ping", `{}`) }, http.StatusNotFound},
		{"subscribe in the new one", func() reply { return r.ask(t, modern, token, "resources/subscribe", `{"uri":"room://anyone"}`) }, http.StatusNotFound},
		{"listen in a session", func() reply { return s.ask(t, token, "subscriptions/listen", allLists) }, http.StatusOK},
		{"listen in an old one", func() reply { return r.ask(t, older, token, "subscriptions/listen", allLists) }, http.StatusOK},
		{"discover in an old one", func() reply { return r.ask(t, older, token, "server/discover", `{}`) }, http.StatusOK},
	} {
		if a := test.ask(); a.status != test.want || a.code() != -32601 || len(a.ran) > 0 {
			t.Errorf("%s: %d %s", test.name, a.status, a.body)
		}
	}
	r.open(t, 1, 0)
}

// A name that no header can carry comes in Base64, and counts for what it says.
//
func TestANameInBase64(t *testing.T) {
	r := newRoom(t)
	for name, want := range map[string]int{"anyone": http.StatusOK, "guests_only": http.StatusBadRequest} {
		req := r.request(t, "/mcp", modern, r.guest(), "tools/call", `{"name":"anyone"}`)
		req.Header.Set("Mcp-Name", "=?base64?"+base64.StdEncoding.EncodeToString([]byte(name))+"?=")
		if a := r.do(t, req); a.status != want || len(a.ran) > 0 != (want == http.StatusOK) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	for _, bad := range []string{"=?base64?!?=", "=?base64??=", "=?base64?YW55b25l", "YW55b25l"} {
		req := r.request(t, "/mcp", modern, r.guest(), "tools/call", `{"name":"anyone"}`)
		req.Header.Set("Mcp-Name", bad)
		if a := r.do(t, req); a.status != http.StatusBadRequest || a.code() != -32020 || len(a.ran) > 0 {
			t.Errorf("%s: %d %s", bad, a.status, a.body)
		}
	}
}
