package mcpgate_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func toolCall(id, name string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"` + name + `"}}`
}

// A batch of 2025-03-26 is answered by a batch, in a session and without one.
func TestABatchIsAnsweredByABatch(t *testing.T) {
	r := newRoom(t)
	token := r.user()
	s := r.initialize(t, "/mcp", "2025-03-26", token)
	for _, session := range []string{"", s.id} {
		req := r.post(t, "/mcp", token, "["+toolCall("1", "anyone")+","+toolCall("2", "signed_in")+`,{"jsonrpc":"2.0","method":"notifications/initialized"}]`)
		if session != "" {
			req.Header.Set("Mcp-Session-Id", session)
		}
		req.Header.Set("Mcp-Protocol-Version", "2025-03-26")
		status, body, ran := r.raw(t, req)
		if status != http.StatusOK || len(ran) != 2 || !strings.Contains(body, `"id":1`) || !strings.Contains(body, `"id":2`) || strings.Count(body, `"ran"`) != 2 {
			t.Errorf("in session %q: %d, ran %v: %s", session, status, ran, body)
		}
	}
}

// One refused message refuses the whole, by HTTP, and nothing runs.
func TestABatchIsRefusedWhole(t *testing.T) {
	r := newRoom(t)
	for _, test := range []struct {
		name, path, token string
		calls             []string
		status            int
		scope             string
	}{
		{"without a token", "/lazy/mcp", "", []string{"anyone", "not_default"}, http.StatusUnauthorized, "write export"},
		{"without any right to come in", "/mcp", "", []string{"anyone"}, http.StatusUnauthorized, "guest"},
		{"a guest's, whose single call would be answered in the result", "/mcp", r.guest(), []string{"anyone", "signed_in"}, http.StatusForbidden, "guest"},
		{"a guest's, the refused one first", "/mcp", r.guest(), []string{"default", "anyone"}, http.StatusForbidden, "write"},
		{"all scopes that its calls need", "/mcp", r.user(), []string{"default", "not_default", "default"}, http.StatusForbidden, "write export"},
		{"a hidden name", "/mcp", r.user(), []string{"anyone", "hidden"}, http.StatusOK, ""},
		{"an unknown name", "/mcp", r.user(), []string{"anyone", "nobody"}, http.StatusOK, ""},
		{"a denial among challenges", "/mcp", r.user(), []string{"not_default", "guests_only"}, http.StatusOK, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var calls []string
			for i, name := range test.calls {
				calls = append(calls, toolCall(string(rune('1'+i)), name))
			}
			a := r.do(t, r.post(t, test.path, test.token, "["+strings.Join(calls, ",")+"]"))
			challenge := a.header.Get("WWW-Authenticate")
			if a.status != test.status || a.rpc.Error == nil || len(a.ran) > 0 || test.scope != "" && !strings.Contains(challenge, `scope="`+test.scope+`"`) || (test.scope == "") != (challenge == "") {
				t.Errorf("%d, ran %v, %s: %s", a.status, a.ran, challenge, a.body)
			}
		})
	}
}

// Versions after 2025-03-26 have no batches, whichever way they are named.
func TestLaterVersionsHaveNoBatches(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	batch := "[" + toolCall("1", "anyone") + "]"
	var answers []reply
	for _, version := range []string{"2025-06-18", older, modern, "2099-01-01"} {
		req := r.post(t, "/mcp", token, batch)
		req.Header.Set("Mcp-Protocol-Version", version)
		answers = append(answers, r.do(t, req))
	}
	inOne := r.post(t, "/mcp", token, batch) // and no header
	inOne.Header.Set("Mcp-Session-Id", r.initialize(t, "/mcp", older, token).id)
	meta := `[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"anyone","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}]`
	answers = append(answers, r.do(t, inOne), r.do(t, r.post(t, "/mcp", token, meta)))
	for i, a := range answers {
		if a.status != http.StatusBadRequest || a.code() != -32600 || len(a.ran) > 0 {
			t.Errorf("%d: %d, ran %v: %s", i, a.status, a.ran, a.body)
		}
	}
}

// The middleware alone refuses what is refused, in a batch as outside of one.
func TestTheMiddlewareAsksAboutEveryMessageOfABatch(t *testing.T) {
	r := newRoom(t)
	req := r.post(t, "/inside", r.guest(), "["+toolCall("1", "anyone")+","+toolCall("2", "signed_in")+","+toolCall("3", "hidden")+"]")
	if status, body, ran := r.raw(t, req); status != http.StatusOK || !slices.Equal(ran, []string{"tool anyone"}) {
		t.Errorf("%d, ran %v: %s", status, ran, body)
	}
}
