package client

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/foyer/internal/fetch"
	"example.com/foyer/store"
)

// A documentHost serves metadata documents by https, and counts who asks. What
// a document says, a test changes.
type documentHost struct {
	*httptest.Server
	mu    sync.Mutex
	serve http.HandlerFunc
	asked int
}

func newDocumentHost(t *testing.T) *documentHost {
	t.Helper()
	h := &documentHost{}
	h.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.asked++
		serve := h.serve
		h.mu.Unlock()
		serve(w, r)
	}))
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.StartTLS()
	t.Cleanup(h.Close)
	h.says(says(h.id()))
	return h
}

func (h *documentHost) id() string { return h.URL + "/client.json" }

func (h *documentHost) serves(serve http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.serve = serve
}

// says has h answer with a document, and these headers: names and values, in
// turn.
func (h *documentHost) says(body string, headers ...string) {
	h.serves(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		io.WriteString(w, body)
	})
}

func (h *documentHost) fails(status int) {
	h.serves(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "{}", status) })
}

func (h *documentHost) asks() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked
}

// reads makes f read documents, also those of h, as a process does that has just
// started.
func (f *fixture) reads(h *documentHost, trust Trust) {
	roots := x509.NewCertPool()
	roots.AddCert(h.Certificate())
	cfg := f.Config
	fetcher := fetch.New(fetch.Config{DangerouslyFromAnywhere: true, Roots: roots})
	cfg.Documents, cfg.Fetch = NewDocuments(fetcher, trust), fetcher.Body
	var err error
	if f.Clients, err = New(cfg); err != nil {
		f.t.Fatal(err)
	}
}

func newReader(t *testing.T) (*fixture, *documentHost) {
	t.Helper()
	f, h := newFixture(t), newDocumentHost(t)
	f.reads(h, Trust{})
	return f, h
}

// outcome is the name and the redirect URIs of a client, or the refusal.
func (f *fixture) outcome(id string) string {
	f.t.Helper()
	c, err := f.Lookup(f.t.Context(), id)
	if err != nil {
		if c.ID != "" {
			f.t.Errorf("it refused, and answered %+v", c)
		}
		return err.Error()
	}
	if c.ID != id || c.Document == nil {
		f.t.Errorf("Lookup(%q) = %+v", id, c)
	}
	return c.Name + " " + strings.Join(c.RedirectURIs, " ")
}

// app is the outcome of the document that says the least.
const app = "App https://app.example/cb"

// a URL needs no registration. To look it up writes nothing.
func TestR66AURLIsAClient(t *testing.T) {
	f, h := newReader(t)
	if got := f.outcome(h.id()); got != app {
		t.Errorf("Lookup: %s", got)
	}
	if _, err := f.record(t.Context(), h.id()); err != ErrUnknown {
		t.Errorf("the store remembers it: %v", err)
	}
	if got, err := f.Authenticate(t.Context(), Credentials{ClientID: h.id()}); err != nil || got.ID != h.id() {
		t.Errorf("Authenticate = %+v, %v", got, err)
	}
	if got := f.outcome(h.URL + "/other.json"); got != ErrDocument.Error() {
		t.Errorf("R-68: the document of another URL: %s", got)
	}
}

