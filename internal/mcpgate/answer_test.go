package mcpgate_test

import (
	"net/http"
	"strings"
	"testing"
)

// What the SDK refuses in plain text, a client hears as JSON-RPC, with the id of
// its request where that could be told.
func TestRefusalsOfTheSDKAreJSON(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	const ping = `{"jsonrpc":"2.0","id":7,"method":"ping"}`
	for _, test := range []struct {
		name, method string
		change       func(http.Header)
		body         string
		status       int
		id           string
	}{
		{"another method", http.MethodPut, func(http.Header) {}, ping, 405, "null"},
		{"a stream, which there is none of", http.MethodGet, func(http.Header) {}, "", 405, "null"},
		{"the end of a session, which there is none of", http.MethodDelete, func(http.Header) {}, "", 405, "null"},
		{"a body that is no JSON by its name", http.MethodPost, func(h http.Header) { h.Set("Content-Type", "text/html") }, ping, 415, "7"},
		{"a client that reads no streams", http.MethodPost, func(h http.Header) { h.Set("Accept", "application/json") }, ping, 400, "7"},
		{"a version that never was", http.MethodPost, func(h http.Header) { h.Set("Mcp-Protocol-Version", "1999-01-01") }, ping, 400, "7"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), test.method, r.url+"/mcp", strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json",
			"Accept": "application/json, text/event-stream"} {
			req.Header.Set(name, value)
		}
		test.change(req.Header)
		got := r.do(t, req)
		if got.status != test.status || got.header.Get("Content-Type") != "application/json" || got.code() == 0 || got.rpc.Error.Message == "" ||
			string(got.rpc.ID) != test.id || got.header.Get("Cache-Control") != "no-store, private, no-transform" {
			t.Errorf("%s: %d %v %s\nwant %d, JSON-RPC, id %s", test.name, got.status, got.header, got.body, test.status, test.id)
		}
		if test.status == 405 && got.header.Get("Allow") != "POST" {
			t.Errorf("%s: Allow is %q", test.name, got.header.Get("Allow"))
		}
	}
}
