package confirm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/confirm"
	"example.com/foyer/foyertest"
	"example.com/foyer/gate"
	"example.com/foyer/mail"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// A shop has a tool of each class, and one of the SDK's own.
type shop struct {
	house *foyertest.House
	kit   *foyer.Kit
	db    store.Database

	mu     sync.Mutex
	effect []string // what was done outside of the database, in order
	world  string   // what previews look at
	fail   error    // what handlers return, after or instead of an effect
	before bool     // fail instead
	panics bool
}

type (
	thing struct {
		What string `json:"what"`
	}
	done struct {
		Done string `json:"done"`
	}
)

func (d done) String() string { return d.Done + " it is." }

var shopScopes = gate.Scopes{{Name: "buy", Words: "Buy things", Default: true}, {Name: "sell", Words: "Sell things"}}

// shopRules are at the weakest confirmation, unless a test asks for more.
func shopRules() gate.Rules {
	return gate.Rules{
		"book": gate.Scope("buy").Confirmed(), "order": gate.Scope("buy").Confirmed(), "pay": gate.Scope("buy").Confirmed(), "send": gate.Scope("buy").Confirmed(),
		"erase": gate.Scope("buy").Confirmed(), "keep": gate.AnyGrant().Confirmed(), "look": gate.Anyone(),
	}
}

func newShop(t testing.TB, change ...func(*foyer.Config)) *shop {
	t.Helper()
	s := &shop{}
	var err error
	if s.db, err = sqlite.Open(filepath.Join(t.TempDir(), "shop.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.db.Close() })
	s.exec(t, "CREATE TABLE done (id TEXT NOT NULL, what TEXT NOT NULL)")
	cfg := foyer.Config{Store: s.db, Scopes: shopScopes, Tools: shopRules()}
	for _, c := range change {
		c(&cfg)
	}
	s.house = foyertest.New(t, cfg, s.server)
	s.kit = s.house.Kit
	return s
}

// config is one for another kit of the shop.
func (s *shop) config(rules gate.Rules) foyer.Config {
	return foyer.Config{Issuer: "http://127.0.0.1:1", Secrets: []string{strings.Repeat("s", 32)}, Store: s.db, Mail: mail.Folder{Dir: ".", From: "shop@example.com"},
		Scopes: shopScopes, Tools: rules}
}

// newHouse serves other tools over the shop's database.
func newHouse(t testing.TB, s *shop, rules gate.Rules, add func(*foyer.Kit, *mcp.Server)) *foyertest.House {
	t.Helper()
	return foyertest.New(t, foyer.Config{Store: s.db, Scopes: shopScopes, Tools: rules}, func(kit *foyer.Kit) *mcp.Server {
		server := mcp.NewServer(&mcp.Implementation{Name: "shop", Title: "Shop", Version: "1"}, nil)
		add(kit, server)
		return server
	})
}

var answerless = json.RawMessage(`{"type":"object"}`)

func (s *shop) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	err := s.db.UpdateSQL(t.Context(), func(_ store.Tx, sql store.SQL) error {
		_, err := sql.Exec(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *shop) server(kit *foyer.Kit) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "shop", Title: "Shop", Version: "1"}, nil)
	ops := kit.Operations()
	confirm.AddTool(ops, server, &mcp.Tool{Name: "book"}, s.preview, confirm.Transactional(s.inside))
	confirm.AddTool(ops, server, &mcp.Tool{Name: "order"}, s.preview, confirm.Outbox(s.inside, s.deliver))
	confirm.AddTool(ops, server, &mcp.Tool{Name: "pay"}, s.preview, confirm.Idempotent(s.outside))
	confirm.AddTool(ops, server, &mcp.Tool{Name: "send"}, s.preview, confirm.AtMostOnce(func(ctx context.Context, d thing) (done, error) { return s.outside(ctx, "", d) }))
	confirm.AddTool(ops, server, &mcp.Tool{Name: "keep"}, s.preview, confirm.Transactional(s.inside))
	mcp.AddTool(server, &mcp.Tool{Name: "erase"}, func(ctx context.Context, _ *mcp.CallToolRequest, in thing) (*mcp.CallToolResult, done, error) {
		out, err := s.outside(ctx, "", in)
		return nil, out, err
	})
	mcp.AddTool(server, &mcp.Tool{Name: "look"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, done, error) {
		return nil, done{"seen"}, nil
	})
	return server
}

func (s *shop) preview(_ context.Context, in thing) (confirm.Preview[thing], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.What == "nothing" {
		return confirm.Preview[thing]{}, errors.New("There is no such thing. Call look first.")
	}
	return confirm.Preview[thing]{Summary: "Get " + in.What + s.world, Data: in, World: s.world}, nil
}

// inside is an effect in the database.
func (s *shop) inside(ctx context.Context, sql store.SQL, d thing) (done, error) {
	if _, err := sql.Exec(ctx, "INSERT INTO done (id, what) VALUES ('', $1)", d.What); err != nil {
		return done{}, err
	}
	return done{d.What}, s.failure()
}

// outside is an effect elsewhere.
func (s *shop) outside(_ context.Context, id string, d thing) (done, error) {
	s.mu.Lock()
	before := s.before
	if !before {
		s.effect = append(s.effect, strings.TrimSpace(id+" "+d.What))
	}
	s.mu.Unlock()
	return done{d.What}, s.failure()
}

func (s *shop) deliver(_ context.Context, id string, d thing) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.effect = append(s.effect, "delivered "+d.What)
	return nil
}

