package elicit

import (
	"strings"
	"testing"
	"time"

	"example.com/foyer/store"
)

func TestAQuestionEndsTheRunAndItsAnswerGoesOn(t *testing.T) {
	r := newRoom(t)
	first := r.send(t, call{})
	want := `{"type":"object","properties":{"seat":{"type":"string","title":"Seat","enum":["inside","garden"]}},"required":["seat"]}`
	q, ok := first.Result.Requests["seat"]
	if !ok || q.Method != "elicitation/create" || q.Params.Mode != "form" || q.Params.Message != "Inside, or in the garden?" || string(q.Params.RequestedSchema) != want {
		t.Errorf("the first question is %s", first.raw)
	}
	if !strings.Contains(first.raw, `"content":[]`) || len(first.Result.Requests) != 1 {
		t.Errorf("the first result is %s", first.raw)
	}
	second := r.send(t, call{state: first.Result.State, responses: garden})
	if _, ok := second.Result.Requests["person"]; !ok || len(second.Result.Requests) != 1 {
		t.Errorf("the second question is %s", second.raw)
	}
	if r.effects() != "" {
		t.Errorf("effects before the last answer: %s", r.effects())
	}
	third := r.send(t, call{state: second.Result.State, responses: adams})
	if third.Result.IsError || third.Result.Type != "complete" || r.effects() != "Monday garden Adams 2" {
		t.Errorf("%s, effects %q", third.raw, r.effects())
	}
	if r.ids[0] == "" || r.ids[0] != r.ids[1] || r.ids[1] != r.ids[2] {
		t.Errorf("the call was called %q in its rounds", r.ids)
	}
	if r.send(t, call{}); r.ids[3] == r.ids[0] {
		t.Error("two calls have one ID")
	}
}

// Each row has a state for the first question of book_table, and sends something
// that is none of its answers.
func TestAStateCountsOnceForItsCallAndItsCaller(t *testing.T) {
	const forged, again = -32602, 0
	for _, test := range []struct {
		name   string
		before func(r *room)
		send   func(state string) call
		code   int // of the JSON-RPC error, or 0 for a result that is an error
		says   string
	}{
		{"a state that was changed is refused", nil, func(s string) call { return call{state: s[:20] + "xx" + s[22:], responses: garden} }, forged, "without requestState"},
		{"and one that was cut", nil, func(s string) call { return call{state: s[:40], responses: garden} }, forged, "without requestState"},
		{"and one that is too long to be ours", nil, func(s string) call { return call{state: strings.Repeat("x", maxState+1), responses: garden} }, forged, "without requestState"},
		{"and one of another tool", nil, func(s string) call { return call{tool: "book_room", state: s, responses: garden} }, forged, "Call book_room again"},
		{"and one of other arguments", nil, func(s string) call { return call{args: `{"Day":"Sunday"}`, state: s, responses: garden} }, forged, "without requestState"},
		{"and one of another grant", nil, func(s string) call { return call{grant: "ben", state: s, responses: garden} }, forged, "without requestState"},
		{"and a grant's from nobody", nil, func(s string) call { return call{grant: "nobody", state: s, responses: garden} }, forged, "without requestState"},
		{"an answer to no question is refused", nil, func(string) call { return call{responses: garden} }, forged, "nothing was asked"},
		{"and answers to all questions that will come", nil, func(string) call { return call{responses: garden[:len(garden)-1] + "," + adams[1:]} }, forged, "nothing was asked"},
		{"the result of sampling is no answer", nil, func(s string) call {
			return call{state: s, responses: `{"seat":{"role":"assistant","content":{"type":"text","text":"garden"},"model":"m"}}`}
		}, forged, "not that of an elicitation"},
		{"nor are roots", nil, func(s string) call { return call{state: s, responses: `{"seat":{"roots":[]}}`} }, forged, "not that of an elicitation"},
		{"nor is an action of one's own", nil, func(s string) call {
			return call{state: s, responses: `{"seat":{"action":"agree","content":{"seat":"garden"}}}`}
		}, forged, "action accept, decline or cancel"},
		{"a state expires", func(r *room) { r.advance(patience) }, func(s string) call { return call{state: s, responses: garden} }, again, "within five minutes"},
		{"the user declines", nil, func(s string) call { return call{state: s, responses: `{"seat":{"action":"decline"}}`} }, again, "declined"},
		{"the user closes the form", nil, func(s string) call { return call{state: s, responses: `{"seat":{"action":"cancel"}}`} }, again, "declined"},
		{"a declined form has no content that counts", nil, func(s string) call {
			return call{state: s, responses: `{"seat":{"action":"decline","content":{"seat":"garden"}}}`}
		}, again, "declined"},
	} {
		r := newRoom(t)
		state := r.asks(t, call{})
		if test.before != nil {
			test.before(r)
		}
		got := r.send(t, test.send(state))
		switch {
		case test.code != 0 && (got.Error == nil || got.Error.Code != test.code || got.status != 400):
			t.Errorf("%s: %d %s", test.name, got.status, got.raw)
		case test.code == 0 && (!got.Result.IsError || got.status != 200 || got.Result.State != ""):
			t.Errorf("%s: %d %s", test.name, got.status, got.raw)
		case !strings.Contains(got.text(), test.says):
			t.Errorf("%s: the model reads %q", test.name, got.text())
		}
		if r.effects() != "" || r.log.String() != "" {
			t.Errorf("%s: effects %q, log %s", test.name, r.effects(), r.log)
		}
	}
}

