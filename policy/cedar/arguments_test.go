package cedar

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/cedar-policy/cedar-go/types"
)

func TestReadShape(t *testing.T) {
	for _, test := range []struct{ schema, want string }{
		{`{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}`, `{"a":Long}`},
		{`{"type":"object","properties":{"a":{"type":"integer"}}}`, `{"a"?:Long}`},
		{`{"type":"object","properties":{"a":{"type":["integer","null"]}},"required":["a"]}`, `{"a"?:Long}`},
		{`{"type":"object","properties":{"a":{"type":["null","integer"]}}}`, `{"a"?:Long}`},
		{`{"type":"object","properties":{"a":{"type":["integer","string"]}}}`, `{}`},
		{`{"type":"object","properties":{"a":{"type":["null"]}}}`, `{}`},
		{`{"type":"object","properties":{"a":true,"b":{},"c":{"enum":["x"]},"d":7}}`, `{}`},
		{`{"type":"object","properties":{"a":{"type":"array","items":{"type":"number"}}}}`, `{"a"?:[decimal]}`},
		{`{"type":"object","properties":{"a":{"type":"array","items":{"type":["number","null"]}}}}`, `{}`},
		{`{"type":"object","properties":{"a":{"type":"array"}}}`, `{}`},
		{`{"type":"object","properties":{"a":{"type":"array","items":[{"type":"number"}]}}}`, `{}`},
		{`{"type":"object","properties":{"a":{"type":"array","prefixItems":[{"type":"string"}],"items":{"type":"number"}}}}`, `{}`},
		{`{"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"boolean"}}}}}`, `{"a"?:{"b"?:Bool}}`},
		{`{"type":"object","properties":{"a":{"$ref":"#"}}}`, `{}`},
		{`{"type":"string"}`, `{}`},
		{`null`, `{}`},
		{`true`, `{}`},
		{strings.Repeat(`{"type":"object","properties":{"a":`, 100) + `{}` + strings.Repeat(`}}`, 100), strings.Repeat(`{"a"?:`, 32) + `{}` + strings.Repeat(`}`, 32)},
	} {
		if got := readShape([]byte(test.schema)).String(); got != test.want {
			t.Errorf("%s\nis %s, want %s", test.schema, got, test.want)
		}
	}
}

// String writes a shape for tests, without what is anything.
func (s *shape) String() string {
	switch s.is {
	case list:
		return "[" + s.element.String() + "]"
	case record:
		var fields []string
		for name, f := range s.fields {
			if f.shape.is == anything {
				continue
			}
			mark := "?"
			if f.required {
				mark = ""
			}
			fields = append(fields, `"`+name+`"`+mark+":"+f.shape.String())
		}
		return "{" + strings.Join(fields, ",") + "}"
	}
	return map[is]string{text: "String", truth: "Bool", integer: "Long", number: "decimal"}[s.is]
}

