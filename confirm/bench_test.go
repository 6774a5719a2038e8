package confirm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// What a preview and its confirmation cost beside an update that puts one record in
// the same file, at so many clients at once, without HTTP and the SDK. x/commit is of
// rates: 0.5 means that in the time of a preview and its confirmation two such
// records are committed. Each client has a grant of its own, on which little was
// confirmed before; or 190 operations, which with those of the race are nearly as
// many as it may have shown.
func BenchmarkConfirm(b *testing.B) {
	for _, tool := range []string{"transactional", "at most once"} {
		for _, clients := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/clients=%d", tool, clients), func(b *testing.B) {
				newCounter(b).race(b, tool, clients, 0)
			})
		}
	}
	b.Run("transactional/clients=1/before=190", func(b *testing.B) { newCounter(b).race(b, "transactional", 1, 190) })
}

// A counter is a shop without a door.
type counter struct {
	db  store.Database
	ops *Operations
	n   atomic.Int64 // of grants
}

func newCounter(b *testing.B) *counter {
	db, err := sqlite.Open(filepath.Join(b.TempDir(), "shop.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	err = db.UpdateSQL(b.Context(), func(_ store.Tx, sql store.SQL) error {
		_, err := sql.Exec(b.Context(), "CREATE TABLE done (what TEXT NOT NULL)")
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	c := &counter{db: db, ops: New(Config{Store: db, Now: time.Now, Log: slog.New(slog.DiscardHandler), App: func() string { return "" },
		Terms:     func(string) string { return "terms" },
		Arguments: func(_ string, raw json.RawMessage) (json.RawMessage, error) { return raw, nil },
		Decide: func(context.Context, mcp.Request, string, json.RawMessage) (gate.Decision, *mcp.CallToolResult) {
			return gate.Decision{Outcome: gate.Confirm, Confirm: gate.ByModel}, nil
		},
	})}
	preview := func(_ context.Context, in map[string]string) (Preview[map[string]string], error) {
		return Preview[map[string]string]{Summary: "Get " + in["what"], Data: in}, nil
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "shop", Version: "1"}, nil)
	AddTool(c.ops, server, &mcp.Tool{Name: "transactional"}, preview, Transactional(func(ctx context.Context, sql store.SQL, d map[string]string) (string, error) {
		_, err := sql.Exec(ctx, "INSERT INTO done (what) VALUES ($1)", d["what"])
		return d["what"], err
	}))
	AddTool(c.ops, server, &mcp.Tool{Name: "at most once"}, preview, AtMostOnce(func(_ context.Context, d map[string]string) (string, error) { return d["what"], nil }))
	return c
}

// race lets both do their acts in turn, so that whatever else runs on the machine
// weighs on both, and reports the ratio of their rates, the median of five parts of
// the race. Making grants is not counted.
func (c *counter) race(b *testing.B, tool string, clients, before int) {
	b.Helper()
	const parts, each = 5, 8 // acts of a client
	var took [parts][2]time.Duration
	rounds := 0
	for ; b.Loop(); rounds++ {
		b.StopTimer()
		callers := c.callers(b, clients)
		for range before {
			c.buy(b, callers[0], tool)
		}
		b.StartTimer()
		for i := range 2 {
			who := (i + rounds/parts) % 2
			begun := time.Now()
			var all sync.WaitGroup
			for _, caller := range callers {
				all.Go(func() {
					for range each {
						if who == 0 {
							c.buy(b, caller, tool)
						} else {
							c.commit(b, caller)
						}
					}
				})
			}
			all.Wait()
			took[rounds%parts][who] += time.Since(begun)
		}
	}
	var ratios []float64
	var total time.Duration
	for _, part := range took {
		total += part[0]
		if part[0] > 0 {
			ratios = append(ratios, float64(part[1])/float64(part[0]))
		}
	}
	slices.Sort(ratios)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(rounds*clients*each)/total.Seconds(), "op/s")
	b.ReportMetric(ratios[len(ratios)/2], "x/commit")
}

func (c *counter) callers(b *testing.B, clients int) (callers []gate.Caller) {
	for range clients {
		name := fmt.Sprint(c.n.Add(1))
		caller := gate.Caller{GrantID: name, UserID: name, GuestID: name}
		if err := c.putGrant(caller); err != nil {
			b.Fatal(err)
		}
		callers = append(callers, caller)
	}
	return callers
}

func (c *counter) putGrant(caller gate.Caller) error {
	g := store.Grant{ID: caller.GrantID, UserID: caller.UserID, GuestID: caller.GuestID, Resource: strings.Repeat("x", 256), Expires: time.Now().Add(time.Hour)}
	return c.db.Update(context.Background(), func(tx store.Tx) error { return tx.PutGrant(context.Background(), g) })
}

// buy previews a tool, and confirms it.
func (c *counter) buy(b *testing.B, caller gate.Caller, tool string) {
	ctx := gate.WithCaller(context.Background(), caller)
	shown := c.ops.first(ctx, request(tool, `{"what":"tea"}`), c.ops.known(tool))
	a, _ := shown.StructuredContent.(answer)
	res, err := c.ops.confirm(ctx, nil, request("confirm_request", `{"confirmationToken":"`+a.Token+`"}`))
	if err == nil && (a.Status != "preview" || res.IsError) {
		err = errors.New("it was refused")
	}
	if err != nil {
		b.Error(err)
	}
}

// commit puts one record.
func (c *counter) commit(b *testing.B, caller gate.Caller) {
	caller.GrantID = fmt.Sprint(c.n.Add(1))
	if err := c.putGrant(caller); err != nil {
		b.Error(err)
	}
}

func request(tool, arguments string) *mcp.CallToolRequest {
	return &mcp.CallToolRequest{Params: &mcp.CallToolParamsRaw{Name: tool, Arguments: json.RawMessage(arguments)}}
}
