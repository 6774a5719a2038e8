package authzen_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/gate"
	"example.com/foyer/mail"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// notebook is a policy that nothing in the tables says: who may write needs
// notes:write, and a copy needs notes:export.
func notebook(q question) object {
	properties, _ := q.subject["properties"].(object)
	switch tool := q.resource["id"]; {
	case tool == "purge":
		return object{"decision": false, "context": object{"reason_admin": object{"403": "Policy C076E82F"}}}
	case tool == "save_note" && !has(properties["scopes"], "notes:write"):
		return lacks("notes:write")
	case tool == "export_notes" && !has(properties["scopes"], "notes:export"):
		return lacks("notes:write", "notes:export")
	}
	return allow
}

// A house is a server with a kit that asks a policy decision point.
type house struct {
	t      *testing.T
	url    string
	client *http.Client
	dir    string
	store  store.Store
	log    *lockedBuffer
	pdp    *pdp
	down   atomic.Bool // the policy decision point
	ran    []string    // tools
	access string      // token of the one client
}

type noteIn struct {
	ID float64 `json:"id,omitempty"`
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, dir: t.TempDir(), log: &lockedBuffer{}, pdp: &pdp{policy: notebook}}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	h.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	h.url = server.URL
	if h.store, err = sqlite.Open(filepath.Join(h.dir, "foyer.db")); err != nil {
		t.Fatal(err)
	}
	kit, err := foyer.New(foyer.Config{
		Issuer:  h.url,
		Secrets: []string{"a secret of the tests, and of nobody else"},
		Store:   h.store,
		Mail:    mail.Folder{Dir: filepath.Join(h.dir, "mail"), From: "notes@example.com"},
		Scopes: gate.Scopes{
			{Name: "notes:write", Words: "Write your notes", Default: true},
			{Name: "notes:export", Words: "Take a copy of your notes"},
		},
		Tools: gate.Rules{"list_notes": gate.Anyone(), "save_note": gate.AnyGrant(), "delete_note": gate.AnyGrant(),
			"export_notes": gate.SignedIn(), "purge": gate.AnyGrant(), "shut": gate.SignedIn().Level("passkey")},
		Decider: serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if h.down.Load() {
				http.Error(w, "canary of the policy decision point", http.StatusServiceUnavailable)
				return
			}
			h.pdp.ServeHTTP(w, r)
		})),
		Log:                       slog.New(slog.NewTextHandler(h.log, nil)),
		DangerouslyExemptLoopback: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	notes := mcp.NewServer(&mcp.Implementation{Name: "notes", Title: "Notes", Version: "1"}, nil)
	for _, name := range []string{"list_notes", "save_note", "delete_note", "export_notes", "purge", "shut"} {
		mcp.AddTool(notes, &mcp.Tool{Name: name, Description: name}, func(context.Context, *mcp.CallToolRequest, noteIn) (*mcp.CallToolResult, any, error) {
			h.ran = append(h.ran, name)
			return nil, nil, nil
		})
	}
	if handler, err = kit.Handler(notes); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Close()
		for _, c := range []io.Closer{kit, h.store} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	h.connect()
	return h
}

