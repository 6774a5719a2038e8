package elicit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The SDK's client, which answers by itself what it is asked.
func TestTheSDKsClientIsAskedInEveryVersion(t *testing.T) {
	for _, version := range []string{"2025-06-18", "2025-11-25", modern} {
		r := newRoom(t)
		client := r.client(t, version, func(_ context.Context, req *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			switch {
			case strings.Contains(req.Params.Message, "garden"):
				return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"seat": "garden"}}, nil
			case strings.Contains(req.Params.Message, "name"):
				return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"name": "Adams", "count": 3}}, nil
			}
			return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"sure": true}}, nil
		})
		for _, c := range []*mcp.CallToolParams{
			{Name: "book_table", Arguments: map[string]any{"Day": "Monday"}},
			{Name: "chatter", Arguments: map[string]any{"Questions": maxRounds}},
		} {
			if res, err := client.CallTool(t.Context(), c); err != nil || res.IsError {
				t.Errorf("%s: %s: %+v, %v", version, c.Name, res, err)
			}
		}
		if r.effects() != "Monday garden Adams 3; chatter" {
			t.Errorf("%s: effects %q", version, r.effects())
		}
		res, err := client.CallTool(t.Context(), &mcp.CallToolParams{Name: "chatter", Arguments: map[string]any{"Questions": maxRounds + 1}})
		if err != nil || !res.IsError || !strings.Contains(fmt.Sprint(res.Content[0].(*mcp.TextContent).Text), "too many times") {
			t.Errorf("%s: one question too many: %+v, %v", version, res, err)
		}
	}
}

// client is the SDK's, as ann.
func (r *room) client(t *testing.T, version string, answer func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error)) *mcp.ClientSession {
	t.Helper()
	c := mcp.NewClient(&mcp.Implementation{Name: "x", Version: "1"}, &mcp.ClientOptions{ElicitationHandler: answer,
		Capabilities: &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{Form: &mcp.FormElicitationCapabilities{}, URL: &mcp.URLElicitationCapabilities{}}}})
	s, err := c.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: r.url, HTTPClient: &http.Client{Transport: asAnn{}}, DisableStandaloneSSE: true},
		&mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatalf("%s: %v", version, err)
	}
	if got := s.InitializeResult().ProtocolVersion; got != version {
		t.Fatalf("the client speaks %s, not %s", got, version)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

type asAnn struct{}

func (asAnn) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Test-Grant", "ann")
	return http.DefaultTransport.RoundTrip(r)
}

func TestAClientIsNotAskedWhatItCannotAsk(t *testing.T) {
	r := newRoom(t)
	for _, test := range []struct{ name, caps, tool, needs string }{
		{"no capabilities", `{}`, "book_table", `{"requiredCapabilities":{"elicitation":{"form":{}}}}`},
		{"other capabilities", `{"sampling":{},"roots":{}}`, "book_table", `{"requiredCapabilities":{"elicitation":{"form":{}}}}`},
		{"pages only", `{"elicitation":{"url":{}}}`, "book_table", `{"requiredCapabilities":{"elicitation":{"form":{}}}}`},
		{"forms only", `{"elicitation":{"form":{}}}`, "open_page", `{"requiredCapabilities":{"elicitation":{"url":{}}}}`},
		{"forms only, said the old way", `{"elicitation":{}}`, "open_page", `{"requiredCapabilities":{"elicitation":{"url":{}}}}`},
	} {
		got := r.send(t, call{tool: test.tool, caps: test.caps})
		if got.status != 400 || got.Error == nil || got.Error.Code != mcp.CodeMissingRequiredClientCapabilities || string(got.Error.Data) != test.needs {
			t.Errorf("%s: %d %s", test.name, got.status, got.raw)
		}
	}
	if got := r.send(t, call{caps: `{"elicitation":{}}`}); got.Result.State == "" {
		t.Errorf("forms, said the old way: %s", got.raw)
	}
	if got := r.send(t, call{tool: "easygoing", caps: `{}`}); got.Error != nil || got.Result.IsError || r.effects() != "anywhere" {
		t.Errorf("a tool that can do without: %s", got.raw)
	}
}

func TestAHandlerMayGoOnWithoutAnAnswer(t *testing.T) {
	r := newRoom(t)
	got := r.send(t, call{tool: "easygoing", state: r.asks(t, call{tool: "easygoing"}), responses: `{"seat":{"action":"decline"}}`})
	if got.Result.Requests["sure"].Params.Message != "anywhere?" {
		t.Fatalf("%s", got.raw)
	}
	got = r.send(t, call{tool: "easygoing", state: got.Result.State, responses: `{"sure":{"action":"accept","content":{"sure":true}}}`})
	if got.Result.IsError || r.effects() != "anywhere" {
		t.Errorf("what was declined was asked again: %s", got.raw)
	}
}

