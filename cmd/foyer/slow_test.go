package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A pipe is a listener with one connection.
type pipe struct {
	conns chan net.Conn
	once  *sync.Once
}

func (p pipe) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipe) Close() error   { p.once.Do(func() { close(p.conns) }); return nil }
func (p pipe) Addr() net.Addr { return &net.TCPAddr{} }

// Who sends half a header, or nothing after an answer, is hung up on. The clock
// is the bubble's: nothing waits.
func TestSlowClientsAreHungUpOn(t *testing.T) {
	for _, test := range []struct {
		name, sent string
		after      time.Duration
	}{
		{"half a header", "POST /mcp HTTP/1.1\r\nHost: loc", 10 * time.Second},
		{"nothing at all", "", 10 * time.Second},
		{"nothing after an answer", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 2 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, far := net.Pipe()
				p := pipe{make(chan net.Conn, 1), &sync.Once{}}
				p.conns <- far
				srv := httpServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }))
				served := make(chan error, 1)
				go func() { served <- srv.Serve(p) }()
				began := time.Now()
				go io.WriteString(client, test.sent)
				if _, err := io.Copy(io.Discard, client); err != nil {
					t.Errorf("the connection ended with %v", err)
				}
				if took := time.Since(began); took != test.after {
					t.Errorf("hung up after %v, want %v", took, test.after)
				}
				srv.Close()
				if err := <-served; !errors.Is(err, http.ErrServerClosed) {
					t.Errorf("Serve: %v", err)
				}
			})
		})
	}
}
