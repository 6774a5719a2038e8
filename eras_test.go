package foyer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const modern = "2026-07-28"

// An eraClient is a client of one version of the protocol, in the words of
// testdata/eras.txt.
type eraClient interface {
	kind() string
	connects() string
	shown(tool string) string // open, locked or absent in the list
	calls(tool string) string
	streams() string
}

// A caller is who stands behind a client.
type caller struct {
	name    string
	bearer  string
	session string // another grant's, to be used in place of the own one
}

// What each caller gets, in each version, by each client, is a file that people
// read. GOLDEN=write writes it anew.
func TestWhoGetsWhatInEachVersion(t *testing.T) {
	file, err := os.ReadFile("testdata/eras.txt")
	if err != nil {
		t.Fatal(err)
	}
	head, table, found := strings.Cut(string(file), "\n\n")
	if !found {
		t.Fatal("testdata/eras.txt has no table")
	}
	var got strings.Builder
	const row = "%-12s %-8s %-20s %-10s %-8s %-15s %-13s %-20s %s\n"
	fmt.Fprintf(&got, row, "version", "client", "caller", "connects", "is shown", "writing_prompt", "list_entries", "export_journal", "streams")
	for _, version := range []string{modern, "2025-11-25", "2025-06-18", "2025-03-26"} {
		h := newHouse(t)
		for _, c := range h.callers(t) {
			for _, client := range []eraClient{&rawClient{house: h, version: version, caller: c}, h.versionClient(t, version, c)} {
				fmt.Fprintf(&got, row, version, client.kind(), c.name, client.connects(), client.shown("list_entries"), client.calls("writing_prompt"),
					client.calls("list_entries"), client.calls("export_journal"), client.streams())
			}
		}
		fmt.Fprintln(&got)
	}
	text := strings.TrimRight(got.String(), "\n") + "\n"
	if os.Getenv("GOLDEN") == "write" {
		if err := os.WriteFile("testdata/eras.txt", []byte(head+"\n\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text != table {
		t.Errorf("got\n%s", text)
	}
}

// callers are one of each kind.
func (h *house) callers(t *testing.T) []caller {
	t.Helper()
	g, user, other := h.guest(t), h.guest(t), h.guest(t)
	user.signIn(t, "ann@example.com")
	theirs := &rawClient{house: h, version: "2025-11-25", caller: caller{bearer: other.access}}
	theirs.connects()
	return []caller{{name: "no token"}, {name: "bad token", bearer: "fya_bad"}, {name: "guest", bearer: g.access}, {name: "signed in", bearer: user.access},
		{name: "in another's session", bearer: user.access, session: theirs.session}}
}

// A rawClient sends what it is told, and does no OAuth.
type rawClient struct {
	*house
	version string
	caller
}

func (c *rawClient) request(method, rpc, params string) *http.Request {
	c.t.Helper()
	var r *http.Request
	if c.version == modern {
		r = mcpRequest(c.t, c.issuer+"/mcp", c.bearer, 1, rpc, params)
	} else {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, rpc, params)
		var err error
		if r, err = http.NewRequestWithContext(c.t.Context(), method, c.issuer+"/mcp", strings.NewReader(body)); err != nil {
			c.t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		if c.version > "2025-03-26" && rpc != "initialize" {
			r.Header.Set("Mcp-Protocol-Version", c.version)
		}
		if c.bearer != "" {
			r.Header.Set("Authorization", "Bearer "+c.bearer)
		}
	}
	if c.session != "" && rpc != "initialize" {
		r.Header.Set("Mcp-Session-Id", c.session)
	}
	return r
}

// An rpcAnswer is what the message in an answer says.
type rpcAnswer struct {
	Result struct {
		IsError bool `json:"isError"`
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
		Tools []*mcp.Tool `json:"tools"`
	} `json:"result"`
	Error *struct {
		Code int64 `json:"code"`
	} `json:"error"`
}

func (c *rawClient) do(r *http.Request) (*http.Response, rpcAnswer) {
	c.t.Helper()
	res := c.send(c.t, r)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	var a rpcAnswer
	if err := json.Unmarshal(text, &a); err != nil {
		c.t.Fatalf("%d %s", res.StatusCode, text)
	}
	return res, a
}

func (c *rawClient) kind() string { return "raw" }

func (c *rawClient) connects() string {
	if c.version == modern {
		res, _ := c.do(c.request(http.MethodPost, "server/discover", "{}"))
		return refusedOr(res, "yes")
	}
	res, _ := c.do(c.request(http.MethodPost, "initialize", `{"protocolVersion":"`+c.version+`","capabilities":{},"clientInfo":{"name":"x","version":"1"}}`))
	if c.session == "" {
		c.session = res.Header.Get("Mcp-Session-Id")
	}
	return refusedOr(res, "a session")
}

func refusedOr(res *http.Response, other string) string {
	if res.StatusCode == http.StatusOK {
		return other
	}
	_, scope, _ := strings.Cut(res.Header.Get("WWW-Authenticate"), `scope="`)
	return strings.TrimSpace(fmt.Sprint(res.StatusCode, " ", strings.TrimSuffix(scope, `"`)))
}

func (c *rawClient) shown(tool string) string {
	res, a := c.do(c.request(http.MethodPost, "tools/list", "{}"))
	return refusedOr(res, shownIn(a.Result.Tools, tool))
}

func shownIn(tools []*mcp.Tool, name string) string {
	for _, tool := range tools {
		switch {
		case tool.Name != name:
		case tool.Meta["foyer/access"] != nil:
			return "locked"
		default:
			return "open"
		}
	}
	return "absent"
}

func (c *rawClient) calls(tool string) string {
	res, a := c.do(c.request(http.MethodPost, "tools/call", `{"name":"`+tool+`","arguments":{}}`))
	said := "ok"
	if a.Result.IsError && strings.Contains(a.Result.Content[0].Text, "call authenticate") {
		said = "sign in"
	}
	return refusedOr(res, said)
}

func (c *rawClient) streams() string {
	r := c.request(http.MethodPost, "subscriptions/listen", `{"notifications":{"toolsListChanged":true}}`)
	if c.version != modern {
		r = c.request(http.MethodGet, "", "{}")
		r.Body, r.ContentLength = http.NoBody, 0
	}
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	res := c.send(c.t, r.WithContext(ctx))
	defer res.Body.Close()
	if line, _ := bufio.NewReader(res.Body).ReadString('\n'); res.Header.Get("Content-Type") == "text/event-stream" && line != "" {
		return "opens"
	}
	return refusedOr(res, "nothing")
}

// A versionClient is the SDK's, with a token that it cannot renew.
type versionClient struct {
	t       *testing.T
	session *mcp.ClientSession
	err     error
}

func (h *house) versionClient(t *testing.T, version string, c caller) *versionClient {
	t.Helper()
	wire := &tokenWire{caller: c}
	defer wire.connected.Store(true)
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(),
		&mcp.StreamableClientTransport{Endpoint: h.issuer + "/mcp", HTTPClient: &http.Client{Transport: wire}, MaxRetries: -1},
		&mcp.ClientSessionOptions{ProtocolVersion: version})
	if err == nil {
		t.Cleanup(func() { session.Close() })
		if got := session.InitializeResult().ProtocolVersion; got != version {
			t.Errorf("agreed on %s, want %s", got, version)
		}
	}
	return &versionClient{t, session, err}
}

// A tokenWire adds a token to requests, and after the first a session.
type tokenWire struct {
	caller
	connected atomic.Bool
}

func (w *tokenWire) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if w.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+w.bearer)
	}
	if w.session != "" && w.connected.Load() {
		r.Header.Set("Mcp-Session-Id", w.session)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// outcome says what became of a call of the SDK's. What it got in place of an
// answer ends its session, as far as it is concerned.
func (c *versionClient) outcome(err error, said string) string {
	var rpc *jsonrpc.Error
	switch {
	case err == nil:
		return said
	case errors.As(err, &rpc):
		return fmt.Sprint(rpc.Code)
	case errors.Is(err, mcp.ErrSessionMissing):
		return "404"
	}
	return err.Error()
}

func (c *versionClient) kind() string { return "go-sdk" }

func (c *versionClient) connects() string { return c.outcome(c.err, "yes") }

func (c *versionClient) shown(tool string) string {
	if c.err != nil {
		return "-"
	}
	res, err := c.session.ListTools(c.t.Context(), nil)
	if err != nil {
		return c.outcome(err, "")
	}
	return shownIn(res.Tools, tool)
}

func (c *versionClient) calls(tool string) string {
	if c.err != nil {
		return "-"
	}
	res, err := c.session.CallTool(c.t.Context(), &mcp.CallToolParams{Name: tool})
	if err == nil && res.IsError {
		return "sign in"
	}
	return c.outcome(err, "ok")
}

func (c *versionClient) streams() string { return "-" }
