package authserver

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func (r *room) registerJSON(body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	return r.send(http.MethodPost, "/register", body, append([]string{"Content-Type: application/json"}, headers...)...)
}

var clientID = regexp.MustCompile(`"client_id":"client_[A-Z2-7]{26}"`)

// X35, X36, X62, X72: the whole answer, in which only the ID
// varies.
func TestRegister(t *testing.T) {
	ok := func(rest string) string {
		return `201 {"client_id":"…","client_id_issued_at":1795269780,` + rest + `}`
	}
	answer := func(uris, name string) string {
		if name != "" {
			name = `"client_name":"` + name + `",`
		}
		return ok(`"redirect_uris":[` + uris + `],` + name + `"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"none"`)
	}
	badURIs := `400 invalid_redirect_uri`
	badMetadata := `400 invalid_client_metadata`
	many := func(n int) string {
		var uris []string
		for i := range n {
			uris = append(uris, fmt.Sprintf(`"https://a.example/%d"`, i))
		}
		return strings.Join(uris, ",")
	}
	cursor := `"cursor://anysphere.cursor-mcp/oauth/callback","https://www.cursor.com/agents/mcp/oauth/callback","http://localhost:8787/callback"`
	for _, test := range []struct{ name, body, want string }{
		{"a good one", `{"client_name":"Test","redirect_uris":["` + loopback + `"]}`, answer(`"`+loopback+`"`, "Test")},
		{"the three of Cursor, one private-use", `{"client_name":"Cursor","redirect_uris":[` + cursor + `]}`, answer(cursor, "Cursor")},
		{"one bad of three does not sink the good ones (R-43)", `{"redirect_uris":["javascript:alert(1)","` + loopback + `","http://evil.example/cb"]}`, answer(`"`+loopback+`"`, "")},
		{"a private-use scheme alone", `{"redirect_uris":["com.example.app:/cb"]}`, answer(`"com.example.app:/cb"`, "")},
		{"ten", `{"redirect_uris":[` + many(10) + `]}`, answer(many(10), "")},
		{"eleven", `{"redirect_uris":[` + many(11) + `]}`, badURIs},
		{"all bad", `{"redirect_uris":["javascript:alert(1)","data:,x"," ` + loopback + `","https://user@a.example/cb","https://a.example/cb#x"]}`, badURIs},
		{"mixed case and control characters (X16)", `{"redirect_uris":["JavaScript:alert(1)","java\tscript:x","\u0000javascript:x","vbscript:x","file:///etc"]}`, badURIs},
		{"dot segments and encoded separators (X14)", `{"redirect_uris":["https://a.example/..;/x","https://a.example/%2e%2e/x","https://a.example\\@b.example/","https://a.example%25@b.example/"]}`, badURIs},
		{"no list", `{}`, badURIs},
		{"an empty list", `{"redirect_uris":[]}`, badURIs},
		{"a null list", `{"redirect_uris":null}`, badURIs},
		{"null", `null`, badURIs},
		{"null fields count as absent (X62)", `{"redirect_uris":["` + loopback + `"],"client_name":null,"client_uri":null,"scope":null,"grant_types":null,"logo_uri":null}`, answer(`"`+loopback+`"`, "")},
		{"unknown fields are skipped", `{"redirect_uris":["` + loopback + `"],"software_id":"x","contacts":["a"],"jwks":{"keys":[]},"x":{"y":[1]}}`, answer(`"`+loopback+`"`, "")},
		{"what is asked for does not matter: the answer says what is given (X32, X34, X72)",
			`{"redirect_uris":["` + loopback + `"],"grant_types":["client_credentials","password"],"response_types":["token"],"token_endpoint_auth_method":"client_secret_basic","scope":"claudeai notes:export"}`,
			answer(`"`+loopback+`"`, "")},
		{"the application type is echoed (R-81)", `{"redirect_uris":["` + loopback + `"],"application_type":"native"}`,
			strings.TrimSuffix(answer(`"`+loopback+`"`, ""), "}") + `,"application_type":"native"}`},
		{"empty", ``, badMetadata},
		{"no JSON", `redirect_uris=https://a.example/`, badMetadata},
		{"half of it", `{"redirect_uris":["` + loopback, badMetadata},
		{"two objects", `{"redirect_uris":["` + loopback + `"]}{}`, badMetadata},
		{"an array", `["` + loopback + `"]`, badMetadata},
		{"a string for a list", `{"redirect_uris":"` + loopback + `"}`, badMetadata},
		{"a number in the list", `{"redirect_uris":[1]}`, badMetadata},
		{"a name of 201 bytes", `{"redirect_uris":["` + loopback + `"],"client_name":"` + strings.Repeat("n", 201) + `"}`, badMetadata},
		{"deep nesting", strings.Repeat("[", 9000) + strings.Repeat("]", 7000), badMetadata},
		{"a byte too many", `{"redirect_uris":["` + loopback + `"],"x":"` + strings.Repeat("x", maxRegistration) + `"}`, `413 invalid_request`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRoom(t)
			w := r.registerJSON(test.body)
			got := strconv.Itoa(w.Code) + " " + strings.TrimSpace(clientID.ReplaceAllString(w.Body.String(), `"client_id":"…"`))
			if w.Code != http.StatusCreated {
				body := object(t, w)
				got = fmt.Sprint(w.Code, " ", body["error"])
				if len(body) != 2 || body["error_description"] == "" {
					t.Errorf("no error of RFC 7591: %v", body)
				}
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if strings.Contains(w.Body.String(), "null") || strings.Contains(w.Body.String(), "secret") || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("null, a secret, or something to cache: %v %s", w.Header(), w.Body)
			}
		})
	}
}

