package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var anywhere = Config{DangerouslyFromAnywhere: true}

// what is no https URL of port 443 is refused before anything is
// resolved.
func TestURLsThatAreFetched(t *testing.T) {
	const safe, dangerous = 1, 2
	for _, test := range []struct {
		uri  string
		want int
	}{
		{"https://app.example/client.json", safe | dangerous},
		{"https://app.example:443/client.json", safe | dangerous},
		{"https://app.example", safe | dangerous},
		{"https://app.example/client.json?a=b", safe | dangerous}, // a place of keys may have one
		{"http://app.example/client.json", dangerous},
		{"https://app.example:8443/client.json", dangerous},
		{"https://app.example:80/client.json", dangerous},
		{"http://app.example:443/client.json", dangerous},
		{"https://user@app.example/client.json", 0},
		{"https://app.example/client.json#x", 0},
		{"https:app.example", 0},
		{"https:///client.json", 0},
		{"https://:443/client.json", 0},
		{"//app.example/client.json", 0},
		{"file:///etc/passwd", 0},
		{"ftp://app.example/x", 0},
		{"gopher://app.example:443/x", 0},
		{"data:application/json,{}", 0},
		{"https://app.example/%zz", 0},
		{"https://app.example/\r\nX: y", 0},
		{"", 0},
	} {
		for mode, cfg := range map[int]Config{safe: {}, dangerous: anywhere} {
			w := newWeb(t, serves(`{}`))
			f := w.fetcher(cfg)
			if _, ok := f.target(test.uri); ok != (test.want&mode != 0) {
				t.Errorf("%q with %+v: fetched: %v", test.uri, cfg, ok)
			}
			if test.want&mode == 0 {
				if _, err := f.Get(t.Context(), test.uri); err != ErrURL {
					t.Errorf("%q: error = %v, want ErrURL", test.uri, err)
				}
			}
		}
	}
	f := New(Config{})
	for _, uri := range []string{"https://APP.example/a", "https://app.example:443/b", "https://app.example./c"} {
		if host, _ := f.target(uri); host != "app.example:https" {
			t.Errorf("%s is of host %q: it has a queue of its own", uri, host)
		}
	}
}

// what is an answer.
func TestOnlyWholeJSONWithStatus200IsAnAnswer(t *testing.T) {
	status := func(n int, headers ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.WriteHeader(n)
			if n != http.StatusNoContent && n != http.StatusNotModified {
				io.WriteString(w, `{}`)
			}
		}
	}
	full := `"` + strings.Repeat("x", maxBody-2) + `"`
	for _, test := range []struct {
		name  string
		serve http.HandlerFunc
		ok    bool
	}{
		{"JSON", serves(`{}`), true},
		{"JSON with a charset", serves(`{}`, "Content-Type", "Application/JSON; charset=utf-8"), true},
		{"what is built on JSON", serves(`{}`, "Content-Type", "application/jwk-set+json"), true},
		{"64 KiB", serves(full), true},
		{"not encoded, and saying so", serves(`{}`, "Content-Encoding", "identity"), true},
		{"a byte more", serves(full + " "), false},
		{"nothing", serves(""), false},
		{"a page", serves(`{}`, "Content-Type", "text/html"), false},
		{"plain text", serves(`{}`, "Content-Type", "text/plain"), false},
		{"a script", serves(`{}`, "Content-Type", "application/javascript"), false},
		{"an image that ends like JSON", serves(`{}`, "Content-Type", "image/x+json"), false},
		{"no media type", serves(`{}`, "Content-Type", ""), false},
		{"a broken media type", serves(`{}`, "Content-Type", "application/json; =;"), false},
		{"an encoding that nobody asked for", serves(`{}`, "Content-Encoding", "br"), false},
		{"a header of 20 KiB", serves(`{}`, "X-Long", strings.Repeat("x", 20<<10)), false},
		{"201", status(201), false},
		{"203", status(203), false},
		{"204", status(204), false},
		{"206", status(206), false},
		{"301", status(301, "Location", "/other"), false},
		{"302", status(302, "Location", "/other"), false},
		{"304", status(304), false},
		{"307", status(307, "Location", "/other"), false},
		{"308", status(308, "Location", "/other"), false},
		{"401", status(401, "WWW-Authenticate", "Basic"), false},
		{"404", status(404), false},
		{"429", status(429, "Retry-After", "0"), false},
		{"500", status(500), false},
		{"503", status(503, "Retry-After", "0"), false},
		{"a body that breaks off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{}`)
		}, false},
	} {
		w := newWeb(t, test.serve)
		doc, err := w.fetcher(anywhere).Get(t.Context(), w.URL+"/x")
		if (err == nil) != test.ok || !test.ok && (err != ErrAnswer && err != ErrUnreachable || doc.Body != nil) {
			t.Errorf("%s: %d bytes, %v; want an answer: %v", test.name, len(doc.Body), err, test.ok)
		}
		if connections, requests := w.came(); connections != 1 || requests != 1 {
			t.Errorf("%s: %d connections and %d requests, want one", test.name, connections, requests)
		}
	}
}

