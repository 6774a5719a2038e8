package mcpgate_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"slices"
	"strings"
	"unicode/utf16"
)

// A forgery is a request whose parts can be changed one by one, into what no
// client sends.
type forgery struct {
	verb   string // of HTTP
	query  string
	header http.Header
	token  string // in the header; empty for none
	list   bool   // that it touches no item

	top, params, ref, arguments, meta members
	backwards                         bool // members come in the other order

	around func(message string) string // batches, blanks, what follows
	encode func(body string) string
	batch  bool // of another message, too
}

// A member of an object: a key and a value as JSON text.
type member struct{ key, value string }

type members []member

func (ms members) text(backwards bool) string {
	parts := make([]string, len(ms))
	for i, m := range ms {
		parts[i] = m.key + ":" + m.value
	}
	if backwards {
		slices.Reverse(parts)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// names is the object that names the item, and the key in it that does.
func (f *forgery) names() (in *members, at int) {
	in = &f.params
	if f.ref != nil {
		in = &f.ref
	}
	return in, slices.IndexFunc(*in, func(m member) bool {
		return (m.key == `"name"` || m.key == `"uri"`) && strings.Contains(m.value, digits)
	})
}

// body is the message, not yet encoded.
func (f *forgery) body() string {
	params := slices.Clone(f.params)
	for _, part := range []struct {
		key string
		of  members
	}{{`"ref"`, f.ref}, {`"arguments"`, f.arguments}, {`"_meta"`, f.meta}} {
		if part.of != nil {
			params = append(params, member{part.key, part.of.text(f.backwards)})
		}
	}
	return f.around(append(slices.Clone(f.top), member{`"params"`, params.text(f.backwards)}).text(f.backwards))
}

// request is the forgery, in which every name reads as another.
func (f *forgery) request(name, as string) *http.Request {
	rename := func(s string) string { return strings.ReplaceAll(s, name, as) }
	r, err := http.NewRequest(f.verb, "https://room.example/mcp"+rename(f.query), strings.NewReader(f.encode(rename(f.body()))))
	if err != nil {
		panic(err) // cannot happen: no verb and no query of this file is bad
	}
	for key, values := range f.header {
		for _, value := range values {
			r.Header.Add(key, rename(value))
		}
	}
	return r
}

// A plain request touches an item of the booth, or lists them.
type plain struct {
	method string
	uri    string // empty for what has a name
	list   bool
}

var plains = []plain{
	{method: "tools/call"}, {method: "tools/call"}, {method: "prompts/get"},
	{method: "resources/read", uri: "room://" + target}, {method: "resources/read", uri: "room://" + target + "/%s"},
	{method: "resources/subscribe", uri: "room://" + target + "/%s"},
	{method: "completion/complete"}, {method: "completion/complete", uri: "room://" + target + "/{amount}"},
	{method: "tools/list", list: true}, {method: "resources/templates/list", list: true},
}

// forge returns the plain request as it is.
func (p plain) forge(version, token, amount string) *forgery {
	f := &forgery{verb: http.MethodPost, token: token, list: p.list, header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}},
		top:    members{{`"jsonrpc"`, `"2.0"`}, {`"id"`, "7"}, {`"method"`, `"` + p.method + `"`}},
		around: func(s string) string { return s }, encode: func(s string) string { return s }}
	if token != "" {
		f.header["Authorization"] = []string{"Bearer " + token}
	}
	name := member{`"name"`, `"` + target + `"`}
	if p.uri != "" {
		name = member{`"uri"`, `"` + strings.ReplaceAll(p.uri, "%s", amount) + `"`}
	}
	switch {
	case p.list:
	case p.method == "completion/complete" && p.uri != "":
		f.ref, f.params = members{{`"type"`, `"ref/resource"`}, name}, members{{`"argument"`, `{"name":"amount","value":"x"}`}}
	case p.method == "completion/complete":
		f.ref, f.params = members{{`"type"`, `"ref/prompt"`}, name}, members{{`"argument"`, `{"name":"amount","value":"x"}`}}
	default:
		f.params = members{name}
	}
	if p.method == "tools/call" || p.method == "prompts/get" {
		f.arguments = members{{`"amount"`, `"` + amount + `"`}}
	}
	f.header.Set("Mcp-Protocol-Version", version)
	if version == modern {
		f.meta = members{{`"io.modelcontextprotocol/protocolVersion"`, `"` + modern + `"`}, {`"io.modelcontextprotocol/clientCapabilities"`, "{}"}}
		f.header.Set("Mcp-Method", p.method)
		if !p.list && f.ref == nil {
			f.header.Set("Mcp-Name", strings.Trim(name.value, `"`))
		}
	}
	return f
}

func packed(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s)) // a buffer takes everything
	_ = w.Close()
	return b.String()
}

func inUTF16(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}