// connect gets the client a guest's grant.
func (h *house) connect() {
	h.t.Helper()
	var registered, issued map[string]any
	h.do(h.request("/register", "application/json", `{"client_name":"Test","redirect_uris":["http://127.0.0.1:33418/callback"]}`), &registered)
	id, _ := registered["client_id"].(string)
	form := url.Values{"client_id": {id}, "redirect_uri": {"http://127.0.0.1:33418/callback"}, "resource": {h.url + "/mcp"}, "scope": {"guest"}, "response_type": {"code"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}} // RFC 7636 appendix B
	res, err := h.client.Get(h.url + "/authorize?" + form.Encode())
	if err != nil {
		h.t.Fatal(err)
	}
	res.Body.Close()
	location, err := res.Location()
	if err != nil {
		h.t.Fatal(res.Status, err)
	}
	form = url.Values{"grant_type": {"authorization_code"}, "client_id": {id}, "code": {location.Query().Get("code")},
		"redirect_uri": {"http://127.0.0.1:33418/callback"}, "code_verifier": {"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}}
	h.do(h.request("/token", "application/x-www-form-urlencoded", form.Encode()), &issued)
	h.access, _ = issued["access_token"].(string)
}

func (h *house) request(path, contentType, body string) *http.Request {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	return r
}

func (h *house) do(r *http.Request, into any) (*http.Response, string) {
	h.t.Helper()
	res, err := h.client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		h.t.Fatalf("%s: %s %s: %v", r.URL.Path, res.Status, text, err)
	}
	return res, string(text)
}

// mcp asks the server, as a client of 2026-07-28 does.
func (h *house) mcp(method string, params object) (res *http.Response, result object, text string) {
	h.t.Helper()
	params["_meta"] = object{"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": object{}}
	body, err := json.Marshal(object{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		h.t.Fatal(err)
	}
	r := h.request("/mcp", "application/json", string(body))
	for name, value := range map[string]string{"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method, "Authorization": "Bearer " + h.access} {
		r.Header.Set(name, value)
	}
	if name, ok := params["name"].(string); ok {
		r.Header.Set("Mcp-Name", name)
	}
	var answer object
	res, text = h.do(r, &answer)
	result, _ = answer["result"].(object)
	return res, result, text
}

// call returns the status of a call, whether the tool refused or ran, and what
// was said.
func (h *house) call(tool string, arguments object) (status int, ok bool, header, text string) {
	h.t.Helper()
	res, result, text := h.mcp("tools/call", object{"name": tool, "arguments": arguments})
	return res.StatusCode, result != nil && result["isError"] != true, res.Header.Get("WWW-Authenticate"), text
}

// list returns the names of the tools that are shown, but the kit's own, and of
// the locked ones which scopes they need.
func (h *house) list() (names []string) {
	h.t.Helper()
	_, result, text := h.mcp("tools/list", object{})
	tools, ok := result["tools"].([]any)
	if !ok {
		h.t.Fatalf("no list: %s", text)
	}
	for _, tool := range tools {
		tool := tool.(object)
		name := tool["name"].(string)
		meta, _ := tool["_meta"].(object)
		if access, locked := meta["foyer/access"].(object); locked {
			scopes, err := json.Marshal(access["scopes"])
			if err != nil {
				h.t.Fatal(err)
			}
			name += " " + string(scopes)
		}
		if !slices.Contains([]string{"authenticate", "validate_token", "whoami", "logout", "switch_account"}, name) {
			names = append(names, name)
		}
	}
	return names
}

func (h *house) shows(when string, want ...string) {
	h.t.Helper()
	if got := h.list(); !slices.Equal(got, want) {
		h.t.Errorf("%s the list is %q, want %q", when, got, want)
	}
}

// signIn claims the grant in the chat.
func (h *house) signIn() {
	h.t.Helper()
	if _, ok, _, text := h.call("authenticate", object{"email": "ann@example.com"}); !ok {
		h.t.Fatal(text)
	}
	digits := ""
	for deadline := time.Now().Add(10 * time.Second); digits == ""; time.Sleep(5 * time.Millisecond) {
		letters, err := filepath.Glob(filepath.Join(h.dir, "mail", "*", "*.eml"))
		if err != nil || time.Now().After(deadline) {
			h.t.Fatal("no mail came", err)
		}
		for _, path := range letters {
			letter, err := os.ReadFile(path)
			if err != nil {
				h.t.Fatal(err)
			}
			digits = string(regexp.MustCompile(`(?m)^\d{6}\r?$`).Find(letter))
		}
	}
	if _, ok, _, text := h.call("validate_token", object{"code": strings.TrimSpace(digits)}); !ok {
		h.t.Fatal(text)
	}
}

// consent writes down what a person approves on a page.
func (h *house) consent(scope string) {
	h.t.Helper()
	ctx := h.t.Context()
	b, err := h.store.Bearer(ctx, sha256.Sum256([]byte(h.access)))
	if err == nil {
		b.Grant.Scopes = append(b.Grant.Scopes, scope)
		err = h.store.Update(ctx, func(tx store.Tx) error { return tx.PutGrant(ctx, b.Grant) })
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// A kit asks once about a call, in front of the SDK and behind it, and not about
// what its table refuses. It tells nothing secret, nor passes on the reasons.
func TestAKitAsksOnceAndTellsNoSecret(t *testing.T) {
	h := newHouse(t)
	h.shows("a guest's", "delete_note", `export_notes []`, "list_notes", `save_note ["notes:write"]`, `shut ["acr:passkey"]`)
	h.signIn()
	if status, ok, _, text := h.call("purge", object{}); status != 200 || ok || strings.Contains(text, "C076E82F") {
		t.Errorf("what is never allowed: %d %s", status, text)
	}
	if _, ok, _, text := h.call("shut", object{}); ok {
		t.Errorf("what the table refuses: %s", text)
	}
	h.shows("a user's", "delete_note", `export_notes ["notes:write","notes:export"]`, "list_notes", "save_note", `shut ["acr:passkey"]`)
	if status, ok, _, text := h.call("export_notes", object{}); status != 403 || ok {
		t.Errorf("a copy: %d %s", status, text)
	}
	h.consent("notes:export")
	if status, ok, _, text := h.call("export_notes", object{}); status != 200 || !ok {
		t.Errorf("the same call after the step up: %d %s", status, text)
	}
	if want := []string{"export_notes"}; !slices.Equal(h.ran, want) {
		t.Errorf("%v ran, want %v", h.ran, want)
	}
	h.askedAsItShould()
}

// askedAsItShould checks what the policy decision point was told over the whole
// story.
func (h *house) askedAsItShould() {
	h.t.Helper()
	calls := 0
	for _, e := range h.pdp.exchanges() {
		for _, secret := range []string{h.access, "ann@example.com", `"code"`, "passkey", `"shut"`} {
			if strings.Contains(e.body, secret) {
				h.t.Errorf("the policy decision point is told %q: %s", secret, e.body)
			}
		}
		if strings.Contains(e.body, `"export_notes"`) && strings.HasSuffix(e.path, "/evaluation") {
			calls++
		}
	}
	if calls != 2 {
		h.t.Errorf("two calls of export_notes were asked about %d times", calls)
	}
}

// A policy decision point that fails denies what it is asked about, whatever it
// said before, and says so in the log alone. When it is back, all is as it was.
func TestT86AKitWhosePolicyDecisionPointFailsDenies(t *testing.T) {
	h := newHouse(t)
	if _, ok, _, text := h.call("list_notes", object{}); !ok {
		t.Fatalf("while it is up: %s", text)
	}
	h.down.Store(true)
	if status, ok, header, text := h.call("list_notes", object{"id": 271828.0}); status != 200 || ok || header != "" || strings.Contains(text, "canary") || strings.Contains(text, "503") {
		t.Errorf("while it is down: %d %q %s", status, header, text)
	}
	h.shows("while it is down", `export_notes []`, `shut ["acr:passkey"]`) // of which the tables say that a guest signs in first
	if log := h.log.String(); strings.Count(log, "msg=fault") < 2 || !strings.Contains(log, "status 503") || strings.Contains(log, "271828") || strings.Contains(log, "canary") {
		t.Errorf("the log says %s", log)
	}
	h.down.Store(false)
	if _, ok, _, text := h.call("list_notes", object{}); !ok {
		t.Errorf("when it is back: %s", text)
	}
	if want := []string{"list_notes", "list_notes"}; !slices.Equal(h.ran, want) {
		t.Errorf("%v ran, want %v", h.ran, want)
	}
}

// A lockedBuffer takes the log of many goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
