package authserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/client"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

const (
	issuer    = "https://notes.example"
	resource  = issuer + "/mcp"
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	loopback  = "http://127.0.0.1:33418/callback"
	claude    = "https://claude.ai/api/mcp/auth_callback"
	foreign   = "https://app.example/cb" // nobody vouches for it
	private   = "com.example.app:/cb"    // nor for this
	minute    = time.Minute
	day       = 24 * time.Hour
)

// A room is the server over the rules on a real file, with a clock that a test
// moves. Requests come from one address, unless a test says otherwise.
type room struct {
	*Server
	t     testing.TB
	mux   *http.ServeMux
	store store.Store
	log   *lockedBuffer

	mu  sync.Mutex
	now time.Time
}

func newRoom(t testing.TB, change ...func(*Config)) *room {
	t.Helper()
	s, err := sqlite.Open(filepath.Join(t.TempDir(), "foyer.db"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secret.NewKeys([]string{strings.Repeat("k", 32)})
	if err != nil {
		t.Fatal(err)
	}
	r := &room{t: t, mux: http.NewServeMux(), store: s, log: &lockedBuffer{}, now: time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC)}
	grants := grant.New(s, keys, grant.Lifetimes{Code: minute, Access: time.Hour, Idle: 30 * day, Absolute: 90 * day,
		GuestIdle: day, Overlap: minute, Client: 90 * day, Browser: 30 * day}, grant.JWTs{}, r.clock)
	clients, err := client.New(client.Config{Store: s, Unused: day, Issuer: issuer, TokenEndpoint: issuer + "/token", Now: r.clock})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{App: "Notes", Issuer: issuer, Resources: []string{resource, issuer + "/other"}, Keys: keys, Grants: grants, Now: r.clock, Browser: 30 * day, Consent: "/consent", Levels: gate.StandardLevels, Level: "email",
		Scopes: gate.Scopes{
			{Name: "notes:read", Words: "Read your notes", Default: true},
			{Name: "notes:write", Words: "Write and delete your notes", Default: true},
			{Name: "notes:export", Words: "Take a copy of all your notes"}},
		Clients: clients, Log: slog.New(slog.NewTextHandler(r.log, nil)),
		Exempt: func(netip.Addr) bool { return true }}
	for _, c := range change {
		c(&cfg)
	}
	r.Server = New(cfg)
	r.Mount(r.mux)
	t.Cleanup(func() {
		grants.Close()
		s.Close()
	})
	return r
}

// withClients changes the rules of clients.
func withClients(change func(*client.Config)) func(*Config) {
	return func(cfg *Config) {
		rules := cfg.Clients.Config
		change(&rules)
		clients, err := client.New(rules)
		if err != nil {
			panic(err)
		}
		cfg.Clients = clients
	}
}

func onLoopback(cfg *Config) {
	cfg.Issuer, cfg.Resources = "http://127.0.0.1:8080", []string{"http://127.0.0.1:8080/mcp"}
}

func counted(cfg *Config) { cfg.Exempt = nil }

func (r *room) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *room) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// send serves one request; what it prepares, the headers "Name: value" change.
func (r *room) send(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ": ")
		if !ok {
			r.t.Fatalf("no header: %q", h)
		}
		switch {
		case name == "Remote":
			req.RemoteAddr = value
		case name == "Host":
			req.Host = value
		case value == "-":
			req.Header.Del(name)
		default:
			req.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	r.mux.ServeHTTP(w, req)
	return w
}

func (r *room) post(path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	return r.send(http.MethodPost, path, form.Encode(), headers...)
}

// register makes a client with these redirect URIs and returns its ID.
func (r *room) register(name string, uris ...string) string {
	r.t.Helper()
	body, err := json.Marshal(map[string]any{"client_name": name, "redirect_uris": uris})
	if err != nil {
		r.t.Fatal(err)
	}
	w := r.send(http.MethodPost, "/register", string(body), "Content-Type: application/json")
	if w.Code != http.StatusCreated {
		r.t.Fatalf("register: %d %s", w.Code, w.Body)
	}
	return object(r.t, w)["client_id"].(string)
}

// good is a request of clientID that gets an answer; changes are name and value,
// in turn, and the value "-" takes the parameter away.
func good(clientID, redirectURI string, changes ...string) url.Values {
	q := url.Values{"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {redirectURI}, "code_challenge": {challenge},
		"code_challenge_method": {"S256"}, "scope": {"guest offline_access"}, "state": {"xyz"}, "resource": {resource}}
	return with(q, changes...)
}

