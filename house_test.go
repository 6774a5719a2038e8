package foyer

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/examples/journal"
	"example.com/foyer/mail"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// A house is a whole server: the journal behind a kit on real files and real
// HTTP, with a clock that a test moves.
type house struct {
	t       testing.TB
	dir     string
	issuer  string
	jar     http.CookieJar
	log     *lockedBuffer
	change  func(*Config)
	handler atomic.Value // of http.Handler
	kit     *Kit
	store   store.Store
	app     *journal.Journal
	server  *mcp.Server
	also    func(*house)      // adds to the server before the kit sees it; or nil
	wire    http.RoundTripper // what requests go over; nil means the default

	mu  sync.Mutex
	now time.Time
}

func newHouse(t testing.TB, change ...func(*Config)) *house {
	t.Helper()
	return newHouseWith(t, nil, change...)
}

// newHouseWith is newHouse with more items on the server.
func newHouseWith(t testing.TB, also func(*house), change ...func(*Config)) *house {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, dir: t.TempDir(), jar: jar, log: &lockedBuffer{}, also: also, now: time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC),
		change: func(cfg *Config) {
			for _, c := range change {
				c(cfg)
			}
		}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.handler.Load().(http.Handler).ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(h.log, "", 0)
	server.Start()
	h.issuer = server.URL
	h.open()
	t.Cleanup(func() {
		server.Close()
		h.close()
	})
	return h
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) open() {
	h.t.Helper()
	var err error
	if h.store, err = sqlite.Open(filepath.Join(h.dir, "foyer.db")); err != nil {
		h.t.Fatal(err)
	}
	if h.app, err = journal.Open(filepath.Join(h.dir, "journal.db")); err != nil {
		h.t.Fatal(err)
	}
	cfg := Config{
		Issuer:                    h.issuer,
		Secrets:                   []string{"a secret of the tests, and of nobody else"},
		Store:                     h.store,
		Mail:                      mail.Folder{Dir: filepath.Join(h.dir, "mail"), From: "journal@example.com"},
		Scopes:                    journal.Scopes,
		Tools:                     journal.Tools,
		Resources:                 journal.Resources,
		Prompts:                   journal.Prompts,
		GuestData:                 h.app,
		UserData:                  h.app,
		Log:                       slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		DangerouslyExemptLoopback: true,
	}
	h.change(&cfg)
	if h.kit, err = newAt(cfg, h.clock); err != nil {
		h.t.Fatal(err)
	}
	h.server = h.app.Server(h.kit.Questions())
	if h.also != nil {
		h.also(h)
	}
	handler, err := h.kit.Handler(h.server)
	if err != nil {
		h.t.Fatal(err)
	}
	h.handler.Store(http.HandlerFunc(handler.ServeHTTP))
}

func (h *house) close() {
	h.t.Helper()
	for _, c := range []io.Closer{h.kit, h.store, h.app} {
		if err := c.Close(); err != nil {
			h.t.Error(err)
		}
	}
}

// restart closes everything and opens it again on the same files.
func (h *house) restart() {
	h.t.Helper()
	h.close()
	h.open()
}

// flush sends the mails that wait.
func (h *house) flush(t testing.TB) {
	t.Helper()
	h.kit.mail.Flush(t.Context())
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

// A guest is a client with a grant of its own, and what it holds.
type guest struct {
	*house
	client  string
	access  string
	refresh string
}

const (
	verifier    = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	challenge   = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	redirectURI = "http://127.0.0.1:33418/callback"
)

// guest registers a client and gets it a grant.
func (h *house) guest(t testing.TB) *guest {
	t.Helper()
	g := &guest{house: h}
	var registered struct {
		ID string `json:"client_id"`
	}
	h.postJSON(t, "/register", `{"client_name":"Test","redirect_uris":["`+redirectURI+`"]}`, http.StatusCreated, &registered)
	g.client = registered.ID
	g.access, g.refresh = h.redeem(t, g.client, h.code(t, g.client))
	return g
}

// code asks for an authorization code.
func (h *house) code(t testing.TB, client string) string {
	t.Helper()
	query := url.Values{"response_type": {"code"}, "client_id": {client}, "redirect_uri": {redirectURI}, "code_challenge": {challenge},
		"code_challenge_method": {"S256"}, "scope": {"guest offline_access"}, "resource": {h.issuer + "/mcp"}}
	res := h.get(t, "/authorize?"+query.Encode())
	defer res.Body.Close()
	location, err := res.Location()
	if err != nil {
		t.Fatalf("/authorize: %v, %v", res.Status, err)
	}
	return location.Query().Get("code")
}

func (h *house) get(t testing.TB, path string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.issuer+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h.send(t, r)
}

func (h *house) send(t testing.TB, r *http.Request) *http.Response {
	t.Helper()
	client := &http.Client{Transport: h.wire, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// redeem exchanges a code for tokens.
func (h *house) redeem(t testing.TB, client, code string) (access, refresh string) {
	t.Helper()
	status, body := h.token(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {code},
		"redirect_uri": {redirectURI}, "code_verifier": {verifier}})
	if status != http.StatusOK {
		t.Fatalf("/token: %d %v", status, body)
	}
	return body["access_token"].(string), body["refresh_token"].(string)
}

func (h *house) token(t testing.TB, form url.Values) (int, map[string]any) {
	t.Helper()
	return h.postForm(t, "/token", form)
}

func (h *house) form(t testing.TB, path string, form url.Values) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func (h *house) postForm(t testing.TB, path string, form url.Values) (int, map[string]any) {
	t.Helper()
	res := h.send(t, h.form(t, path, form))
	defer res.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
		t.Fatalf("%s: %d, %v", path, res.StatusCode, err)
	}
	return res.StatusCode, body
}

func (h *house) postJSON(t testing.TB, path, text string, status int, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.issuer+path, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res := h.send(t, r)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		t.Fatalf("%s: %d %s, want %d", path, res.StatusCode, body, status)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatal(err)
	}
}

