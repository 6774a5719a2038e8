package fetch

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// A web is a host on loopback that serves documents by https, and a resolver
// that leads every name to it, unless a test says otherwise. It counts who
// comes.
type web struct {
	*httptest.Server
	t testing.TB

	mu          sync.Mutex
	connections int
	requests    []*http.Request
	answers     map[string][][]string // to a name, one after the other; the last one stays
}

func newWeb(t testing.TB, serve http.HandlerFunc) *web {
	t.Helper()
	w := &web{t: t, answers: map[string][][]string{}}
	w.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.requests = append(w.requests, r)
		w.mu.Unlock()
		serve(rw, r)
	}))
	w.Config.ErrorLog = log.New(io.Discard, "", 0)
	w.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.connections++
		}
	}
	w.StartTLS()
	t.Cleanup(w.Close)
	return w
}

func (w *web) port() string {
	u, err := url.Parse(w.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	return u.Port()
}

// came is how many connections and requests have come.
func (w *web) came() (connections, requests int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.connections, len(w.requests)
}

// fetcher asks this web's resolver and believes its certificate.
func (w *web) fetcher(cfg Config) *Fetcher {
	cfg.Roots = x509.NewCertPool()
	cfg.Roots.AddCert(w.Certificate())
	f := New(cfg)
	f.dialer.Resolver = &net.Resolver{PreferGo: true, Dial: w.dialResolver}
	return f
}

var errStopped = errors.New("stopped before it left this machine")

// stop has f dial nothing but loopback. What else it would have dialled, it
// notes.
func stop(f *Fetcher) (passed func() []string) {
	var mu sync.Mutex
	var addresses []string
	f.dialer.ControlContext = func(ctx context.Context, network, address string, c syscall.RawConn) error {
		if err := f.control(ctx, network, address, c); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		addresses = append(addresses, address)
		if ap, err := netip.ParseAddrPort(address); err != nil || !ap.Addr().Unmap().IsLoopback() && !ap.Addr().IsUnspecified() {
			return errStopped
		}
		return nil
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return addresses
	}
}

// dialResolver connects to a resolver that lives at the other end of a pipe.
func (w *web) dialResolver(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	go func() {
		defer there.Close()
		for {
			var size [2]byte // how TCP frames a message (RFC 1035 section 4.2.2)
			if _, err := io.ReadFull(there, size[:]); err != nil {
				return
			}
			question := make([]byte, int(size[0])<<8|int(size[1]))
			if _, err := io.ReadFull(there, question); err != nil {
				return
			}
			answer := w.answer(question)
			if _, err := there.Write(append([]byte{byte(len(answer) >> 8), byte(len(answer))}, answer...)); err != nil {
				return
			}
		}
	}()
	return here, nil
}

func (w *web) answer(question []byte) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil || len(m.Questions) != 1 {
		w.t.Errorf("no question: %v", err)
		return nil
	}
	q := m.Questions[0]
	m.Response, m.Additionals = true, nil
	for _, text := range w.addresses(q) {
		addr := netip.MustParseAddr(text)
		header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
		switch {
		case q.Type == dnsmessage.TypeA && addr.Is4():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}})
		case q.Type == dnsmessage.TypeAAAA && addr.Is6():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
		}
	}
	packed, err := m.Pack()
	if err != nil {
		w.t.Error(err)
	}
	return packed
}

// addresses are the next answer to q. The two questions of one look-up, for A
// and for AAAA, count as one.
func (w *web) addresses(q dnsmessage.Question) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := q.Name.String()
	all, ok := w.answers[name]
	if !ok {
		return []string{"127.0.0.1"}
	}
	if q.Type == dnsmessage.TypeA && len(all) > 1 {
		w.answers[name] = all[1:]
	}
	return all[0]
}

// serves answers with a document.
func serves(body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		io.WriteString(w, body)
	}
}
