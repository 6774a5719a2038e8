package foyer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

const version = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

// messages are good ones, of every method and to every tool.
var messages = []string{
	`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`,
	`{"jsonrpc":"2.0","id":"a","method":"server/discover","params":{` + version + `}}`,
	`{"jsonrpc":"2.0","id":1,"method":"ping","params":{` + version + `}}`,
	`{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"info",` + version + `}}`,
	`{"jsonrpc":"2.0","method":"notifications/initialized","params":{` + version + `}}`,
	`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"x",` + version + `}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"",` + version + `}}`,
	`{"jsonrpc":"2.0","id":1,"method":"resources/list","params":{"cursor":"",` + version + `}}`,
	`{"jsonrpc":"2.0","id":1,"method":"resources/templates/list","params":{"cursor":"",` + version + `}}`,
	`{"jsonrpc":"2.0","id":1,"method":"prompts/list","params":{"cursor":"",` + version + `}}`,
	`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"journal://entries/x",` + version + `}}`,
	`{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"journal://entries",` + version + `}}`,
	`{"jsonrpc":"2.0","id":1,"method":"resources/unsubscribe","params":{"uri":"journal://entries",` + version + `}}`,
	`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"reflect","arguments":{"period":"week"},` + version + `}}`,
	`{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"reflect"},"argument":{"name":"period","value":"w"},"context":{"arguments":{}},` + version + `}}`,
	`{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"journal://entries/{id}"},"argument":{"name":"id","value":""},` + version + `}}`,
	`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["journal://entries"]},` + version + `}}`,
	call("authenticate", `{"email":"bob@example.com"}`),
	call("validate_token", `{"code":"000000","validationToken":"000000"}`),
	call("whoami", `{}`),
	call("writing_prompt", `{"theme":"day"}`),
	call("list_entries", `{"query":"x","tagIds":["x"],"favorite":true,"limit":1,"offset":0,"from":"2026-01-01"}`),
	call("get_entry", `{"id":"x"}`),
	call("create_entry", `{"title":"x","content":"y","mood":"calm","private":true}`),
	call("update_entry", `{"id":"x","title":"y","favorite":false}`),
	call("delete_entry", `{"id":"x"}`),
	call("view_entry", `{"id":"x"}`),
	call("view_journal", `{}`),
	call("create_tag", `{"name":"x","description":"y"}`),
	call("get_tag", `{"id":"x"}`),
	call("list_tags", `{"limit":1,"offset":0}`),
	call("update_tag", `{"id":"x","name":"y"}`),
	call("delete_tag", `{"id":"x"}`),
	call("add_tag_to_entry", `{"entryId":"x","tagId":"x"}`),
	call("get_tag_suggestions_instructions", `{"entryId":"x"}`),
	call("get_journal_insights_instructions", `{"tagIds":["x"],"from":"2026-01-01"}`),
	call("export_journal", `{"format":"json"}`),
	call("logout", `{}`), // the last: nobody is signed in after it
}

func call(tool, arguments string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + tool + `","arguments":` + arguments + `,` + version + `}}`
}

// odd stands in the place of anything in a message.
var odd = []string{`null`, `true`, `0`, `-1`, `1e999`, `9007199254740993`, `0.1`, `""`, `"x"`, `"\u0000"`, `"\ud800"`, `[]`, `[null]`, `{}`, `{"a":{"b":1}}`, `"tools/call"`,
	`"journal://entries/%2e%2e"`, `"journal://entries/{id}"`, `"2026-07-28"`, `"1900-01-01"`, `"` + strings.Repeat("long", 5_000) + `"`, strings.Repeat("[", 600) + strings.Repeat("]", 600)}

// holed returns good with each of its values in turn replaced by a hole, and
// with each of its members in turn missing.
func holed(t testing.TB, good, hole string) (all []string) {
	t.Helper()
	var root any
	if err := json.Unmarshal([]byte(good), &root); err != nil {
		t.Fatalf("%s: %v", good, err)
	}
	emit := func() {
		text, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	var walk func(v any, put func(any))
	walk = func(v any, put func(any)) {
		put(hole)
		emit()
		put(v)
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				was := v[name]
				delete(v, name)
				emit()
				v[name] = was
				walk(was, func(x any) { v[name] = x })
			}
		case []any:
			for i := range v {
				walk(v[i], func(x any) { v[i] = x })
			}
		}
	}
	walk(root, func(x any) { root = x })
	return all
}

// message is body as a client sends it, whose headers say what it says.
func (h *house) message(token, body string) *http.Request {
	var m struct {
		Method string `json:"method"`
		Params struct {
			Name string `json:"name"`
			URI  string `json:"uri"`
		} `json:"params"`
	}
	_ = json.Unmarshal([]byte(body), &m) // as far as it can be read
	headers := []string{"Content-Type", inJSON, "Accept", "application/json, text/event-stream", "Authorization", "Bearer " + token}
	if strings.Contains(body, "protocolVersion\":\"2026-07-28") {
		headers = append(headers, "MCP-Protocol-Version", "2026-07-28", "Mcp-Method", plain(m.Method), "Mcp-Name", plain(m.Params.Name+m.Params.URI))
	}
	return h.request("POST", "/mcp", body, headers...)
}