func with(q url.Values, changes ...string) url.Values {
	for i := 0; i < len(changes); i += 2 {
		q.Set(changes[i], changes[i+1])
		if changes[i+1] == "-" {
			q.Del(changes[i])
		}
	}
	return q
}

func (r *room) authorize(q url.Values, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	return r.send(http.MethodGet, "/authorize?"+q.Encode(), "", headers...)
}

// code asks for a code, and fails unless it comes at once.
func (r *room) code(clientID, redirectURI string, headers ...string) string {
	r.t.Helper()
	q := good(clientID, redirectURI)
	q.Set("resource", r.Resources[0])
	return codeIn(r.t, r.authorize(q, headers...).Header().Get("Location"))
}

func codeIn(t testing.TB, location string) string {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil || u.Query().Get("code") == "" {
		t.Fatalf("no code in %q: %v", location, err)
	}
	return u.Query().Get("code")
}

func redemption(clientID, redirectURI, code string, changes ...string) url.Values {
	return with(url.Values{"grant_type": {"authorization_code"}, "client_id": {clientID}, "code": {code}, "redirect_uri": {redirectURI},
		"code_verifier": {verifier}}, changes...)
}

// tokens are what /token answered.
type tokens struct{ access, refresh, scope string }

func (r *room) redeem(clientID, redirectURI, code string) tokens {
	r.t.Helper()
	return tokensIn(r.t, r.post("/token", redemption(clientID, redirectURI, code)))
}

func tokensIn(t testing.TB, w *httptest.ResponseRecorder) tokens {
	t.Helper()
	body := object(t, w)
	if w.Code != http.StatusOK {
		t.Fatalf("/token: %d %v", w.Code, body)
	}
	return tokens{body["access_token"].(string), body["refresh_token"].(string), body["scope"].(string)}
}

// guest is a new client's grant.
func (r *room) guest() (clientID string, issued tokens) {
	r.t.Helper()
	clientID = r.register("Test", loopback)
	return clientID, r.redeem(clientID, loopback, r.code(clientID, loopback))
}

// claim makes the grant of an access token that of the user of address.
func (r *room) claim(access, address string) {
	r.t.Helper()
	r.update(func(ctx context.Context, tx store.Tx) error {
		u, err := tx.UserByEmail(ctx, address)
		if errors.Is(err, store.ErrNotFound) {
			u = store.User{ID: "user_" + address, Email: address, Created: r.clock()}
			err = tx.PutUser(ctx, u)
		}
		if err != nil {
			return err
		}
		_, err = r.Grants.Claim(ctx, tx, secret.HashOf(access), grant.Proof{UserID: u.ID, Level: "chat", ApprovedBy: "mail",
			Scopes: []string{"notes:read", "notes:write"}, Epoch: 1}, r.clock())
		return err
	})
}

func (r *room) update(fn func(context.Context, store.Tx) error) {
	r.t.Helper()
	if err := r.store.Update(context.Background(), func(tx store.Tx) error { return fn(context.Background(), tx) }); err != nil {
		r.t.Fatal(err)
	}
}

// works reports whether an access token is one of a live grant, and whose.
func (r *room) works(access string) (userID string, ok bool) {
	r.t.Helper()
	b, err := r.Grants.Check(context.Background(), access, r.Resources[0])
	return b.Grant.UserID, err == nil
}

// object is the JSON object that w holds. It fails unless w is JSON, and says so.
func object(t testing.TB, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("no JSON: %d %v %s", w.Code, w.Header(), w.Body)
	}
	return body
}

// setCookie is the cookie that w sets, as a request header; empty for none.
func setCookie(w *httptest.ResponseRecorder) string {
	for _, c := range w.Result().Cookies() {
		return "Cookie: " + c.Name + "=" + c.Value
	}
	return ""
}

var requestField = regexp.MustCompile(`name="request" value="([^"]+)"`)

// sealedIn is what the form of a page carries; empty where there is no form.
func sealedIn(w *httptest.ResponseRecorder) string {
	found := requestField.FindStringSubmatch(w.Body.String())
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

var titleTag = regexp.MustCompile(`(?s)<h1>(.*?)</h1>`)

func heading(w *httptest.ResponseRecorder) string {
	found := titleTag.FindStringSubmatch(w.Body.String())
	if found == nil || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		return ""
	}
	return html.UnescapeString(found[1])
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

// forget lets the registration of a client expire.
func forget(clientID string) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error {
		c, err := tx.Client(ctx, clientID)
		if err != nil {
			return err
		}
		c.Expires = c.Created
		return tx.PutClient(ctx, c)
	}
}