// R-73, T40: a redirect leads nowhere, not even to a place that may be asked.
func TestT40ARedirectIsNotFollowed(t *testing.T) {
	other := newWeb(t, serves(`{}`))
	for _, code := range []int{301, 302, 303, 307, 308} {
		w := newWeb(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL+"/x", code) })
		if _, err := w.fetcher(anywhere).Get(t.Context(), w.URL+"/x"); err != ErrAnswer {
			t.Errorf("%d: error = %v, want ErrAnswer", code, err)
		}
	}
	if connections, _ := other.came(); connections != 0 {
		t.Errorf("%d connections went where redirects lead", connections)
	}
}

// T40, R-74: a body costs no more than its bound, however long it is announced,
// and is never unpacked.
func TestT40ALongBodyIsNotRead(t *testing.T) {
	const long = 10 << 20
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	zip.Write(make([]byte, long))
	zip.Close()
	written := make(chan int, 1)
	pour := func(w http.ResponseWriter) {
		n := 0
		for n < long {
			m, err := w.Write(bytes.Repeat([]byte(" "), 32<<10))
			if n += m; err != nil {
				break
			}
		}
		written <- n
	}
	for name, serve := range map[string]http.HandlerFunc{
		"10 MiB, announced": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "10485760")
			pour(w)
		},
		"10 MiB in chunks": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			pour(w)
		},
		"a gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb.Bytes())
			written <- 0
		},
		"a gzip bomb that says it is none": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header()["Content-Encoding"] = []string{"identity", "x-gzip"}
			w.Write(bomb.Bytes())
			written <- 0
		},
	} {
		w := newWeb(t, serve)
		doc, err := w.fetcher(anywhere).Get(t.Context(), w.URL+"/x")
		if err != ErrAnswer || doc.Body != nil {
			t.Errorf("%s: %d bytes, %v", name, len(doc.Body), err)
		}
		if n := <-written; n >= long {
			t.Errorf("%s: all of it went over the wire", name)
		}
		if r := w.requests[0]; r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("%s: the request accepts %q", name, r.Header.Get("Accept-Encoding"))
		}
	}
}

// T40, R-74: who is slow is left, at the header or in the body.
func TestT40WhoIsSlowIsLeft(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"nothing comes": func(http.ResponseWriter) {},
		"a byte now and then": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, "{")
			w.(http.Flusher).Flush()
		},
	} {
		left := make(chan struct{})
		w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
			begin(w)
			<-r.Context().Done()
			close(left)
		})
		f := w.fetcher(anywhere)
		if f.timeout != 3*time.Second {
			t.Errorf("a fetch may take %v", f.timeout)
		}
		f.timeout = 100 * time.Millisecond
		if doc, err := f.Get(t.Context(), w.URL+"/x"); err != ErrUnreachable && err != ErrAnswer || doc.Body != nil {
			t.Errorf("%s: %q, %v", name, doc.Body, err)
		}
		select {
		case <-left:
		case <-time.After(10 * time.Second):
			t.Errorf("%s: the connection is held", name)
		}
	}
}

// a proxy would resolve and connect behind the back of the check.
func TestT40NoProxyIsAsked(t *testing.T) {
	proxy := newWeb(t, serves(`{}`))
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	w := newWeb(t, serves(`{}`))
	if _, err := w.fetcher(anywhere).Get(t.Context(), "https://example.com:"+w.port()+"/x"); err != nil {
		t.Error(err)
	}
	if w.fetcher(anywhere).transport.Proxy != nil {
		t.Error("a proxy may be asked")
	}
	if connections, _ := proxy.came(); connections != 0 {
		t.Error("the proxy was asked")
	}
}

