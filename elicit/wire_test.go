package elicit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A reply is what the server answers to a tool call, whichever way.
type reply struct {
	status int
	Result struct {
		Type     string `json:"resultType"`
		IsError  bool   `json:"isError"`
		Content  []struct{ Text string }
		Requests map[string]struct {
			Method string
			Params struct {
				Mode, Message, URL, ElicitationID string
				RequestedSchema                   json.RawMessage
			}
		} `json:"inputRequests"`
		State string `json:"requestState"`
	}
	Error *struct {
		Code    int
		Message string
		Data    json.RawMessage
	}
	raw string
}

// text is what the model reads.
func (r reply) text() string {
	if r.Error != nil {
		return r.Error.Message
	}
	text := ""
	for _, c := range r.Result.Content {
		text += c.Text
	}
	return text
}

// A call is a request of 2026-07-28.
type call struct {
	grant     string // "ann" unless it is said
	tool      string // "book_table" unless it is said
	args      string
	caps      string
	state     string
	responses string
}

const garden = `{"seat":{"action":"accept","content":{"seat":"garden"}}}`
const adams = `{"person":{"action":"accept","content":{"name":"Adams"}}}`

func (r *room) send(t testing.TB, c call) (got reply) {
	t.Helper()
	or := func(s, other string) string {
		if s == "" {
			return other
		}
		return s
	}
	c.tool = or(c.tool, "book_table")
	params := map[string]any{
		"name":      c.tool,
		"arguments": json.RawMessage(or(c.args, map[bool]string{true: `{"Day":"Monday"}`, false: "{}"}[strings.HasPrefix(c.tool, "book")])),
		"_meta": map[string]any{"io.modelcontextprotocol/protocolVersion": modern,
			"io.modelcontextprotocol/clientCapabilities": json.RawMessage(or(c.caps, `{"elicitation":{"form":{},"url":{}}}`))},
	}
	if c.state != "" {
		params["requestState"] = c.state
	}
	if c.responses != "" {
		params["inputResponses"] = json.RawMessage(c.responses)
	}
	header := map[string]string{"MCP-Protocol-Version": modern, "Mcp-Method": "tools/call", "Mcp-Name": c.tool}
	if grant := or(c.grant, "ann"); grant != "nobody" {
		header["Test-Grant"] = grant
	}
	res := r.post(t, "/", map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, header)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(raw, &got)
	}
	if err != nil {
		t.Fatalf("%d %s: %v", res.StatusCode, raw, err)
	}
	got.status, got.raw = res.StatusCode, string(raw)
	return got
}

func (r *room) post(t testing.TB, path string, message any, header map[string]string) *http.Response {
	t.Helper()
	return r.postAs(t, t.Context(), path, message, header)
}

func (r *room) postAs(t testing.TB, ctx context.Context, path string, message any, header map[string]string) *http.Response {
	t.Helper()
	body, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.turn()+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// state asks the first question of c, and returns the state that came with it.
func (r *room) asks(t testing.TB, c call) string {
	t.Helper()
	got := r.send(t, c)
	if got.Result.Type != "input_required" || got.Result.State == "" {
		t.Fatalf("nothing was asked: %s", got.raw)
	}
	return got.Result.State
}

// A peer is a client of a version with MCP sessions, of our own making: what the
// SDK's client would mend is seen.
type peer struct {
	*room
	header map[string]string
	ctx    context.Context // of its calls; nil for the test's
}

func (r *room) peer(t testing.TB, version, caps string) *peer {
	t.Helper()
	p := &peer{room: r, header: map[string]string{"MCP-Protocol-Version": version, "Test-Grant": "ann"}}
	res := r.post(t, "/", map[string]any{"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": map[string]any{
		"protocolVersion": version, "capabilities": json.RawMessage(caps), "clientInfo": map[string]string{"name": "x", "version": "1"}}}, p.header)
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	p.header["Mcp-Session-Id"] = res.Header.Get("Mcp-Session-Id")
	p.notify(t, "notifications/initialized", nil)
	return p
}

func (p *peer) notify(t testing.TB, method string, params any) {
	t.Helper()
	m := map[string]any{"jsonrpc": "2.0", "method": method}
	if params != nil {
		m["params"] = params
	}
	p.post(t, "/", m, p.header).Body.Close()
}

// A put is a question as a peer receives it.
type put struct {
	ID     json.RawMessage
	Method string
	Params struct {
		Mode, Message, URL, ElicitationID string
		RequestedSchema                   json.RawMessage
	}
}

// call calls a tool, and answers each question with what respond returns: the
// rest of a JSON-RPC response, or "" for none. It returns the questions.
func (p *peer) call(t testing.TB, params string, respond func(put) string) (got reply, questions []put) {
	t.Helper()
	ctx := p.ctx
	if ctx == nil {
		ctx = t.Context()
	}
	res := p.postAs(t, ctx, "/", map[string]any{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": json.RawMessage(params)}, p.header)
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok || data == "" {
			continue
		}
		var q put
		if err := json.Unmarshal([]byte(data), &q); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if q.Method == "" {
			if err := json.Unmarshal([]byte(data), &got); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
			got.raw = data
			return got, questions
		}
		if q.Method != "elicitation/create" {
			continue // a notification
		}
		questions = append(questions, q)
		if a := respond(q); a != "" {
			p.post(t, "/", json.RawMessage(`{"jsonrpc":"2.0","id":`+string(q.ID)+`,`+a+`}`), p.header).Body.Close()
		}
	}
	got.status = res.StatusCode
	return got, questions
}

const bookMonday = `{"name":"book_table","arguments":{"Day":"Monday"}}`

// accept is the response of a user who fills the form.
func accept(content string) string { return `"result":{"action":"accept","content":` + content + `}` }

// fill answers the questions of book_table.
func fill(q put) string {
	if strings.Contains(q.Params.Message, "garden") {
		return accept(`{"seat":"garden"}`)
	}
	return accept(`{"name":"Adams"}`)
}