// An answer is a tool's, with its HTTP status.
type answer struct {
	status  int
	isError bool
	text    string
	data    map[string]any
	raw     string
}

// call calls a tool with the guest's access token.
func (g *guest) call(t testing.TB, tool, arguments string) answer {
	t.Helper()
	return g.callAs(t, g.access, tool, arguments)
}

func (h *house) callAs(t testing.TB, access, tool, arguments string) answer {
	t.Helper()
	if arguments == "" {
		arguments = "{}"
	}
	res := h.send(t, mcpRequest(t, h.issuer+"/mcp", access, 1, "tools/call", `{"name":"`+tool+`","arguments":`+arguments+`}`))
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		Result struct {
			IsError bool `json:"isError"`
			Content []struct {
				Text string `json:"text"`
			} `json:"content"`
			Structured map[string]any `json:"structuredContent"`
		} `json:"result"`
		Error *struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatalf("%s: %d %s", tool, res.StatusCode, raw)
	}
	a := answer{status: res.StatusCode, isError: body.Result.IsError, data: body.Result.Structured, raw: string(raw)}
	for _, c := range body.Result.Content {
		a.text += c.Text
	}
	if body.Error != nil {
		a.isError, a.text = true, body.Error.Message
	}
	return a
}

// digits asks for a one-time code and reads it from the mail.
func (g *guest) digits(t testing.TB, address string) string {
	t.Helper()
	if a := g.call(t, "authenticate", `{"email":"`+address+`"}`); a.isError {
		t.Fatalf("authenticate: %s", a.text)
	}
	return digitsIn(t, g.mail(t, address))
}

func digitsIn(t testing.TB, mail string) string {
	t.Helper()
	for line := range strings.Lines(mail) {
		line = strings.TrimSpace(line)
		if (len(line) == 6 || len(line) == 8) && strings.Trim(line, "0123456789") == "" {
			return line
		}
	}
	t.Fatalf("no digits in\n%s", mail)
	return ""
}

// signIn makes the guest a user.
func (g *guest) signIn(t testing.TB, address string) {
	t.Helper()
	if a := g.call(t, "validate_token", `{"code":"`+g.digits(t, address)+`"}`); a.isError {
		t.Fatalf("validate_token: %s", a.text)
	}
}

// refreshed exchanges a refresh token of the guest's client.
func (g *guest) refreshed(t testing.TB, token string) (int, map[string]any) {
	t.Helper()
	return g.token(t, url.Values{"grant_type": {"refresh_token"}, "client_id": {g.client}, "refresh_token": {token}})
}

// renew exchanges the guest's refresh token, and keeps the answer.
func (g *guest) renew(t testing.TB) {
	t.Helper()
	status, body := g.refreshed(t, g.refresh)
	if status != http.StatusOK {
		t.Fatalf("refresh: %d %v", status, body)
	}
	g.access, g.refresh = body["access_token"].(string), body["refresh_token"].(string)
}

// atOnce runs n calls of f at the same time, and waits for all.
func atOnce(n int, f func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	all.Wait()
}

// exec writes the store's file past the store.
func (h *house) exec(t testing.TB, statement string) {
	t.Helper()
	h.execIn(t, "foyer.db", statement)
}

func (h *house) execIn(t testing.TB, file, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(h.dir, file)+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// count asks the store's file for a number.
func (h *house) count(t testing.TB, query string) (n int) {
	t.Helper()
	return h.countIn(t, "foyer.db", query)
}

func (h *house) countIn(t testing.TB, file, query string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(h.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// post sends a message of MCP with the guest's access token.
func (g *guest) post(t testing.TB, method, params string) (status int, body string) {
	t.Helper()
	res := g.send(t, mcpRequest(t, g.issuer+"/mcp", g.access, 1, method, params))
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}
