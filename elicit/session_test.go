package elicit

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"example.com/foyer/store"
)

const forms = `{"elicitation":{}}`

func TestSeveralQuestionsInASession(t *testing.T) {
	for _, version := range []string{"2025-06-18", "2025-11-25"} {
		r := newRoom(t)
		p := r.peer(t, version, forms)
		got, questions := p.call(t, bookMonday, fill)
		if got.Result.IsError || r.effects() != "Monday garden Adams 2" || len(questions) != 2 {
			t.Fatalf("%s: %s, effects %q, %d questions", version, got.raw, r.effects(), len(questions))
		}
		if q := questions[1].Params; q.Mode != "form" || q.Message != "In whose name?" || q.ElicitationID != "" ||
			string(q.RequestedSchema) != `{"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":20},"count":{"type":"integer","default":2,"minimum":1,"maximum":8}},"required":["name"]}` {
			t.Errorf("%s: the second question is %+v, %s", version, q, q.RequestedSchema)
		}
		if strings.Contains(got.raw, "inputRequests") || len(r.ids) != 1 {
			t.Errorf("%s: %s; %d runs", version, got.raw, len(r.ids))
		}
		if _, questions = p.call(t, `{"name":"chatter","arguments":{"Questions":3}}`, func(put) string { return accept(`{"sure":false}`) }); len(questions) != 3 {
			t.Errorf("%s: %d questions of three", version, len(questions))
		}
	}
}

func TestAnswersInASession(t *testing.T) {
	tries := 0
	for _, test := range []struct {
		name      string
		respond   func(put) string
		questions int
		says      string
	}{
		{"the user declines", func(put) string { return `"result":{"action":"decline"}` }, 1, "the user declined"},
		{"the user closes the form", func(put) string { return `"result":{"action":"cancel"}` }, 1, "the user declined"},
		{"the client fails", func(put) string { return `"error":{"code":-32601,"message":"canary"}` }, 1, "the client did not put the question"},
		{"an answer that does not fit is asked again", func(q put) string {
			if tries++; tries == 1 {
				return accept(`{"seat":"roof"}`)
			}
			return fill(q)
		}, 3, "Monday garden Adams 2"},
		{"and again, not for ever", func(put) string { return accept(`{"seat":"roof"}`) }, maxRounds, "too many times"},
		{"an accepted form without content is none", func(put) string { return `"result":{"action":"accept"}` }, maxRounds, "too many times"},
		{"nor is an action of one's own", func(put) string { return `"result":{"action":"agree","content":{"seat":"garden"}}` }, maxRounds, "too many times"},
		{"nor is another kind of result", func(put) string { return `"result":{"roots":[]}` }, maxRounds, "too many times"},
		{"nor a content that is no object", func(put) string { return accept(`["garden"]`) }, maxRounds, "too many times"},
	} {
		r := newRoom(t)
		got, questions := r.peer(t, "2025-11-25", forms).call(t, bookMonday, test.respond)
		if !strings.Contains(got.text(), test.says) || len(questions) != test.questions {
			t.Errorf("%s: %d questions, %s", test.name, len(questions), got.raw)
		}
		if ran := r.effects() != ""; ran == got.Result.IsError || ran != (test.questions == 3) {
			t.Errorf("%s: effects %q", test.name, r.effects())
		}
		if strings.Contains(got.raw, "canary") {
			t.Errorf("%s: %s", test.name, got.raw)
		}
	}
}

func TestAnAnswerDoesNotCountForAGrantThatChangedWhileTheUserTyped(t *testing.T) {
	for _, test := range append(changes[:len(changes):len(changes)], []struct {
		name   string
		change func(*store.Grant)
	}{
		{"a scope was taken back", func(gr *store.Grant) { gr.Scopes = []string{"guest"} }},
		{"the level fell", func(gr *store.Grant) { gr.Level = "" }},
	}...) {
		r := newRoom(t)
		got, questions := r.peer(t, "2025-11-25", forms).call(t, bookMonday, func(q put) string {
			if strings.Contains(q.Params.Message, "name") {
				r.change("ann", test.change)
			}
			return fill(q)
		})
		if !got.Result.IsError || !strings.Contains(got.text(), "changed while the user was asked") || r.effects() != "" || len(questions) != 2 {
			t.Errorf("%s: %s, effects %q", test.name, got.raw, r.effects())
		}
	}
	r := newRoom(t)
	r.peer(t, "2025-11-25", forms).call(t, bookMonday, func(q put) string {
		r.change("ann", func(gr *store.Grant) { gr.Scopes = append(gr.Scopes, "more") })
		return fill(q)
	})
	if r.effects() == "" {
		t.Error("a scope more ended the call")
	}
}

