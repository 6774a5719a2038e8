package front_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"example.com/foyer/internal/front"
)

func newFront(t testing.TB, cfg front.Config) *front.Front {
	t.Helper()
	cfg.Endpoints = append(cfg.Endpoints, "/", "/mcp")
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	f, err := front.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// reached tells the client that a request went through, and what became of it.
func reached(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "reached from %s", r.RemoteAddr)
}

// exchange sends text over a connection of its own, and returns the answer.
func exchange(t *testing.T, h http.Handler, text string) *http.Response {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c := dial(t, server.Listener.Addr().String())
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c.response(t)
}

// (T52, R-96; X9)
func TestHostsThatAreThisServer(t *testing.T) {
	const public, local = "https://notes.example.com", "http://localhost:8080"
	for _, test := range []struct {
		name, issuer, host string
		ok                 bool
	}{
		{"the issuer's", public, "notes.example.com", true},
		{"in other case", public, "NOTES.Example.com", true},
		{"with another port", public, "notes.example.com:8443", false},
		{"a subdomain", public, "x.notes.example.com", false},
		{"the parent", public, "example.com", false},
		{"a dot at the end", public, "notes.example.com.", false},
		{"another's", public, "evil.example", false},
		{"another's that begins alike", public, "notes.example.com.evil.example", false},
		{"a name that resolves to loopback", public, "127.0.0.1.nip.io", false},
		{"a name that looks like localhost", public, "localhost.evil.example", false},
		{"a number that is loopback to some", public, "2130706433", false},
		{"a short address", public, "127.1", false},
		{"everybody's address", public, "0.0.0.0", false},
		{"a private address", public, "192.168.0.1:8080", false},
		{"localhost", public, "localhost", true},
		{"localhost, any port", public, "localhost:6274", true},
		{"LOCALHOST", public, "LOCALHOST:1", true},
		{"IPv4 loopback", public, "127.0.0.1:8080", true},
		{"another IPv4 loopback", public, "127.8.9.10", true},
		{"IPv6 loopback", public, "[::1]", true},
		{"IPv6 loopback with a port", public, "[::1]:8080", true},
		{"IPv4 loopback in IPv6", public, "[::ffff:127.0.0.1]:80", true},
		{"another IPv6 address", public, "[2001:db8::1]", false},
		{"nothing", public, "", false},
		{"a local issuer's", local, "localhost:8080", true},
		{"a local issuer's by number", local, "127.0.0.1:9", true},
		{"another's at a local issuer", local, "evil.example:8080", false},
		{"nip.io at a local issuer", local, "127.0.0.1.nip.io:8080", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newFront(t, front.Config{Issuer: test.issuer}).Handler(http.HandlerFunc(reached))
			res := exchange(t, h, "GET / HTTP/1.1\r\nHost: "+test.host+"\r\n\r\n")
			checkRefusal(t, res, test.ok)
		})
	}
}

// checkRefusal wants an answer of the handler, or a JSON-RPC error and 403.
func checkRefusal(t *testing.T, res *http.Response, ok bool) {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case ok && (res.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), "reached")):
		t.Errorf("%s: %s, want it let through", res.Status, body)
	case !ok && (res.StatusCode != http.StatusForbidden || res.Header.Get("Content-Type") != "application/json" || !bytes.Contains(body, []byte(`"jsonrpc":"2.0"`))):
		t.Errorf("%s: %s, want 403 and a JSON-RPC error", res.Status, body)
	}
}

