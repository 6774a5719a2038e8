package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A wire speaks HTTP to the server, as clients do.
type wire struct {
	ctx  context.Context
	base string // the issuer
	http *http.Client
}

// patience is how long a client waits for an answer of a server that lives.
const patience = 30 * time.Second

func newWire(ctx context.Context, base string, clients int) wire {
	return wire{ctx: ctx, base: base, http: &http.Client{
		Timeout:       patience,
		Transport:     &http.Transport{MaxIdleConnsPerHost: clients},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// An answer is what came back, all of it: a body that was cut off is no answer.
type answer struct {
	status  int
	refused bool           // a status of 400 or more, or a tool that says so
	text    string         // what a tool says, or the body
	data    map[string]any // a tool's structured content, or the body where that is JSON
	to      *url.URL       // where a browser is sent, or nil
}

// field returns a text of the data, or "".
func (a answer) field(name string) string {
	s, _ := a.data[name].(string)
	return s
}

// number returns a number of the data, or -1.
func (a answer) number(name string) int {
	if n, ok := a.data[name].(float64); ok {
		return int(n)
	}
	return -1
}

// String is for people. It shows an error and no token.
func (a answer) String() string {
	if !a.refused {
		return fmt.Sprint(a.status)
	}
	return fmt.Sprintf("%d refused, %.200q", a.status, a.text)
}

func (w wire) do(r *http.Request) (answer, error) {
	res, err := w.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: res.StatusCode, refused: res.StatusCode >= 400, text: string(body)}
	a.to, _ = res.Location()            // nil where nobody is sent anywhere
	_ = json.Unmarshal(body, &a.data)   // nil for a page
	if r.Header.Get("Mcp-Name") != "" { // a call of a tool
		a.ofTool(body)
	}
	return a, nil
}

// ofTool reads the result of a tool, where there is one.
func (a *answer) ofTool(body []byte) {
	var m struct {
		Result *struct {
			IsError bool `json:"isError"`
			Content []struct {
				Text string `json:"text"`
			} `json:"content"`
			Structured map[string]any `json:"structuredContent"`
		} `json:"result"`
	}
	if json.Unmarshal(body, &m) != nil || m.Result == nil {
		a.refused = true
		return
	}
	a.refused, a.text, a.data = a.refused || m.Result.IsError, "", m.Result.Structured
	for _, c := range m.Result.Content {
		a.text += c.Text
	}
}

// unsent reports whether a request that failed with err never reached a server.
func unsent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func (w wire) request(method, path, contentType string, body []byte) *http.Request {
	r, err := http.NewRequestWithContext(w.ctx, method, w.base+path, bytes.NewReader(body))
	if err != nil {
		panic(err) // paths and methods are written in this package
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

func (w wire) form(path string, values url.Values) *http.Request {
	return w.request(http.MethodPost, path, "application/x-www-form-urlencoded", []byte(values.Encode()))
}

// tool is a call of a tool in MCP 2026-07-28.
func (w wire) tool(access, name string, arguments map[string]any) *http.Request {
	if arguments == nil {
		arguments = map[string]any{}
	}
	const method, version = "tools/call", "2026-07-28"
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": map[string]any{
		"name": name, "arguments": arguments, "_meta": map[string]any{
			"io.modelcontextprotocol/protocolVersion":    version,
			"io.modelcontextprotocol/clientCapabilities": map[string]any{},
		}}})
	if err != nil {
		panic(err) // maps of strings are JSON
	}
	r := w.request(http.MethodPost, "/mcp", "application/json", body)
	for name, value := range map[string]string{"Accept": "application/json, text/event-stream", "Authorization": "Bearer " + access,
		"Mcp-Protocol-Version": version, "Mcp-Method": method, "Mcp-Name": name} {
		r.Header.Set(name, value)
	}
	return r
}

const redirectURI = "http://127.0.0.1:33418/callback"

func (w wire) register(name string) *http.Request {
	body := fmt.Sprintf(`{"client_name":%q,"redirect_uris":[%q]}`, name, redirectURI)
	return w.request(http.MethodPost, "/register", "application/json", []byte(body))
}

func (w wire) authorize(client, codeChallenge string) *http.Request {
	query := url.Values{"response_type": {"code"}, "client_id": {client}, "redirect_uri": {redirectURI}, "scope": {"guest offline_access"},
		"code_challenge": {codeChallenge}, "code_challenge_method": {"S256"}, "resource": {w.base + "/mcp"}, "state": {"s"}}
	return w.request(http.MethodGet, "/authorize?"+query.Encode(), "", nil)
}

func (w wire) redeem(c code) *http.Request {
	return w.form("/token", url.Values{"grant_type": {"authorization_code"}, "client_id": {c.client}, "code": {c.text},
		"redirect_uri": {redirectURI}, "code_verifier": {c.verifier}})
}

func (w wire) refresh(client, token string) *http.Request {
	return w.form("/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {token}})
}

func (w wire) revoke(client, token string) *http.Request {
	return w.form("/revoke", url.Values{"client_id": {client}, "token": {token}})
}

// is reports whether a is the OAuth error with that code.
func (a answer) is(code string) bool {
	return a.status == http.StatusBadRequest && a.field("error") == code
}

// says reports whether a is a refusal in which words stand.
func (a answer) says(words string) bool { return a.refused && strings.Contains(a.text, words) }