// plain is what can stand in a header.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}

func TestEveryMemberOfEveryMessageMayBeWrong(t *testing.T) {
	h := newHouse(t, func(cfg *Config) { cfg.DangerouslyNoLimits = true })
	g, visitor := h.guest(t), h.guest(t)
	g.signIn(t, "ann@example.com")
	n := 0
	for i, good := range messages {
		for j, holey := range holed(t, good, "@hole@") {
			if strings.Contains(good, "subscriptions/listen") {
				continue // has a test of its own
			}
			for k, value := range odd {
				body := strings.Replace(holey, `"@hole@"`, value, 1)
				token := g.access
				if (i+j+k)%4 == 0 || strings.Contains(good, "authenticate") || strings.Contains(good, "validate_token") {
					token = visitor.access
				}
				w := h.ask(t, fmt.Sprintf("%.200s", body), h.message(token, body))
				if w.Code == http.StatusUnauthorized {
					t.Fatalf("%.300s: %s", body, w.Body)
				}
				n++
				if body == holey {
					break // a member is missing: there is no hole
				}
			}
		}
	}
	if n < 3_000 {
		t.Errorf("only %d messages", n)
	}
	h.stillWorks(t)
}

func TestBadHeadersOfMCPAreRefused(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + version + `}}`
	for name, values := range map[string][]string{
		"Authorization":        {"Bearer", "Bearer ", "Bearer  " + g.access + "x", "bearer\t" + g.access, "Basic " + g.access, g.access, "Bearer " + strings.Repeat("a", 60_000), "Bearer fya_\xff", "Bearer " + g.refresh, "Bearer " + g.access + ", Bearer " + g.access},
		"Accept":               {"", "text/html", "application/json", "text/event-stream", "*/*;q=x", strings.Repeat("a/b,", 10_000), "\xff"},
		"Mcp-Protocol-Version": {"", "x", "1900-01-01", "2026-07-29", "9999-99-99", "2025-11-25", "2026-07-28, 2026-07-28", "\xff", strings.Repeat("9", 10_000)},
		"Mcp-Method":           {"", "x", "tools/call", "TOOLS/LIST", "\xff", strings.Repeat("a", 10_000)},
		"Mcp-Name":             {"", "whoami", "\xff", strings.Repeat("a", 10_000)},
		"Mcp-Session-Id":       {"", "x", "../..", "\xff", strings.Repeat("a", 10_000)},
		"Last-Event-Id":        {"x", "1_1", "\xff"},
		"Content-Type":         {"application/json, application/json", "application/JSON ; charset=\"x", "application/json\xff"},
		"Content-Encoding":     {"gzip", "x"},
		"Origin":               {"", "null", "https://evil.example", h.issuer + "/", "\xff"},
		"Mcp-Param-X":          {"=?base64?x?=", "\xff"},
	} {
		for _, value := range values {
			for _, body := range []string{list, call("whoami", `{}`), call("list_entries", `{}`)} {
				r := h.message(g.access, body)
				r.Header[name] = []string{value}
				w := h.ask(t, fmt.Sprintf("%s: %.40q", name, value), r)
				if name == "Authorization" && w.Code != http.StatusUnauthorized && value != "bearer\t"+g.access {
					t.Errorf("%s: %.40q: %d %s", name, value, w.Code, w.Body)
				}
				r = h.message(g.access, body)
				r.Header[name] = []string{value, value}
				h.ask(t, fmt.Sprintf("two of %s: %.40q", name, value), r)
			}
		}
	}
	r := h.message(g.access, call("whoami", `{}`))
	r.Header.Set("Mcp-Name", "list_entries")
	if w := h.ask(t, "a name that is not the body's", r); w.Code != http.StatusBadRequest {
		t.Errorf("a name that is not the body's: %d %s", w.Code, w.Body)
	}
	h.stillWorks(t)
}

// A stream is a writer that ends its request once something has come.
type stream struct {
	*httptest.ResponseRecorder
	begun chan struct{}
}

func (s *stream) Write(p []byte) (int, error) {
	defer func() {
		select {
		case s.begun <- struct{}{}:
		default:
		}
	}()
	return s.ResponseRecorder.Write(p)
}

func (s *stream) Flush() {}

func TestEveryMemberOfASubscriptionMayBeWrong(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	good := messages[slices.IndexFunc(messages, func(m string) bool { return strings.Contains(m, "subscriptions/listen") })]
	for _, holey := range holed(t, good, "@hole@") {
		for _, value := range odd {
			body := strings.Replace(holey, `"@hole@"`, value, 1)
			w := &stream{httptest.NewRecorder(), make(chan struct{}, 1)}
			ctx, cancel := contextUntil(t, w.begun)
			r := h.message(g.access, body)
			h.handler.Load().(http.Handler).ServeHTTP(w, r.WithContext(ctx))
			if ctx.Err() != nil && w.Body.Len() == 0 || w.Code >= 500 {
				t.Errorf("%.300s: %d after %v", body, w.Code, ctx.Err())
			}
			cancel()
			if body == holey {
				break
			}
		}
	}
	h.stillWorks(t)
}

