package mcpgate

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/segmentio/encoding/json"
	"pgregory.net/rapid"
)

// decode decodes as the SDK does, by the same call on the same decoder.
func decode(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DontMatchCaseInsensitiveStructFields()
	return dec.Decode(v)
}

// sdkReads returns what the SDK would act on: the message by its own
// DecodeMessage, and the params into its own types. ok is false where the SDK
// refuses.
func sdkReads(body []byte) (m message, ok bool) {
	msg, err := jsonrpc.DecodeMessage(body)
	if err != nil {
		return m, false
	}
	req, isRequest := msg.(*jsonrpc.Request)
	if !isRequest {
		return m, true
	}
	m.Method = req.Method
	into := func(v any) bool { return len(req.Params) == 0 || decode(req.Params, v) == nil }
	switch req.Method {
	case "tools/call":
		var p mcp.CallToolParamsRaw
		ok = into(&p)
		m.Params.Name = p.Name
	case "prompts/get":
		var p mcp.GetPromptParams
		ok = into(&p)
		m.Params.Name = p.Name
	case "resources/read":
		var p mcp.ReadResourceParams
		ok = into(&p)
		m.Params.URI = p.URI
	case "resources/subscribe":
		var p mcp.SubscribeParams
		ok = into(&p)
		m.Params.URI = p.URI
	case "resources/unsubscribe":
		var p mcp.UnsubscribeParams
		ok = into(&p)
		m.Params.URI = p.URI
	case "completion/complete":
		var p mcp.CompleteParams
		if ok = into(&p) && p.Ref != nil; ok {
			m.Params.Ref.Type, m.Params.Ref.Name, m.Params.Ref.URI = p.Ref.Type, p.Ref.Name, p.Ref.URI
		}
	default:
		ok = true
	}
	return m, ok
}

// touched leaves of m what the rules are asked about.
func touched(m message) string {
	p := m.Params
	switch m.Method {
	case "tools/call", "prompts/get":
		return fmt.Sprintf("%s %q", m.Method, p.Name)
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		return fmt.Sprintf("%s %q", m.Method, p.URI)
	case "completion/complete":
		return fmt.Sprintf("%s %+v", m.Method, p.Ref)
	}
	return m.Method
}

// duplicates is a slow checkKeys, on another reader's tokens.
func duplicates(text []byte) error {
	dec := stdjson.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	type level struct {
		keys   map[string]bool
		object bool
		value  bool // comes next, after a key
	}
	var stack []level
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if top := len(stack) - 1; top >= 0 && stack[top].object && token != stdjson.Delim('}') {
			if key, ok := token.(string); ok && !stack[top].value {
				if stack[top].keys[key] {
					return errKeyTwice
				}
				stack[top].keys[key], stack[top].value = true, true
				continue
			}
			stack[top].value = false
		}
		switch token {
		case stdjson.Delim('{'), stdjson.Delim('['):
			if len(stack) == maxDepth {
				return errTooDeep
			}
			stack = append(stack, level{keys: map[string]bool{}, object: token == stdjson.Delim('{')})
		case stdjson.Delim('}'), stdjson.Delim(']'):
			stack = stack[:len(stack)-1]
		}
	}
}

// agree fails where the gate and the SDK read body in two ways. (T67, X8)
func agree(t interface {
	Helper()
	Errorf(string, ...any)
}, body []byte) {
	t.Helper()
	read, bad := peek(body)
	if valid := utf8.Valid(body) && stdjson.Valid(body); valid {
		if got, want := checkKeys(body), duplicates(body); !errors.Is(got, want) {
			t.Errorf("checkKeys(%q) = %v, the slow way %v", body, got, want)
		}
		if got := duplicates(body); bad == nil && got != nil {
			t.Errorf("peek accepts %q: %v", body, got)
		}
	} else if bad == nil {
		t.Errorf("peek accepts %q, which is no JSON text", body)
	}
	if bad != nil {
		for _, m := range read.messages {
			if m.Method != "" || m.Params.Name != "" || m.Params.URI != "" {
				t.Errorf("peek(%q) = %+v", body, m)
			}
		}
		if bad.status == 0 || bad.code == 0 || bad.text == "" {
			t.Errorf("peek(%q): %+v", body, bad)
		}
		return
	}
	parts := []stdjson.RawMessage{body}
	if read.batch {
		parts = nil
		if err := stdjson.Unmarshal(body, &parts); err != nil {
			t.Errorf("peek accepts %q: %v", body, err)
		}
	}
	if len(parts) != len(read.messages) {
		t.Errorf("of %q the gate reads %d messages", body, len(read.messages))
		return
	}
	for i, part := range parts {
		if sdk, ok := sdkReads(part); ok && touched(read.messages[i]) != touched(sdk) {
			t.Errorf("of %q the gate reads %s, the SDK %s", part, touched(read.messages[i]), touched(sdk))
		}
	}
}

