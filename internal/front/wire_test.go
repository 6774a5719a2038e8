package front_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/foyer/internal/front"
)

// A wire is a client's end of a connection.
type wire struct {
	net.Conn
	reader *bufio.Reader
}

func dial(t *testing.T, addr string) wire {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return wire{c, bufio.NewReader(c)}
}

func (w wire) response(t *testing.T) *http.Response {
	t.Helper()
	res, err := http.ReadResponse(w.reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func (w wire) say(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

// A lane hands the ends of pipes to a server, so that time in a bubble passes
// only when everyone waits.
type lane struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *lane) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *lane) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *lane) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// bubble serves h to one client in a bubble of its own time.
func bubble(t *testing.T, h http.HandlerFunc, client func(t *testing.T, w wire)) {
	synctest.Test(t, func(t *testing.T) {
		l := &lane{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: newFront(t, front.Config{Issuer: "http://localhost"}).Handler(h)}
		go server.Serve(l)
		near, far := net.Pipe()
		l.conns <- far
		client(t, wire{near, bufio.NewReader(near)})
		near.Close()
		server.Close()
	})
}

func readAll(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "cut", http.StatusBadRequest)
		return
	}
	w.Write(body)
}

const head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: "

// A body that comes byte by byte does not hold a connection for longer than
// half a minute.
func TestADribblingBodyIsCut(t *testing.T) {
	for _, framing := range []string{"Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"} {
		bubble(t, readAll, func(t *testing.T, w wire) {
			began := time.Now()
			w.say(t, "POST / HTTP/1.1\r\nHost: localhost\r\n"+framing)
			var sending sync.WaitGroup
			sending.Go(func() {
				for range 1000 {
					piece := "x"
					if strings.HasPrefix(framing, "Transfer") {
						piece = "1\r\nx\r\n"
					}
					if _, err := io.WriteString(w, piece); err != nil {
						return
					}
					time.Sleep(time.Second) // of the bubble: takes no time
				}
			})
			res := w.response(t)
			if took := time.Since(began); res.StatusCode != http.StatusBadRequest || took != 30*time.Second {
				t.Errorf("%s: %s after %v, want it cut after 30s", framing, res.Status, took)
			}
			if _, err := io.Copy(io.Discard, w.reader); err != nil { // until the server has closed the connection
				t.Error(err)
			}
			w.Close()
			sending.Wait()
		})
	}
}

// The deadline is for the body. What the handler does then may take longer, is
// not cancelled, and the connection serves the next request, whenever it comes.
func TestASlowHandlerIsNotCut(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		body, err := []byte("hi"), error(nil)
		if r.URL.Path != "/unread" {
			body, err = io.ReadAll(r.Body)
		}
		select {
		case <-r.Context().Done():
			http.Error(w, "cancelled", http.StatusInternalServerError)
		case <-time.After(10 * time.Minute): // of the bubble
			w.Write(body)
		}
		if err != nil {
			t.Error(err)
		}
	}
	bubble(t, slow, func(t *testing.T, w wire) {
		for range 3 {
			for _, request := range []string{head + "2\r\n\r\nhi", "POST /unread HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi", "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"} {
				began := time.Now()
				w.say(t, request)
				res := w.response(t)
				body, err := io.ReadAll(res.Body)
				if err != nil || string(body) != "hi" || time.Since(began) != 10*time.Minute {
					t.Errorf("%s: %s, %v", res.Status, body, err)
				}
				time.Sleep(time.Hour)
			}
		}
	})
}

