package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/confirm"
	"example.com/foyer/elicit"
	"example.com/foyer/gate"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// Points at which a handler of the shop tells where it is.
const (
	beforeEffect   = "before the effect"
	afterEffect    = "after the effect"
	beforeDelivery = "before the delivery"
	afterDelivery  = "after the delivery"
)

// ann is who calls.
var ann = gate.Caller{GrantID: "grant", GuestID: "guest", UserID: "ann", Email: "ann@example.com"}

// A shop has a tool of each class over one database, and one of the SDK's own. What
// its tools do outside of the database are lines of a file.
type shop struct {
	effects string // path
	ops     *confirm.Operations
	server  *mcp.Server
	run     mcp.MethodHandler // without the gate
	at      func(point string)
}

type (
	thing struct {
		What string `json:"what"`
	}
	done struct {
		Done string `json:"done"`
	}
)

// openShop opens the shop in a folder. Its store, its handlers and whoever hears of
// at are told where they are.
func openShop(dir string, now func() time.Time, at func(string), wrap func(store.Database) store.Database) (*shop, store.Database, error) {
	db, err := sqlite.Open(filepath.Join(dir, "shop.db"))
	if err != nil {
		return nil, nil, err
	}
	keys, err := secret.NewKeys([]string{strings.Repeat("a secret of no worth ", 3)})
	if err != nil {
		return nil, nil, err
	}
	db = wrap(db)
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	s := &shop{effects: filepath.Join(dir, "effects"), at: at, server: mcp.NewServer(&mcp.Implementation{Name: "shop", Version: "1"}, nil)}
	confirmed := gate.Decision{Outcome: gate.Confirm, Confirm: gate.ByModel}
	s.ops = confirm.New(confirm.Config{
		App: func() string { return "Shop" }, Store: db, Questions: elicit.New(db, keys, now, log), Now: now, Log: log,
		Decide: func(context.Context, mcp.Request, string, json.RawMessage) (gate.Decision, *mcp.CallToolResult) {
			return confirmed, nil
		},
		Arguments: func(_ string, raw json.RawMessage) (json.RawMessage, error) { return raw, nil },
		Run: func(ctx context.Context, req *mcp.CallToolRequest, tool string, arguments json.RawMessage) (mcp.Result, error) {
			return s.run(ctx, "tools/call", &mcp.CallToolRequest{Session: req.Session, Params: &mcp.CallToolParamsRaw{Name: tool, Arguments: arguments}, Extra: req.Extra})
		},
		Terms: func(tool string) string { return tool },
	})
	s.addTools()
	s.ops.Add(s.server)
	s.server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		s.run = next
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			ctx = gate.WithCaller(ctx, ann)
			if call, ok := req.(*mcp.CallToolRequest); ok && call.Params.Name == "erase" {
				return s.ops.Call(ctx, call, confirmed, nil) // which runs nothing of the SDK's
			}
			return next(ctx, method, req)
		}
	})
	return s, db, nil
}

func (s *shop) addTools() {
	alone := func(_ context.Context, d thing) (done, error) { return s.outside("", d) }
	confirm.AddTool(s.ops, s.server, &mcp.Tool{Name: "book"}, preview, confirm.Transactional(s.inside))
	confirm.AddTool(s.ops, s.server, &mcp.Tool{Name: "order"}, preview, confirm.Outbox(s.inside, s.deliver))
	confirm.AddTool(s.ops, s.server, &mcp.Tool{Name: "pay"}, preview, confirm.Idempotent(func(_ context.Context, id string, d thing) (done, error) { return s.outside(id, d) }))
	confirm.AddTool(s.ops, s.server, &mcp.Tool{Name: "send"}, preview, confirm.AtMostOnce(alone))
	confirm.AddTool(s.ops, s.server, &mcp.Tool{Name: "ask"}, preview, confirm.AtMostOnce(alone).Reconciled(s.look))
	mcp.AddTool(s.server, &mcp.Tool{Name: "erase"}, func(ctx context.Context, _ *mcp.CallToolRequest, in thing) (*mcp.CallToolResult, done, error) {
		out, err := alone(ctx, in)
		return nil, out, err
	})
}

func preview(_ context.Context, in thing) (confirm.Preview[thing], error) {
	return confirm.Preview[thing]{Summary: "Get " + in.What, Data: in}, nil
}

// inside is an effect in the database.
func (s *shop) inside(ctx context.Context, sql store.SQL, d thing) (done, error) {
	s.at(beforeEffect)
	_, err := sql.Exec(ctx, "INSERT INTO done (what) VALUES ($1)", d.What)
	s.at(afterEffect)
	return done{d.What}, err
}

// outside is an effect elsewhere, under a key or none.
func (s *shop) outside(id string, d thing) (done, error) {
	s.at(beforeEffect)
	err := s.append(d.What, id)
	s.at(afterEffect)
	return done{d.What}, err
}

func (s *shop) deliver(_ context.Context, id string, d thing) error {
	s.at(beforeDelivery)
	err := s.append(d.What, id)
	s.at(afterDelivery)
	return err
}

// append writes a line that is on the disk when append returns.
func (s *shop) append(what, id string) error {
	f, err := os.OpenFile(s.effects, os.O_APPEND|os.O_CREATE|os.O_WRONLY|os.O_SYNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "%s %s\n", what, id)
	return err
}

// look finds out what came of something.
func (s *shop) look(_ context.Context, _ string, d thing) (done, bool, error) {
	keys, err := effectsOf(s.effects, d.What)
	return done{d.What}, len(keys) > 0, err
}

// effectsOf returns the keys under which something was done outside of the
// database, in order.
func effectsOf(path, what string) (keys []string, err error) {
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	for line := range strings.Lines(string(text)) {
		if name, key, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " "); name == what {
			keys = append(keys, key)
		}
	}
	return keys, err
}
