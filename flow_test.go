package foyer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// TestFlows plays the conversations in testdata/flows over real HTTP: once as
// they are, and once with the whole server closed and opened again between any
// two steps, which must change nothing.
//
// A flow is a txtar archive. Each file is a step: a request, "=>", and what must
// come back. A request is
//
//	GET /path            or POST, with headers, an empty line and a body
//	MCP method {params}  a message of MCP 2026-07-28 to /mcp, with the token <access>
//	MAIL address         the newest mail to address
//	WAIT 61s             moves the clock
//
// Expected are a status, headers, and a body: JSON of which all that is named
// must be there, or lines that must come in that order. "…" is anything; in a
// list it is any number of elements. <name> stands for a value that an earlier
// step has seen, or is one from now on; <name:regexp> says how it looks.
func TestFlows(t *testing.T) {
	files, err := filepath.Glob("testdata/flows/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no flows: %v", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, restarts := range []bool{false, true} {
			name := strings.TrimSuffix(filepath.Base(file), ".txtar")
			if restarts {
				name += ", with restarts"
			}
			t.Run(name, func(t *testing.T) {
				f := newFlow(t)
				for _, step := range archive.Files {
					if restarts {
						f.house.restart()
					}
					if !t.Run(step.Name, func(t *testing.T) { f.play(t, string(step.Data)) }) {
						return
					}
				}
			})
		}
	}
}

type flow struct {
	house *house
	vars  map[string]string
	id    int
}

func newFlow(t *testing.T) *flow {
	h := newHouse(t)
	return &flow{house: h, vars: map[string]string{
		"issuer":    h.issuer,
		"verifier":  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", // RFC 7636 appendix B
		"challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
	}}
}

func (f *flow) play(t *testing.T, step string) {
	t.Helper()
	request, want, ok := strings.Cut("\n"+step, "\n=>\n")
	if !ok && !strings.HasPrefix(step, "WAIT ") {
		t.Fatalf("no => in %q", step)
	}
	request = f.fill(t, strings.TrimSpace(request))
	verb, rest, _ := strings.Cut(request, " ")
	switch verb {
	case "WAIT":
		d, err := time.ParseDuration(rest)
		if err != nil {
			t.Fatal(err)
		}
		f.house.advance(d)
	case "MAIL":
		f.lines(t, f.house.mail(t, rest), want)
	case "MCP":
		method, params, _ := strings.Cut(rest, " ")
		f.check(t, f.mcp(t, method, params), want)
	default:
		f.check(t, f.http(t, request), want)
	}
}

var variable = regexp.MustCompile(`<([a-z]+)(?::([^>]*))?>`)

// fill puts the values of variables into a request.
func (f *flow) fill(t *testing.T, s string) string {
	t.Helper()
	return variable.ReplaceAllStringFunc(s, func(v string) string {
		name := variable.FindStringSubmatch(v)[1]
		value, ok := f.vars[name]
		if !ok {
			t.Fatalf("no step has seen %s", v)
		}
		return value
	})
}

// matches compares got with a pattern, and learns the variables in it.
func (f *flow) matches(pattern, got string) bool {
	var expr strings.Builder
	var names []string
	rest := pattern
	literal := func(s string) {
		expr.WriteString(strings.ReplaceAll(regexp.QuoteMeta(s), "…", ".*"))
	}
	for {
		at := variable.FindStringSubmatchIndex(rest)
		if at == nil {
			literal(rest)
			break
		}
		literal(rest[:at[0]])
		name, shape := rest[at[2]:at[3]], ".+"
		if at[4] >= 0 {
			shape = rest[at[4]:at[5]]
		}
		if value, known := f.vars[name]; known {
			literal(value)
		} else {
			names = append(names, name)
			expr.WriteString("(" + shape + ")")
		}
		rest = rest[at[1]:]
	}
	found := regexp.MustCompile("(?s)^" + expr.String() + "$").FindStringSubmatch(got)
	if found == nil {
		return false
	}
	for i, name := range names {
		f.vars[name] = found[i+1]
	}
	return true
}

type response struct {
	status int
	header http.Header
	body   string
}

func (f *flow) http(t *testing.T, request string) response {
	t.Helper()
	head, body, _ := strings.Cut(request, "\n\n")
	lines := strings.Split(head, "\n")
	method, path, _ := strings.Cut(lines[0], " ")
	r, err := http.NewRequestWithContext(t.Context(), method, f.house.issuer+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			t.Fatalf("no header: %q", line)
		}
		r.Header.Set(name, value)
	}
	if r.Header.Get("Content-Type") == "" && method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return f.do(t, r)
}

func (f *flow) mcp(t *testing.T, method, params string) response {
	t.Helper()
	f.id++
	return f.do(t, mcpRequest(t, f.house.issuer+"/mcp", f.vars["access"], f.id, method, params))
}

