package mcpgate_test

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// A disguise changes one thing, or a few. Strong is the token of somebody who may
// do more.
type disguise struct {
	name  string
	apply func(t *rapid.T, f *forgery, strong string)
}

func pick(t *rapid.T, label string, of ...string) string {
	return rapid.SampledFrom(of).Draw(t, label)
}

var disguises = []disguise{
	{"headers that name another", func(t *rapid.T, f *forgery, _ string) {
		f.header.Set("Mcp-Name", pick(t, "name", "public", target, strings.ToUpper(target), "room://public", "room://public/small", "", "=?base64?"+base64.StdEncoding.EncodeToString([]byte("public"))+"?="))
	}},
	{"headers that name another method", func(t *rapid.T, f *forgery, _ string) {
		f.header.Set("Mcp-Method", pick(t, "method", "tools/list", "ping", "initialize", "prompts/get", "TOOLS/CALL", ""))
	}},
	{"another version", func(t *rapid.T, f *forgery, _ string) {
		f.header.Set("Mcp-Protocol-Version", pick(t, "version", modern, older, "2025-03-26", "1900-01-01", "9999-99-99", "x", ""))
	}},
	{"the session of nobody", func(t *rapid.T, f *forgery, _ string) {
		f.header.Set("Mcp-Session-Id", pick(t, "session", "x", "../..", strings.Repeat("A", 26)))
	}},
	{"headers that others believe", func(t *rapid.T, f *forgery, strong string) {
		f.header.Set(pick(t, "header", "X-Forwarded-For", "X-Forwarded-User", "X-Forwarded-Uri", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Method-Override", "Forwarded",
			"X-User-Id", "X-Scopes", "X-Roles", "X-Access-Token", "Proxy-Authorization", "Cookie", "Mcp-Param-Amount", "Last-Event-Id", "Mcp-Arguments", "X-Real-Ip"),
			pick(t, "value", "127.0.0.1", "admin", "/inside", "GET", "write export", "Bearer "+strong, "access_token="+strong, "small", "1_1", `for="127.0.0.1"`, target))
	}},
	{"a second credential", func(t *rapid.T, f *forgery, strong string) {
		old := f.header["Authorization"]
		more := pick(t, "credential", "Bearer "+strong, "Basic eDp5", "")
		switch {
		case old == nil: // one would be no disguise, but the credential
			f.header["Authorization"] = []string{"Bearer " + strong, more}
		case rapid.Bool().Draw(t, "first"):
			f.header["Authorization"] = append([]string{more}, old...)
		default:
			f.header["Authorization"] = append(slices.Clone(old), more)
		}
	}},
	{"two tokens in one credential", func(t *rapid.T, f *forgery, strong string) {
		form := pick(t, "form", "Bearer %[1]s, Bearer %[2]s", "Bearer %[2]s, Bearer %[1]s", "Bearer %[1]s %[2]s", "Bearer %[2]s;%[1]s", "Bearer %[1]s\tBearer %[2]s")
		f.header["Authorization"] = []string{fmt.Sprintf(form, cmp.Or(f.token, "x"), strong)}
	}},
	{"a token in the query", func(_ *rapid.T, f *forgery, strong string) { f.query += "?access_token=" + strong }},
	{"the tool in the query", func(_ *rapid.T, f *forgery, _ string) { f.query += "?name=" + target + "&method=tools/call" }},
	{"another type of content", func(t *rapid.T, f *forgery, _ string) {
		f.header["Content-Type"] = rapid.SampledFrom([][]string{nil, {"text/plain"}, {"application/json; charset=utf-16"}, {"application/json;charset=utf-7"}, {"APPLICATION/JSON"},
			{"application/json", "text/plain"}, {"application/x-www-form-urlencoded"}, {"application/json; charset=\"x"}}).Draw(t, "type")
	}},
	{"another encoding", func(t *rapid.T, f *forgery, _ string) {
		f.encode = map[string]func(string) string{"gzip": packed, "UTF-16": inUTF16, "BOM": func(s string) string { return "\ufeff" + s }, "UTF-16, BOM": func(s string) string { return inUTF16("\ufeff" + s) },
			"none": func(s string) string { return s }, "Latin-1": func(s string) string { return s + "\xa0" }}[pick(t, "encoding", "gzip", "UTF-16", "BOM", "UTF-16, BOM", "none", "Latin-1")]
		if rapid.Bool().Draw(t, "said so") {
			f.header.Set("Content-Encoding", pick(t, "said", "gzip", "identity", "deflate", "x"))
		}
	}},
	{"another name beside the name", func(t *rapid.T, f *forgery, _ string) {
		in, at := f.names()
		if at < 0 {
			return
		}
		key := spelt(t, strings.Trim((*in)[at].key, `"`))
		value := pick(t, "value", `"public"`, `"`+target+`"`, `"room://public"`, `"room://public/small"`, `"room://`+target+`/small"`, "null", "7", "{}")
		*in = slices.Insert(*in, rapid.IntRange(0, len(*in)).Draw(t, "place"), member{key, value})
	}},
	{"arguments twice", func(t *rapid.T, f *forgery, _ string) {
		f.params = append(f.params, member{spelt(t, "arguments"), pick(t, "value", `{"amount":"small"}`, "null", "{}", "[]")})
	}},
	{"an argument twice", func(t *rapid.T, f *forgery, _ string) {
		if f.arguments != nil {
			f.arguments = append(f.arguments, member{spelt(t, "amount"), pick(t, "value", `"small"`, `"large"`, "null", "1e999", "[\"small\"]")})
		}
	}},
	{"a member of the message twice", func(t *rapid.T, f *forgery, _ string) {
		key := pick(t, "which", "method", "params", "id", "jsonrpc", "result", "error")
		value := map[string]string{"method": pick(t, "method", `"tools/list"`, `"tools/call"`, `"prompts/get"`, `"resources/read"`, `"ping"`, `"notifications/initialized"`),
			"params": pick(t, "params", `{"name":"public"}`, `{"name":"`+target+`"}`, "null", "{}"), "id": pick(t, "id", "8", "null", `"7"`, "{}", "7e400"), "jsonrpc": `"2.0"`, "result": "{}", "error": `{"code":1,"message":"x"}`}[key]
		f.top = slices.Insert(f.top, rapid.IntRange(0, len(f.top)).Draw(t, "place"), member{spelt(t, key), value})
	}},
	{"claims", func(t *rapid.T, f *forgery, strong string) {
		claim := member{pick(t, "key", `"foyer/access"`, `"user"`, `"scopes"`, `"roles"`, `"authorization"`, `"io.modelcontextprotocol/protocolVersion"`, `"progressToken"`, `"io.modelcontextprotocol/clientInfo"`),
			pick(t, "value", `{"state":"open"}`, `"admin"`, `["write","export"]`, `"Bearer `+strong+`"`, `"`+modern+`"`, `"`+older+`"`, "null", `{"name":"x","version":"1"}`)}
		switch pick(t, "where", "_meta", "params", "top", "arguments") {
		case "_meta":
			f.meta = append(f.meta, claim)
		case "params":
			f.params = append(f.params, claim)
		case "top":
			f.top = append(f.top, member{`"_meta"`, members{claim}.text(false)})
		default:
			f.params = append(f.params, member{`"arguments"`, members{{`"_meta"`, members{claim}.text(false)}}.text(false)})
		}
	}},
	{"a name in other letters", func(t *rapid.T, f *forgery, _ string) {
		change := rapid.SampledFrom([]func(string) string{
			strings.ToUpper,
			func(s string) string { return strings.Replace(s, "item", "Item", 1) },
			func(s string) string { return strings.Replace(s, "item", "ıtem", 1) }, // dotless
			func(s string) string { return strings.Replace(s, "item", "іtem", 1) }, // Cyrillic
			func(s string) string { return strings.Replace(s, "item", "ｉｔｅｍ", 1) },
			func(s string) string { return strings.Replace(s, "item", "i\u0301tem", 1) },
			func(s string) string { return strings.Replace(s, "item", "it\u00adem", 1) },
			func(s string) string { return s + "\u200b" },
			func(s string) string { return "\ufeff" + s },
			func(s string) string { return s + " " },
			func(s string) string { return " " + s },
			func(s string) string { return s + `\u0000` },
			func(s string) string { return s + `\n` },
			func(s string) string { return s + "." },
			func(s string) string { return `\ud800` + s },
		}).Draw(t, "letters")
		rename(f, change)
	}},
	{"escapes", func(_ *rapid.T, f *forgery, _ string) {
		rename(f, func(s string) string {
			return strings.NewReplacer("item", `\u0069tem`, "large", `\u006Carge`, "room:", `r\u006fom:`, "/", `\/`).Replace(s)
		})
	}},
	{"escaped keys", func(t *rapid.T, f *forgery, _ string) {
		for _, part := range []*members{&f.top, &f.params, &f.ref, &f.arguments, &f.meta} {
			for i, m := range *part {
				if rapid.IntRange(0, 3).Draw(t, "escape") == 0 {
					(*part)[i].key = fmt.Sprintf(`"\u%04x%s`, m.key[1], m.key[2:])
				}
			}
		}
	}},
	{"another order", func(_ *rapid.T, f *forgery, _ string) { f.backwards = true }},
	{"a batch", func(t *rapid.T, f *forgery, _ string) {
		const other = `{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"public"}}`
		form := pick(t, "batch", "[%s]", "["+other+",%s]", "[%s,"+other+"]", "[[%s]]", "[%s,%s]", "[%s,7]", "[]%s", `{"batch":[%s]}`)
		before := f.around
		f.around = func(s string) string { return strings.ReplaceAll(form, "%s", before(s)) }
		f.batch = f.batch || strings.Contains(form, "public")
		if rapid.IntRange(0, 3).Draw(t, "in its era") > 0 {
			f.header.Set("Mcp-Protocol-Version", "2025-03-26")
			f.header.Del("Mcp-Name")
			f.header.Del("Mcp-Method")
			f.meta = nil
		}
	}},
	{"what stands around it", func(t *rapid.T, f *forgery, _ string) {
		form := pick(t, "around", " \t\r\n%s\n", "%s\x00", "\x0b%s", "%s{}", `%s{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"public"}}`, "%s,", "/**/%s", "\x1e%s\n", "data: %s\n\n", "%s]")
		before := f.around
		f.around = func(s string) string { return strings.ReplaceAll(form, "%s", before(s)) }
	}},
	{"huge things", func(t *rapid.T, f *forgery, _ string) {
		f.params = append(f.params, member{`"x"`, pick(t, "huge", "1e999", strings.Repeat("9", 400), "-0", "1E-999", strings.Repeat("[", 600)+strings.Repeat("]", 600), `"`+strings.Repeat("x", 70_000)+`"`)})
	}},
	{"another verb", func(t *rapid.T, f *forgery, _ string) {
		f.verb = pick(t, "verb", "PUT", "PATCH", "post", "DELETE", "OPTIONS", "HEAD", "TRACE")
	}},
}