// Of two hosts the one in the request line counts (RFC 9112 section 3.2.2),
// which no page can choose; two Host headers are refused before anyone asks.
// (T52)
func TestTwoHosts(t *testing.T) {
	h := newFront(t, front.Config{Issuer: "http://localhost:8080"}).Handler(http.HandlerFunc(reached))
	for _, test := range []struct {
		name, text string
		status     int
	}{
		{"evil in the request line", "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", http.StatusForbidden},
		{"evil in the header alone", "GET http://localhost:8080/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", http.StatusOK},
		{"two headers", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", http.StatusBadRequest},
		{"no header", "GET / HTTP/1.1\r\n\r\n", http.StatusBadRequest},
		{"HTTP/1.0 without one", "GET / HTTP/1.0\r\n\r\n", http.StatusForbidden},
		{"a forwarded host is nobody's word", "GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\nForwarded: host=localhost\r\n\r\n", http.StatusForbidden},
	} {
		if res := exchange(t, h, test.text); res.StatusCode != test.status {
			t.Errorf("%s: %s, want %d", test.name, res.Status, test.status)
		}
	}
}

// (T52, T55, R-96)
func TestOriginsThatMayCall(t *testing.T) {
	const public, local = "https://notes.example.com", "http://localhost:8080"
	for _, test := range []struct {
		name, issuer string
		origins      []string
		ok           bool
	}{
		{"none: a program", public, nil, true},
		{"the issuer's", public, []string{public}, true},
		{"one in the list", public, []string{"https://app.example.com"}, true},
		{"another's", public, []string{"https://evil.example"}, false},
		{"the issuer's over http", public, []string{"http://notes.example.com"}, false},
		{"the issuer's on another port", public, []string{"https://notes.example.com:8443"}, false},
		{"the issuer's with a path", public, []string{public + "/"}, false},
		{"the issuer's with more behind it", public, []string{public + ".evil.example"}, false},
		{"the issuer's as user info", public, []string{"https://notes.example.com@evil.example"}, false},
		{"the issuer's with a user", public, []string{"https://x@notes.example.com"}, false},
		{"the issuer's with a query", public, []string{public + "?x"}, false},
		{"null", public, []string{"null"}, false},
		{"empty", public, []string{""}, false},
		{"any", public, []string{"*"}, false},
		{"two headers, both good", public, []string{public, public}, false},
		{"two headers, the second evil", public, []string{public, "https://evil.example"}, false},
		{"two in one header", public, []string{public + " https://evil.example"}, false},
		{"a loopback page at a public issuer", public, []string{"http://localhost:6274"}, false},
		{"a loopback page at a local issuer", local, []string{"http://localhost:6274"}, true},
		{"one by number", local, []string{"http://127.0.0.1:6274"}, true},
		{"one by IPv6 number", local, []string{"http://[::1]:6274"}, true},
		{"a loopback page with a path", local, []string{"http://localhost:6274/"}, false},
		{"a loopback page with a user", local, []string{"http://x@localhost:6274"}, false},
		{"a name that resolves to loopback", local, []string{"http://127.0.0.1.nip.io:6274"}, false},
		{"null at a local issuer", local, []string{"null"}, false},
		{"another's at a local issuer", local, []string{"https://evil.example"}, false},
		{"no URL at all", local, []string{"http://[::1"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFront(t, front.Config{Issuer: test.issuer, Origins: []string{"https://app.example.com"}})
			for _, method := range []string{http.MethodPost, http.MethodOptions} {
				r := httptest.NewRequest(method, test.issuer+"/mcp", nil)
				for _, origin := range test.origins {
					r.Header.Add("Origin", origin)
				}
				w := httptest.NewRecorder()
				f.Pages(http.HandlerFunc(reached)).ServeHTTP(w, r)
				allowed := w.Header().Get("Access-Control-Allow-Origin")
				switch {
				case !test.ok && (w.Code != http.StatusForbidden || allowed != ""):
					t.Errorf("%s: %d, allows %q, want 403", method, w.Code, allowed)
				case test.ok && len(test.origins) > 0 && (allowed != test.origins[0] || w.Header().Get("Vary") != "Origin"):
					t.Errorf("%s: %d, allows %q, Vary %q", method, w.Code, allowed, w.Header().Get("Vary"))
				case test.ok && len(test.origins) == 0 && (allowed != "" || w.Code != http.StatusOK):
					t.Errorf("%s: %d, allows %q, want no CORS for a program", method, w.Code, allowed)
				}
				if c := w.Header().Get("Access-Control-Allow-Credentials"); c != "" {
					t.Errorf("%s: allows cookies: %s", method, c)
				}
			}
		})
	}
}

// (T55)
func TestPreflight(t *testing.T) {
	f := newFront(t, front.Config{Issuer: "https://notes.example.com"})
	const always = "Content-Type, Authorization, Accept, Last-Event-ID"
	for _, test := range []struct{ name, asks, allowed string }{
		{"no headers", "", always},
		{"those of MCP", "authorization,content-type,mcp-protocol-version,mcp-method,mcp-name", always + ", mcp-protocol-version, mcp-method, mcp-name"},
		{"those of a tool", "Mcp-Param-City, mcp-param-x", always + ", Mcp-Param-City, mcp-param-x"},
		{"others", "x-forwarded-for, cookie, x-api-key", always},
		{"what is no name", "mcp-a b, mcp-a:b, mcp-\"x\", mcp-a/b", always},
	} {
		r := httptest.NewRequest(http.MethodOptions, "https://notes.example.com/mcp", nil)
		r.Header.Set("Origin", "https://notes.example.com")
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", test.asks)
		w := httptest.NewRecorder()
		f.Pages(http.HandlerFunc(reached)).ServeHTTP(w, r)
		h := w.Header()
		if w.Code != http.StatusNoContent || w.Body.Len() > 0 || h.Get("Access-Control-Allow-Headers") != test.allowed ||
			h.Get("Access-Control-Allow-Methods") != "GET, POST, DELETE" || h.Get("Access-Control-Max-Age") != "600" {
			t.Errorf("%s: %d %v", test.name, w.Code, h)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "https://notes.example.com/mcp", nil)
	r.Header.Set("Origin", "https://notes.example.com")
	w := httptest.NewRecorder()
	f.Pages(http.HandlerFunc(reached)).ServeHTTP(w, r)
	if exposed := w.Header().Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "WWW-Authenticate") {
		t.Errorf("a page cannot read the challenge: it may read %s", exposed)
	}
}

// The address is that of the last hop that is no proxy of ours: what stands
// before it, the sender has written. (limits by address hang off it)
func TestWhereARequestComesFrom(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48")}
	for _, test := range []struct {
		name, from string
		forwarded  []string
		want       string
	}{
		{"no proxy", "203.0.113.7:1234", nil, "203.0.113.7:1234"},
		{"a stranger's header is nobody's word", "203.0.113.7:1234", []string{"192.0.2.1"}, "203.0.113.7:1234"},
		{"a stranger who claims to be a proxy", "203.0.113.7:1234", []string{"192.0.2.1, 10.0.0.1"}, "203.0.113.7:1234"},
		{"our proxy", "10.0.0.1:80", []string{"203.0.113.7"}, "203.0.113.7:0"},
		{"our proxy, which was told a lie", "10.0.0.1:80", []string{"192.0.2.1, 203.0.113.7"}, "203.0.113.7:0"},
		{"the lie names our proxy", "10.0.0.1:80", []string{"192.0.2.1, 10.0.0.9, 203.0.113.7"}, "203.0.113.7:0"},
		{"two of our proxies", "10.0.0.1:80", []string{"192.0.2.1, 203.0.113.7, 10.0.0.2"}, "203.0.113.7:0"},
		{"two headers are one list", "10.0.0.1:80", []string{"192.0.2.1", "203.0.113.7"}, "203.0.113.7:0"},
		{"our proxies alone", "10.0.0.1:80", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3:0"},
		{"our proxy says nothing", "10.0.0.1:80", nil, "10.0.0.1:0"},
		{"an empty header", "10.0.0.1:80", []string{""}, "10.0.0.1:0"},
		{"garbage", "10.0.0.1:80", []string{"not an address"}, "10.0.0.1:0"},
		{"garbage before a proxy of ours", "10.0.0.1:80", []string{"203.0.113.7, unknown, 10.0.0.2"}, "10.0.0.2:0"},
		{"garbage of the sender", "10.0.0.1:80", []string{"<script>, 203.0.113.7"}, "203.0.113.7:0"},
		{"an address with a port is none", "10.0.0.1:80", []string{"203.0.113.7:99"}, "10.0.0.1:0"},
		{"IPv6", "[2001:db8:1::1]:80", []string{"2001:db8:2::7"}, "[2001:db8:2::7]:0"},
		{"IPv4 in IPv6 is IPv4: the proxy", "[::ffff:10.0.0.1]:80", []string{"203.0.113.7"}, "203.0.113.7:0"},
		{"IPv4 in IPv6 is IPv4: the client", "10.0.0.1:80", []string{"::ffff:203.0.113.7"}, "203.0.113.7:0"},
		{"a zone is the sender's word", "10.0.0.1:80", []string{"fe80::1%x"}, "[fe80::1]:0"},
		{"a thousand hops", "10.0.0.1:80", []string{strings.Repeat("192.0.2.1, ", 1000) + "203.0.113.7"}, "203.0.113.7:0"},
		{"a thousand proxies", "10.0.0.1:80", []string{"203.0.113.7" + strings.Repeat(", 10.0.0.2", 1000)}, "203.0.113.7:0"},
		{"a socket that has no address", "@", []string{"203.0.113.7"}, "@"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFront(t, front.Config{Issuer: "http://localhost", Proxies: proxies})
			r := httptest.NewRequest(http.MethodGet, "http://localhost/", nil)
			r.RemoteAddr, r.Header["X-Forwarded-For"] = test.from, test.forwarded
			w := httptest.NewRecorder()
			f.Handler(http.HandlerFunc(reached)).ServeHTTP(w, r)
			if got := strings.TrimPrefix(w.Body.String(), "reached from "); got != test.want {
				t.Errorf("from %s, want %s", got, test.want)
			}
		})
	}
}