// mcpRequest is a message of MCP 2026-07-28.
func mcpRequest(t testing.TB, url, token string, id int, method, params string) *http.Request {
	t.Helper()
	if params == "" {
		params = "{}"
	}
	var p map[string]any
	if err := json.Unmarshal([]byte(params), &p); err != nil {
		t.Fatalf("params %s: %v", params, err)
	}
	p["_meta"] = map[string]any{
		"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
		"io.modelcontextprotocol/clientCapabilities": map[string]any{},
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": p})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method} {
		r.Header.Set(name, value)
	}
	for _, key := range []string{"name", "uri"} {
		if name, ok := p[key].(string); ok {
			r.Header.Set("Mcp-Name", name)
		}
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

func (f *flow) do(t *testing.T, r *http.Request) response {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Jar: f.house.jar}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{res.StatusCode, res.Header, string(body)}
}

// check compares a response with what is expected of it.
func (f *flow) check(t *testing.T, got response, want string) {
	t.Helper()
	want = strings.TrimSpace(want)
	head, body, _ := strings.Cut(want, "\n\n")
	lines := strings.Split(head, "\n")
	if status, err := strconv.Atoi(lines[0]); err != nil || status != got.status {
		t.Fatalf("status %d, want %s\n%v\n%s", got.status, lines[0], got.header, got.body)
	}
	for _, line := range lines[1:] {
		name, pattern, ok := strings.Cut(line, ": ")
		if !ok {
			t.Fatalf("no header: %q", line)
		}
		if value := strings.Join(got.header.Values(name), ", "); !f.matches(pattern, value) {
			t.Fatalf("%s: %s\nwant %s", name, value, pattern)
		}
	}
	body = strings.TrimSpace(body)
	switch {
	case body == "":
	case body[0] == '{':
		var wantJSON, gotJSON any
		if err := json.Unmarshal([]byte(body), &wantJSON); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if err := json.Unmarshal([]byte(got.body), &gotJSON); err != nil {
			t.Fatalf("%s: %v", got.body, err)
		}
		if problem := f.json("", wantJSON, gotJSON); problem != "" {
			t.Fatalf("%s\nin %s", problem, got.body)
		}
	default:
		f.lines(t, got.body, body)
	}
}

// json returns how got differs from want, which names only a part of it.
func (f *flow) json(at string, want, got any) string {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %v, want an object", at, got)
		}
		keys := make([]string, 0, len(want))
		for key := range want {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			value, there := object[key]
			if want[key] == nil && there && value != nil || want[key] != nil && !there {
				return fmt.Sprintf("%s.%s is %v, want %v", at, key, value, want[key])
			}
			if problem := f.json(at+"."+key, want[key], value); problem != "" {
				return problem
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok {
			return fmt.Sprintf("%s is %v, want a list", at, got)
		}
		return f.list(at, want, list)
	case string:
		if s, ok := got.(string); !ok || !f.matches(want, s) {
			return fmt.Sprintf("%s is %q, want %q", at, got, want)
		}
		return ""
	}
	if want != got {
		return fmt.Sprintf("%s is %v, want %v", at, got, want)
	}
	return ""
}

func (f *flow) list(at string, want, got []any) string {
	skip := false
	for _, w := range want {
		if w == "…" {
			skip = true
			continue
		}
		for {
			if len(got) == 0 {
				return fmt.Sprintf("%s lacks %v", at, w)
			}
			problem := f.json(at+"[]", w, got[0])
			got = got[1:]
			if problem == "" {
				break
			}
			if !skip {
				return problem
			}
		}
		skip = false
	}
	if len(got) > 0 && !skip {
		return fmt.Sprintf("%s has %v too much", at, got)
	}
	return ""
}

// lines finds the lines of want in got, in that order.
func (f *flow) lines(t *testing.T, got, want string) {
	t.Helper()
	rest := strings.Split(strings.ReplaceAll(got, "\r\n", "\n"), "\n")
	for line := range strings.Lines(strings.TrimSpace(want)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		i := slices.IndexFunc(rest, func(s string) bool { return f.matches(line, strings.TrimSpace(s)) })
		if i < 0 {
			t.Fatalf("no line %q in\n%s", line, got)
		}
		rest = rest[i+1:]
	}
}

// mail returns the text part of the newest mail to address. It asks the house to
// send what waits, and so need not wait itself.
func (h *house) mail(t testing.TB, address string) string {
	t.Helper()
	h.flush(t)
	files, err := filepath.Glob(filepath.Join(h.dir, "mail", url.PathEscape(address), "*.eml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no mail for %s: %v", address, err)
	}
	slices.Sort(files)
	text, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
