package mcpgate_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// request makes a message to path in the words of a protocol version.
func (r *room) request(t testing.TB, path, version, token, method, params string) *http.Request {
	t.Helper()
	p := map[string]any{}
	if err := json.Unmarshal([]byte(params), &p); err != nil {
		t.Fatalf("%s: %v", params, err)
	}
	if version >= modern {
		p["_meta"] = map[string]any{
			"io.modelcontextprotocol/protocolVersion":    version,
			"io.modelcontextprotocol/clientCapabilities": map[string]any{},
		}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 7, "method": method, "params": p})
	if err != nil {
		t.Fatal(err)
	}
	req := r.post(t, path, token, string(body))
	if version != "" {
		req.Header.Set("Mcp-Protocol-Version", version)
	}
	if version >= modern {
		if !strings.Contains(method, "\x00") {
			req.Header.Set("Mcp-Method", method)
		}
		for _, key := range []string{"name", "uri"} {
			if name, ok := p[key].(string); ok && !strings.Contains(name, "\n") {
				req.Header.Set("Mcp-Name", name)
			}
		}
	}
	return req
}

// post makes a request with body, and no header that MCP has brought.
func (r *room) post(t testing.TB, path, token, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return req
}

// A reply is an answer to a request, with what ran for it.
type reply struct {
	status int
	header http.Header
	body   string
	ran    []string
	rpc    rpc
}

type rpc struct {
	ID     json.RawMessage `json:"id"`
	Result map[string]any  `json:"result"`
	Error  *struct {
		Code    int             `json:"code"`
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
	} `json:"error"`
}

// raw sends req, and returns an answer that may be of any kind.
func (r *room) raw(t testing.TB, req *http.Request) (status int, body string, ran []string) {
	t.Helper()
	r.took()
	res, err := impatient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text), r.took()
}

// impatient gives up on a stream that should not have been opened.
var impatient = &http.Client{Timeout: 20 * time.Second}

func (r *room) do(t testing.TB, req *http.Request) reply {
	t.Helper()
	r.took()
	res, err := impatient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := reply{status: res.StatusCode, header: res.Header, body: string(body), ran: r.took()}
	if req.Method != http.MethodHead && strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(body, &a.rpc); err != nil {
			t.Fatalf("%d %s: %v", a.status, body, err)
		}
	}
	return a
}

func (r *room) ask(t testing.TB, version, token, method, params string) reply {
	t.Helper()
	return r.do(t, r.request(t, "/mcp", version, token, method, params))
}

// code is that of a JSON-RPC error, or 0.
func (a reply) code() int {
	if a.rpc.Error == nil {
		return 0
	}
	return a.rpc.Error.Code
}

// object returns a member of the result that is an object, or nil.
func (a reply) object(names ...string) map[string]any {
	at := a.rpc.Result
	for _, name := range names {
		at, _ = at[name].(map[string]any)
	}
	return at
}

// record serves req without a network.
func record(h http.Handler, req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}
