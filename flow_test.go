package foyer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"example.com/foyer/gate"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// TestFlows plays the conversations in testdata/flows over real HTTP: once as
// they are, and, but with -short, once with the whole server closed and opened again
// between any two steps, which must change nothing.
//
// A flow is a txtar archive. Each file is a step: a request, "=>", and what must
// come back. A request is
//
//	GET /path            or POST, with headers, an empty line and a body
//	MCP method {params}  a message of MCP 2026-07-28 to /mcp, with the token <access>
//	MAIL address         the newest mail to address, but for notices
//	NOTICE address       the newest notice of a connection to address
//
// or one of these, of which nothing comes back:
//
//	WAIT 61s             moves the clock
//	TOKEN token          MCP messages from now on have this token, and not <access>
//	ROLES address role…  gives the user of an address exactly these roles
//	ELEVATE scope 1h     gives the grant of that token a scope, which somebody has approved
//	POLICY down          ends the policy decision point; or up, which begins it again
//
// A flow is about the journal, or with a line "app: appointments" before its first
// step about those; with a line "entry: eager" its server lets nobody in without a
// sign-in. One with a line "decider: " and names is about the files of a
// cabinet, and is played with each of these deciders, which must decide alike: native,
// cedar, authzen.
//
// Expected are a status, headers, and a body: JSON of which all that is named
// must be there, or lines that must come in that order. A header without a value
// must not be there, nor a member that is null. "…" is anything; in a list it is
// any number of elements. <name> stands for a value that an earlier step has seen,
// or is one from now on; <name:regexp> says how it looks. Known from the start are
// issuer, verifier and challenge (PKCE), yesterday and tomorrow.
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
		app, entry := strings.Join(named(string(archive.Comment), "app"), " "), strings.Join(named(string(archive.Comment), "entry"), " ")
		for _, decider := range deciders(string(archive.Comment)) {
			for _, restarts := range []bool{false, true} {
				if restarts && testing.Short() {
					continue
				}
				name := strings.TrimSuffix(filepath.Base(file), ".txtar")
				if decider != "" {
					name += ", " + decider
				}
				if restarts {
					name += ", with restarts"
				}
				t.Run(name, func(t *testing.T) { newFlow(t, app, gate.Entry(entry), decider).playAll(t, archive.Files, restarts) })
			}
		}
	}
}

// named returns what the comment of a flow names on its line of that key.
func named(comment, key string) []string {
	_, after, _ := strings.Cut("\n"+comment, "\n"+key+":")
	line, _, _ := strings.Cut(after, "\n")
	return strings.Fields(line)
}

// deciders are those that the comment of a flow names, or "" for none.
func deciders(comment string) []string {
	if names := named(comment, "decider"); len(names) > 0 {
		return names
	}
	return []string{""}
}

type flow struct {
	house   *house
	cabinet *cabinet // nil in a flow about the journal
	vars    map[string]string
	token   string // of MCP messages; empty for <access>
	id      int
}

func newFlow(t *testing.T, app string, entry gate.Entry, decider string) *flow {
	t.Helper()
	f := &flow{}
	switch {
	case app == "appointments" && decider == "":
		f.house = newPractice(t)
	case app != "":
		t.Fatalf("no flow is about %s, with the decider %q", app, decider)
	case decider == "":
		f.house = newHouse(t, func(cfg *Config) { cfg.Endpoints = []Endpoint{{Path: "/mcp", Entry: entry}} })
	default:
		f.cabinet = newCabinet(t, decider)
		f.house = newHouseWith(t, f.cabinet.fill, f.cabinet.configure)
	}
	day := func(from int) string { return time.Now().UTC().AddDate(0, 0, from).Format(time.DateOnly) } // applications have the real time
	f.vars = map[string]string{
		"yesterday": day(-1),
		"tomorrow":  day(1),
		"issuer":    f.house.issuer,
		"verifier":  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", // RFC 7636 appendix B
		"challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
	}
	return f
}

func (f *flow) playAll(t *testing.T, steps []txtar.File, restarts bool) {
	for _, step := range steps {
		if restarts {
			f.house.restart()
		}
		if !t.Run(step.Name, func(t *testing.T) { f.play(t, string(step.Data)) }) {
			return
		}
	}
}