// What an older client sends in the fields of a newer version is not read.
func TestASessionReadsNoState(t *testing.T) {
	r := newRoom(t)
	state := r.asks(t, call{})
	p := r.peer(t, "2025-11-25", forms)
	for name, more := range map[string]string{
		"answers":                        `"inputResponses":` + garden,
		"a state and answers":            `"requestState":"` + state + `","inputResponses":` + garden,
		"a state that nobody has sealed": `"requestState":"x"`,
	} {
		if got, questions := p.call(t, `{"name":"book_table","arguments":{"Day":"Monday"},`+more+`}`, fill); len(questions) != 2 || got.Result.IsError {
			t.Errorf("%s: %d questions, %s", name, len(questions), got.raw)
		}
	}
	newer := `{"name":"book_table","arguments":{"Day":"Monday"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}`
	before := r.effects()
	if got, questions := p.call(t, newer, fill); got.status != 400 || len(questions) != 0 || r.effects() != before {
		t.Errorf("the claim of a newer version: %d %s", got.status, got.raw)
	}
}

func TestACallEndsWithItsClient(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(t *testing.T, p *peer, hangUp context.CancelFunc)
	}{
		{"the client takes the call back", func(t *testing.T, p *peer, _ context.CancelFunc) {
			p.notify(t, "notifications/cancelled", map[string]any{"requestId": 7})
		}},
		{"the connection is lost", func(_ *testing.T, _ *peer, hangUp context.CancelFunc) { hangUp() }},
	} {
		r := newRoom(t)
		p := r.peer(t, "2025-11-25", forms)
		ctx, hangUp := context.WithCancel(t.Context())
		p.ctx = ctx
		p.call(t, bookMonday, func(put) string { test.end(t, p, hangUp); return "" })
		hangUp()
		select {
		case err := <-r.ended:
			if !errors.Is(err, context.Canceled) || r.effects() != "" {
				t.Errorf("%s: the handler got %v, effects %q", test.name, err, r.effects())
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s: the handler waits", test.name)
		}
	}
}

func TestWhoNeverAnswersHasDeclined(t *testing.T) {
	r := newRoom(t)
	r.questions.patience = 50 * time.Millisecond
	got, questions := r.peer(t, "2025-11-25", forms).call(t, bookMonday, func(put) string { return "" })
	if !got.Result.IsError || !strings.Contains(got.text(), "did not answer") || len(questions) != 1 || r.effects() != "" {
		t.Errorf("%s, %d questions, effects %q", got.raw, len(questions), r.effects())
	}
	if err := <-r.ended; !errors.Is(err, ErrDeclined) {
		t.Errorf("the handler got %v", err)
	}
}

func TestClientsThatCannotAsk(t *testing.T) {
	const cannot = "this client cannot put questions"
	r := newRoom(t)
	for _, test := range []struct{ name, version, caps, tool, says string }{
		{"no capabilities", "2025-11-25", `{}`, bookMonday, cannot},
		{"pages only", "2025-11-25", `{"elicitation":{"url":{}}}`, bookMonday, cannot},
		{"forms only", "2025-11-25", `{"elicitation":{"form":{}}}`, `{"name":"open_page"}`, cannot},
		{"forms only, said the old way", "2025-11-25", forms, `{"name":"open_page"}`, cannot},
		{"a version without pages", "2025-06-18", `{"elicitation":{"form":{},"url":{}}}`, `{"name":"open_page"}`, cannot},
		{"a version without elicitation", "2025-03-26", forms, bookMonday, cannot},
		{"a tool that can do without", "2025-11-25", `{}`, `{"name":"easygoing"}`, ""},
	} {
		got, questions := r.peer(t, test.version, test.caps).call(t, test.tool, func(put) string { return `"result":{"action":"accept","content":{}}` })
		if len(questions) > 0 || got.Result.IsError != (test.says != "") || !strings.Contains(got.text(), test.says) {
			t.Errorf("%s: %d questions, %s", test.name, len(questions), got.raw)
		}
	}
	res := r.post(t, "/stateless", json.RawMessage(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":`+bookMonday+`}`),
		map[string]string{"MCP-Protocol-Version": "2025-06-18", "Test-Grant": "ann"})
	defer res.Body.Close()
	var got reply
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil || !got.Result.IsError || !strings.Contains(got.text(), cannot) {
		t.Errorf("an older version without a session: %+v, %v", got, err)
	}
	if r.effects() != "anywhere" {
		t.Errorf("effects %q", r.effects())
	}
}
