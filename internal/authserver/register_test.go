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

	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
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

// 20 an hour for an address, and then a number of seconds that is enough.
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
}

// There is no limit for everybody: it would be a way to shut everybody out. But a
// hosted client has a wider one, and one customer's IPv6 networks count as one.
func TestRegistrationsAreCountedBySite(t *testing.T) {
	hosted := func(i int) string { return fmt.Sprintf(`["https://chatgpt.com/connector/oauth/app%d"]`, i) }
	for _, test := range []struct {
		name  string
		addr  func(i int) string
		uris  func(i int) string
		limit int // of those who come; 0 for none
	}{
		{"one address", func(int) string { return "192.0.2.1:1" }, nil, 20},
		{"one address in its IPv6 form", func(i int) string { return []string{"192.0.2.1:1", "[::ffff:192.0.2.1]:1"}[i%2] }, nil, 20},
		{"addresses of one customer", func(i int) string { return fmt.Sprintf("[2001:db8:0:%x::1]:1", i%256) }, nil, 20},
		{"addresses of many customers", func(i int) string { return fmt.Sprintf("[2001:db8:0:%x00::1]:1", i%256) }, nil, 0},
		{"addresses of everywhere", func(i int) string { return fmt.Sprintf("192.0.%d.%d:1", i/250, i%250) }, nil, 0},
		{"a hosted client", func(int) string { return "192.0.2.1:1" }, hosted, 400},
		{"one that says it is hosted, too", func(int) string { return "192.0.2.1:1" },
			func(i int) string { return strings.TrimSuffix(hosted(i), "]") + `,"https://evil.example/cb"]` }, 20},
		{"a known client on people's own devices", func(int) string { return "192.0.2.1:1" },
			func(i int) string {
				return fmt.Sprintf(`["cursor://anysphere.cursor-retrieval/oauth/user-%d/callback"]`, i)
			}, 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRoom(t, counted)
			made := 0
			for i := range 420 {
				uris := `["` + loopback + `"]`
				if test.uris != nil {
					uris = test.uris(i)
				}
				w := r.registerJSON(fmt.Sprintf(`{"client_name":"client %d","redirect_uris":%s}`, i, uris), "Remote: "+test.addr(i))
				switch w.Code {
				case http.StatusCreated:
					made++
				case http.StatusTooManyRequests:
				default:
					t.Fatalf("%d %s", w.Code, w.Body)
				}
			}
			if want := test.limit; test.limit == 0 && made != 420 || want > 0 && made != want {
				t.Errorf("%d registrations, want %d", made, want)
			}
		})
	}
}

func TestExemptAddressesAreNotCounted(t *testing.T) {
	r := newRoom(t, func(cfg *Config) { cfg.Exempt = netip.Addr.IsLoopback })
	for i := range 3 * registersPerAddr {
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

// An initial access token (RFC 7591 section 3), and what is said to those who
// have none (X31).
func TestRegisteringMayTakeAnInvitation(t *testing.T) {
	first, second := strings.Repeat("first-", 6), strings.Repeat("second", 6)
	r := newRoom(t, func(cfg *Config) {
		cfg.Registration.Tokens = []store.Hash{secret.HashOf(first), secret.HashOf(second)}
	})
	const none, wrong = `Bearer realm="foyer"`, `Bearer realm="foyer", error="invalid_token"`
	for name, test := range map[string]struct{ header, challenge string }{
		"no header":          {"Authorization: -", none},
		"a wrong token":      {"Authorization: Bearer " + first + "x", wrong},
		"half a token":       {"Authorization: Bearer " + first[:20], wrong},
		"both tokens":        {"Authorization: Bearer " + first + " " + second, wrong},
		"no token":           {"Authorization: Bearer ", wrong},
		"nothing but a word": {"Authorization: Bearer", wrong},
		"another scheme":     {"Authorization: Basic " + first, wrong},
		"the token alone":    {"Authorization: " + first, wrong},
		"its hash":           {fmt.Sprintf("Authorization: Bearer %x", secret.HashOf(first)), wrong},
		"the first":          {"Authorization: Bearer " + first, ""},
		"the second":         {"Authorization: bearer " + second, ""},
	} {
		w := r.registerJSON(`{"redirect_uris":["`+loopback+`"]}`, test.header)
		status := http.StatusUnauthorized
		if test.challenge == "" {
			status = http.StatusCreated
		}
		if w.Code != status || w.Header().Get("WWW-Authenticate") != test.challenge {
			t.Errorf("%s: %d %q %s", name, w.Code, w.Header().Get("WWW-Authenticate"), w.Body)
		}
		if body := object(t, w); status == http.StatusUnauthorized && (body["error"] != "invalid_token" || body["error_description"] == "") {
			t.Errorf("%s: %v", name, body)
		}
	}
}

// Off, there is no endpoint, and no word of one; who asks all the same is told
// what to do. Those who are registered stay.
func TestRegistrationMayBeOff(t *testing.T) {
	r := newRoom(t, confidential, func(cfg *Config) { cfg.Registration.Off = true })
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions, http.MethodPut} {
		w := r.send(method, "/register", `{"redirect_uris":["`+loopback+`"]}`, "Content-Type: application/json")
		if body := object(t, w); w.Code != http.StatusNotFound || body["error"] != "invalid_request" || !strings.Contains(fmt.Sprint(body["error_description"]), "client_id") {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
	for path := range documents {
		if body := r.send(http.MethodGet, path, "").Body.String(); strings.Contains(body, "registration") || strings.Contains(body, "/register") {
			t.Errorf("%s: %s", path, body)
		}
	}
	registered, err := r.Clients.Register(t.Context(), oauth.ClientMetadata{RedirectURIs: []string{loopback}}) // before it was off
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{registered.ID, "public"} {
		r.redeem(id, loopback, r.code(id, loopback))
	}
}