// what has no shape, or no trust, is refused before anybody is asked.
func TestR67R78NobodyIsAskedInVain(t *testing.T) {
	f, h := newReader(t)
	host := strings.TrimPrefix(h.URL, "https://")
	no := func(context.Context, *url.URL) error { return errors.New("no") }
	yes := func(_ context.Context, u *url.URL) error {
		if u.String() != h.id() {
			t.Errorf("Trust is asked about %s", u)
		}
		return nil
	}
	for _, test := range []struct {
		name  string
		trust Trust
		id    string
		want  error
	}{
		{"no path", Trust{}, h.URL, ErrDocument},
		{"a slash alone", Trust{}, h.URL + "/", ErrDocument},
		{"a query", Trust{}, h.id() + "?a", ErrDocument},
		{"a fragment", Trust{}, h.id() + "#a", ErrDocument},
		{"a user", Trust{}, "https://u@" + host + "/client.json", ErrDocument},
		{"dot segments", Trust{}, h.URL + "/a/../client.json", ErrDocument},
		{"http", Trust{}, "http://" + host + "/client.json", ErrDocument},
		{"upper case", Trust{}, strings.ToUpper(h.id()), ErrUnknown},
		{"a host that is not on the list", Trust{Hosts: []string{"claude.ai", "0.0.1"}}, h.id(), ErrDistrusted},
		{"a host that Trust refuses", Trust{Trust: no}, h.id(), ErrDistrusted},
		{"on the list, and refused", Trust{Hosts: []string{"127.0.0.1"}, Trust: no}, h.id(), ErrDistrusted},
		{"not on the list, whatever Trust says", Trust{Hosts: []string{"claude.ai"}, Trust: yes}, h.id(), ErrDistrusted},
		{"on the list", Trust{Hosts: []string{"claude.ai", "127.0.0.1"}}, h.id(), nil},
		{"trusted", Trust{Trust: yes}, h.id(), nil},
	} {
		f.reads(h, test.trust)
		before := h.asks()
		if _, err := f.Lookup(t.Context(), test.id); err != test.want {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if asked := h.asks() > before; asked != (test.want == nil) {
			t.Errorf("%s: asked: %v", test.name, asked)
		}
		if stranger, err := f.Stranger(t.Context(), test.id); stranger || err != nil {
			t.Errorf("%s: counted as a stranger: %v, %v", test.name, stranger, err)
		}
	}
}

// trust that ends counts at once, also for a document at hand.
func TestTrustMayEnd(t *testing.T) {
	f, h := newReader(t)
	var refuse error
	f.reads(h, Trust{Trust: func(context.Context, *url.URL) error { return refuse }})
	if got := f.outcome(h.id()); got != app {
		t.Errorf("trusted: %s", got)
	}
	refuse = errors.New("no more")
	if got := f.outcome(h.id()); got != ErrDistrusted.Error() {
		t.Errorf("no more: %s", got)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Lookup(gone, h.id()); err != context.Canceled {
		t.Errorf("when nobody waits for the answer: %v", err)
	}
}

// Without documents a URL is no client, not even one that is remembered.
func TestAURLIsNoClientWithoutDocuments(t *testing.T) {
	f, h := newReader(t)
	f.remember(h.id())
	f.Clients.Documents = nil
	if got := f.outcome(h.id()); got != ErrUnknown.Error() {
		t.Errorf("Lookup: %s", got)
	}
	if stranger, err := f.Stranger(t.Context(), h.id()); stranger || err != nil || f.ReadsDocuments() {
		t.Errorf("Stranger = %v, %v", stranger, err)
	}
}

// remember writes the record of a document's client, as a redemption does.
func (f *fixture) remember(id string) store.Client {
	f.t.Helper()
	c, err := f.Lookup(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	if c.Fresh.IsZero() {
		c.Document = nil
	}
	f.use(c)
	return c
}

// the second look-up asks the host again, or not.
func TestR71ADocumentIsKeptAsItsHeadersSay(t *testing.T) {
	for _, test := range []struct {
		name    string
		headers []string
		fresh   time.Duration // 0 for not at all
	}{
		{"an hour", []string{"Cache-Control", "max-age=3600"}, time.Hour},
		{"an hour, of which half has passed", []string{"Cache-Control", "max-age=3600", "Age", "1800"}, 30 * time.Minute},
		{"a second is a minute", []string{"Cache-Control", "max-age=1"}, time.Minute},
		{"a year is a day", []string{"Cache-Control", "max-age=31536000"}, 24 * time.Hour},
		{"nothing is a minute", nil, time.Minute},
		{"no-cache is a minute", []string{"Cache-Control", "no-cache"}, time.Minute},
		{"no-store is never", []string{"Cache-Control", "no-store, max-age=3600"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, h := newReader(t)
			h.says(says(h.id()), test.headers...)
			want := 1
			for _, wait := range []time.Duration{0, test.fresh - time.Second, time.Second} {
				if f.clock = f.clock.Add(max(wait, 0)); wait == time.Second || test.fresh == 0 {
					want = h.asks() + 1
				}
				if got := f.outcome(h.id()); got != app || h.asks() != want {
					t.Errorf("after %v: %s, asked %d times, want %d", wait, got, h.asks(), want)
				}
			}
		})
	}
}

// R-71, X34: what is no document is kept by nobody. 500 and then 200 succeeds.
func TestR71ErrorsAreNotKept(t *testing.T) {
	f, h := newReader(t)
	for _, step := range []struct {
		name string
		set  func()
		want string
	}{
		{"500", func() { h.fails(500) }, ErrUnavailable.Error()},
		{"404", func() { h.fails(404) }, ErrUnavailable.Error()},
		{"a page", func() { h.says("<html>", "Content-Type", "text/html") }, ErrUnavailable.Error()},
		{"no JSON", func() { h.says("<html>") }, ErrDocument.Error()},
		{"another's", func() { h.says(says("https://evil.example/c")) }, ErrDocument.Error()},
		{"a secret", func() { h.says(says(h.id(), "client_secret", `"x"`)) }, ErrDocument.Error()},
		{"its own", func() { h.says(says(h.id())) }, app},
	} {
		step.set()
		if got := f.outcome(h.id()); got != step.want {
			t.Errorf("%s: %s, want %s", step.name, got, step.want)
		}
	}
}

// X34: while the host is down, or turns us away, the document of before serves
// on, and the host is left alone for a minute.
func TestX34AHostThatIsDownSignsNobodyOut(t *testing.T) {
	f, h := newReader(t)
	f.remember(h.id())
	for _, status := range []int{500, 403, 404, 302} {
		for _, restarted := range []bool{false, true} {
			if restarted {
				f.reads(h, Trust{})
			}
			h.fails(status)
			f.clock = f.clock.Add(time.Hour)
			before := h.asks()
			for range 3 {
				if got := f.outcome(h.id()); got != app {
					t.Errorf("%d, restarted %v: %s", status, restarted, got)
				}
			}
			if n := h.asks() - before; n != 1 {
				t.Errorf("%d, restarted %v: asked %d times, want once", status, restarted, n)
			}
		}
	}
	h.says(says(h.id(), "client_name", `"New"`))
	f.clock = f.clock.Add(minFresh)
	if got := f.outcome(h.id()); got != "New https://app.example/cb" {
		t.Errorf("up again: %s", got)
	}
	h.Close()
	f.reads(h, Trust{})
	f.clock = f.clock.Add(time.Hour)
	if got := f.outcome(h.id()); got != app {
		t.Errorf("gone, after a restart: %s; want what the redemption remembered", got)
	}
}

// A document that can be read, and says what cannot be accepted, ends the one of
// before.
func TestADocumentThatCannotBeAcceptedEndsTheOneBefore(t *testing.T) {
	f, h := newReader(t)
	f.outcome(h.id())
	f.clock = f.clock.Add(time.Hour)
	h.says(says(h.id(), "token_endpoint_auth_method", `"client_secret_basic"`))
	if got := f.outcome(h.id()); got != ErrDocument.Error() {
		t.Errorf("refused: %s", got)
	}
	h.fails(500)
	if got := f.outcome(h.id()); got != ErrUnavailable.Error() {
		t.Errorf("afterwards: %s", got)
	}
}

// X34: a document that was stored, and that the rules of today refuse, is read
// again.
func TestX34AStoredDocumentThatNoLongerHoldsIsReadAgain(t *testing.T) {
	f, h := newReader(t)
	c := f.remember(h.id())
	for name, document := range map[string]string{"a secret": says(h.id(), "client_secret", `"x"`), "another's": says("https://evil.example/c"), "no JSON": "x", "none": ""} {
		c.Document, c.Fresh = []byte(document), f.clock.Add(time.Hour)
		f.use(c)
		f.reads(h, Trust{})
		before := h.asks()
		if got := f.outcome(h.id()); got != app || h.asks() != before+1 {
			t.Errorf("%s: %s, asked %d times, want once", name, got, h.asks()-before)
		}
	}
	h.fails(500)
	f.reads(h, Trust{})
	if got := f.outcome(h.id()); got != ErrUnavailable.Error() {
		t.Errorf("and it cannot be read: %s", got)
	}
}

// X24: what is remembered spares the host, for as long as it is fresh, and
// counts for nothing once it has expired.
func TestX24ARememberedDocumentOutlivesTheProcess(t *testing.T) {
	f, h := newReader(t)
	h.says(says(h.id()), "Cache-Control", "max-age=3600")
	kept := f.remember(h.id())
	f.reads(h, Trust{})
	before := h.asks()
	if c, err := f.Lookup(t.Context(), h.id()); err != nil || !bytes.Equal(c.Document, kept.Document) || !c.Fresh.Equal(kept.Fresh) || h.asks() != before {
		t.Errorf("Lookup = %+v, %v; asked %d times", c, err, h.asks()-before)
	}
	if stranger, err := f.Stranger(t.Context(), h.id()); stranger || err != nil {
		t.Errorf("Stranger = %v, %v", stranger, err)
	}
	h.fails(500)
	f.clock = f.clock.Add(91 * unused)
	f.reads(h, Trust{})
	if stranger, err := f.Stranger(t.Context(), h.id()); !stranger || err != nil {
		t.Errorf("expired: Stranger = %v, %v", stranger, err)
	}
	if got := f.outcome(h.id()); got != ErrUnavailable.Error() {
		t.Errorf("expired: %s", got)
	}
}

// no-store is obeyed by the store too.
func TestWhatMayNotBeKeptIsReadEachTime(t *testing.T) {
	f, h := newReader(t)
	h.says(says(h.id()), "Cache-Control", "no-store")
	if c := f.remember(h.id()); !c.Fresh.IsZero() || f.Documents.size != 0 {
		t.Errorf("it is kept: %+v, %d bytes", c, f.Documents.size)
	}
	if stranger, _ := f.Stranger(t.Context(), h.id()); stranger {
		t.Error("a client that has grants here is a stranger")
	}
	for want := 2; want < 4; want++ {
		if got := f.outcome(h.id()); got != app || h.asks() != want {
			t.Errorf("%s, asked %d times, want %d", got, h.asks(), want)
		}
	}
	h.fails(500)
	if got := f.outcome(h.id()); got != ErrUnavailable.Error() {
		t.Errorf("when the host is down: %s", got)
	}
}

// who says that it has keys only is not believed without them.
func TestR75WhoHasOnlyKeysIsNotPublic(t *testing.T) {
	f, h := newReader(t)
	c := f.register(metadata("App", redirect))
	if _, err := f.Authenticate(t.Context(), Credentials{ClientID: c.ID}); err != nil {
		t.Errorf("a client that registered: %v", err)
	}
	h.says(says(h.id(), "token_endpoint_auth_method", `"private_key_jwt"`, "jwks_uri", `"https://app.example/keys"`))
	if got := f.outcome(h.id()); got != app {
		t.Errorf("Lookup: %s", got)
	}
	if c, err := f.Authenticate(t.Context(), Credentials{ClientID: h.id()}); err != ErrCredentials || c.ID != "" {
		t.Errorf("Authenticate = %+v, %v", c, err)
	}
	f.clock = f.clock.Add(time.Hour)
	h.says(says(h.id(), "token_endpoint_auth_method", `"private_key_jwt"`, "token_endpoint_auth_methods_supported", `["none"]`, "jwks_uri", `"https://app.example/keys"`))
	if _, err := f.Authenticate(t.Context(), Credentials{ClientID: h.id()}); err != nil {
		t.Errorf("X34: Authenticate, where none will do: %v", err)
	}
}

// A document that many ask for at once is fetched once, and documents in all
// take so much memory and no more.
func TestDocumentsAreBounded(t *testing.T) {
	f, h := newReader(t)
	results := make(chan string)
	for range 20 {
		go func() { results <- f.outcome(h.id()) }()
	}
	for range 20 {
		if got := <-results; got != app {
			t.Error(got)
		}
	}
	if n := h.asks(); n > 2 { // one more for somebody who came late
		t.Errorf("asked %d times", n)
	}
	d := f.Documents
	big := store.Client{Document: make([]byte, 64<<10)}
	for i := range 1000 {
		big.ID = fmt.Sprint("https://app.example/", i)
		d.keep(big)
		if i%10 == 0 {
			d.get(h.id()) // who is asked for stays
		}
	}
	if d.size > maxKept || d.size < maxKept/2 || len(d.kept) != d.order.Len() {
		t.Errorf("%d bytes in %d documents", d.size, len(d.kept))
	}
	if _, ok := d.get(h.id()); !ok {
		t.Error("the one that was asked for has gone")
	}
	ids := slices.Collect(func(yield func(string) bool) {
		for id := range d.kept {
			if !yield(id) {
				return
			}
		}
	})
	for _, id := range ids {
		d.drop(id)
		d.drop(id)
	}
	if d.size != 0 || len(d.kept) != 0 || d.order.Len() != 0 {
		t.Errorf("empty, it has %d bytes", d.size)
	}
}

func TestAFaultOfTheStoreIsNoStranger(t *testing.T) {
	f, h := newReader(t)
	f.Store.Close()
	if _, err := f.Stranger(t.Context(), h.id()); err == nil {
		t.Error("Stranger: no error")
	}
	if _, err := f.Lookup(t.Context(), h.id()); err == nil || errors.Is(err, ErrUnknown) || errors.Is(err, ErrUnavailable) || h.asks() != 0 {
		t.Errorf("Lookup: %v, asked %d times", err, h.asks())
	}
}