func TestExactlyReadsNoOtherNumbers(t *testing.T) {
	for _, text := range []string{"1/3", "0x10", "1_000", "0b1", "NaN", "+Inf", "", "1e999999999", "1e-999999999", strings.Repeat("9", 65)} {
		if got, ok := exactly(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func FuzzArguments(f *testing.F) {
	for _, seed := range []string{`{}`, `{"n":1.5,"i":7,"s":"x","l":["a","b"],"r":{"b":true}}`, `{"a":{"__entity":{"type":"User","id":"admin"}}}`, `{"a":{"__extn":{"fn":"ip","arg":"::1"}}}`,
		`{"n":1e300}`, `{"i":9223372036854775808}`, `{"n":-0.00001}`, `{"a":null,"l":[null]}`, `{"a":[1,1.5,"1",[1],{"x":1}]}`, `{"n":922337203685477.5807}`, `{"n":1e999999999}`} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	declared := readShape([]byte(`{"type":"object","properties":{"n":{"type":"number"},"i":{"type":"integer"},"s":{"type":"string"},"l":{"type":"array","items":{"type":"string"}},
		"r":{"type":"object","properties":{"b":{"type":"boolean"}}}}}`))
	f.Fuzz(func(t *testing.T, text string, exact bool) {
		d := json.NewDecoder(strings.NewReader(text))
		if exact {
			d.UseNumber()
		}
		var in map[string]any
		if d.Decode(&in) != nil || in == nil {
			return
		}
		for _, it := range []*item{{}, {arguments: declared}} {
			context, err := it.context(in)
			if err != nil {
				continue
			}
			arguments, _ := context.Get("arguments")
			flag, _ := context.Get("args_unrepresentable")
			w := &mirror{}
			w.same(t, in, arguments)
			if flag != types.Boolean(w.unrepresentable) {
				t.Errorf("%s: args_unrepresentable is %v", text, flag)
			}
			if it.arguments != nil {
				fits(t, declared, arguments)
			}
		}
	})
}

// A mirror checks that values are what JSON said, and nothing more: no entity,
// no extension but exact decimals, nothing lost but null.
type mirror struct{ unrepresentable bool }

func (m *mirror) same(t *testing.T, in any, out types.Value) {
	t.Helper()
	switch in := in.(type) {
	case nil:
		if out != nil {
			t.Errorf("null became %v", out)
		}
	case bool:
		if out != types.Boolean(in) {
			t.Errorf("%v became %v", in, out)
		}
	case string:
		if out != types.String(in) {
			t.Errorf("%q became %v", in, out)
		}
	case float64:
		text, _ := json.Marshal(in)
		m.number(t, string(text), out)
	case json.Number:
		m.number(t, in.String(), out)
	case []any:
		set, ok := out.(types.Set)
		if !ok || set.Len() > len(in) {
			t.Fatalf("%v became %v", in, out)
		}
		for v := range set.All() {
			if _, isEntity := v.(types.EntityUID); isEntity || v == nil {
				t.Errorf("%v is in %v", v, out)
			}
		}
		m.unrepresentable = m.unrepresentable || hidden(in)
	case map[string]any:
		r, ok := out.(types.Record)
		if !ok {
			t.Fatalf("%v became %v", in, out)
		}
		left := r.Len()
		for name, v := range in {
			got, ok := r.Get(types.String(name))
			if ok != (v != nil) {
				t.Errorf("%q of %v: %v", name, in, got)
			}
			if ok {
				left--
			}
			m.same(t, v, got)
		}
		if left != 0 {
			t.Errorf("%v became %v", in, out)
		}
	default:
		t.Fatalf("a %T", in)
	}
}

func (m *mirror) number(t *testing.T, text string, out types.Value) {
	t.Helper()
	switch out := out.(type) {
	case types.Long:
		if want, ok := new(big.Rat).SetString(text); !ok || want.Cmp(new(big.Rat).SetInt64(int64(out))) != 0 {
			t.Errorf("%s became %v", text, out)
		}
	case types.Decimal:
		got, _ := new(big.Rat).SetString(strings.TrimSuffix(strings.TrimPrefix(out.String(), `decimal("`), `")`))
		if want, ok := new(big.Rat).SetString(text); !ok || got == nil || want.Cmp(got) != 0 {
			t.Errorf("%s became %v", text, out)
		}
	case types.String:
		m.unrepresentable = true
	default:
		t.Errorf("%s became %v", text, out)
	}
}

// hidden reports whether a list has a number that Cedar has not: sets lose the
// order, so that what became of it cannot be looked up.
func hidden(v any) bool {
	w := walker{}
	w.walk(v, &shape{}, 0)
	return w.unrepresentable
}

// fits checks that what the schema declares has its type, or is a number that
// Cedar does not have.
func fits(t *testing.T, s *shape, v types.Value) {
	t.Helper()
	ok := true
	switch s.is {
	case text:
		_, ok = v.(types.String)
	case truth:
		_, ok = v.(types.Boolean)
	case integer:
		_, ok = v.(types.Long)
		_, flagged := v.(types.String)
		ok = ok || flagged
	case number:
		_, ok = v.(types.Decimal)
		_, flagged := v.(types.String)
		ok = ok || flagged
	case list:
		for element := range v.(types.Set).All() {
			fits(t, s.element, element)
		}
	case record:
		for name, f := range s.fields {
			if of, has := v.(types.Record).Get(types.String(name)); has {
				fits(t, f.shape, of)
			}
		}
	}
	if !ok {
		t.Errorf("%v is of the wrong type", v)
	}
}
