package signintools

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/elicit"
	"example.com/foyer/gate"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/secret"
	"example.com/foyer/internal/signin"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// A desk is the tools over the rules on a real file, behind a server and a
// client of the SDK, with a clock that a test moves.
type desk struct {
	*Tools
	t       testing.TB
	path    string
	store   store.Store
	keys    secret.Keys
	session *mcp.ClientSession
	log     bytes.Buffer
	woken   int
	unlocks []gate.Caller

	mu     sync.Mutex
	now    time.Time
	caller guest // of the calls
}

const resource = "https://notes.example/mcp"

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{t: t, path: filepath.Join(t.TempDir(), "test.db"), now: time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC)}
	var err error
	if d.store, err = sqlite.Open(d.path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.store.Close() })
	if d.keys, err = secret.NewKeys([]string{strings.Repeat("k", 32)}); err != nil {
		t.Fatal(err)
	}
	const long = 1000 * time.Hour
	grants := grant.New(d.store, d.keys, grant.Lifetimes{Code: time.Minute, Access: long, Idle: long, Absolute: long, GuestIdle: long, Overlap: time.Minute}, grant.JWTs{}, d.clock)
	t.Cleanup(grants.Close)
	d.Tools = &Tools{App: "Notes", Account: "https://notes.example/account", Asks: elicit.New(d.store, d.keys, d.clock, slog.Default()), Grants: grants, Wake: func() { d.woken++ }, Log: slog.New(slog.NewTextHandler(&d.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		SignIn: signin.New(signin.Config{Store: d.store, Keys: d.keys, Grants: grants, Scopes: []string{"notes:write"}, TTL: 10 * time.Minute, Now: d.clock,
			Floods: signin.Floods{Exempt: func(netip.Addr) bool { return true }}}),
		Unlocks: func(c gate.Caller) []string {
			d.unlocks = append(d.unlocks, c)
			return []string{"save_note", "list_notes"}
		}}
	d.connect()
	return d
}

// connect puts the tools behind a server, which knows its callers as the gate
// makes them known.
func (d *desk) connect() {
	d.t.Helper()
	server := mcp.NewServer(&mcp.Implementation{Name: "notes", Version: "1"}, nil)
	d.Add(server)
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			return next(d.with(ctx), method, req)
		}
	})
	here, there := mcp.NewInMemoryTransports()
	if _, err := server.Connect(d.t.Context(), there, nil); err != nil {
		d.t.Fatal(err)
	}
	var err error
	if d.session, err = mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(d.t.Context(), here, nil); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { d.session.Close() })
}

func (d *desk) with(ctx context.Context) context.Context {
	b, err := d.Grants.Check(ctx, d.caller.pair.Access.Reveal(), resource)
	if err != nil {
		return ctx
	}
	ctx = gate.WithCaller(ctx, gate.Caller{GrantID: b.Grant.ID, GuestID: b.Grant.GuestID, UserID: b.Grant.UserID, Email: b.User.Email,
		Level: b.Grant.Level, Scopes: slices.Clone(b.Grant.Scopes)})
	return signin.WithAsker(ctx, signin.Asker{Access: b.Token.Hash, GrantID: b.Grant.ID, ClientID: b.Grant.ClientID})
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) advance(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

func (d *desk) update(fn func(store.Tx) error) {
	d.t.Helper()
	if err := d.store.Update(context.Background(), fn); err != nil {
		d.t.Fatal(err)
	}
}

// A guest is an unclaimed grant.
type guest struct {
	id   string
	pair secret.Pair
}

// guest makes one, who makes the calls from then on.
func (d *desk) guest() guest {
	d.t.Helper()
	g := guest{rand.Text(), secret.NewPair()}
	gr := store.Grant{ID: g.id, ClientID: "client", RedirectHost: "app.example", Resource: resource, GuestID: "guest_" + rand.Text(),
		Epoch: 1, Generation: 1, Scopes: []string{grant.Guest}, Created: d.now, Expires: d.now.Add(1000 * time.Hour)}
	d.update(func(tx store.Tx) error {
		return errors.Join(tx.PutGrant(d.t.Context(), gr),
			tx.PutToken(d.t.Context(), store.Token{Hash: g.pair.Access.Hash(), Kind: store.Access, GrantID: gr.ID, Epoch: 1, Generation: 1, Expires: gr.Expires}),
			tx.PutToken(d.t.Context(), store.Token{Hash: g.pair.Refresh.Hash(), Kind: store.Refresh, GrantID: gr.ID, Epoch: 1, Generation: 1}))
	})
	d.caller = g
	return g
}

// A reply is what a tool answers, as JSON.
type reply struct {
	Content []struct {
		Text string `json:"text"`
	} `json:"content"`
	Data    map[string]any `json:"structuredContent"`
	Refused bool           `json:"isError"`
	raw     string
}

func (r reply) text() string {
	if len(r.Content) != 1 {
		return ""
	}
	return r.Content[0].Text
}

func (d *desk) call(tool, arguments string) reply {
	d.t.Helper()
	res, err := d.session.CallTool(d.t.Context(), &mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(arguments)})
	if err != nil {
		d.t.Fatalf("%s %.80s: %v", tool, arguments, err)
	}
	return d.read(res)
}

func (d *desk) read(res *mcp.CallToolResult) (r reply) {
	d.t.Helper()
	raw, err := json.Marshal(res)
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	r.raw = string(raw)
	return r
}

// digits are what was mailed for the caller.
func (d *desk) digits() string {
	d.t.Helper()
	var c store.Challenge
	err := d.store.View(context.Background(), func(tx store.Tx) (err error) {
		c, err = tx.LatestChallenge(context.Background(), d.caller.id)
		return err
	})
	code, ok := d.keys.OneTimeCode(c.KeyID, c.ID, c.Digits)
	if err != nil || !ok {
		d.t.Fatalf("no digits: %v", err)
	}
	return code.Reveal()
}

// asks calls authenticate, which must not be refused, and returns the digits.
func (d *desk) asks(address string) string {
	d.t.Helper()
	if r := d.call("authenticate", `{"email":"`+address+`"}`); r.Refused {
		d.t.Fatalf("authenticate: %s", r.text())
	}
	return d.digits()
}

func (d *desk) signsIn(address string) {
	d.t.Helper()
	if r := d.call("validate_token", `{"code":"`+d.asks(address)+`"}`); r.Refused {
		d.t.Fatalf("validate_token: %s", r.text())
	}
}

// golden compares got with a file, which it writes anew where the test runs with
// GOLDEN=write.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("GOLDEN") == "write" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}