// A handler that does not read the body is not cut either, and a client that
// leaves still cancels what it asked for.
func TestAClientThatLeavesCancels(t *testing.T) {
	for _, reads := range []bool{true, false} {
		left := make(chan bool, 1)
		wait := func(w http.ResponseWriter, r *http.Request) {
			if reads {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			select {
			case <-r.Context().Done():
				left <- true
			case <-time.After(10 * time.Minute):
				left <- false
			}
		}
		synctest.Test(t, func(t *testing.T) {
			l := &lane{conns: make(chan net.Conn), closed: make(chan struct{})}
			server := &http.Server{Handler: newFront(t, front.Config{Issuer: "http://localhost"}).Handler(http.HandlerFunc(wait))}
			go server.Serve(l)
			near, far := net.Pipe()
			l.conns <- far
			if _, err := io.WriteString(near, head+"2\r\n\r\nhi"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if reads {
				near.Close()
			}
			time.Sleep(time.Hour)
			near.Close()
			server.Close()
		})
		if got := <-left; got != reads {
			t.Errorf("body read: %t, cancelled: %t", reads, got)
		}
	}
}

// On real TCP: the connection is good for the next request, after bodies of all
// sorts, read or not.
func TestAConnectionServesManyRequests(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/read", readAll)
	mux.HandleFunc("/", reached)
	server := httptest.NewServer(newFront(t, front.Config{Issuer: "http://localhost"}).Handler(mux))
	t.Cleanup(server.Close)
	w := dial(t, server.Listener.Addr().String())
	for _, path := range []string{"/read", "/leave", "/read", "/read"} {
		w.say(t, "POST "+path+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi")
		res := w.response(t)
		if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || path == "/read" && string(body) != "hi" {
			t.Errorf("%s: %s %s, %v", path, res.Status, body, err)
		}
	}
}

type secretive struct{ password string }

// A handler that panics answers 500, and nobody reads the value: it may hold a
// secret. What it is, and where, stands in the log.
func TestAPanicIsAnsweredAndItsValueIsNowhere(t *testing.T) {
	for name, value := range map[string]any{
		"a text":           "fyr_secret",
		"an error":         errors.New("fyr_secret"),
		"a struct":         secretive{"fyr_secret"},
		"no comparison":    []string{"fyr_secret"},
		"a map, likewise":  map[string]string{"fyr_secret": ""},
		"a pointer":        &secretive{"fyr_secret"},
		"a wrapped abort":  errors.Join(http.ErrAbortHandler, errors.New("fyr_secret")),
		"a runtime error":  nil, // stands for one
		"after some bytes": "fyr_secret",
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			f := newFront(t, front.Config{Issuer: "http://localhost", Log: slog.New(slog.NewTextHandler(&log, nil))})
			h := f.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if name == "after some bytes" {
					io.WriteString(w, `{"half":`)
				}
				if value == nil {
					var none *http.Request
					_ = none.Method
				}
				panic(value)
			}))
			server := httptest.NewServer(h)
			defer server.Close()
			res, err := http.Get(server.URL)
			var body []byte
			if err == nil {
				defer res.Body.Close()
				body, err = io.ReadAll(res.Body)
			}
			server.Close()
			switch {
			case name == "after some bytes" && err == nil:
				t.Errorf("half an answer looks like a whole one: %s %s", res.Status, body)
			case name != "after some bytes" && (err != nil || res.StatusCode != http.StatusInternalServerError || !bytes.Contains(body, []byte(`"jsonrpc":"2.0"`))):
				t.Errorf("%v %s, %v", res, body, err)
			}
			if text := log.String(); strings.Contains(text+string(body), "fyr_secret") || !strings.Contains(text, "type=") || !strings.Contains(text, "wire_test.go") {
				t.Errorf("log: %s\nbody: %s", text, body)
			}
		})
	}
}

// What net/http takes for the wish to break off stays one, and is not logged.
func TestAnAbortPasses(t *testing.T) {
	var log bytes.Buffer
	f := newFront(t, front.Config{Issuer: "http://localhost", Log: slog.New(slog.NewTextHandler(&log, nil))})
	defer func() {
		if v := recover(); v != http.ErrAbortHandler || log.Len() > 0 {
			t.Errorf("recovered %v, logged %s", v, &log)
		}
	}()
	f.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://localhost/", nil))
	t.Error("the panic did not pass")
}

// Flushing and deadlines reach through the front.
func TestAStreamPassesTheFront(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(newFront(t, front.Config{Issuer: "http://localhost"}).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		io.WriteString(w, "first")
		if err := errors.Join(rc.Flush(), rc.SetWriteDeadline(time.Time{}), rc.SetReadDeadline(time.Time{})); err != nil {
			t.Error(err)
		}
		<-release
	})))
	defer server.Close()
	res, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadFull(res.Body, make([]byte, 5)); err != nil {
		t.Error(err)
	}
	close(release)
}
