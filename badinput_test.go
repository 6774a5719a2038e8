package foyer

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// script is what no page may show as it came.
const script = `"'><script>alert(1)</script>`

// ask puts a request before the server, without a network, and finds that the
// answer is one of those that clients understand.
func (h *house) ask(t testing.TB, what string, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	w := httptest.NewRecorder()
	h.handler.Load().(http.Handler).ServeHTTP(w, r.WithContext(ctx))
	if ctx.Err() != nil {
		t.Errorf("%s: hangs", what)
	}
	if problem := strange(h, r, w); problem != "" {
		t.Errorf("%s: %s %s: %s: %d %v\n%.200s", what, r.Method, r.URL.Path, problem, w.Code, w.Header(), w.Body)
	}
	return w
}

// strange returns what is wrong with an answer, whatever it was asked.
func strange(h *house, r *http.Request, w *httptest.ResponseRecorder) string {
	body, media := w.Body.String(), w.Header().Get("Content-Type")
	switch {
	case w.Code >= 500:
		return "the server's fault"
	case w.Header().Get("X-Evil") != "":
		return "a header was added"
	case strings.HasPrefix(media, "text/html") && strings.Contains(body, "<script>"):
		return "a script on a page"
	case strings.Contains(fmt.Sprint(w.Header()), "\n"), strings.Contains(fmt.Sprint(w.Header()), "\x00"):
		return "a header that breaks"
	case r.Method == http.MethodHead, w.Code == http.StatusNoContent, w.Code == http.StatusAccepted && body == "":
		return ""
	}
	switch path := r.URL.Path; {
	case path == "/token", path == "/register", path == "/revoke", strings.HasPrefix(path, "/.well-known/"):
		return strangeOAuth(w.Code, media, body)
	case path == "/authorize":
		return strangePage(w.Code, media, w.Header().Get("Location"))
	case path == "/mcp", path == "/mcp/":
		return strangeMCP(w.Code, w.Header(), body)
	}
	if w.Code < 400 {
		return "an unknown path is known"
	}
	return strangeOAuth(w.Code, media, body)
}

// strangeOAuth wants errors as in RFC 6749 section 5.2, and RFC 7591 section
// 3.2.2 likewise.
func strangeOAuth(status int, media, body string) string {
	var object map[string]any
	switch err := json.Unmarshal([]byte(body), &object); {
	case media != "application/json" || err != nil:
		return "no JSON"
	case status < 400:
		return ""
	}
	for name, value := range object {
		text, ok := value.(string)
		if !ok || name != "error" && name != "error_description" || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) {
			return fmt.Sprintf("a strange member %s: %v", name, value)
		}
	}
	if object["error"] == nil {
		return "no error"
	}
	return ""
}

func strangePage(status int, media, location string) string {
	switch {
	case status == http.StatusFound && strings.HasPrefix(location, redirectURI+"?"):
		return ""
	case location != "":
		return "sent elsewhere"
	case !strings.HasPrefix(media, "text/html"):
		return "no page"
	}
	return ""
}

