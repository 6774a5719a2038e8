package foyer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A client of 2025-03-26 that was written by hand: it reads no metadata, knows
// the endpoints by their names at the root, names no resource and asks for no
// scope; it has a session, a stream and batches. It finishes the story.
func TestARawClientOf20250326FinishesTheStory(t *testing.T) {
	h := newHouse(t)
	var registered struct {
		ID string `json:"client_id"`
	}
	h.postJSON(t, "/register", `{"redirect_uris":["`+redirectURI+`"]}`, http.StatusCreated, &registered)
	query := url.Values{"response_type": {"code"}, "client_id": {registered.ID}, "redirect_uri": {redirectURI}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	res := h.get(t, "/authorize?"+query.Encode())
	res.Body.Close()
	location, err := res.Location()
	if err != nil {
		t.Fatalf("/authorize: %s, %v", res.Status, err)
	}
	access, _ := h.redeem(t, registered.ID, location.Query().Get("code"))
	c := &old{house: h, access: access}
	if got := c.post(t, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"old","version":"1"}}}`); !strings.Contains(got, `"protocolVersion":"2025-03-26"`) || c.session == "" {
		t.Fatalf("session %q: %s", c.session, got)
	}
	c.post(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	news := c.stream(t)

	if got := c.post(t, `[`+c.call(2, "writing_prompt", "{}")+`,`+c.call(3, "whoami", "{}")+`]`); !strings.Contains(got, `"id":2`) || !strings.Contains(got, `"id":3`) {
		t.Errorf("a batch of what a guest may: %s", got)
	}
	if got := c.post(t, `[`+c.call(4, "writing_prompt", "{}")+`,`+c.call(5, "list_entries", "{}")+`]`); !strings.HasPrefix(got, "403 ") || strings.Contains(got, `"result"`) {
		t.Errorf("a batch with what a guest may not: %s", got)
	}
	c.post(t, c.call(6, "authenticate", `{"email":"ann@example.com"}`))
	code := digitsIn(t, h.mail(t, "ann@example.com"))
	if got := c.post(t, c.call(7, "validate_token", `{"code":"`+code+`"}`)); strings.Contains(got, `"isError":true`) {
		t.Fatalf("validate_token: %s", got)
	}
	if line := news(); !strings.Contains(line, "list_changed") {
		t.Errorf("the stream brings %s", line)
	}
	if got := c.post(t, `[`+c.call(8, "writing_prompt", "{}")+`,`+c.call(9, "list_entries", "{}")+`]`); !strings.HasPrefix(got, "200 ") || strings.Contains(got, `"isError":true`) {
		t.Errorf("the same batch: %s", got)
	}
	c.send(t, http.MethodDelete, "").Body.Close()
	if got := c.post(t, c.call(10, "whoami", "{}")); !strings.HasPrefix(got, "404 ") {
		t.Errorf("after the end: %s", got)
	}
}

// An old client in its session.
type old struct {
	*house
	access, session string
}

func (c *old) call(id int, tool, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, id, tool, arguments)
}

func (c *old) send(t *testing.T, method, body string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, c.issuer+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "Authorization": {"Bearer " + c.access}}
	if c.session != "" {
		r.Header.Set("Mcp-Session-Id", c.session)
	}
	return c.house.send(t, r)
}

// post returns the status and the body of an answer.
func (c *old) post(t *testing.T, body string) string {
	t.Helper()
	res := c.send(t, http.MethodPost, body)
	defer res.Body.Close()
	if id := res.Header.Get("Mcp-Session-Id"); id != "" {
		c.session = id
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(res.StatusCode, " ", string(text))
}

// stream opens the session's stream, and returns the way to its next message.
func (c *old) stream(t *testing.T) func() string {
	t.Helper()
	res := c.send(t, http.MethodGet, "")
	t.Cleanup(func() { res.Body.Close() })
	lines := bufio.NewScanner(res.Body)
	if !lines.Scan() {
		t.Fatalf("%s: no stream", res.Status)
	}
	return func() string {
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "data: ") {
				return lines.Text()
			}
		}
		return ""
	}
}
