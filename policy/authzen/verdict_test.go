package authzen

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"example.com/foyer/gate"
)

// FuzzVerdict: an answer allows only if it is a JSON object with exactly one
// "decision" that is true, and denies without an error only if it has exactly one
// that is false. A challenge has scopes that can stand in a header.
func FuzzVerdict(f *testing.F) {
	for _, seed := range []string{`{"decision":true}`, `{"decision":false,"context":{"scopes":["notes:export","acr:email"]}}`, `{"decision":false,"decision":true}`,
		`{"Decision":true,"decision":false}`, `{"\u0064ecision":true}`, `{"decision":true,"context":{"obligations":[{}]}}`, `{"decision":true}{}`, `[{"decision":true}]`,
		`{"context":{"decision":true}}`, `{"decision":false,"context":{"scopes":["a b","\"",""]}}`, `{"decision":"true"}`, ` {"decision" : true } `, `{"a":1,"a":1,"decision":true}`,
		`{"decision":true,"context":null}`, `{"decision":true,"context":{"obligations":[]}}`, "{\"decision\":true,\"\xff\":1}", `{"x":{"decision":1},"y":["decision",true],"decision":true}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := readVerdict(text)
		decisions := decisionsIn(text)
		if (v.allowed && (err != nil || !reflect.DeepEqual(decisions, []json.Token{true}))) || (err == nil && !v.allowed && !reflect.DeepEqual(decisions, []json.Token{false})) {
			t.Fatalf("%q has the decisions %v and is %+v, %v", text, decisions, v, err)
		}
		d := v.decision(gate.Caller{UserID: "u"})
		if (d.Outcome == gate.Allow) != v.allowed || (d.Outcome == gate.Challenge) != (len(d.Scopes) > 0) {
			t.Fatalf("%q is %+v", text, d)
		}
		for _, s := range d.Scopes {
			if bytes.ContainsAny([]byte(s), " \"\\\r\n\x00\x7f") || s == "" {
				t.Fatalf("%q challenges for %q", text, s)
			}
		}
	})
}

// decisionsIn returns what an object calls "decision", however often it does, by
// its own way through the tokens; of what is no JSON object, nothing.
func decisionsIn(text []byte) (decisions []json.Token) {
	if !json.Valid(text) || bytes.TrimLeft(text, " \t\r\n")[0] != '{' {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	depth, name, isName := 0, "", true // isName is about the next token of depth 1
	for {
		token, err := d.Token()
		if err != nil {
			return decisions
		}
		opens := token == json.Delim('{') || token == json.Delim('[')
		closes := token == json.Delim('}') || token == json.Delim(']')
		switch {
		case closes:
			depth--
		case depth == 1 && isName:
			name, isName = token.(string), false
			continue
		case depth == 1 && name == "decision":
			decisions = append(decisions, token)
		}
		if opens {
			depth++
		}
		isName = depth == 1
	}
}
