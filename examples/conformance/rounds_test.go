package conformance

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A reply is the answer to a call of 2026-07-28, as it is on the wire.
type reply struct {
	Result struct {
		ResultType    string
		InputRequests map[string]any
		RequestState  string
		Content       []struct{ Text string }
	}
	Error *struct {
		Code    int
		Message string
	}
}

// A caller speaks 2026-07-28 without the help of an SDK.
type caller struct {
	url  string
	caps map[string]any
}

func newCaller(t *testing.T) caller {
	server := Server()
	web := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true}))
	t.Cleanup(web.Close)
	return caller{web.URL, map[string]any{"elicitation": map[string]any{}, "sampling": map[string]any{}, "roots": map[string]any{}}}
}

func (c caller) call(t *testing.T, tool, state string, answers map[string]any) reply {
	t.Helper()
	params := map[string]any{"name": tool, "arguments": map[string]any{}, "_meta": map[string]any{
		"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
		"io.modelcontextprotocol/clientCapabilities": c.caps,
	}}
	if state != "" {
		params["requestState"] = state
	}
	if answers != nil {
		params["inputResponses"] = answers
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": tool} {
		r.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var came reply
	if err := json.NewDecoder(res.Body).Decode(&came); err != nil {
		t.Fatal(err)
	}
	return came
}

func accept(field string, value any) map[string]any {
	return map[string]any{"action": "accept", "content": map[string]any{field: value}}
}

func TestAStateIsGoodOnlyWhereItWasGiven(t *testing.T) {
	c := newCaller(t)
	const tool = "test_input_required_result_tampered_state"
	answer := map[string]any{"confirm": accept("ok", true)}
	state := c.call(t, tool, "", nil).Result.RequestState
	if got := c.call(t, tool, state, answer); len(got.Result.Content) != 1 || !strings.Contains(got.Result.Content[0].Text, "state-ok") {
		t.Fatalf("the state itself: %+v", got)
	}
	flipped := []byte(state)
	flipped[len(flipped)/2] ^= 1
	for _, test := range []struct{ name, state string }{
		{"with a tail", state + "-TAMPERED"},
		{"with one bit changed", string(flipped)},
		{"cut short", state[:len(state)-2]},
		{"of another tool", c.call(t, "test_input_required_result_request_state", "", nil).Result.RequestState},
		{"of another process", newCaller(t).call(t, tool, "", nil).Result.RequestState},
		{"made up", `{"Round":1}`},
	} {
		if test.state == "" {
			t.Errorf("%s: no state was given", test.name)
		}
		if got := c.call(t, tool, test.state, answer); got.Error == nil || got.Error.Code != -32602 || !strings.Contains(got.Error.Message, "call again without it") {
			t.Errorf("a state %s: %+v", test.name, got)
		}
	}
}

func TestAnAnswerThatNobodyAskedForIsAskedFor(t *testing.T) {
	c := newCaller(t)
	for tool, answers := range map[string]map[string]any{
		"test_input_required_result_request_state": {"confirm": accept("ok", true)},
		"test_input_required_result_multi_round":   {"step1": accept("name", "Ada"), "step2": accept("color", "green")},
		"test_input_required_result_multiple_inputs": {"user_name": accept("name", "Ada"), "client_roots": map[string]any{"roots": []any{}},
			"greeting": map[string]any{"role": "assistant", "model": "m", "content": map[string]any{"type": "text", "text": "Hi"}}},
	} {
		if got := c.call(t, tool, "", answers); got.Result.ResultType != "input_required" || got.Result.RequestState == "" {
			t.Errorf("%s: %+v", tool, got)
		}
	}
}

func TestAMisshapenAnswerIsAskedForAgain(t *testing.T) {
	c := newCaller(t)
	for name, answer := range map[string]any{
		"declined, with content":   map[string]any{"action": "decline", "content": map[string]any{"name": "Ada"}},
		"without the field":        accept("nickname", "Ada"),
		"of another type":          accept("name", 42),
		"an answer to another":     map[string]any{"roots": []any{}},
		"a null among its content": accept("name", nil),
	} {
		got := c.call(t, "test_input_required_result_elicitation", "", map[string]any{"user_name": answer})
		if _, asked := got.Result.InputRequests["user_name"]; !asked || got.Result.ResultType != "input_required" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTwoRoundsRememberTheFirst(t *testing.T) {
	c := newCaller(t)
	const tool = "test_input_required_result_multi_round"
	first := c.call(t, tool, "", nil).Result
	second := c.call(t, tool, first.RequestState, map[string]any{"step1": accept("name", "Ada")}).Result
	if _, asked := second.InputRequests["step2"]; !asked || second.RequestState == first.RequestState {
		t.Fatalf("the second round: %+v", second)
	}
	repeated := c.call(t, tool, second.RequestState, map[string]any{"step1": accept("name", "Eve")}).Result
	if _, asked := repeated.InputRequests["step2"]; !asked {
		t.Errorf("without the second answer: %+v", repeated)
	}
	third := c.call(t, tool, second.RequestState, map[string]any{"step2": accept("color", "green")}).Result
	if len(third.Content) != 1 || third.Content[0].Text != "Ada likes green." {
		t.Errorf("the third round: %+v", third)
	}
}

func TestAClientIsAskedForWhatItCanAnswer(t *testing.T) {
	c := newCaller(t)
	for capability, key := range map[string]string{"elicitation": "user_name", "sampling": "greeting", "roots": "client_roots"} {
		c.caps = map[string]any{capability: map[string]any{}}
		got := c.call(t, "test_input_required_result_capabilities", "", nil).Result.InputRequests
		if _, asked := got[key]; !asked || len(got) != 1 {
			t.Errorf("a client with %s is asked for %v", capability, got)
		}
	}
	c.caps = map[string]any{}
	if got := c.call(t, "test_input_required_result_capabilities", "", nil).Result; got.ResultType == "input_required" || len(got.Content) != 1 {
		t.Errorf("a client with nothing: %+v", got)
	}
	if got := c.call(t, "test_missing_capability", "", nil); got.Error == nil || got.Error.Code != mcp.CodeMissingRequiredClientCapabilities {
		t.Errorf("a client without sampling: %+v", got)
	}
}

func TestAStateBelongsToItsOwnerAndExpires(t *testing.T) {
	s := newSealer()
	clock := time.Date(2026, 5, 20, 9, 30, 0, 0, time.UTC)
	s.now = func() time.Time { return clock }
	sealed, err := s.seal(state{Round: 2, Name: "Ada"}, "user-1", "tool")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(sealed, "Ada") {
		t.Error("the state can be read")
	}
	clock = clock.Add(maxStateAge)
	if st, err := s.open(sealed, "user-1", "tool"); err != nil || st.Round != 2 || st.Name != "Ada" {
		t.Errorf("at the last moment: %+v, %v", st, err)
	}
	if st, err := s.open(sealed, "user-2", "tool"); err != errState || st != (state{}) {
		t.Errorf("another owner's: %+v, %v", st, err)
	}
	clock = clock.Add(time.Nanosecond)
	if st, err := s.open(sealed, "user-1", "tool"); err != errState || st != (state{}) {
		t.Errorf("expired: %+v, %v", st, err)
	}
}
