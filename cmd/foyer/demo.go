package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.com/foyer"
	"example.com/foyer/gate"
	"example.com/foyer/mail"
	"example.com/foyer/store/sqlite"
)

// A demo is the command "foyer demo". Its flags, its routes and the places of
// its files are a contract that scripts rely on.
type demo struct {
	Addr string `default:"127.0.0.1:8080" help:"Address to listen on."`
	place
	Store    string        `default:"sqlite" help:"Where to keep grants: sqlite."`
	Issuer   string        `placeholder:"URL" help:"Public URL. Default: http:// and the address."`
	Entry    string        `default:"guest" help:"How /mcp greets a request without a token: guest, lazy, eager."`
	CodeTTL  time.Duration `name:"one-time-code-ttl" default:"10m" help:"How long mailed digits live; 10m at most."`
	Access   time.Duration `name:"access-ttl" default:"1h" help:"How long access tokens live."`
	NoLimits bool          `name:"dangerously-no-limits" help:"Lift every limit but the five tries of a code."`
}

// Run serves until ctx ends.
func (d *demo) Run(ctx context.Context) error {
	if err := d.later(); err != nil {
		return err
	}
	if d.CodeTTL <= 0 || d.Access <= 0 {
		return fmt.Errorf("%w: a lifetime must be more than 0", errUsage)
	}
	dir, err := d.dir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil { // nobody else's to read
		return err
	}
	listener, err := net.Listen("tcp", d.Addr)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --addr", err)
	}
	defer listener.Close()
	if d.Issuer == "" {
		d.Issuer = issuerOf(listener.Addr())
	}
	s, err := d.open(dir)
	if err != nil {
		return err
	}
	defer s.close()
	d.greet(os.Stdout, dir)
	return s.serve(ctx, listener)
}

// later refuses by name what this version does not have yet.
func (d *demo) later() error {
	if err := d.known(); err != nil {
		return err
	}
	if err := oneOf("--store", d.Store, "sqlite"); err != nil {
		return err
	}
	return oneOf("--entry", d.Entry, "guest", "lazy", "eager")
}

// issuerOf returns a URL by which a client on this device reaches addr.
func issuerOf(addr net.Addr) string {
	a, err := netip.ParseAddrPort(addr.String())
	if err != nil || a.Addr().IsUnspecified() {
		_, port, _ := net.SplitHostPort(addr.String())
		return strings.TrimSuffix("http://localhost:"+port, ":80")
	}
	return strings.TrimSuffix("http://"+a.String(), ":80") // an issuer has no port that is usual
}

// A server is the demo, open.
type server struct {
	handler http.Handler
	drain   func() // ends what would keep it from shutting down
	close   func()
}

func (d *demo) open(dir string) (s server, err error) {
	var opened []io.Closer
	s.close = func() {
		for i := len(opened) - 1; i >= 0; i-- {
			if err := opened[i].Close(); err != nil {
				slog.Error("close", "err", err)
			}
		}
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	secret, err := secretIn(filepath.Join(dir, "secret"))
	if err != nil {
		return s, err
	}
	db, err := sqlite.Open(filepath.Join(dir, database))
	if err != nil {
		return s, err
	}
	opened = append(opened, db)
	app, err := openApp(d.App, dir, db)
	if err != nil {
		return s, err
	}
	opened = append(opened, app)
	box := mail.Folder{Dir: filepath.Join(dir, "mail"), From: app.from}
	kit, err := foyer.New(foyer.Config{
		Issuer:                    d.Issuer,
		Secrets:                   []string{secret},
		Store:                     db,
		Mail:                      box,
		Scopes:                    app.scopes,
		Tools:                     app.tools,
		Resources:                 app.resources,
		Prompts:                   app.prompts,
		GuestData:                 app.guestData,
		UserData:                  app.userData,
		Endpoints:                 d.endpoints(app),
		Lifetimes:                 foyer.Lifetimes{OneTimeCode: d.CodeTTL, Access: d.Access},
		DangerouslyExemptLoopback: true,
		DangerouslyNoLimits:       d.NoLimits,
	})
	if err != nil {
		return s, err
	}
	opened = append(opened, kit)
	handler, err := kit.Handler(app.server(kit))
	if err != nil {
		return s, err
	}
	s.handler, s.drain = routes(handler, box.Dir), kit.Drain
	return s, nil
}

// endpoints are /mcp, and the same items behind the other entries.
func (d *demo) endpoints(app app) []foyer.Endpoint {
	if app.endpoints != nil {
		return app.endpoints
	}
	return []foyer.Endpoint{{Path: "/mcp", Entry: gate.Entry(d.Entry)}, {Path: "/lazy/mcp", Entry: gate.Lazy}, {Path: "/eager/mcp", Entry: gate.Eager}}
}

// routes puts the pages of the demo beside the kit.
func routes(kit http.Handler, mailDir string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", kit)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	box := onDevice(inbox(mailDir))
	mux.Handle("/dev/mail", box)
	mux.Handle("/dev/mail/", box)
	return mux
}

// onDevice serves next to this device alone: the inbox opens every account. A
// page elsewhere that makes a browser take this server for its own names itself
// as the host, and a tunnel names its public one.
func onDevice(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		named, _ := netip.ParseAddr(strings.Trim(host, "[]"))
		peer, _ := netip.ParseAddrPort(r.RemoteAddr)
		if host != "localhost" && !named.IsLoopback() || !peer.Addr().Unmap().IsLoopback() || r.Header.Get("X-Forwarded-For") != "" {
			http.Error(w, "The inbox is only for this device: open it at http://localhost.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// secretIn returns the secret in the file at path, and makes it first where
// there is none. It stands beside the database, not in it. A file that is there
// is whole: it gets its name when it has been written.
func secretIn(path string) (string, error) {
	secret, err := os.ReadFile(path)
	if !errors.Is(err, os.ErrNotExist) {
		return strings.TrimSpace(string(secret)), err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "secret-") // readable by its owner alone
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name())
	_, err = fmt.Fprintln(file, rand.Text()+rand.Text())
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return "", err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, os.ErrExist) { // another process was faster
		return "", err
	}
	secret, err = os.ReadFile(path)
	return strings.TrimSpace(string(secret)), err
}

// httpServer serves h to clients that may be slow, or wicked. The kit limits
// bodies by itself; headers and idle connections are the server's to limit.
func httpServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
}

// serve serves until ctx ends, and then lets requests finish.
func (s server) serve(ctx context.Context, listener net.Listener) error {
	srv := httpServer(s.handler)
	srv.RegisterOnShutdown(s.drain)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		return srv.Close() // a tool takes its time
	}
	return nil
}
