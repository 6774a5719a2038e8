package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/store"
)

// Variables of the environment of a server's process.
const (
	shopFolder = "FOYER_CONFIRM_SHOP"
	shopAhead  = "FOYER_CONFIRM_AHEAD" // seconds that its clock is ahead
)

// serveAndExit is the process that is killed.
func serveAndExit(dir string) {
	if err := serve(dir); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve serves the shop in a folder on standard input and output, until the input
// ends.
func serve(dir string) error {
	seconds, err := strconv.ParseInt(os.Getenv(shopAhead), 10, 64)
	if err != nil {
		return fmt.Errorf("%s: %w", shopAhead, err)
	}
	var ahead atomic.Int64
	ahead.Store(seconds)
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load()) * time.Second) }
	t := &trap{}
	s, db, err := openShop(dir, now, t.at, func(db store.Database) store.Database { t.Database = db; return t })
	if err != nil {
		return err
	}
	w := &worker{work: s.ops.Work}
	mcp.AddTool(s.server, &mcp.Tool{Name: "pass_time"}, func(_ context.Context, _ *mcp.CallToolRequest, in struct{ Seconds int64 }) (*mcp.CallToolResult, any, error) {
		ahead.Add(in.Seconds)
		return nil, nil, nil
	})
	mcp.AddTool(s.server, &mcp.Tool{Name: "set_trap"}, func(_ context.Context, _ *mcp.CallToolRequest, in struct{ Point string }) (*mcp.CallToolResult, any, error) {
		w.stop() // whose transactions would count
		t.set(in.Point)
		return nil, nil, nil
	})
	mcp.AddTool(s.server, &mcp.Tool{Name: "work"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		w.start()
		return nil, nil, nil
	})
	_ = s.server.Run(context.Background(), &mcp.StdioTransport{}) // an error says that the input has ended
	w.stop()
	s.ops.Close()
	return db.Close()
}

// A worker looks after what nobody waits for, from start to stop.
type worker struct {
	work func(context.Context)

	mu  sync.Mutex
	end func()
}

// start begins at once with a look at what is due.
func (w *worker) start() {
	w.stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	w.end = func() {
		cancel()
		<-ended
	}
	go func() {
		defer close(ended)
		w.work(ctx)
	}()
}

func (w *worker) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end != nil {
		w.end()
		w.end = nil
	}
}
