package foyer

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// write saves an entry of the guest's user, and returns its id.
func (g *guest) write(t *testing.T, title string) string {
	t.Helper()
	a := g.call(t, "create_entry", `{"title":"`+title+`","content":"The light went round."}`)
	id, ok := a.data["id"].(string)
	if !ok {
		t.Fatalf("create_entry: %s", a.raw)
	}
	return id
}

// stands reports whether an entry is there.
func (g *guest) stands(t *testing.T, id string) bool {
	t.Helper()
	return !g.call(t, "get_entry", `{"id":"`+id+`"}`).isError
}

// A deletion in 2026-07-28: the question ends the first request, and the answer
// comes with a second one.
func TestADeletionAsksInTheNewEra(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	g.signIn(t, "ann@example.com")
	ask := func(id, extra string) (status int, text string) {
		res := g.send(t, g.asking(t, `{"name":"delete_entry","arguments":{"id":"`+id+`"}`+extra+`}`))
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	for _, test := range []struct {
		answer string
		stands bool
		says   string
	}{
		{`{"action":"accept","content":{"confirmed":true}}`, false, `"title":"The lighthouse"`},
		{`{"action":"accept","content":{"confirmed":false}}`, true, "declined"},
		{`{"action":"decline"}`, true, "declined"},
	} {
		id := g.write(t, "The lighthouse")
		_, text := ask(id, "")
		if !strings.Contains(text, "Delete “The lighthouse”? It cannot be brought back.") || !g.stands(t, id) {
			t.Fatalf("asks %s", text)
		}
		_, state, _ := strings.Cut(text, `"requestState":"`)
		state, _, _ = strings.Cut(state, `"`)
		_, text = ask(id, `,"requestState":"`+state+`","inputResponses":{"delete":`+test.answer+`}`)
		if g.stands(t, id) != test.stands || !strings.Contains(text, test.says) {
			t.Errorf("%s: the entry stands: %v; %s", test.answer, g.stands(t, id), text)
		}
	}
	id := g.write(t, "The lighthouse")
	if status, text := ask(id, `,"inputResponses":{"delete":{"action":"accept","content":{"confirmed":true}}}`); status != http.StatusBadRequest || !g.stands(t, id) {
		t.Errorf("a yes to no question: %d %s", status, text)
	}
	if a := g.call(t, "delete_entry", `{"id":"`+id+`"}`); !a.isError || !strings.Contains(a.text, "asks the user") || !g.stands(t, id) {
		t.Errorf("a client that cannot ask: %s", a.raw)
	}
}

// A chat is a session of 2025-11-25, written by hand.
type chat struct {
	*guest
	session string
}

func (g *guest) chat(t *testing.T, capabilities string) *chat {
	t.Helper()
	c := &chat{guest: g}
	res := c.post(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":`+capabilities+`,"clientInfo":{"name":"chat","version":"1"}}}`)
	res.Body.Close()
	c.session = res.Header.Get("Mcp-Session-Id")
	c.post(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`).Body.Close()
	return c
}

func (c *chat) request(t *testing.T, method, body string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, c.issuer+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"},
		"Mcp-Protocol-Version": {"2025-11-25"}, "Authorization": {"Bearer " + c.access}}
	if c.session != "" {
		r.Header.Set("Mcp-Session-Id", c.session)
	}
	return c.house.send(t, r)
}

func (c *chat) post(t *testing.T, body string) *http.Response {
	t.Helper()
	return c.request(t, http.MethodPost, body)
}

// events returns the way to the next message of an answer; nil at its end.
func events(t *testing.T, res *http.Response) func() map[string]any {
	t.Cleanup(func() { res.Body.Close() })
	lines := bufio.NewScanner(res.Body)
	return func() (m map[string]any) {
		for lines.Scan() {
			line := strings.TrimPrefix(lines.Text(), "data: ")
			if strings.HasPrefix(line, "{") {
				if err := json.Unmarshal([]byte(line), &m); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
				return m
			}
		}
		return nil
	}
}

// A deletion in a session: the question comes while the call waits.
func TestADeletionAsksInASession(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	g.signIn(t, "ann@example.com")
	c := g.chat(t, `{"elicitation":{}}`)
	for _, test := range []struct {
		answer string
		stands bool
		says   string
	}{
		{`{"action":"accept","content":{"confirmed":true}}`, false, "The lighthouse"},
		{`{"action":"accept","content":{"confirmed":false}}`, true, "declined"},
		{`{"action":"cancel"}`, true, "declined"},
	} {
		id := g.write(t, "The lighthouse")
		next := events(t, c.post(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_entry","arguments":{"id":"`+id+`"}}}`))
		question := next()
		if params := fmt.Sprint(question["params"]); question["method"] != "elicitation/create" || !strings.Contains(params, "Delete “The lighthouse”?") || !g.stands(t, id) {
			t.Fatalf("asks %v", question)
		}
		answerID, err := json.Marshal(question["id"])
		if err != nil {
			t.Fatal(err)
		}
		c.post(t, `{"jsonrpc":"2.0","id":`+string(answerID)+`,"result":`+test.answer+`}`).Body.Close()
		if result := fmt.Sprint(next()); g.stands(t, id) != test.stands || !strings.Contains(result, test.says) {
			t.Errorf("%s: the entry stands: %v; %s", test.answer, g.stands(t, id), result)
		}
	}
	id := g.write(t, "The lighthouse")
	next := events(t, g.chat(t, `{}`).post(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_entry","arguments":{"id":"`+id+`"}}}`))
	if result := fmt.Sprint(next()); !strings.Contains(result, "isError:true") || !strings.Contains(result, "cannot put questions") || !g.stands(t, id) {
		t.Errorf("a client that cannot ask: %s", result)
	}
}

// listensTo opens a stream for one entry, in a new connection of the guest.
func (g *guest) listensTo(t *testing.T, version, uri string) func() map[string]any {
	t.Helper()
	if version == modern {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		t.Cleanup(cancel)
		r := mcpRequest(t, g.issuer+"/mcp", g.access, 1, "subscriptions/listen", `{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["`+uri+`"]}}`)
		next := events(t, g.send(t, r.WithContext(ctx)))
		if first := next(); first["method"] != "notifications/subscriptions/acknowledged" {
			t.Fatalf("the stream begins with %v", first)
		}
		return next
	}
	c := g.chat(t, `{}`)
	next := events(t, c.request(t, http.MethodGet, ""))
	if answer := events(t, c.post(t, `{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"`+uri+`"}}`))(); answer["error"] != nil {
		t.Fatalf("subscribe: %v", answer)
	}
	return next
}

// hears skips to the next news about a resource, or the tools.
func hears(next func() map[string]any) string {
	for {
		switch m := next(); {
		case m == nil:
			return ""
		case m["method"] == "notifications/resources/updated":
			return m["params"].(map[string]any)["uri"].(string)
		case m["method"] == "notifications/tools/list_changed":
			return "tools"
		}
	}
}

// Whoever subscribed to an entry hears that it changed or went, if it is theirs.
func TestNewsOfAnEntryIsItsOwnersOwn(t *testing.T) {
	for _, version := range []string{modern, "2025-11-25"} {
		t.Run(version, func(t *testing.T) {
			h := newHouse(t)
			ann, bob := h.guest(t), h.guest(t)
			ann.signIn(t, "ann@example.com")
			bob.signIn(t, "bob@example.com")
			id, other := ann.write(t, "Rain"), ann.write(t, "Sun")
			uri := "journal://entries/" + id

			for _, foreign := range []string{uri, "journal://entries/nothing", "journal://entries", "journal://tags/x"} {
				a := bob.refusal(t, version, foreign)
				if a["code"] != float64(-32602) {
					t.Errorf("%s for another: %v", foreign, a)
				}
			}
			next := ann.listensTo(t, version, uri)
			tag, _ := ann.call(t, "create_tag", `{"name":"sea"}`).data["id"].(string)
			for _, change := range [][2]string{
				{"update_entry", `{"id":"` + id + `","mood":"calm"}`},
				{"add_tag_to_entry", `{"entryId":"` + id + `","tagId":"` + tag + `"}`},
				{"update_tag", `{"id":"` + tag + `","name":"ocean"}`},
			} {
				ann.call(t, "update_entry", `{"id":"`+other+`","mood":"calm"}`) // which nobody hears of
				if a := ann.call(t, change[0], change[1]); a.isError {
					t.Fatalf("%s: %s", change[0], a.raw)
				}
				if got := hears(next); got != uri {
					t.Errorf("after %s, the stream brings %q", change[0], got)
				}
			}
			ann.deletes(t, "delete_tag", tag)
			ann.deletes(t, "delete_entry", id)
			for range 2 {
				if got := hears(next); got != uri {
					t.Errorf("after a deletion, the stream brings %q", got)
				}
			}
		})
	}
}

// refusal subscribes to what must not be subscribed to, and returns the error.
func (g *guest) refusal(t *testing.T, version, uri string) map[string]any {
	t.Helper()
	var res *http.Response
	if version == modern {
		res = g.send(t, mcpRequest(t, g.issuer+"/mcp", g.access, 1, "subscriptions/listen", `{"notifications":{"resourceSubscriptions":["`+uri+`"]}}`))
	} else {
		res = g.chat(t, `{}`).post(t, `{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"`+uri+`"}}`)
	}
	a, _ := events(t, res)()["error"].(map[string]any)
	return a
}

// deletes deletes something, and says yes.
func (g *guest) deletes(t *testing.T, tool, id string) {
	t.Helper()
	call := `{"name":"` + tool + `","arguments":{"id":"` + id + `"}`
	asked, _ := events(t, g.send(t, g.asking(t, call+`}`)))()["result"].(map[string]any)
	state, _ := asked["requestState"].(string)
	done := events(t, g.send(t, g.asking(t, call+`,"requestState":"`+state+`","inputResponses":{"delete":{"action":"accept","content":{"confirmed":true}}}}`)))()
	if result, ok := done["result"].(map[string]any); !ok || result["isError"] == true {
		t.Fatalf("%s: %v", tool, done)
	}
}

// A connection that changes hands does not take the news with it: who signs in
// next hears nothing of the entries of who was there before.
func TestNewsOfAnEntryStaysWithItsOwner(t *testing.T) {
	for _, version := range []string{modern, "2025-11-25"} {
		t.Run(version, func(t *testing.T) {
			h := newHouse(t)
			shared, ann := h.guest(t), h.guest(t)
			shared.signIn(t, "ann@example.com")
			h.advance(61 * time.Second)
			ann.signIn(t, "ann@example.com")
			id := ann.write(t, "Rain")
			next := shared.listensTo(t, version, "journal://entries/"+id)
			shared.call(t, "logout", "")
			for got := hears(next); got != "tools"; got = hears(next) {
			}
			shared.signIn(t, "bob@example.com")
			for got := hears(next); got != "tools"; got = hears(next) {
			}
			ann.call(t, "update_entry", `{"id":"`+id+`","mood":"calm"}`)
			shared.call(t, "logout", "")
			if got := hears(next); got != "tools" {
				t.Errorf("another hears of %s", got)
			}
		})
	}
}
