package mcpgate_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/foyer/internal/mcpgate"
)

// What two readers could read differently is refused by the gate itself, and
// nothing runs. (T67, R-103; X8, X42)
func TestBodiesOverHTTP(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	mcpgate.Bodies(func(name, text string, code int) bool {
		t.Run(name, func(t *testing.T) {
			a := r.do(t, r.post(t, "/mcp", token, text))
			wantStatus := http.StatusBadRequest
			if code == 0 || code == -32602 {
				wantStatus = http.StatusOK // no version: an old one
			}
			if a.status != wantStatus || a.code() != code || slices.Equal(a.ran, []string{"tool anyone"}) != (code == 0) {
				t.Errorf("%d, code %d, ran %v: %.300s", a.status, a.code(), a.ran, a.body)
			}
		})
		return true
	})
}

// What is no call of a method answers as the SDK does, and runs nothing.
func TestMessagesThatAreNoCalls(t *testing.T) {
	r := newRoom(t)
	for _, test := range []struct {
		name, body string
		status     int
	}{
		{"a notification", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, http.StatusAccepted},
		{"a notification that nobody knows", `{"jsonrpc":"2.0","method":"notifications/made_up"}`, http.StatusBadRequest},
		{"a response", `{"jsonrpc":"2.0","id":7,"result":{"name":"anyone"}}`, http.StatusAccepted},
		{"an answer of an error", `{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"x"}}`, http.StatusAccepted},
		{"a call without an id", `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"anyone"}}`, http.StatusBadRequest},
		{"a call whose id is null", `{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"anyone"}}`, http.StatusBadRequest},
		{"a call whose id is an object", `{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{"name":"anyone"}}`, http.StatusBadRequest},
		{"no jsonrpc", `{"id":7,"method":"tools/call","params":{"name":"anyone"}}`, http.StatusBadRequest},
		{"another jsonrpc", `{"jsonrpc":"1.0","id":7,"method":"tools/call","params":{"name":"anyone"}}`, http.StatusBadRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			if a := r.do(t, r.post(t, "/mcp", r.guest(), test.body)); a.status != test.status || len(a.ran) > 0 {
				t.Errorf("%d, ran %v: %s, want %d", a.status, a.ran, a.body, test.status)
			}
		})
	}
}

// (T67, R-103)
func TestABodyMayHaveOneMebibyte(t *testing.T) {
	r := newRoom(t)
	const limit = 1 << 20
	frame := strings.Replace(call, `{}`, `{"a":""}`, 1)
	full := strings.Replace(frame, `""`, `"`+strings.Repeat("x", limit-len(frame))+`"`, 1)
	for _, test := range []struct {
		name, body string
		status     int
	}{
		{"full", full, http.StatusOK},
		{"one byte more", full + " ", http.StatusRequestEntityTooLarge},
		{"ten times as much", strings.Repeat(full, 10), http.StatusRequestEntityTooLarge},
	} {
		for _, chunked := range []bool{false, true} {
			req := r.post(t, "/mcp", r.guest(), test.body)
			if chunked {
				req.Body, req.ContentLength = io.NopCloser(strings.NewReader(test.body)), -1
			}
			a := r.do(t, req)
			if a.status != test.status || (len(a.ran) == 1) != (test.status == http.StatusOK) {
				t.Errorf("%s, chunked %t: %d, ran %v: %.200s", test.name, chunked, a.status, a.ran, a.body)
			}
			guarded(t, test.name, a)
		}
	}
}

// Headers that differ from the body are refused, whichever of the two is
// public, and nothing runs. (T68, R-99)
func TestHeadersMustNameWhatTheBodyNames(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	for _, test := range []struct {
		name, header, value string
		tool                string
		code                int
	}{
		{"all right", "Mcp-Name", "anyone", "anyone", 0},
		{"another name", "Mcp-Name", "guests_only", "anyone", -32020},
		{"a hidden name", "Mcp-Name", "hidden", "anyone", -32020},
		{"a public name before a hidden item", "Mcp-Name", "anyone", "hidden", -32602},
		{"no name", "Mcp-Name", "", "anyone", -32020},
		{"another case", "Mcp-Name", "Anyone", "anyone", -32020},
		{"a public name before a locked item", "Mcp-Name", "anyone", "signed_in", -32020},
		{"another method", "Mcp-Method", "tools/list", "anyone", -32020},
		{"no method", "Mcp-Method", "", "anyone", -32020},
		{"another version", "Mcp-Protocol-Version", "2026-07-29", "anyone", -32020},
		{"an old version", "Mcp-Protocol-Version", older, "anyone", -32020},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := r.request(t, "/mcp", modern, token, "tools/call", `{"name":"`+test.tool+`"}`)
			req.Header.Set(test.header, test.value)
			if a := r.do(t, req); a.code() != test.code || len(a.ran) > 0 != (test.code == 0) {
				t.Errorf("%d, ran %v: %s", a.status, a.ran, a.body)
			}
		})
	}
}

// A method that nobody has said a rule for is refused, also where the
// application has a handler for it. (R-100; X41)
func TestUnknownMethodsAreRefused(t *testing.T) {
	r := newRoom(t)
	token := r.user("write", "export")
	for _, method := range []string{"sampling/createMessage", "roots/list", "elicitation/create", "made/up", "tools/call ", "Tools/Call", "TOOLS/LIST",
		"tools/call\u0000", "tasks/get", "room/custom", "notifications/custom", "rpc.discover", "/"} {
		for version, status := range map[string]int{modern: http.StatusNotFound, older: http.StatusOK, "": http.StatusOK} {
			for _, path := range []string{"/mcp", "/inside"} {
				a := r.do(t, r.request(t, path, version, token, method, `{"name":"anyone"}`))
				if len(a.ran) > 0 {
					t.Errorf("%q in %q at %s ran %v", method, version, path, a.ran)
				}
				if path == "/mcp" && (a.status != status || a.code() != -32601 || string(a.rpc.ID) != "7") {
					t.Errorf("%q in %q: %d %s", method, version, a.status, a.body)
				}
			}
		}
	}
}