// strangeMCP wants JSON-RPC.
func strangeMCP(status int, header http.Header, body string) string {
	if media := header.Get("Content-Type"); media != "application/json" && media != "text/event-stream" {
		return "no JSON"
	}
	var m struct {
		JSONRPC string          `json:"jsonrpc"`
		Result  json.RawMessage `json:"result"`
		Error   *struct {
			Code    *int    `json:"code"`
			Message *string `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil || m.JSONRPC != "2.0" || (m.Result == nil) == (m.Error == nil) {
		return "no JSON-RPC"
	}
	if m.Error != nil && (m.Error.Code == nil || m.Error.Message == nil) {
		return "no JSON-RPC error"
	}
	if status >= 400 && m.Error == nil {
		return "a result with an error's status"
	}
	return ""
}

// request is one to this server that came from this device.
func (h *house) request(method, target, body string, headers ...string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	u, err := url.ParseRequestURI(target)
	if err != nil {
		panic(err) // a mistake of the test
	}
	r.Method, r.URL, r.RequestURI, r.Host, r.RemoteAddr = method, u, target, strings.TrimPrefix(h.issuer, "http://"), "127.0.0.1:40000"
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

var (
	anywhere = []string{"/authorize", "/token", "/register", "/revoke", "/mcp", "/mcp/", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
		"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp", "/.well-known/unknown", "/", "/unknown", "/authorize/x", "/mcp/x"}
	oddMedia  = []string{"", form, inJSON, "text/plain", "multipart/form-data; boundary=x", "application/json; charset=utf-16", form + ";;;", ";", "a/b; c=\xff"}
	oddBodies = map[string]string{
		"nothing": "", "a space": " ", "null": "null", "an array": "[]", "an object": "{}", "half an object": "{", "a string": `"x"`, "a number": "1e999",
		"bytes": "\x00\x01\x02\xfe\xff", "bad UTF-8": "{\"a\":\"\xc3\x28\"}", "NUL": "grant_type=\x00&a=b", "deep arrays": strings.Repeat("[", 20_000),
		"deep objects": strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000), "a parameter twice": "grant_type=a&grant_type=b&client_id=x&client_id=y",
		"bad escapes": "%zz=%&client_id=%f", "no names": "=&=&==&;;", "two megabytes": strings.Repeat("a", 2<<20), "ten thousand parameters": strings.Repeat("a&b=c&", 5_000),
		"a long parameter": "grant_type=" + strings.Repeat("a", 60_000), "a key twice": `{"a":1,"a":2}`, "a script": script, "a byte order mark": "\ufeff{}",
	}
)

func TestBadInputIsAnsweredAndHarmsNobody(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	g.signIn(t, "ann@example.com")
	bearer := []string{"Authorization", "Bearer " + g.access, "Accept", "application/json, text/event-stream"}
	for _, path := range anywhere {
		for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"} {
			for _, body := range []string{"", "grant_type=refresh_token", "{}"} {
				h.ask(t, "a method", h.request(method, path, body, append(bearer, "Content-Type", form)...))
				h.ask(t, "a method without a token", h.request(method, path, body, "Content-Type", inJSON))
			}
		}
		for name, body := range oddBodies {
			for _, media := range oddMedia {
				h.ask(t, name+" as "+media, h.request("POST", path, body, append(bearer, "Content-Type", media)...))
			}
			stream := h.request("POST", path, body, append(bearer, "Content-Type", inJSON)...)
			stream.ContentLength = -1
			h.ask(t, name+" without a length", stream)
			lying := h.request("POST", path, body, append(bearer, "Content-Type", form)...)
			lying.ContentLength = 1
			h.ask(t, name+" with a length of 1", lying)
		}
	}
	huge := oddBodies["two megabytes"]
	for path, media := range map[string]string{"/authorize": form, "/token": form, "/revoke": form, "/register": inJSON, "/mcp": inJSON} {
		r := h.request("POST", path, huge, append(bearer, "Content-Type", media)...)
		r.ContentLength = -1
		if w := h.ask(t, "two megabytes", r); w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("two megabytes to %s: %d, want 413", path, w.Code)
		}
	}
	h.stillWorks(t)
}

// What a registration says stands on pages, and is only text there.
func TestPagesShowAClientAsText(t *testing.T) {
	h := newHouse(t)
	var registered struct {
		ID string `json:"client_id"`
	}
	name, err := json.Marshal("Evil </title></p>" + script)
	if err != nil {
		t.Fatal(err)
	}
	h.postJSON(t, "/register", `{"client_name":`+string(name)+`,"redirect_uris":["`+redirectURI+`","https://evil.example/cb","evil.app:/cb"]}`, http.StatusCreated, &registered)
	b := h.browser(t)
	for what, more := range map[string][]string{
		"a wrong redirect URI":     {"redirect_uri", "https://other.example/" + script},
		"a redirect URI elsewhere": {"redirect_uri", "https://evil.example/cb", "state", script},
		"a mistake, sent there":    {"redirect_uri", "https://evil.example/cb", "state", script, "response_type", script},
		"a private-use scheme":     {"redirect_uri", "evil.app:/cb", "state", script},
	} {
		page := b.authorize(t, registered.ID, more...)
		if !strings.Contains(page.body, "<h1>") || strings.Contains(page.body, "<script") || strings.Contains(page.body, "Evil </title>") {
			t.Errorf("%s: %d\n%s", what, page.status, page.body)
		}
		if what == "a wrong redirect URI" && (page.status != http.StatusBadRequest || strings.Contains(page.body, "other.example") || strings.Contains(page.body, "<form")) {
			t.Errorf("%s: %d\n%s", what, page.status, page.body)
		}
		if csp := page.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; ") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: Content-Security-Policy: %s", what, csp)
		}
	}
}

var oddValues = []string{"", " ", "\x00", "x\r\nX-Evil: 1\r\n\r\n", script, "\xff\xfe", strings.Repeat("long", 15_000), "javascript:alert(1)", "//evil.example/", "\u202e\u0000\ufeff",
	"%00", "..", "a b", "0", "-1", "null", "S256 plain", "http://127.0.0.1:33418/callback?code=1", "https://evil.example#", "http://[::1", strings.Repeat(" x", 500)}

func TestBadParametersAreRefused(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	client := g.client
	good := map[string]url.Values{
		"GET /authorize": {"response_type": {"code"}, "client_id": {client}, "redirect_uri": {redirectURI}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
			"scope": {"guest"}, "state": {"xyz"}, "resource": {h.issuer + "/mcp"}, "response_mode": {"query"}, "prompt": {"none"}},
		"POST /authorize": {"request": {"sealed"}},
		"POST /token": {"grant_type": {"authorization_code"}, "client_id": {client}, "code": {"sealed"}, "redirect_uri": {redirectURI}, "code_verifier": {verifier},
			"resource": {h.issuer + "/mcp"}, "client_secret": {""}},
		"POST /token ": {"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {g.refresh}, "scope": {"guest"}, "resource": {h.issuer + "/mcp"}},
		"POST /revoke": {"client_id": {client}, "token": {"fyr_unknown"}, "token_type_hint": {"refresh_token"}},
	}
	for at, params := range good {
		method, path, _ := strings.Cut(strings.TrimSpace(at), " ")
		try := func(what string, values url.Values, consumed bool) {
			t.Helper()
			r := h.request("POST", path, values.Encode(), "Content-Type", form)
			if method == "GET" {
				r = h.request("GET", path+"?"+values.Encode(), "")
			}
			w := h.ask(t, what, r)
			if consumed && w.Code < 300 && path == "/token" {
				t.Errorf("%s: %d %s", what, w.Code, w.Body)
			}
		}
		for name := range params {
			for _, odd := range oddValues {
				values := url.Values{}
				for n, v := range params {
					values[n] = v
				}
				values[name] = []string{odd}
				try(fmt.Sprintf("%s: %s=%.20q", at, name, odd), values, false)
				values[name] = []string{params[name][0], odd}
				try(fmt.Sprintf("%s: two of %s", at, name), values, true)
				values.Del(name)
				values.Set(name+"\x00"+odd, "x")
				try(fmt.Sprintf("%s: no %s", at, name), values, false)
			}
		}
	}
	h.stillWorks(t)
}

// Bytes as they come over the wire, where a request is none.
func TestBadBytesOnTheWireAreAnsweredAtOnce(t *testing.T) {
	h := newHouse(t)
	host := strings.TrimPrefix(h.issuer, "http://")
	post := func(path, headers, body string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: " + form + "\r\nConnection: close\r\n" + headers + "\r\n" + body
	}
	megabyte := strings.Repeat("a", 1<<20)
	for name, raw := range map[string]string{
		"cut off: less than announced":        post("/token", "Content-Length: 1000\r\n", "grant_type=x"),
		"cut off: less than announced to MCP": post("/mcp", "Content-Length: 1000\r\nAuthorization: Bearer x\r\n", "{"),
		"more than announced":                 post("/token", "Content-Length: 3\r\n", "grant_type=x"),
		"cut off: a gigabyte announced":       post("/token", "Content-Length: 1000000000\r\n", "grant_type=x"),
		"a negative length":                   post("/token", "Content-Length: -1\r\n", "x"),
		"two lengths":                         post("/token", "Content-Length: 1\r\nContent-Length: 2\r\n", "xx"),
		"a length and chunks":                 post("/token", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nGET /evil"),
		"a bad chunk":                         post("/register", "Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n"),
		"three megabytes in chunks":           post("/register", "Transfer-Encoding: chunked\r\n", strings.Repeat("100000\r\n"+megabyte+"\r\n", 3)+"0\r\n\r\n"),
		"cut off: chunks without end":         post("/mcp", "Transfer-Encoding: chunked\r\n", "5\r\n{\"a\":\r\n"),
		"a NUL in a header":                   post("/token", "X-Test: a\x00b\r\n", ""),
		"a folded header":                     post("/token", "X-Test: a\r\n b\r\n", ""),
		"no colon":                            post("/token", "X-Test\r\n", ""),
		"a space before the colon":            post("/token", "Content-Length : 3\r\n", "abc"),
		"a long header":                       post("/mcp", "Authorization: Bearer "+megabyte+"\r\n", ""),
		"many headers":                        post("/mcp", strings.Repeat("X-Test: a\r\n", 200_000), ""),
		"a long path":                         "GET /" + megabyte + megabyte + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n",
		"no host":                             "GET /authorize HTTP/1.1\r\n\r\n",
		"another host":                        "GET /authorize HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
		"another host in the target":          "GET http://evil.example/authorize HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n",
		"a star":                              "GET * HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n",
		"a path with a line break":            "GET /authorize?x=\r\nX-Evil: 1 HTTP/1.1\r\nHost: " + host + "\r\n\r\n",
		"cut off: half a request":             "POST /token HTTP/1.1\r\nHost: " + host + "\r\nContent-",
		"cut off: no HTTP":                    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"two slashes":                         post("//token", "Content-Length: 0\r\n", ""),
		"a way up":                            post("/mcp/../token", "Content-Length: 0\r\n", ""),
	} {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second)) // an answer comes at once
		cutOff := strings.HasPrefix(name, "cut off")
		go func() {
			io.WriteString(conn, raw) // fails where the server has seen enough
			if cutOff {
				conn.(*net.TCPConn).CloseWrite() // and then nobody need answer
			}
		}()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		switch e, _ := err.(net.Error); {
		case e != nil && e.Timeout():
			t.Errorf("%s: hangs", name)
		case err != nil && !cutOff && !strings.Contains(name, "long") && !strings.Contains(name, "many"): // the server may close on those who still write
			t.Errorf("%s: %v", name, err)
		case err == nil && (res.StatusCode < 300 || res.StatusCode >= 500 && !(cutOff && res.StatusCode == http.StatusServiceUnavailable)):
			t.Errorf("%s: %s", name, res.Status)
		case err == nil && (res.Header.Get("X-Evil") != "" || strings.Contains(res.Header.Get("Location"), "evil")):
			t.Errorf("%s: %v", name, res.Header)
		}
		conn.Close()
	}
	if log := h.log.String(); strings.Contains(log, "panic") {
		t.Error(log)
	}
	h.stillWorks(t)
}

// stillWorks finds that a new client can do everything.
func (h *house) stillWorks(t testing.TB) {
	t.Helper()
	if log := h.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "panic") {
		t.Errorf("the log has %s", log)
	}
	g := h.guest(t)
	g.signIn(t, "still@example.com")
	if a := g.call(t, "create_entry", `{"title":"Still here","content":"And well."}`); a.isError {
		t.Errorf("create_entry: %s", a.raw)
	}
	g.renew(t)
	g.works(t, "after it all")
}