func (f *flow) play(t *testing.T, step string) {
	t.Helper()
	request, want, ok := strings.Cut("\n"+step, "\n=>\n")
	request = f.fill(t, strings.TrimSpace(request))
	verb, rest, _ := strings.Cut(request, " ")
	if does := f.silent(verb); does != nil {
		if ok {
			t.Fatalf("nothing comes back of %q", step)
		}
		does(t, rest)
		return
	}
	if !ok {
		t.Fatalf("no => in %q", step)
	}
	switch verb {
	case "MAIL":
		f.lines(t, f.house.mail(t, rest), want)
	case "NOTICE":
		texts := f.house.notices(t, rest)
		if len(texts) == 0 {
			t.Fatalf("no notice for %s", rest)
		}
		f.lines(t, texts[len(texts)-1], want)
	case "MCP":
		method, params, _ := strings.Cut(rest, " ")
		f.check(t, f.mcp(t, method, params), want)
	default:
		f.check(t, f.http(t, request), want)
	}
}

// silent returns what a verb does of which nothing comes back, or nil.
func (f *flow) silent(verb string) func(t *testing.T, rest string) {
	switch verb {
	case "WAIT":
		return func(t *testing.T, rest string) { f.house.advance(duration(t, rest)) }
	case "TOKEN":
		return func(_ *testing.T, rest string) { f.token = rest }
	case "ROLES":
		return f.roles
	case "ELEVATE":
		return f.elevate
	case "POLICY":
		return f.policy
	}
	return nil
}

func (f *flow) policy(t *testing.T, rest string) {
	t.Helper()
	if f.cabinet == nil || rest != "down" && rest != "up" {
		t.Fatalf("no policy decision point can be %q here", rest)
	}
	f.cabinet.down.Store(rest == "down")
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (f *flow) roles(t *testing.T, rest string) {
	t.Helper()
	address, roles, _ := strings.Cut(rest, " ")
	var user store.User
	err := f.house.store.Update(t.Context(), func(tx store.Tx) (err error) {
		user, err = tx.UserByEmail(t.Context(), address)
		return err
	})
	if err == nil {
		err = f.house.kit.SetRoles(t.Context(), user.ID, strings.Fields(roles)...)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (f *flow) elevate(t *testing.T, rest string) {
	t.Helper()
	scope, lasts, _ := strings.Cut(rest, " ")
	b, err := f.house.store.Bearer(t.Context(), secret.HashOf(f.access()))
	if err == nil {
		err = f.house.kit.Elevate(t.Context(), Elevation{GrantID: b.Grant.ID, Scope: scope, For: duration(t, lasts), Reason: "a flow asks for it", Approver: "a flow"})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// access is the token of MCP messages.
func (f *flow) access() string { return cmp.Or(f.token, f.vars["access"]) }

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
	return f.do(t, mcpRequest(t, f.house.issuer+"/mcp", f.access(), f.id, method, params))
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

// mail returns the text part of the newest mail to address, but for notices of a
// connection, which are sent at the same moment as what comes a minute after it. It
// asks the house to send what waits, and so need not wait itself.
func (h *house) mail(t testing.TB, address string) string {
	t.Helper()
	all := h.letters(t, address)
	for _, l := range slices.Backward(all) {
		if l.subject != noticeSubject {
			return l.text
		}
	}
	t.Fatalf("no mail for %s", address)
	return ""
}

// A letter is a mail that was sent.
type letter struct{ subject, text string }

const noticeSubject = "An app was connected to Journal"

// notices are the texts of those that address got, the oldest first.
func (h *house) notices(t testing.TB, address string) (texts []string) {
	t.Helper()
	for _, l := range h.letters(t, address) {
		if l.subject == noticeSubject {
			texts = append(texts, l.text)
		}
	}
	return texts
}

// letters are all that address got, the oldest first.
func (h *house) letters(t testing.TB, address string) (all []letter) {
	t.Helper()
	h.flush(t)
	files, err := filepath.Glob(filepath.Join(h.dir, "mail", url.PathEscape(address), "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
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
		all = append(all, letter{m.Header.Get("Subject"), string(body)})
	}
	return all
}