func TestAStateOfSomeoneElseSealsNothing(t *testing.T) {
	r := newRoom(t)
	for name, sealed := range map[string]func() (interface{ Reveal() string }, error){
		"sealed for another purpose": func() (interface{ Reveal() string }, error) {
			return r.keys.Seal("authorization code", state{Tool: "book_table", Asked: "seat", Expires: r.now().Add(time.Hour)})
		},
		"sealed, but longer than ours can be": func() (interface{ Reveal() string }, error) {
			arguments, err := argumentsDigest([]byte(`{"Day":"Monday"}`))
			if err != nil {
				return nil, err
			}
			return r.keys.Seal(purpose, state{Tool: "book_table", Arguments: arguments, Asked: strings.Repeat("x", maxState), Expires: r.now().Add(time.Minute)})
		},
		"sealed, but no state": func() (interface{ Reveal() string }, error) { return r.keys.Seal(purpose, "hello") },
	} {
		s, err := sealed()
		if err != nil {
			t.Fatal(err)
		}
		if got := r.send(t, call{grant: "nobody", state: s.Reveal(), responses: garden}); got.Error == nil || got.Error.Code != -32602 {
			t.Errorf("%s: %s", name, got.raw)
		}
	}
}

func TestTheLastInstantOfAState(t *testing.T) {
	r := newRoom(t)
	state := r.asks(t, call{})
	r.advance(patience - time.Nanosecond)
	if got := r.send(t, call{state: state, responses: garden}); got.Result.Requests["person"].Method == "" {
		t.Errorf("in its last instant: %s", got.raw)
	}
}

func TestAnAnswerOfAGrantThatChangedDoesNotCount(t *testing.T) {
	for _, test := range changes {
		r := newRoom(t)
		state := r.asks(t, call{})
		r.change("ann", test.change)
		got := r.send(t, call{state: state, responses: garden})
		if !got.Result.IsError || !strings.Contains(got.text(), "changed while the user was asked") {
			t.Errorf("%s: %s", test.name, got.raw)
		}
	}
	r := newRoom(t)
	state := r.asks(t, call{})
	r.change("ann", func(gr *store.Grant) { gr.Expires = gr.Expires.Add(time.Hour) })
	if got := r.send(t, call{state: state, responses: garden}); got.Result.Requests["person"].Method == "" {
		t.Errorf("a refresh in between: %s", got.raw)
	}
}

func TestNobodyIsAskedToo(t *testing.T) {
	r := newRoom(t)
	state := r.asks(t, call{grant: "nobody"})
	if got := r.send(t, call{grant: "ben", state: state, responses: garden}); got.Error == nil {
		t.Errorf("nobody's state counted for ben: %s", got.raw)
	}
	second := r.send(t, call{grant: "nobody", state: state, responses: garden})
	r.send(t, call{grant: "nobody", state: second.Result.State, responses: adams})
	if r.effects() != "Monday garden Adams 2" {
		t.Errorf("effects %q", r.effects())
	}
	if got := r.send(t, call{grant: "nobody", state: second.Result.State, responses: adams}); !strings.Contains(got.text(), "used before") {
		t.Errorf("used again: %s", got.raw)
	}
}

func TestASecondUseIsRefused(t *testing.T) {
	r := newRoom(t)
	first := r.asks(t, call{})
	second := r.send(t, call{state: first, responses: garden}).Result.State
	for _, use := range []call{
		{state: first, responses: garden},
		{state: first, responses: `{"seat":{"action":"accept","content":{"seat":"inside"}}}`},
		{state: first},
	} {
		if got := r.send(t, use); !got.Result.IsError || !strings.Contains(got.text(), "used before") {
			t.Errorf("%s: %s", use.responses, got.raw)
		}
	}
	r.send(t, call{state: second, responses: adams})
	r.advance(patience - time.Second)
	if err := r.collect(t); err != nil {
		t.Fatal(err)
	}
	if got := r.send(t, call{state: second, responses: adams}); !strings.Contains(got.text(), "find out whether the work was done") || r.effects() != "Monday garden Adams 2" {
		t.Errorf("the last step again: %s, effects %q", got.raw, r.effects())
	}
}

// collect clears away what has expired.
func (r *room) collect(t *testing.T) error {
	return r.store.Update(t.Context(), func(tx store.Tx) error {
		_, err := tx.DeleteExpired(t.Context(), r.now(), 100)
		return err
	})
}

