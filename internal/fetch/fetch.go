// Package fetch gets a small JSON document from a URL that a stranger chose.
//
// Whoever makes a server fetch can make it knock at doors that are closed to
// them: the server's own network, its cloud's metadata, its neighbours. So a
// document comes by https from port 443 of a public address, which is checked
// when it is dialled, after the name was resolved for the last time; nothing is
// followed, sent along or unpacked, and time, size and number are bounded.
package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Errors of Get. They do not tell what stands behind an address that may not be
// asked: a host that does not exist, one that is not public and one that is
// silent are all unreachable.
var (
	ErrURL         = errors.New("fetch: only https URLs with a host, on port 443, are fetched")
	ErrBusy        = errors.New("fetch: too many fetches are under way")
	ErrUnreachable = errors.New("fetch: the host cannot be reached at a public address, or not in time")
	ErrAnswer      = errors.New("fetch: the answer is not a whole JSON document with status 200")
)

const (
	maxBody    = 64 << 10               // bytes
	maxHeader  = 16 << 10               // bytes
	timeout    = 3 * time.Second        // in all, waiting for others included
	pause      = 200 * time.Millisecond // between two fetches from one host
	maxWaiting = 8                      // fetches from one host, of which one is in flight
	maxFlights = 128                    // fetches in all
)

// Config says from where to fetch. The zero value is the safe one.
type Config struct {
	DangerouslyFromAnywhere bool           // also by http, from any port and any address
	Roots                   *x509.CertPool // whose certificates are believed; nil means the system's
}

// A Fetcher fetches documents. It is safe for concurrent use.
type Fetcher struct {
	anywhere  bool
	transport *http.Transport
	dialer    *net.Dialer
	timeout   time.Duration
	hosts     hosts

	mu      sync.Mutex
	flights map[string]*flight // by URL
}

// A flight is one fetch, and what all who wait for it get.
type flight struct {
	done chan struct{} // closed when doc and err are there
	doc  Document
	err  error
}

// New returns a fetcher of cfg.
func New(cfg Config) *Fetcher {
	f := &Fetcher{anywhere: cfg.DangerouslyFromAnywhere, dialer: &net.Dialer{}, timeout: timeout, hosts: newHosts(), flights: map[string]*flight{}}
	f.dialer.ControlContext = f.control
	f.transport = &http.Transport{
		Proxy:                  nil, // a proxy would resolve the name once more, behind our back
		DialContext:            f.dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: cfg.Roots},
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
	}
	return f
}

// Get fetches the document at uri. Whoever asks for it while it is on its way
// shares it; other documents of the host wait for their turn, as far as the time
// allows. The time is three seconds, whatever ctx says; when ctx ends, Get
// returns its error, and the fetch goes on for the others.
//
// It fails with [ErrURL], [ErrBusy], [ErrUnreachable], [ErrAnswer] or the error
// of ctx.
func (f *Fetcher) Get(ctx context.Context, uri string) (Document, error) {
	host, ok := f.target(uri)
	if !ok {
		return Document{}, ErrURL
	}
	fl, err := f.board(uri, host)
	if err != nil {
		return Document{}, err
	}
	select {
	case <-fl.done:
		return fl.doc, fl.err
	case <-ctx.Done():
		return Document{}, ctx.Err()
	}
}

// Body is the body of what Get returns.
func (f *Fetcher) Body(ctx context.Context, uri string) ([]byte, error) {
	doc, err := f.Get(ctx, uri)
	return doc.Body, err
}

// target returns the host and port that uri leads to, in one spelling.
func (f *Fetcher) target(uri string) (host string, ok bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return "", false
	}
	port := u.Port()
	if port == "" {
		port = u.Scheme
	} else if port == "443" && u.Scheme == "https" {
		port = "https"
	}
	host = strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") + ":" + port
	return host, port == "https" || f.anywhere && (u.Scheme == "https" || u.Scheme == "http")
}

// board returns the flight to uri, a new one if there is none.
func (f *Fetcher) board(uri, host string) (*flight, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl, ok := f.flights[uri]; ok {
		return fl, nil
	}
	if len(f.flights) >= maxFlights {
		return nil, ErrBusy
	}
	turn, ok := f.hosts.queue(host)
	if !ok {
		return nil, ErrBusy
	}
	fl := &flight{done: make(chan struct{})}
	f.flights[uri] = fl
	go func() {
		fl.doc, fl.err = f.fly(uri, turn)
		f.mu.Lock()
		delete(f.flights, uri)
		f.mu.Unlock()
		close(fl.done)
	}()
	return fl, nil
}

func (f *Fetcher) fly(uri string, turn *turn) (Document, error) {
	ctx, cancel := context.WithTimeout(context.Background(), f.timeout)
	defer cancel()
	if !turn.wait(ctx) {
		return Document{}, ErrBusy
	}
	defer turn.done()
	return f.fetch(ctx, uri)
}

// fetch makes the one request. It goes to the transport, not to a client:
// there are no redirects and no cookies.
func (f *Fetcher) fetch(ctx context.Context, uri string) (Document, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return Document{}, ErrURL
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "foyer")
	res, err := f.transport.RoundTrip(r)
	if err != nil {
		return Document{}, ErrUnreachable
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || !isJSON(res.Header.Get("Content-Type")) || encoded(res.Header) || res.ContentLength > maxBody {
		return Document{}, ErrAnswer
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	switch {
	case ctx.Err() != nil: // a host that notices that we hang up can end its answer still
		return Document{}, ErrUnreachable
	case err != nil, len(body) > maxBody, len(bytes.TrimSpace(body)) == 0:
		return Document{}, ErrAnswer
	}
	return document(body, res.Header, time.Now()), nil
}

// isJSON reports whether a media type is JSON, or is built on it (RFC 6839
// section 3.1).
func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"))
}

// encoded reports whether the body would have to be unpacked. Nobody has asked
// for that, and a few bytes may unpack to any number.
func encoded(h http.Header) bool {
	for _, coding := range h.Values("Content-Encoding") {
		if !strings.EqualFold(strings.TrimSpace(coding), "identity") {
			return true
		}
	}
	return false
}

// control looks at an address that is about to be dialled. The name was resolved
// before, and is not resolved again: no second answer can lead elsewhere.
func (f *Fetcher) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	if f.anywhere {
		return nil
	}
	return checkAddress(address)
}