func (s *shop) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.panics {
		panic("fyr_a-secret-in-a-panic")
	}
	return s.fail
}

func (s *shop) looksAt(world string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world = world
}

func (s *shop) fails(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// effects are everything that was done, in the database and elsewhere.
func (s *shop) effects(t testing.TB) (all []string) {
	t.Helper()
	err := s.db.ViewSQL(t.Context(), func(sql store.SQL) error {
		all = nil
		rows, err := sql.Query(t.Context(), "SELECT what FROM done ORDER BY rowid")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var what string
			if err := rows.Scan(&what); err != nil {
				return err
			}
			all = append(all, what)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(all, s.effect...)
}

// A reply is what a tool answers.
type reply struct {
	text    string
	isError bool
	data    map[string]any
	raw     string
}

func (r reply) status() string { s, _ := r.data["status"].(string); return s }
func (r reply) token() string  { s, _ := r.data["confirmationToken"].(string); return s }

func call(t testing.TB, session *mcp.ClientSession, tool string, arguments any) reply {
	t.Helper()
	res, err := session.CallTool(context.WithoutCancel(t.Context()), &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		t.Fatalf("%s %v: %v", tool, arguments, err)
	}
	raw, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{isError: res.IsError, raw: string(raw)}
	r.data, _ = res.StructuredContent.(map[string]any)
	for _, c := range res.Content {
		if text, ok := c.(*mcp.TextContent); ok {
			r.text += text.Text
		}
	}
	return r
}

// shown calls a tool, which must answer a preview, and returns its token.
func shown(t testing.TB, session *mcp.ClientSession, tool, what string) string {
	t.Helper()
	r := call(t, session, tool, thing{what})
	if r.isError || r.status() != "preview" || r.token() == "" {
		t.Fatalf("%s: %s", tool, r.raw)
	}
	return r.token()
}

func confirms(t testing.TB, session *mcp.ClientSession, token string, key ...string) reply {
	t.Helper()
	arguments := map[string]any{"confirmationToken": token}
	if len(key) > 0 {
		arguments["idempotencyKey"] = key[0]
	}
	return call(t, session, "confirm_request", arguments)
}

func want(t testing.TB, what string, r reply, status, text string) {
	t.Helper()
	if r.status() != status || !strings.Contains(r.text, text) {
		t.Errorf("%s: %s\nwant %s, %q", what, r.raw, status, text)
	}
}

func wantEffects(t testing.TB, s *shop, what string, effects ...string) {
	t.Helper()
	if got := s.effects(t); fmt.Sprint(got) != fmt.Sprint(effects) {
		t.Errorf("%s: done are %q, want %q", what, got, effects)
	}
}