func TestOfManyUsesAtOnceOneRuns(t *testing.T) {
	r := newRoom(t)
	second := r.send(t, call{state: r.asks(t, call{}), responses: garden}).Result.State
	const n = 8
	texts := make(chan string, n)
	for range n {
		go func() { texts <- r.send(t, call{state: second, responses: adams}).text() }()
	}
	refused := 0
	for range n {
		if strings.Contains(<-texts, "used before") {
			refused++
		}
	}
	if refused != n-1 || r.effects() != "Monday garden Adams 2" {
		t.Errorf("%d of %d were refused, effects %q", refused, n, r.effects())
	}
}

func TestWhatDoesNotAnswerIsAskedAgain(t *testing.T) {
	for _, test := range []struct{ name, responses, message string }{
		{"nothing", ``, "Inside, or in the garden?"},
		{"no answers", `{}`, "Inside, or in the garden?"},
		{"the answer to a question that was not asked", adams, "Inside, or in the garden?"},
		{"a choice that is none", `{"seat":{"action":"accept","content":{"seat":"roof"}}}`, "That does not fit: Seat has to be one of \"inside\" \"garden\".\n\nInside, or in the garden?"},
		{"a number for a text", `{"seat":{"action":"accept","content":{"seat":42}}}`, "That does not fit: Seat has to be one of \"inside\" \"garden\".\n\nInside, or in the garden?"},
		{"an empty form", `{"seat":{"action":"accept"}}`, "That does not fit: Seat is missing.\n\nInside, or in the garden?"},
	} {
		r := newRoom(t)
		got := r.send(t, call{state: r.asks(t, call{}), responses: test.responses})
		if q := got.Result.Requests["seat"]; q.Params.Message != test.message {
			t.Errorf("%s: %s", test.name, got.raw)
		}
		if got = r.send(t, call{state: got.Result.State, responses: garden}); got.Result.Requests["person"].Method == "" {
			t.Errorf("%s, then an answer: %s", test.name, got.raw)
		}
	}
}

func TestNothingIsAnsweredInAdvance(t *testing.T) {
	r := newRoom(t)
	both := garden[:len(garden)-1] + "," + adams[1:]
	got := r.send(t, call{state: r.asks(t, call{}), responses: both})
	if got.Result.Requests["person"].Method == "" || r.effects() != "" {
		t.Errorf("the second question was not asked: %s", got.raw)
	}
}

func TestAnAnswerIsForTheQuestionAsItWasPut(t *testing.T) {
	r := newRoom(t)
	price := func(n int) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.price = n
	}
	says := func(name, state, message string) string {
		t.Helper()
		got := r.send(t, call{tool: "pay", state: state, responses: `{"` + name + `":{"action":"accept","content":{"sure":true}}}`})
		for _, q := range got.Result.Requests {
			if q.Params.Message == message {
				return got.Result.State
			}
		}
		t.Fatalf("%q was not asked: %s, effects %q", message, got.raw, r.effects())
		return ""
	}
	state := r.asks(t, call{tool: "pay"})
	price(1000)
	state = says("sure", state, "Pay 1000?") // yes to 10 was said
	state = says("sure", state, "And a tip?")
	price(2000)
	state = says("tip", state, "Pay 2000?") // yes to 1000 was said
	state = says("sure", state, "And a tip?")
	if got := r.send(t, call{tool: "pay", state: state, responses: `{"tip":{"action":"accept","content":{"sure":false}}}`}); r.effects() != "Pay 2000? true" {
		t.Errorf("%s, effects %q", got.raw, r.effects())
	}
}

func TestOneQuestionAtATime(t *testing.T) {
	r := newRoom(t)
	first := r.send(t, call{tool: "hasty"})
	if len(first.Result.Requests) != 1 || first.Result.Requests["first"].Method == "" {
		t.Errorf("a handler that went on after its first question: %s", first.raw)
	}
}

func TestAskingEnds(t *testing.T) {
	r := newRoom(t)
	got := r.send(t, call{})
	for round := 1; got.Result.State != ""; round++ {
		if round > maxRounds {
			t.Fatal("it goes on")
		}
		got = r.send(t, call{state: got.Result.State})
	}
	if !got.Result.IsError || !strings.Contains(got.text(), "too many times") {
		t.Errorf("the end is %s", got.raw)
	}
}

func TestTheLongestAnswersFitIntoAState(t *testing.T) {
	s := state{ID: strings.Repeat("x", 26), Tool: strings.Repeat("x", 128), Answers: map[string]answer{}}
	for i := range maxRounds {
		value := `"` + strings.Repeat("x", maxAnswer-2) + `"`
		s.Answers[strings.Repeat(string(rune('a'+i)), maxName)] = answer{Question: strings.Repeat("x", 43), Value: []byte(value)}
	}
	sealed, err := newRoom(t).keys.Seal(purpose, s)
	if err != nil || len(sealed.Reveal()) > maxState-2048 {
		t.Errorf("%d bytes of %d, %v", len(sealed.Reveal()), maxState, err)
	}
}