// inURIs are those of requests that have a URI.
var inURIs = []disguise{
	{"another beginning of the URI", func(t *rapid.T, f *forgery, _ string) {
		reword(f, "room://", pick(t, "scheme", "ROOM://", "room:///", "room:", "room:/", "room://x@", "room://./", "room://public/../", "room://public/%2e%2e/", "room://public%2f..%2f", `room:\\\\`, "//", ""))
	}},
	{"the host in other words", func(t *rapid.T, f *forgery, _ string) {
		encoded := strings.Replace(target, "item", pick(t, "encoded", "%69tem", "%2569tem", "ite%6D"), 1)
		reword(f, target, pick(t, "host", encoded, target+":80", target+"#", target+"?x=1", target+"/", target+"/.", target+"//", target+";x", target+"%00", target+"%2f", target+"/../public"))
	}},
	{"a variable in percent signs", func(t *rapid.T, f *forgery, _ string) {
		reword(f, "large", pick(t, "variable", "lar%67e", "%6C%61%72%67%65", "%6carge", "%73mall", "large%23", "small%00large", "large%2F", "small%2F..%2Flarge", "l%C3%A4rge"))
	}},
	{"a variable in other words", func(t *rapid.T, f *forgery, _ string) {
		reword(f, "large", pick(t, "variable", "small/../large", "LARGE", "large?amount=small", "large#small", "large,small", "%", "%25", ""))
	}},
}

// reword puts one part of the URI in the place of another.
func reword(f *forgery, from, to string) {
	rename(f, func(s string) string { return strings.Replace(s, from, to, 1) })
}

// spelt is a key, as it is or in a way that some reader takes for it.
func spelt(t *rapid.T, key string) string {
	return `"` + rapid.SampledFrom([]string{key, key, strings.ToUpper(key), strings.ToUpper(key[:1]) + key[1:], fmt.Sprintf(`\u%04x%s`, key[0], key[1:]), key + `\u0000`, key + " ",
		strings.NewReplacer("s", "ſ", "k", "\u212a").Replace(key)}).Draw(t, "key") + `"`
}

// rename changes what names the item, in the message and in its header.
func rename(f *forgery, change func(string) string) {
	in, at := f.names()
	if at < 0 {
		return
	}
	value := (*in)[at].value
	changed := change(value[1 : len(value)-1])
	(*in)[at].value = `"` + changed + `"`
	if f.header.Get("Mcp-Name") != "" && !strings.Contains(changed, `\`) {
		f.header.Set("Mcp-Name", changed)
	}
}