// Whatever is done to the bytes of a good request, it is answered.
func TestMutatedRequestsAreAnswered(t *testing.T) {
	const n = 12_000
	h := newHouse(t, func(cfg *Config) { cfg.DangerouslyNoLimits = true })
	g := h.guest(t)
	g.signIn(t, "ann@example.com")
	var seeds []string
	for _, body := range messages {
		if !strings.Contains(body, "subscriptions/listen") && !strings.Contains(body, "logout") {
			seeds = append(seeds, wireText(t, h.message(g.access, body)))
		}
	}
	ours := url.Values{"client_id": {g.client}, "redirect_uri": {redirectURI}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}, "response_type": {"code"}, "state": {"xyz"}}
	seeds = append(seeds, wireText(t, h.request("GET", "/authorize?"+ours.Encode(), "")), wireText(t, h.request("GET", "/.well-known/oauth-protected-resource/mcp", "")))
	for path, body := range map[string]string{
		"/token":     url.Values{"grant_type": {"refresh_token"}, "client_id": {g.client}, "refresh_token": {g.refresh}, "scope": {"guest"}}.Encode(),
		"/revoke":    url.Values{"client_id": {g.client}, "token": {"fya_x"}}.Encode(),
		"/authorize": "request=x",
	} {
		seeds = append(seeds, wireText(t, h.request("POST", path, body, "Content-Type", form)))
	}
	seeds = append(seeds, wireText(t, h.request("POST", "/register", `{"client_name":"x","redirect_uris":["`+redirectURI+`"],"grant_types":["authorization_code"]}`, "Content-Type", inJSON)))
	slices.Sort(seeds)
	random := rand.New(rand.NewPCG(7, 11))
	asked, answered := 0, 0
	for range n {
		raw := mutate(random, seeds)
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil || r.URL.Path == "" {
			continue // net/http answers it
		}
		r.RemoteAddr = "127.0.0.1:40000"
		if r.Host == "" {
			r.Host = strings.TrimPrefix(h.issuer, "http://")
		}
		asked++
		w := httptest.NewRecorder()
		ctx, cancel := contextUntil(t, nil)
		h.handler.Load().(http.Handler).ServeHTTP(w, r.WithContext(ctx))
		if strings.Contains(w.Body.String(), `"result":`) {
			answered++
		}
		if w.Code >= 500 || ctx.Err() != nil {
			t.Errorf("%d %v: %.300q\n%.300q", w.Code, ctx.Err(), w.Body, raw)
		}
		cancel()
	}
	t.Log(asked, answered)
	if asked < n/3 || answered < 100 {
		t.Errorf("only %d of %d reached the server, and only %d an MCP method", asked, n, answered)
	}
	h.stillWorks(t)
}

func wireText(t testing.TB, r *http.Request) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// mutate does a few things to the bytes of one seed.
func mutate(random *rand.Rand, seeds []string) []byte {
	raw := []byte(seeds[random.IntN(len(seeds))])
	pieces := []string{"\x00", "\r\n", "\"", "\\", "{", "}", "[", "]", ",", ":", "%", "&", "=", "\xff", "null", "\\u0000", "-1", "1e999", " ", script, "/../", ";", "é"}
	for range 1 + random.IntN(3) {
		if len(raw) < 2 {
			break
		}
		i := random.IntN(len(raw))
		j := min(len(raw), i+1+random.IntN(12))
		switch random.IntN(6) {
		case 0:
			raw[i] ^= 1 << random.IntN(8)
		case 1:
			raw = slices.Delete(raw, i, j)
		case 2:
			raw = slices.Insert(raw, i, raw[i:j]...)
		case 3:
			raw = slices.Insert(raw, i, []byte(pieces[random.IntN(len(pieces))])...)
		case 4:
			copy(raw[i:j], raw[random.IntN(len(raw)):])
		case 5:
			other := seeds[random.IntN(len(seeds))]
			raw = append(raw[:i:i], other[random.IntN(len(other)):]...)
		}
	}
	head, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok || random.IntN(8) == 0 {
		return raw
	}
	lines := slices.DeleteFunc(strings.Split(string(head), "\r\n"), func(l string) bool { return strings.HasPrefix(l, "Content-Length:") })
	return fmt.Appendf(nil, "%s\r\nContent-Length: %d\r\n\r\n%s", strings.Join(lines, "\r\n"), len(body), body) // else most would only be cut off
}

// contextUntil returns a context that ends when begun says so, and in any case
// before a test would wait for ever.
func contextUntil(t testing.TB, begun <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	if begun != nil {
		go func() {
			select {
			case <-begun:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}
