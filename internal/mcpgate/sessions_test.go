package mcpgate_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

var sessionVersions = []string{"2025-11-25", "2025-06-18", "2025-03-26"}

// An mcpSession is an MCP session that a client has opened.
type mcpSession struct {
	*room
	path, version, id string
}

// initialize opens a session at path.
func (r *room) initialize(t testing.TB, path, version, token string) mcpSession {
	t.Helper()
	params := fmt.Sprintf(`{"protocolVersion":%q,"capabilities":{"elicitation":{}},"clientInfo":{"name":"x","version":"1"}}`, version)
	a := r.do(t, r.request(t, path, "", token, "initialize", params))
	s := mcpSession{r, path, version, a.header.Get("Mcp-Session-Id")}
	if a.status != http.StatusOK || s.id == "" || a.rpc.Result["protocolVersion"] != version {
		t.Fatalf("initialize: %d %s", a.status, a.body)
	}
	note := r.post(t, path, token, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	s.mark(note)
	if a := r.do(t, note); a.status != http.StatusAccepted {
		t.Fatalf("initialized: %d %s", a.status, a.body)
	}
	return s
}

func (s mcpSession) mark(req *http.Request) {
	req.Header.Set("Mcp-Session-Id", s.id)
	if s.version > "2025-03-26" {
		req.Header.Set("Mcp-Protocol-Version", s.version)
	}
}

func (s mcpSession) ask(t testing.TB, token, method, params string) reply {
	t.Helper()
	req := s.request(t, s.path, "", token, method, params)
	s.mark(req)
	return s.do(t, req)
}

func (s mcpSession) bare(t testing.TB, method, token string) reply {
	t.Helper()
	req := s.post(t, s.path, token, "")
	req.Method, req.Body, req.ContentLength = method, http.NoBody, 0
	s.mark(req)
	return s.do(t, req)
}

// get opens the session's stream.
func (s mcpSession) get(t testing.TB, ctx context.Context, token string) stream {
	t.Helper()
	req := s.post(t, s.path, token, "")
	req.Method, req.Body, req.ContentLength = http.MethodGet, http.NoBody, 0
	s.mark(req)
	res, err := http.DefaultClient.Do(req.WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	return stream{res.Header, bufio.NewScanner(res.Body)}
}

// patient bounds a test that would otherwise hang; a thousand streams take a
// while where the race detector watches and others use the machine.
func patient(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// open waits until so much is open.
func (r *room) open(t testing.TB, wantSessions, wantStreams int) {
	t.Helper()
	for ctx := patient(t); ; {
		sessions, streams, _ := r.gate.Open()
		if sessions == wantSessions && streams == wantStreams {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%d sessions and %d streams are open, want %d and %d", sessions, streams, wantSessions, wantStreams)
		}
		time.Sleep(time.Millisecond)
	}
}

// A session is its grant's. To everyone else it does not exist, whatever they
// try, and nothing that they try ends it.
func TestASessionIsItsGrantsAlone(t *testing.T) {
	for _, version := range sessionVersions {
		t.Run(version, func(t *testing.T) {
			r := newRoom(t)
			owner, stranger := r.user(), r.user()
			s := r.initialize(t, "/mcp", version, owner)
			for _, attempt := range []struct {
				name string
				do   func() reply
			}{
				{"a call", func() reply { return s.ask(t, stranger, "tools/call", `{"name":"signed_in"}`) }},
				{"a list", func() reply { return s.ask(t, stranger, "tools/list", `{}`) }},
				{"a public call", func() reply { return s.ask(t, stranger, "tools/call", `{"name":"anyone"}`) }},
				{"a stream", func() reply { return s.bare(t, http.MethodGet, stranger) }},
				{"an end", func() reply { return s.bare(t, http.MethodDelete, stranger) }},
				{"a notification", func() reply {
					req := r.post(t, "/mcp", stranger, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`)
					s.mark(req)
					return r.do(t, req)
				}},
				{"an answer to a question", func() reply {
					req := r.post(t, "/mcp", stranger, `{"jsonrpc":"2.0","id":1,"result":{"action":"accept"}}`)
					s.mark(req)
					return r.do(t, req)
				}},
			} {
				if a := attempt.do(); a.status != http.StatusNotFound || a.code() != http.StatusNotFound || len(a.ran) > 0 {
					t.Errorf("%s: %d, ran %v: %s", attempt.name, a.status, a.ran, a.body)
				}
			}
			if a := s.ask(t, owner, "tools/call", `{"name":"signed_in"}`); a.status != http.StatusOK || len(a.ran) != 1 {
				t.Errorf("its own grant: %d, ran %v: %s", a.status, a.ran, a.body)
			}
			for token, want := range map[string]int{"": http.StatusUnauthorized, "fya_garbage": http.StatusUnauthorized} {
				if a := s.ask(t, token, "tools/call", `{"name":"anyone"}`); a.status != want || len(a.ran) > 0 {
					t.Errorf("token %q: %d, ran %v", token, a.status, a.ran)
				}
			}
		})
	}
}

// Two tokens of one grant share its sessions: a refresh loses none.
func TestASessionOutlivesARefresh(t *testing.T) {
	r := newRoom(t)
	issued := r.issue(resource)
	s := r.initialize(t, "/mcp", older, issued.Access.Reveal())
	renewed := r.refresh(t, issued)
	if a := s.ask(t, renewed.Access.Reveal(), "tools/call", `{"name":"anyone"}`); a.status != http.StatusOK || len(a.ran) != 1 {
		t.Errorf("%d, ran %v: %s", a.status, a.ran, a.body)
	}
}

// A session that was opened without a token becomes the first grant's that
// comes, once; its stream ends then, and who has no token is out.
func TestASessionWithoutATokenIsAdoptedOnce(t *testing.T) {
	r := newRoom(t)
	s := r.initialize(t, "/lazy/mcp", older, "")
	before := s.get(t, patient(t), "")
	r.open(t, 1, 1)
	if a := s.ask(t, "", "tools/call", `{"name":"anyone"}`); a.status != http.StatusOK || len(a.ran) != 1 {
		t.Fatalf("without a token: %d, ran %v: %s", a.status, a.ran, a.body)
	}
	first, second := r.issue(lazyResource).Access.Reveal(), r.issue(lazyResource).Access.Reveal()
	if a := s.ask(t, first, "tools/call", `{"name":"anyone"}`); a.status != http.StatusOK || len(a.ran) != 1 {
		t.Fatalf("the first grant: %d, ran %v: %s", a.status, a.ran, a.body)
	}
	if e, more := before.next(t); more {
		t.Errorf("the stream of before brings %+v", e)
	}
	for name, token := range map[string]string{"the second grant": second, "no token": ""} {
		if a := s.ask(t, token, "tools/call", `{"name":"anyone"}`); a.status != http.StatusNotFound || len(a.ran) > 0 {
			t.Errorf("%s: %d, ran %v: %s", name, a.status, a.ran, a.body)
		}
	}
	if a := s.ask(t, "", "tools/call", `{"name":"signed_in"}`); a.status != http.StatusUnauthorized {
		t.Errorf("a locked tool without a token: %d %s", a.status, a.body)
	}
}

// A session of one endpoint is none of another, also where neither wants a token.
func TestASessionIsOfOneEndpoint(t *testing.T) {
	r := newRoom(t)
	s := r.initialize(t, "/lazy/mcp", older, "")
	s.path = "/mcp"
	if a := s.ask(t, r.guest(), "tools/call", `{"name":"anyone"}`); a.status != http.StatusNotFound || len(a.ran) > 0 {
		t.Errorf("%d, ran %v: %s", a.status, a.ran, a.body)
	}
}

func TestASessionEndsByDelete(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	s := r.initialize(t, "/mcp", older, token)
	news := s.get(t, patient(t), token)
	if a := s.bare(t, http.MethodDelete, token); a.status != http.StatusNoContent {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if e, more := news.next(t); more {
		t.Errorf("its stream brings %+v", e)
	}
	for _, a := range []reply{s.ask(t, token, "tools/list", `{}`), s.bare(t, http.MethodDelete, token), s.bare(t, http.MethodGet, token)} {
		if a.status != http.StatusNotFound {
			t.Errorf("afterwards: %d %s", a.status, a.body)
		}
	}
	r.open(t, 0, 0)
}

// A call that waits for its caller's answer ends with the session.
func TestAQuestionEndsWithItsSession(t *testing.T) {
	r := newRoom(t)
	asked := make(chan error, 1)
	r.server.AddTool(&mcp.Tool{Name: "anyone", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			_, err := req.Session.Elicit(ctx, &mcp.ElicitParams{Mode: "form", Message: "Which?", RequestedSchema: json.RawMessage(`{"type":"object"}`)})
			asked <- err
			return &mcp.CallToolResult{}, nil
		})
	token := r.guest()
	s := r.initialize(t, "/mcp", older, token)
	req := r.request(t, "/mcp", "", token, "tools/call", `{"name":"anyone"}`)
	s.mark(req)
	res, err := http.DefaultClient.Do(req.WithContext(patient(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if e, ok := (stream{res.Header, bufio.NewScanner(res.Body)}).next(t); !ok || e.Method != "elicitation/create" {
		t.Fatalf("asked: %+v", e)
	}
	if a := s.bare(t, http.MethodDelete, token); a.status != http.StatusNoContent {
		t.Fatalf("%d %s", a.status, a.body)
	}
	select {
	case err := <-asked:
		if err == nil {
			t.Error("the question was answered by nobody")
		}
	case <-patient(t).Done():
		t.Error("the question waits")
	}
}

// What is idle ends; what is in use, or has its stream open, does not.
func TestASessionThatNobodyUsesEnds(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	idle, used, listening := r.initialize(t, "/mcp", older, token), r.initialize(t, "/mcp", older, token), r.initialize(t, "/mcp", older, token)
	news := listening.get(t, patient(t), token)
	r.wait(20 * time.Minute)
	used.ask(t, token, "ping", `{}`)
	r.wait(20 * time.Minute)
	r.gate.Sweep()
	for name, test := range map[string]struct {
		s    mcpSession
		want int
	}{"idle": {idle, http.StatusNotFound}, "used": {used, http.StatusOK}, "listening": {listening, http.StatusOK}} {
		if a := test.s.ask(t, token, "ping", `{}`); a.status != test.want {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	r.claim(token, "write")
	r.grants.Announce(r.grantOf(t, token))
	if e, ok := news.next(t); !ok || !strings.HasSuffix(e.Method, "list_changed") {
		t.Errorf("the open stream brings %+v", e)
	}
}

// One grant has 32 sessions; the one that it uses least makes room.
func TestTheLeastUsedSessionMakesRoom(t *testing.T) {
	r := newRoom(t)
	token, other := r.guest(), r.guest()
	others := r.initialize(t, "/mcp", older, other)
	var all []mcpSession
	for range 32 {
		r.wait(time.Second)
		all = append(all, r.initialize(t, "/mcp", older, token))
	}
	r.wait(time.Second)
	all[0].ask(t, token, "ping", `{}`) // so that the second is used least
	all = append(all, r.initialize(t, "/mcp", older, token))
	for i, s := range all {
		want := http.StatusOK
		if i == 1 {
			want = http.StatusNotFound
		}
		if a := s.ask(t, token, "ping", `{}`); a.status != want {
			t.Errorf("session %d: %d", i, a.status)
		}
	}
	if a := others.ask(t, other, "ping", `{}`); a.status != http.StatusOK {
		t.Errorf("another grant's: %d", a.status)
	}
	r.open(t, 33, 0)
}

// Older clients need no session: a single call is answered by itself.
func TestACallNeedsNoSession(t *testing.T) {
	r := newRoom(t)
	for _, version := range append(sessionVersions, "") {
		if a := r.ask(t, version, r.guest(), "tools/call", `{"name":"anyone"}`); a.status != http.StatusOK || len(a.ran) != 1 || a.rpc.Result == nil {
			t.Errorf("%q: %d, ran %v: %s", version, a.status, a.ran, a.body)
		}
	}
	r.open(t, 0, 0)
}

// To 2026-07-28 a session ID means nothing, whosever it is.
func TestANewVersionHasNoSessions(t *testing.T) {
	r := newRoom(t)
	owner, stranger := r.guest(), r.guest()
	s := r.initialize(t, "/mcp", older, owner)
	req := r.request(t, "/mcp", modern, stranger, "tools/call", `{"name":"anyone"}`)
	req.Header.Set("Mcp-Session-Id", s.id)
	if a := r.do(t, req); a.status != http.StatusOK || len(a.ran) != 1 || a.header.Get("Mcp-Session-Id") != "" {
		t.Errorf("%d, ran %v, %v", a.status, a.ran, a.header)
	}
}

// A session that could not begin is none.
func TestABadInitializeLeavesNoSession(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	for _, params := range []string{`null`, `{"protocolVersion":7}`, `[]`} {
		r.do(t, r.post(t, "/mcp", token, `{"jsonrpc":"2.0","id":7,"method":"initialize","params":`+params+`}`))
	}
	s := r.initialize(t, "/mcp", older, token)
	s.ask(t, token, "initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}`) // a second one
	r.open(t, 1, 0)
}

// A tool is not shown the token of its caller, in no era. (X55)
func TestAToolDoesNotSeeTheToken(t *testing.T) {
	r := newRoom(t)
	var seen []http.Header
	r.server.AddTool(&mcp.Tool{Name: "anyone", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			seen = append(seen, req.Extra.Header)
			return &mcp.CallToolResult{}, nil
		})
	token := r.guest()
	s := r.initialize(t, "/mcp", older, token)
	s.ask(t, token, "tools/call", `{"name":"anyone"}`)
	r.ask(t, modern, token, "tools/call", `{"name":"anyone"}`)
	if len(seen) != 2 {
		t.Fatalf("%d calls", len(seen))
	}
	for _, h := range seen {
		if h.Get("Authorization") != "" || strings.Contains(fmt.Sprint(h), token) || h.Get("Content-Type") == "" {
			t.Errorf("shown: %v", h)
		}
	}
}
