// Package foyertest is for the tests of servers that are guarded by a kit.
//
// [Rules] needs no server: it compares who may do what with a table in a file,
// so that a change of the rules is read and reviewed.
//
//	func TestWhoMayDoWhat(t *testing.T) {
//		foyertest.Rules(t, "testdata/rules.txt", foyer.Config{Scopes: scopes, Tools: rules},
//			foyertest.Nobody(), foyertest.Guest(), foyertest.User("member"), foyertest.User("admin").Roles("admin"))
//	}
//
// [New] makes a kit on a temporary file behind real HTTP, with a mailbox, and
// clients of the MCP SDK, which go through the real OAuth and the real sign-in:
//
//	func TestAUserKeepsNotes(t *testing.T) {
//		house := foyertest.New(t, foyer.Config{Tools: rules}, func(*foyer.Kit) *mcp.Server { return newServer() })
//		ann := house.SignIn(t, "ann@example.com")
//		if text, isError := foyertest.Call(t, ann, "save_note", map[string]any{"text": "Frost tonight."}); isError {
//			t.Error(text)
//		}
//	}
//
// [At] has the same clients and mailbox for a program that runs already. What a
// test was given ends with the test.
package foyertest

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/gate"
	"example.com/foyer/mail"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// A House is a server behind a kit, with a mailbox, and clients that visit it.
type House struct {
	Kit    *foyer.Kit   // nil for a program that runs by itself; see [At]
	Issuer string       // such as http://127.0.0.1:40123
	URL    string       // of its first endpoint, such as http://127.0.0.1:40123/mcp
	HTTP   *http.Client // reaches the house, also where Issuer names another host; it follows no redirect

	open  string // URL of the first lazy endpoint, or else URL
	mails *mailbox
	store store.Store
}

// New makes a kit of cfg and serves what server returns, which is called once:
// on a port of its own, until the test ends.
//
// What cfg lacks is filled in: Issuer, Secrets, Store (SQLite, in a temporary
// file), Mail (the mailbox of the house) and Log (the test's output). What it has
// is kept: Store stays the test's to close, mails go to Mail and to the mailbox
// both, and requests to an Issuer of another host come to the house all the same,
// if they are sent by HTTP or by clients of the house.
//
// Limits do not apply, but the five attempts of a one-time code, so that one
// person may sign in twice in a second. Where cfg has CallsPerMinute, they do, but
// for those by client address: all clients are on this device.
func New(t testing.TB, cfg foyer.Config, server func(*foyer.Kit) *mcp.Server) *House {
	t.Helper()
	web := httptest.NewUnstartedServer(nil)
	t.Cleanup(web.Close)
	mails := filepath.Join(t.TempDir(), "mail")
	ownStore := cfg.Store == nil
	if err := fill(&cfg, t, "http://"+web.Listener.Addr().String(), mails); err != nil {
		t.Fatalf("foyertest: %v", err)
	}
	if ownStore {
		t.Cleanup(func() { closed(t, cfg.Store.Close()) })
	}
	kit, err := foyer.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, kit.Close()) })
	if web.Config.Handler, err = kit.Handler(server(kit)); err != nil {
		t.Fatal(err)
	}
	web.Start()
	t.Cleanup(func() {
		kit.Drain() // else Close waits for streams
		web.Close()
	})
	h := At(t, cfg.Issuer+endpoints(cfg)[0].Path, mails)
	h.Kit, h.store, h.open = kit, cfg.Store, cfg.Issuer+lazy(cfg).Path
	h.HTTP.Transport = detour{cfg.Issuer, web.Listener.Addr().String(), h.HTTP.Transport}
	return h
}

// At is a house whose program the test has started, or somebody else: mcpURL is
// where its MCP server is, and mails the folder of its [mail.Folder].
func At(t testing.TB, mcpURL, mails string) *House {
	t.Helper()
	u, err := url.Parse(mcpURL)
	if err != nil {
		t.Fatalf("foyertest: %v", err)
	}
	wire := &http.Transport{ResponseHeaderTimeout: time.Minute} // streams, too, are answered at once: only their end takes time
	t.Cleanup(wire.CloseIdleConnections)
	return &House{Issuer: u.Scheme + "://" + u.Host, URL: mcpURL, open: mcpURL, mails: &mailbox{dir: mails, read: map[string]int{}},
		HTTP: &http.Client{Transport: wire, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// SetRoles is [foyer.Kit.SetRoles] for the user who has signed in as email.
func (h *House) SetRoles(t testing.TB, email string, roles ...string) {
	t.Helper()
	if h.Kit == nil {
		t.Fatal("foyertest: SetRoles: the kit is another program's")
	}
	var u store.User
	err := h.store.View(t.Context(), func(tx store.Tx) (err error) {
		u, err = tx.UserByEmail(t.Context(), normalised(t, email))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		t.Fatalf("foyertest: SetRoles: %s has never signed in", email)
	}
	if err := errors.Join(err, h.Kit.SetRoles(t.Context(), u.ID, roles...)); err != nil {
		t.Fatal(err)
	}
}

// fill fills in what cfg lacks.
func fill(cfg *foyer.Config, t testing.TB, issuer, mails string) (err error) {
	if cfg.Issuer == "" {
		cfg.Issuer = issuer
	}
	if len(cfg.Secrets) == 0 {
		cfg.Secrets = []string{rand.Text() + rand.Text()}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	folder := mail.Folder{Dir: mails, From: "foyertest@example.com"}
	if cfg.Mail == nil {
		cfg.Mail = folder
	} else {
		cfg.Mail = both{cfg.Mail, folder}
	}
	cfg.DangerouslyExemptLoopback = true
	cfg.DangerouslyNoLimits = cfg.DangerouslyNoLimits || cfg.CallsPerMinute == 0
	if cfg.Store == nil {
		cfg.Store, err = sqlite.Open(filepath.Join(filepath.Dir(mails), "foyer.db"))
	}
	return err
}

func closed(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("foyertest: close: %v", err)
	}
}

func endpoints(cfg foyer.Config) []foyer.Endpoint {
	if len(cfg.Endpoints) == 0 {
		return []foyer.Endpoint{{Path: "/mcp"}}
	}
	return cfg.Endpoints
}

// lazy is the first endpoint that needs no token, or the first of all.
func lazy(cfg foyer.Config) foyer.Endpoint {
	for _, e := range endpoints(cfg) {
		if e.Entry == gate.Lazy {
			return e
		}
	}
	return endpoints(cfg)[0]
}

// A detour takes requests to the issuer where the house really is.
type detour struct {
	issuer, addr string
	wire         http.RoundTripper
}

func (d detour) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme+"://"+r.URL.Host != d.issuer {
		return d.wire.RoundTrip(r)
	}
	there := r.Clone(r.Context())
	if there.Host == "" {
		there.Host = r.URL.Host
	}
	there.URL.Scheme, there.URL.Host = "http", d.addr
	return d.wire.RoundTrip(there)
}

// CloseIdleConnections is for [http.Client.CloseIdleConnections].
func (d detour) CloseIdleConnections() { (&http.Client{Transport: d.wire}).CloseIdleConnections() }

// Both sends each mail to the mailbox, too, once the other has it.
type both struct{ given, mailbox mail.Sender }

func (b both) Send(ctx context.Context, m mail.Message) error {
	if err := b.given.Send(ctx, m); err != nil {
		return err
	}
	return b.mailbox.Send(ctx, m)
}
