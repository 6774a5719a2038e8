package foyer

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/elicit"
	"example.com/foyer/gate"
)

type (
	seat struct {
		Place string `json:"place" enum:"inside,garden"`
	}
	table struct {
		Name string `json:"name"`
	}
	booking struct {
		Booked string `json:"booked"`
	}
)

// bookTable asks twice and then does what it is for.
func bookTable(_ context.Context, ask *elicit.Ask, _ struct{}) (booking, error) {
	s, err := elicit.Form[seat](ask, "seat", "Inside, or in the garden?")
	if err != nil {
		return booking{}, err
	}
	t, err := elicit.Form[table](ask, "name", "In whose name?")
	if err != nil {
		return booking{}, err
	}
	return booking{s.Place + " for " + t.Name}, nil
}

func askingHouse(t *testing.T) *house {
	t.Helper()
	return newHouseWith(t, func(h *house) {
		elicit.AddTool(h.kit.Questions(), h.server, &mcp.Tool{Name: "book_table"}, bookTable)
	}, func(cfg *Config) {
		tools := gate.Rules{"book_table": gate.AnyGrant()}
		for name, rule := range cfg.Tools {
			tools[name] = rule
		}
		cfg.Tools = tools
	})
}

// A tool that asks two questions gets two answers from the official client,
// behind the gate, in every version that has questions.
func TestAToolAsksThroughTheGateInEveryVersion(t *testing.T) {
	h := askingHouse(t)
	c := h.sdkClient(t, nil)
	for _, version := range []string{modern, "2025-11-25", "2025-06-18"} {
		var asked []string
		session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ClientOptions{
			ElicitationHandler: func(_ context.Context, req *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
				asked = append(asked, req.Params.Message)
				if strings.HasPrefix(req.Params.Message, "Inside") {
					return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"place": "garden"}}, nil
				}
				return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"name": "Ann"}}, nil
			}}).Connect(t.Context(),
			&mcp.StreamableClientTransport{Endpoint: h.issuer + "/mcp", OAuthHandler: c.handler, MaxRetries: -1}, &mcp.ClientSessionOptions{ProtocolVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		res, text := callTool(t, session, "book_table", nil)
		data, err := json.Marshal(res.StructuredContent)
		if err != nil {
			t.Fatal(err)
		}
		if res.IsError || !strings.Contains(string(data), "garden for Ann") || len(asked) != 2 {
			t.Errorf("%s: asked %q: %s %s", version, asked, data, text)
		}
		session.Close()
	}
}

// An answer that nobody asked for books nothing, and no state counts for another
// grant, or twice.
func TestAnswersThatNobodyAskedForDoNothing(t *testing.T) {
	h := askingHouse(t)
	g, other := h.guest(t), h.guest(t)
	ask := func(g *guest, extra string) (int, string) {
		res := g.send(t, g.asking(t, `{"name":"book_table","arguments":{}`+extra+`}`))
		defer res.Body.Close()
		var text strings.Builder
		if err := res.Write(&text); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, text.String()
	}
	unasked := `,"inputResponses":{"seat":{"action":"accept","content":{"place":"garden"}}}`
	if status, text := ask(g, unasked); status != http.StatusBadRequest || strings.Contains(text, "booked") {
		t.Errorf("unasked: %d %s", status, text)
	}
	_, text := ask(g, "")
	_, rest, found := strings.Cut(text, `"requestState":"`)
	state, _, _ := strings.Cut(rest, `"`)
	if !found || !strings.Contains(text, "input_required") {
		t.Fatalf("nothing is asked: %s", text)
	}
	answer := unasked + `,"requestState":"` + state + `"`
	if status, text := ask(other, answer); status != http.StatusBadRequest {
		t.Errorf("another grant's: %d %s", status, text)
	}
	if _, text := ask(g, answer); !strings.Contains(text, "In whose name?") {
		t.Errorf("the answer: %s", text)
	}
	if _, text := ask(g, answer); !strings.Contains(text, `"isError":true`) || strings.Contains(text, "In whose name?") {
		t.Errorf("the answer once more: %s", text)
	}
}

// asking makes a call of a tool that may ask.
func (g *guest) asking(t *testing.T, params string) *http.Request {
	t.Helper()
	var p map[string]any
	if err := json.Unmarshal([]byte(params), &p); err != nil {
		t.Fatal(err)
	}
	p["_meta"] = map[string]any{"io.modelcontextprotocol/protocolVersion": modern,
		"io.modelcontextprotocol/clientCapabilities": map[string]any{"elicitation": map[string]any{"form": map[string]any{}}}}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": p})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.issuer+"/mcp", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "Authorization": {"Bearer " + g.access},
		"Mcp-Protocol-Version": {modern}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {p["name"].(string)}}
	return r
}

// answers makes a call with a client that can ask, and gives answer to the
// question of that name where it is asked. It returns what was asked and what was
// told.
func (g *guest) answers(t *testing.T, call, name, answer string) (question, told string) {
	t.Helper()
	ask := func(extra string) string {
		res := g.send(t, g.asking(t, `{`+call+extra+`}`))
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s %v", call, res.StatusCode, body, err)
		}
		return string(body)
	}
	question = ask("")
	_, state, asked := strings.Cut(question, `"requestState":"`)
	if !asked {
		return "", question
	}
	state, _, _ = strings.Cut(state, `"`)
	return question, ask(`,"requestState":"` + state + `","inputResponses":{"` + name + `":` + answer + `}`)
}
