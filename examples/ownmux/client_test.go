package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/foyertest"
)

// A session calls tools.
type session struct{ *mcp.ClientSession }

func (s session) ok(t *testing.T, tool string, arguments map[string]any, want string) {
	t.Helper()
	if text, isError := foyertest.Call(t, s.ClientSession, tool, arguments); isError || !strings.Contains(text, want) {
		t.Errorf("%s: %s, want %s", tool, text, want)
	}
}

func (s session) refused(t *testing.T, tool string, arguments map[string]any, want string) {
	t.Helper()
	if text, isError := foyertest.Call(t, s.ClientSession, tool, arguments); !isError || !strings.Contains(text, want) {
		t.Errorf("%s: %s, want it refused: %s", tool, text, want)
	}
}

// post sends one message of 2026-07-28, for which the SDK's client has no method.
func post(t *testing.T, url, token, method, params string) *http.Response {
	t.Helper()
	if params != "" {
		params += ","
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":{`+params+
		`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": method, "Authorization": "Bearer " + token} {
		r.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func listen(t *testing.T, res *http.Response) *bufio.Scanner {
	t.Helper()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("no stream: %s", res.Status)
	}
	return bufio.NewScanner(res.Body)
}

// next returns the method of the next message; "" at the end.
func next(t *testing.T, events *bufio.Scanner) string {
	t.Helper()
	for events.Scan() {
		if data, found := strings.CutPrefix(events.Text(), "data: "); found {
			var m struct {
				Method string `json:"method"`
			}
			if err := json.Unmarshal([]byte(data), &m); err != nil {
				t.Fatal(err)
			}
			return m.Method
		}
	}
	return ""
}