// Claude sends two registrations at once, and hosts register again and again:
// equal descriptions are one client.
func TestEqualRegistrationsAreOneClient(t *testing.T) {
	r := newRoom(t)
	first := r.register("Claude", claude)
	r.advance(time.Hour)
	if again := r.register("Claude", claude); again != first {
		t.Errorf("registered again, %s is %s", first, again)
	}
	if other := r.register("Claude ", claude); other == first {
		t.Error("another name got the same client")
	}
}

// 20 an hour for an address, 200 for everyone, and then a number of
// seconds that is enough.
func TestRegistrationsAreCounted(t *testing.T) {
	r := newRoom(t, counted)
	n := 0
	again := func(addr string, n int) *httptest.ResponseRecorder {
		return r.registerJSON(fmt.Sprintf(`{"client_name":"client %d","redirect_uris":["%s"]}`, n, loopback), "Remote: "+addr)
	}
	register := func(addr string) *httptest.ResponseRecorder { n++; return again(addr, n) }
	for i := range 20 {
		if w := register("192.0.2.1:1000"); w.Code != http.StatusCreated {
			t.Fatalf("registration %d: %d", i, w.Code)
		}
	}
	r.advance(time.Second + time.Nanosecond) // so that the seconds left are no whole number
	w := register("192.0.2.1:2000")
	if body := object(t, w); w.Code != http.StatusTooManyRequests || body["error"] != "temporarily_unavailable" || w.Header().Get("Retry-After") != "179" {
		t.Fatalf("registration 21: %d %v %v", w.Code, w.Header(), body)
	}
	if w := again("192.0.2.1:2000", 7); w.Code != http.StatusCreated {
		t.Errorf("a client that is registered already adds no record, and is refused: %d", w.Code)
	}
	r.advance(179 * time.Second)
	if w := register("192.0.2.1:2000"); w.Code != http.StatusCreated {
		t.Errorf("after the seconds of Retry-After: %d", w.Code)
	}
	if w := register("[2001:db8::1]:1"); w.Code != http.StatusCreated {
		t.Errorf("another address: %d", w.Code)
	}

	r = newRoom(t, counted)
	for i := range 200 {
		if w := register(fmt.Sprintf("198.51.100.%d:1", i)); w.Code != http.StatusCreated {
			t.Fatalf("registration %d of all: %d", i, w.Code)
		}
	}
	if w := register("203.0.113.1:1"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "18" {
		t.Errorf("registration 201 of all: %d %v", w.Code, w.Header())
	}
}

func TestExemptAddressesAreNotCounted(t *testing.T) {
	r := newRoom(t, func(cfg *Config) { cfg.Exempt = netip.Addr.IsLoopback })
	for i := range 3 * registersInAll {
		if w := r.registerJSON(fmt.Sprintf(`{"client_name":"client %d","redirect_uris":["%s"]}`, i, loopback), "Remote: 127.0.0.1:1"); w.Code != http.StatusCreated {
			t.Fatalf("registration %d: %d", i, w.Code)
		}
	}
}

// The most that may be sent, and a byte more.
func TestBodiesHaveALimit(t *testing.T) {
	r := newRoom(t)
	for _, test := range []struct {
		path, before, after, media string
		limit, status              int
	}{
		{"/register", `{"redirect_uris":["` + loopback + `"],"x":"`, `"}`, "application/json", 16 << 10, http.StatusCreated},
		{"/token", "x=", "", "application/x-www-form-urlencoded", 64 << 10, http.StatusBadRequest},
		{"/revoke", "x=", "", "application/x-www-form-urlencoded", 64 << 10, http.StatusBadRequest},
		{"/authorize", "x=", "", "application/x-www-form-urlencoded", 64 << 10, http.StatusForbidden},
	} {
		body := test.before + strings.Repeat("x", test.limit-len(test.before+test.after)) + test.after
		for more, status := range map[string]int{"": test.status, " ": http.StatusRequestEntityTooLarge} {
			if w := r.send(http.MethodPost, test.path, body+more, "Content-Type: "+test.media); w.Code != status {
				t.Errorf("%s, %d bytes: %d, want %d", test.path, len(body+more), w.Code, status)
			}
		}
	}
}

// A body that is too long is refused while it comes: nobody has to be sent all
// of it, or believed about its length.
func TestHugeBodiesAreRefusedWhileTheyCome(t *testing.T) {
	r := newRoom(t)
	server := httptest.NewServer(r.mux)
	defer server.Close()
	for _, endpoint := range []struct{ path, media string }{
		{"/register", "application/json"}, {"/token", "application/x-www-form-urlencoded"}, {"/revoke", "application/x-www-form-urlencoded"},
	} {
		chunk := fmt.Sprintf("%x\r\n%s\r\n", 70<<10, strings.Repeat("x", 70<<10))
		for name, rest := range map[string]string{
			"an announced terabyte":      "Content-Length: 1099511627776\r\n\r\n" + strings.Repeat("x", 70<<10),
			"chunks without end":         "Transfer-Encoding: chunked\r\n\r\n" + chunk,
			"chunks and a small promise": "Transfer-Encoding: chunked\r\nContent-Length: 10\r\n\r\n" + chunk,
		} {
			status := raw(t, server, "POST "+endpoint.path+" HTTP/1.1\r\nHost: x\r\nContent-Type: "+endpoint.media+"\r\n"+rest)
			if status != http.StatusRequestEntityTooLarge && !(strings.Contains(name, "promise") && status == http.StatusBadRequest) {
				t.Errorf("%s, %s: %d", endpoint.path, name, status)
			}
		}
	}
}

// raw writes request, which may be only the beginning of one, and reads the
// status of the answer.
func raw(t *testing.T, server *httptest.Server, request string) int {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go conn.Write([]byte(request)) // the server may answer before it has read all
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}
