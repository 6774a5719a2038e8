package mcpgate

import (
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

func TestAFillingGoesIntoTheListAlone(t *testing.T) {
	two := [][]byte{[]byte(`,{"name":"a"}`), []byte(`,{"name":`), []byte(`"b"}`)}
	for _, test := range []struct {
		name, message string
		pieces        [][]byte
		want          string
	}{
		{"a message", `{"id":1,"result":{"tools":[]}}`, two, `{"id":1,"result":{"tools":[{"name":"a"},{"name":"b"}]}}`},
		{"an event", "data: {\"result\":{\"tools\":[]}}\n\n", two, "data: {\"result\":{\"tools\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}\n\n"},
		{"nothing is shown", `{"id":1,"result":{"tools":[]}}`, nil, `{"id":1,"result":{"tools":[]}}`},
		{"an ID that looks like a list", `{"id":"\"tools\":[]}}","result":{}}`, two, `{"id":"\"tools\":[]}}","result":{}}`},
		{"a text that ends like one", `{"error":{"message":"\"tools\":[]}}"}}`, two, `{"error":{"message":"\"tools\":[]}}"}}`},
		{"another list", `{"id":1,"result":{"prompts":[]}}`, two, `{"id":1,"result":{"prompts":[]}}`},
		{"another list before it", `{"result":{"_meta":{"tools":[]},"tools":[]}}`, two, `{"result":{"_meta":{"tools":[]},"tools":[{"name":"a"},{"name":"b"}]}}`},
		{"a list that is not empty", `{"result":{"tools":[{}]}}`, two, `{"result":{"tools":[{}]}}`},
		{"an error", `{"id":1,"error":{"code":1}}`, two, `{"id":1,"error":{"code":1}}`},
		{"a sign of life", ":\n\n", two, ":\n\n"},
		{"nothing", "", two, ""},
	} {
		f := filling{"tools", test.pieces}
		if got := string(f.into([]byte(test.message))); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// An application that makes its items anew for each list does not fill the
// memory.
func TestNoMoreFormsAreKeptThanThereAreRules(t *testing.T) {
	rules := gate.Rules{"a": gate.Anyone(), "b": gate.Anyone(), "c": gate.Anyone()}
	l := newLists(rules, nil, nil).tools
	for range 10 {
		for _, names := range [][]string{{"a"}, {"b", "c"}, {"a", "b", "c"}, {"a", "a", "a", "a"}} {
			var all []*mcp.Tool
			for _, name := range names {
				all = append(all, &mcp.Tool{Name: name})
			}
			if pieces, err := l.encoded(t.Context(), &Gate{}, carried{}, all); err != nil || len(pieces) != len(names) {
				t.Fatalf("%d pieces: %v", len(pieces), err)
			}
			if kept := len(*l.formsAt(Endpoint{}).Load()); kept > len(rules) || kept == 0 {
				t.Fatalf("%d forms are kept of %d rules", kept, len(rules))
			}
		}
	}
}

// What was encoded once is not encoded again, also where callers are shown
// different items.
func TestAnItemIsEncodedOnce(t *testing.T) {
	l := newLists(gate.Rules{"a": gate.Anyone(), "b": gate.Anyone()}, nil, nil).tools
	a, b := &mcp.Tool{Name: "a", InputSchema: &counted{}}, &mcp.Tool{Name: "b", InputSchema: &counted{}}
	for _, all := range [][]*mcp.Tool{{a}, {b}, {a, b}, {a}, {b}} {
		if _, err := l.encoded(t.Context(), &Gate{}, carried{}, all); err != nil {
			t.Fatal(err)
		}
	}
	for _, tool := range []*mcp.Tool{a, b} {
		if n := tool.InputSchema.(*counted).n; n != 3 { // open, and twice locked
			t.Errorf("the schema of %s was encoded %d times", tool.Name, n)
		}
	}
}

type counted struct{ n int }

func (c *counted) MarshalJSON() ([]byte, error) {
	c.n++
	return []byte(`{"type":"object"}`), nil
}
