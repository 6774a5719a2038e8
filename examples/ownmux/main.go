// Command ownmux is a web application that lends books to its neighbours, and
// had a mux, middleware and a server of its own before it got an MCP server:
//
//	GET  /            a page
//	GET  /api/books   what there is to lend
//	     /mcp         the MCP server; any client connects, as a guest
//	     /public/mcp  the same, without a token for what is public
//
// What Foyer needs of such a house is said where it stands: in routes.go,
// logging.go and here.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	data := flag.String("data", "", "folder for grants and mails; a new one if empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *data, os.Getenv("LIBRARY_SECRET")); err != nil {
		fmt.Fprintln(os.Stderr, "ownmux:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr, data, secret string) (err error) {
	if secret == "" {
		return errors.New("LIBRARY_SECRET is not set: give it 32 random bytes or more, as by: export LIBRARY_SECRET=$(openssl rand -hex 32)")
	}
	if data == "" {
		if data, err = os.MkdirTemp("", "ownmux-"); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("The page    http://%s/\nMCP server  http://%[1]s/mcp and http://%[1]s/public/mcp\nMails       %s\n", listener.Addr(), filepath.Join(data, "mail"))
	return serve(ctx, listener, data, secret, slog.Default())
}

// serve serves until ctx ends, and then lets requests finish. What was opened is
// closed in this order: the HTTP server, the kit, the store.
func serve(ctx context.Context, listener net.Listener, data, secret string, log *slog.Logger) (err error) {
	defer listener.Close()
	books := newLibrary()
	guarded, err := guard(books, "http://"+listener.Addr().String(), data, secret, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, guarded.kit.Close(), guarded.store.Close()) }()

	srv := newServer(logging(log, routes(books, guarded.handler)))
	srv.RegisterOnShutdown(guarded.kit.Drain) // else Shutdown waits for streams, which do not end by themselves
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		return errors.Join(err, srv.Close()) // a request took longer than that
	}
	return nil
}

// newServer limits clients that are slow, or wicked. Its WriteTimeout is for the
// application's own routes: the kit moves the deadline with every write, so that
// streams and slow tools outlive it, as long as the middleware has Unwrap.
//
// What breaks streams is anything around the kit that buffers answers, such as
// an [http.TimeoutHandler] or a gzip that does not flush: what is said would
// arrive at the end, or never.
func newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute, // until a request has arrived; streams may be older
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}