// A request says what it wants, and nothing of who asks; nothing of one answer
// goes into the next request.
func TestARequestCarriesNothing(t *testing.T) {
	w := newWeb(t, serves(`{}`, "Set-Cookie", "a=b"))
	f := w.fetcher(anywhere)
	for range 2 {
		if _, err := f.Get(t.Context(), w.URL+"/x?y"); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range w.requests {
		var names []string
		for name := range r.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		if want := []string{"Accept", "Connection", "User-Agent"}; !slices.Equal(names, want) || r.Method != http.MethodGet {
			t.Errorf("%s with headers %v", r.Method, r.Header)
		}
	}
	if connections, _ := w.came(); connections != 2 {
		t.Errorf("%d connections for two requests: one was kept, and never looked at again", connections)
	}
}

func TestACertificateMustBeBelieved(t *testing.T) {
	w := newWeb(t, serves(`{}`))
	f := w.fetcher(anywhere)
	if _, err := f.Get(t.Context(), "https://app.example:"+w.port()+"/x"); err != ErrUnreachable {
		t.Errorf("a certificate of another name: %v", err)
	}
	f.transport.TLSClientConfig.RootCAs = x509.NewCertPool()
	if _, err := f.Get(t.Context(), w.URL+"/x"); err != ErrUnreachable {
		t.Errorf("a certificate of nobody: %v", err)
	}
	if _, requests := w.came(); requests != 0 {
		t.Errorf("%d requests were sent all the same", requests)
	}
}

// Whoever asks while a document is on its way shares it.
func TestOneFlightServesAll(t *testing.T) {
	hold := make(chan struct{})
	w := newWeb(t, func(w http.ResponseWriter, r *http.Request) {
		<-hold
		serves(`{}`)(w, r)
	})
	f := w.fetcher(anywhere)
	gone, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() { _, err := f.Get(gone, w.URL+"/x"); first <- err }()
	results := make(chan error)
	for range 50 {
		go func() { _, err := f.Get(t.Context(), w.URL+"/x"); results <- err }()
	}
	until(t, func() bool { _, requests := w.came(); return requests == 1 })
	cancel() // who began it goes away
	if err := <-first; err != context.Canceled {
		t.Errorf("who went away got %v", err)
	}
	close(hold)
	for range 50 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if _, requests := w.came(); requests > 2 { // one more where somebody came late
		t.Errorf("%d requests, want one", requests)
	}
}

// one fetch at a time from a host, a pause between them, and few who wait.
func TestAHostIsNotHammered(t *testing.T) {
	var now, most int
	var times []time.Time
	var w *web
	w = newWeb(t, func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		now++
		most = max(most, now)
		times = append(times, time.Now())
		w.mu.Unlock()
		serves(`{}`)(rw, r)
		w.mu.Lock()
		now--
		w.mu.Unlock()
	})
	f := w.fetcher(anywhere)
	results := make(chan error)
	const asked = 3 * maxWaiting
	for i := range asked {
		go func() {
			_, err := f.Get(t.Context(), w.URL+"/"+strings.Repeat("x", i))
			results <- err
		}()
	}
	answered, busy := 0, 0
	for range asked {
		switch err := <-results; err {
		case nil:
			answered++
		case ErrBusy:
			busy++
		default:
			t.Error(err)
		}
	}
	if answered == 0 || busy < asked-maxWaiting-answered || answered > maxWaiting+1 || most != 1 {
		t.Errorf("%d answered, %d busy, %d at once", answered, busy, most)
	}
	for i := 1; i < len(times); i++ {
		if gap := times[i].Sub(times[i-1]); gap < pause {
			t.Errorf("two requests %v apart, want %v", gap, pause)
		}
	}
	until(t, func() bool { f.hosts.mu.Lock(); defer f.hosts.mu.Unlock(); return len(f.hosts.open) == 0 })
}

// hosts that say nothing hold so many fetches, and no more.
func TestFetchesInAllAreBounded(t *testing.T) {
	f := New(anywhere)
	hold := make(chan struct{})
	f.dialer.ControlContext = func(context.Context, string, string, syscall.RawConn) error { <-hold; return errStopped }
	results := make(chan error, maxFlights+1)
	get := func(i int) {
		_, err := f.Get(t.Context(), fmt.Sprintf("https://127.0.0.1:%d/", 1000+i))
		results <- err
	}
	for i := range maxFlights {
		go get(i)
	}
	until(t, func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.flights) == maxFlights })
	get(maxFlights)
	if err := <-results; err != ErrBusy {
		t.Errorf("one more: %v, want ErrBusy", err)
	}
	close(hold)
	for range maxFlights {
		if err := <-results; err != ErrUnreachable {
			t.Errorf("one of those: %v", err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.flights) != 0 {
		t.Errorf("%d flights are still counted", len(f.flights))
	}
}

func until(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never happens")
		}
	}
}