func TestAPageIsOpened(t *testing.T) {
	r := newRoom(t)
	first := r.send(t, call{tool: "open_page"})
	q := first.Result.Requests["page"].Params
	link, id, _ := strings.Cut(q.URL, "call=")
	if q.Mode != "url" || q.Message != "See the bill." || link != "https://shop.example/bill?" || len(id) < 26 || q.ElicitationID != "" || q.RequestedSchema != nil {
		t.Errorf("%s", first.raw)
	}
	if got := r.send(t, call{tool: "open_page", state: first.Result.State, responses: `{"page":{"action":"accept"}}`}); got.Result.IsError || r.effects() != "page "+id {
		t.Errorf("%s, effects %q", got.raw, r.effects())
	}
	if got := r.send(t, call{tool: "open_page", state: r.asks(t, call{tool: "open_page"}), responses: `{"page":{"action":"decline"}}`}); !strings.Contains(got.text(), "declined") {
		t.Errorf("%s", got.raw)
	}
	older := newRoom(t)
	got, questions := older.peer(t, "2025-11-25", `{"elicitation":{"url":{}}}`).call(t, `{"name":"open_page"}`, func(put) string { return `"result":{"action":"accept"}` })
	if len(questions) != 1 || questions[0].Params.ElicitationID == "" || strings.Contains(questions[0].Params.URL, questions[0].Params.ElicitationID) {
		t.Fatalf("%+v", questions)
	}
	if _, id, _ := strings.Cut(questions[0].Params.URL, "call="); got.Result.IsError || older.effects() != "page "+id {
		t.Errorf("%s, effects %q", got.raw, older.effects())
	}
}

func TestHandlersThatAskWrongly(t *testing.T) {
	for _, test := range []struct{ tool, log string }{
		{"careless", "return the error of every question"},
		{"nosy", "must not ask for secrets"},
	} {
		r := newRoom(t)
		got := r.send(t, call{tool: test.tool})
		if !got.Result.IsError || !strings.Contains(got.text(), test.tool+" is broken") || !strings.Contains(r.log.String(), test.log) {
			t.Errorf("%s: %s, log %s", test.tool, got.raw, r.log)
		}
	}
	r := newRoom(t)
	got := r.send(t, call{tool: "twice", state: r.asks(t, call{tool: "twice"}), responses: garden})
	if !strings.Contains(got.text(), "twice is broken") || !strings.Contains(r.log.String(), "have the name") {
		t.Errorf("%s, log %s", got.raw, r.log)
	}
	ask := &Ask{ctx: t.Context(), asked: map[string]bool{}, caps: &mcp.ElicitationCapabilities{}}
	for name, message := range map[string]string{"": "Yes?", "a b": "Yes?", "Seat": "Yes?", strings.Repeat("x", maxName+1): "Yes?", "seat": "", "name": strings.Repeat("x", maxMessage+1)} {
		if _, err := Form[yes](ask, name, message); !errors.Is(err, errQuestion) {
			t.Errorf("a question named %.20q with %d bytes: %v", name, len(message), err)
		}
	}
}

func TestAToolThatAsksNothingIsATool(t *testing.T) {
	r := newRoom(t)
	if got := r.send(t, call{tool: "quiet", caps: `{}`}); !got.Result.IsError || got.text() != "closed on Mondays" || r.effects() != "quiet" {
		t.Errorf("%s, effects %q", got.raw, r.effects())
	}
}

// Nothing of a fault reaches the client, and none of it counts as an answer.
func TestTheStoreIsGone(t *testing.T) {
	r := newRoom(t)
	state := r.asks(t, call{grant: "nobody"})
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	got := r.send(t, call{grant: "nobody", state: state, responses: garden})
	if !got.Result.IsError || got.text() != "the server failed; try again in a moment" || !strings.Contains(r.log.String(), "level=ERROR") {
		t.Errorf("%s, log %s", got.raw, r.log)
	}
}

func TestEveryRefusalHasWords(t *testing.T) {
	q := newRoom(t).questions
	for _, refusal := range []error{errForged, errUnasked, errShape, errExpired, errUsed, errChanged, errTooMany, errUnreached, ErrDeclined, ErrUnsupported} {
		err := q.told(t.Context(), "book_table", fmt.Errorf("wrapped: %w", refusal))
		if text := err.Error(); strings.Contains(text, "elicit:") || strings.Contains(text, "%!") {
			t.Errorf("%v is told as %q", refusal, text)
		}
		var rpc *jsonrpc.Error
		if forged := refusal == errForged || refusal == errUnasked || refusal == errShape; errors.As(err, &rpc) != forged {
			t.Errorf("%v is told by %T", refusal, err)
		}
	}
}
