package cedar_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/gate"
	"example.com/foyer/mail"
	"example.com/foyer/policy/cedar"
	"example.com/foyer/store/sqlite"
)

// files are the policies of the story: everybody with a token may write files,
// those that others see with the scope for it only, and nobody the system's.
const files = `permit(principal, action, resource);

forbid(principal, action == Action::"call", resource == Tool::"purge")
unless { principal.roles.contains("admin") };

forbid(principal, action == Action::"call", resource == Tool::"create_file")
when { context.arguments.path like "/etc/*" };

@scopes("files:share")
forbid(principal, action == Action::"call", resource == Tool::"create_file")
when { context.arguments.path like "/shared/*" }
unless { principal.scopes.contains("files:share") };
`

var sharing = gate.Scopes{{Name: "files:share", Words: "Write files that others see", Default: true}}

func filesDecider(t *testing.T) *cedar.Decider {
	t.Helper()
	d, err := cedar.New(cedar.Config{Policies: files, Scopes: sharing, Tools: map[string]any{"list_files": nil, "purge": nil,
		"create_file": rawSchema(`{"type":"object","required":["path"],"properties":{"path":{"type":"string"}}}`)}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The sequence of a policy engine beside an MCP server: a filtered list, a call
// that is decided with its parameters, a challenge that names scopes, and after
// the step-up the same call.
func TestTheSequenceOfAPolicyEngine(t *testing.T) {
	d := filesDecider(t)
	listed, err := d.DecideAll(t.Context(), []gate.Request{call(writer, "list_files", nil), call(writer, "create_file", nil), call(writer, "purge", nil)})
	if err != nil || !listed[0].Listed() || !listed[1].Listed() || listed[2].Listed() {
		t.Errorf("the list is %v, %v", listed, err)
	}
	invocation := call(writer, "create_file", map[string]any{"path": "/shared/a"})
	for path, want := range map[string]string{"/drawer/a": "allow", "/etc/passwd": "deny", "/shared/a": "challenge files:share"} {
		if got := outcome(t, d, call(writer, "create_file", map[string]any{"path": path})); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	invocation.Caller.Scopes = append(slices.Clone(writer.Scopes), "files:share")
	if got := outcome(t, d, invocation); got != "allow" {
		t.Errorf("after the step-up: %s", got)
	}
}

// The same behind a kit, over HTTP, with a guest who signs in by a mailed code.
func TestTheSequenceOfAPolicyEngineThroughAKit(t *testing.T) {
	s := serve(t)
	token := s.guest(t)
	var list struct {
		Tools []struct {
			Name string         `json:"name"`
			Meta map[string]any `json:"_meta"`
		} `json:"tools"`
	}
	s.rpc(t, token, "tools/list", nil, &list)
	names := map[string]bool{}
	for _, tool := range list.Tools {
		names[tool.Name] = tool.Meta["foyer/access"] == nil
	}
	if _, purge := names["purge"]; purge || !names["create_file"] || !names["list_files"] || !names["authenticate"] {
		t.Errorf("listed, and open: %v", names)
	}
	if res := s.call(t, token, "create_file", map[string]any{"path": "/drawer/a"}); res.IsError {
		t.Errorf("a file at home: %s", res.text())
	}
	for _, path := range []string{"/etc/passwd", "/shared/a"} {
		res := s.call(t, token, "create_file", map[string]any{"path": path})
		header, _ := json.Marshal(res.Meta["mcp/www_authenticate"])
		challenged := strings.Contains(string(header), `scope=\"files:share\"`)
		if !res.IsError || challenged != (path == "/shared/a") {
			t.Errorf("%s: %s, %s", path, res.text(), header)
		}
	}
	if res := s.call(t, token, "authenticate", map[string]any{"email": "ann@example.com"}); res.IsError {
		t.Fatal(res.text())
	}
	if res := s.call(t, token, "validate_token", map[string]any{"code": s.digits(t)}); res.IsError {
		t.Fatal(res.text())
	}
	if res := s.call(t, token, "create_file", map[string]any{"path": "/shared/a"}); res.IsError || res.text() != "created /shared/a" {
		t.Errorf("after the step-up: %s", res.text())
	}
	if res := s.call(t, token, "create_file", map[string]any{"path": "/etc/passwd"}); !res.IsError {
		t.Error("a scope opened what nothing opens")
	}
	if strings.Join(s.created, " ") != "/drawer/a /shared/a" {
		t.Errorf("created: %v", s.created)
	}
}

// A site is a kit on real HTTP.
type site struct {
	url, mails string
	created    []string
}

type file struct {
	Path string `json:"path"`
}

func serve(t *testing.T) *site {
	t.Helper()
	s := &site{mails: t.TempDir()}
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "foyer.db"))
	if err != nil {
		t.Fatal(err)
	}
	http1 := httptest.NewUnstartedServer(nil)
	s.url = "http://" + http1.Listener.Addr().String()
	kit, err := foyer.New(foyer.Config{Issuer: s.url, Secrets: []string{"a secret of the tests, and of nobody else"}, Store: db,
		Mail: mail.Folder{Dir: s.mails, From: "files@example.com"}, Scopes: sharing, Decider: filesDecider(t), Log: slog.New(slog.DiscardHandler),
		Tools: gate.Rules{"list_files": gate.Anyone(), "create_file": gate.AnyGrant(), "purge": gate.AnyGrant()}})
	if err != nil {
		t.Fatal(err)
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "files", Version: "1"}, nil)
	nothing := func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{}}, nil, nil
	}
	mcp.AddTool(server, &mcp.Tool{Name: "list_files"}, nothing)
	mcp.AddTool(server, &mcp.Tool{Name: "purge"}, nothing)
	mcp.AddTool(server, &mcp.Tool{Name: "create_file"}, func(_ context.Context, _ *mcp.CallToolRequest, in file) (*mcp.CallToolResult, any, error) {
		s.created = append(s.created, in.Path)
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "created " + in.Path}}}, nil, nil
	})
	if http1.Config.Handler, err = kit.Handler(server); err != nil {
		t.Fatal(err)
	}
	http1.Start()
	t.Cleanup(func() {
		http1.Close()
		if err := kit.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// guest registers a client and gets it a guest's token.
func (s *site) guest(t *testing.T) string {
	t.Helper()
	const back, verifier = "http://127.0.0.1:33418/callback", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	var registered struct {
		ID string `json:"client_id"`
	}
	s.post(t, "/register", "application/json", `{"client_name":"Test","redirect_uris":["`+back+`"]}`, &registered)
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.Get(s.url + "/authorize?" + url.Values{"response_type": {"code"}, "client_id": {registered.ID}, "redirect_uri": {back},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}, "resource": {s.url + "/mcp"}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	to, err := res.Location()
	if err != nil {
		t.Fatal(res.Status, err)
	}
	var tokens struct {
		Access string `json:"access_token"`
	}
	s.post(t, "/token", "application/x-www-form-urlencoded", url.Values{"grant_type": {"authorization_code"}, "client_id": {registered.ID},
		"code": {to.Query().Get("code")}, "redirect_uri": {back}, "code_verifier": {verifier}}.Encode(), &tokens)
	return tokens.Access
}

func (s *site) post(t *testing.T, path, contentType, body string, into any) {
	t.Helper()
	res, err := http.Post(s.url+path, contentType, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 || json.Unmarshal(text, into) != nil {
		t.Fatalf("%s: %s %s, %v", path, res.Status, text, err)
	}
}

type result struct {
	IsError bool           `json:"isError"`
	Meta    map[string]any `json:"_meta"`
	Content []struct {
		Text string `json:"text"`
	} `json:"content"`
}

func (r result) text() (all string) {
	for _, c := range r.Content {
		all += c.Text
	}
	return all
}

func (s *site) call(t *testing.T, token, tool string, arguments map[string]any) (res result) {
	t.Helper()
	s.rpc(t, token, "tools/call", map[string]any{"name": tool, "arguments": arguments}, &res)
	return res
}

func (s *site) rpc(t *testing.T, token, method string, params map[string]any, into any) {
	t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	params["_meta"] = map[string]any{"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": map[string]any{}}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/mcp", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method} {
		r.Header.Set(name, value)
	}
	if name, ok := params["name"].(string); ok {
		r.Header.Set("Mcp-Name", name)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer := struct {
		Result any `json:"result"`
		Error  any `json:"error"`
	}{Result: into}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Error != nil {
		t.Fatalf("%s: %s %s, %v", method, res.Status, text, err)
	}
}

// digits waits for the mail with the code.
func (s *site) digits(t *testing.T) string {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-tick.C {
		mails, err := filepath.Glob(filepath.Join(s.mails, "*", "*.eml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range mails {
			text, err := os.ReadFile(name)
			if found := regexp.MustCompile(`(?m)^\s*(\d{6})\s*$`).FindSubmatch(text); err == nil && found != nil {
				return string(found[1])
			}
		}
	}
	t.Fatal("no mail with a code came")
	return ""
}