func FuzzPeek(f *testing.F) {
	for _, body := range bodies {
		if len(body.text) < 10_000 { // longer ones slow the fuzzer down
			f.Add([]byte(body.text))
		}
	}
	for _, ref := range []string{`{"type":"ref/prompt","name":"a"}`, `{"type":"ref/resource","uri":"a:b"}`, `{"type":"ref/prompt","uri":"x"}`, `null`} {
		f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":` + ref + `,"argument":{"name":"n","value":"v"}}}`))
	}
	f.Add([]byte(`[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"b"}}]`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"notes://\ud800\u0000é"}}`))
	f.Fuzz(func(t *testing.T, body []byte) { agree(t, body) })
}

// Messages put together from pieces that readers are known to differ in.
func TestGateAndSDKReadEveryMessageAlike(t *testing.T) {
	method := rapid.SampledFrom([]string{"tools/call", "prompts/get", "resources/read", "resources/subscribe", "completion/complete", `tools\/call`, `tools/\u0063all`})
	key := rapid.SampledFrom([]string{"method", "Method", "params", "Params", "param\u017f", `paramſ`, "name", "NAME", `n\u0061me`, "name\\u0000", `name `, "uri", "URI", "ref", "type", "id", "jsonrpc", "arguments", "_meta", ""})
	leaf := rapid.SampledFrom([]string{`"hidden"`, `"anyone"`, `"ref/prompt"`, `"\ud800"`, `"\ud83d\ude00"`, `"a\u0000b"`, `""`, `null`, `7`, `1e400`, `true`, `[]`, `{}`, `"2.0"`})
	rapid.Check(t, func(t *rapid.T) {
		object := func(fixed ...string) string {
			members := append([]string{}, fixed...)
			for range rapid.IntRange(0, 3).Draw(t, "more") {
				members = append(members, `"`+key.Draw(t, "key")+`":`+leaf.Draw(t, "value"))
			}
			return "{" + strings.Join(rapid.Permutation(members).Draw(t, "order"), ",") + "}"
		}
		ref := `"ref":` + object(`"type":"ref/prompt"`)
		params := `"params":` + object(`"name":`+leaf.Draw(t, "name"), ref)
		agree(t, []byte(object(`"jsonrpc":"2.0"`, `"id":1`, `"method":"`+method.Draw(t, "method")+`"`, params)))
	})
}

// bodies and what the gate answers them by itself: a code, or 0 where it lets
// the SDK read them. A test sends each over HTTP, too.
var bodies = []struct {
	name, text string
	code       int
}{
	{"a call", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"anyone"}}`, 0},
	{"blanks around it", " \t\r\n" + `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"anyone"}}` + "\n ", 0},
	{"a name in another spelling", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"n\u0061me":"hidd\u0065n"}}`, invalidParams},
	{"Name beside name is another key", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"hidden","Name":"anyone"}}`, invalidParams},
	{"Name alone is no name", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"Name":"anyone"}}`, invalidParams},
	{"Params are no params", `{"jsonrpc":"2.0","id":7,"method":"tools/call","Params":{"name":"anyone"}}`, invalidParams},
	{"a long s is none of params", `{"jsonrpc":"2.0","id":7,"method":"tools/call","paramſ":{"name":"anyone"}}`, invalidParams},
	{"a Kelvin sign is no k", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"hidden","\u212a":1}}`, invalidParams},
	{"name twice", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"hidden","name":"anyone"}}`, invalidRequest},
	{"name twice, differently spelt", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"hidden","\u006eame":"anyone"}}`, invalidRequest},
	{"method twice", `{"jsonrpc":"2.0","id":7,"method":"tools/list","method":"tools/call","params":{"name":"anyone"}}`, invalidRequest},
	{"id twice", `{"jsonrpc":"2.0","id":7,"id":8,"method":"tools/call","params":{"name":"anyone"}}`, invalidRequest},
	{"an argument twice, deep down", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"anyone","arguments":{"a":[{"amount":1,"b":2,"amou\u006et":1e6}]}}}`, invalidRequest},
	{"an empty key twice", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"anyone","arguments":{"":1,"":2}}}`, invalidRequest},
	{"the same key in two objects", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"anyone","arguments":{"a":{"x":1},"b":{"x":1},"x":["x","x"]}}}`, 0},
	{"a key that contains quotes", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"anyone","arguments":{"\"a":1,"a":1,"\\":1,"\\\\":2}}}`, 0},
	{"an empty batch", `[]`, invalidRequest},
	{"a batch in a batch", `[[{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"anyone"}}]]`, invalidRequest},
	{"a batch with what is no message", `[{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"anyone"}},7]`, invalidRequest},
	{"a batch with a name twice", `[{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"hidden","name":"anyone"}}]`, invalidRequest},
	{"a batch with an id twice", `[{"jsonrpc":"2.0","id":7,"method":"ping"},{"jsonrpc":"2.0","id":7,"method":"ping"}]`, invalidRequest},
	{"a batch that initializes", `[{"jsonrpc":"2.0","id":7,"method":"initialize","params":{}}]`, invalidRequest},
	{"a batch that listens", `[{"jsonrpc":"2.0","id":7,"method":"subscriptions/listen","params":{}}]`, invalidRequest},
	{"a batch of 101", `[` + strings.Repeat(`{"jsonrpc":"2.0","method":"notifications/initialized"},`, 100) + `{"jsonrpc":"2.0","method":"notifications/initialized"}]`, invalidRequest},
	{"two messages", `{"jsonrpc":"2.0","id":7,"method":"ping"}{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"anyone"}}`, parseError},
	{"text after the message", `{"jsonrpc":"2.0","id":7,"method":"ping"}x`, parseError},
	{"a comma after the message", `{"jsonrpc":"2.0","id":7,"method":"ping"},`, parseError},
	{"a comma at an end", `{"jsonrpc":"2.0","id":7,"method":"ping",}`, parseError},
	{"a comment", `{"jsonrpc":"2.0",/**/"id":7,"method":"ping"}`, parseError},
	{"broken UTF-8", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"any` + "\xff" + `one"}}`, parseError},
	{"overlong UTF-8", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"any` + "\xc0\xaf" + `"}}`, parseError},
	{"half a surrogate", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"\ud800"}}`, invalidParams},
	{"a byte order mark", "\ufeff" + `{"jsonrpc":"2.0","id":7,"method":"ping"}`, parseError},
	{"UTF-16", "{\x00\"\x00i\x00d\x00\"\x00:\x007\x00}\x00", parseError},
	{"a NUL byte in a string", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"any` + "\x00" + `one"}}`, parseError},
	{"a NUL byte after the message", `{"jsonrpc":"2.0","id":7,"method":"ping"}` + "\x00", parseError},
	{"an escaped NUL in a name", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"anyone\u0000"}}`, invalidParams},
	{"an escaped NUL in a key", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"hidden","name\u0000":"anyone"}}`, invalidParams},
	{"nothing", ``, parseError},
	{"blanks", " \n", parseError},
	{"null", `null`, invalidRequest},
	{"a string", `"tools/call"`, invalidRequest},
	{"a number", `7`, invalidRequest},
	{"an end without a beginning", `}`, parseError},
	{"a string without an end", `{"a`, parseError},
	{"a string that ends in a backslash", `{"a\`, parseError},
	{"a name that is a number", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":7}}`, invalidRequest},
	{"a name that is an object", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":{"name":"anyone"}}}`, invalidRequest},
	{"a name that is null", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":null}}`, invalidParams},
	{"a method that is a number", `{"jsonrpc":"2.0","id":7,"method":7}`, invalidRequest},
	{"params that are an array", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":["anyone"]}`, invalidRequest},
	{"params that are null", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":null}`, invalidParams},
	{"params that are missing", `{"jsonrpc":"2.0","id":7,"method":"tools/call"}`, invalidParams},
	{"as deep as may be", nested(maxDepth - 2), 0}, // the message and its params are two levels
	{"one level deeper", nested(maxDepth - 1), invalidRequest},
	{"a hundred thousand levels", nested(100_000), parseError}, // the standard library's limit is 10,000
}

func nested(n int) string {
	return `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"anyone","arguments":` + strings.Repeat(`{"a":`, n-1) + "[]" + strings.Repeat("}", n-1) + "}}"
}

func TestGateAndSDKReadTheseBodiesAlike(t *testing.T) {
	for _, body := range bodies {
		t.Run(body.name, func(t *testing.T) { agree(t, []byte(body.text)) })
	}
}

// Bodies shares the table with the tests that send it.
func Bodies(yield func(name, text string, code int) bool) {
	for _, b := range bodies {
		if !yield(b.name, b.text, b.code) {
			return
		}
	}
}
