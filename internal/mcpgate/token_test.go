package mcpgate_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const call = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"anyone","arguments":{}}}`

// A token that does not work is refused on everything, public or not, and is
// never taken for none. (R-25, R-28, R-38; X53, X69)
func TestWhatIsNoTokenIsRefusedEverywhere(t *testing.T) {
	r := newRoom(t)
	good := r.guest()
	for _, test := range []struct {
		name          string
		authorization []string
		error         string // attribute of the challenge
		description   bool
	}{
		{"none at all", nil, "", false},
		{"another scheme", []string{"Basic dXNlcjpwYXNz"}, "", false},
		{"an empty header", []string{""}, "", false},
		{"a token without a scheme", []string{good}, "", false},
		{"a scheme that only begins like Bearer", []string{"Bearerer " + good}, "", false},
		{"garbage", []string{"Bearer fya_garbage"}, "invalid_token", true},
		{"Bearer alone", []string{"Bearer"}, "invalid_token", true},
		{"Bearer and blanks", []string{"Bearer   "}, "invalid_token", true},
		{"two headers, both good", []string{"Bearer " + good, "Bearer " + good}, "invalid_token", true},
		{"two headers, the second good", []string{"Basic dXNlcjpwYXNz", "Bearer " + good}, "invalid_token", true},
		{"two tokens in one header", []string{"Bearer " + good + ", Bearer " + good}, "invalid_token", true},
		{"two words", []string{"Bearer " + good + " x"}, "invalid_token", true},
		{"a token in other case", []string{"Bearer " + strings.ToUpper(good)}, "invalid_token", true},
		{"a token with a tab before it", []string{"Bearer\t" + good}, "", false},
		{"a long token", []string{"Bearer " + strings.Repeat("a", 100_000)}, "invalid_token", true},
		{"a token with bytes beyond ASCII", []string{"Bearer fya_\xc3\xa9"}, "invalid_token", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			for what, req := range r.everything(t) {
				req.Header["Authorization"] = test.authorization
				a := r.do(t, req)
				if a.status != http.StatusUnauthorized || len(a.ran) > 0 {
					t.Errorf("%s: %d, ran %v", what, a.status, a.ran)
				}
				params := challengeOf(a)
				if e, ok := params["error"]; e != test.error || ok != (test.error != "") {
					t.Errorf("%s: error=%q, want %q", what, e, test.error)
				}
				if _, ok := params["error_description"]; ok != test.description {
					t.Errorf("%s: %v", what, params)
				}
				if params["scope"] != "guest" || params["resource_metadata"] != metadata {
					t.Errorf("%s: %v", what, params)
				}
				if strings.Contains(a.body+strings.Join(a.header.Values("Www-Authenticate"), ""), good) {
					t.Errorf("%s: the answer repeats the token", what)
				}
				guarded(t, what, a)
			}
		})
	}
}

// guarded checks the headers that every answer of the gate has. (T69, X80)
func guarded(t *testing.T, what string, a reply) {
	t.Helper()
	if cc := a.header.Get("Cache-Control"); !strings.HasPrefix(cc, "no-store, private") || len(a.header.Values("Cache-Control")) != 1 {
		t.Errorf("%s: Cache-Control: %s", what, cc)
	}
	if vary := a.header.Get("Vary"); !strings.Contains(vary, "Authorization") {
		t.Errorf("%s: Vary: %s", what, vary)
	}
	if a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s: may be sniffed", what)
	}
}

// everything is one request of each sort, without a token.
func (r *room) everything(t *testing.T) map[string]*http.Request {
	t.Helper()
	all := map[string]*http.Request{
		"a body that is no JSON": r.post(t, "/mcp", "", "{"),
		"no body":                r.post(t, "/mcp", "", ""),
		"an old public call":     r.post(t, "/mcp", "", call),
		"a notification":         r.post(t, "/mcp", "", `{"jsonrpc":"2.0","method":"notifications/initialized"}`),
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodPut, http.MethodHead, http.MethodOptions} {
		req := r.post(t, "/mcp", "", "")
		req.Method, req.Body = method, http.NoBody
		all[method] = req
	}
	for method, params := range map[string]string{"server/discover": `{}`, "tools/list": `{}`, "resources/templates/list": `{}`,
		"tools/call": `{"name":"anyone"}`, "resources/read": `{"uri":"room://anyone"}`, "made/up": `{}`,
		"subscriptions/listen": `{"notifications":{"toolsListChanged":true}}`} {
		all[method] = r.request(t, "/mcp", modern, "", method, params)
	}
	all["initialize"] = r.request(t, "/mcp", older, "", "initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}`)
	return all
}

//
func TestATokenInTheQueryIsNone(t *testing.T) {
	r := newRoom(t)
	req := r.post(t, "/mcp?access_token="+r.user("write"), "", call)
	if a := r.do(t, req); a.status != http.StatusUnauthorized || len(challengeOf(a)) != 2 || len(a.ran) > 0 {
		t.Errorf("%d, ran %v, %v", a.status, a.ran, a.header)
	}
}

// The scheme is case-insensitive (RFC 9110 section 11.1), and blanks may be many.
func TestHowATokenMayBeSent(t *testing.T) {
	r := newRoom(t)
	for _, scheme := range []string{"bearer ", "BEARER ", "BeArEr ", "Bearer   "} {
		req := r.post(t, "/mcp", "", call)
		req.Header.Set("Authorization", scheme+r.guest())
		if a := r.do(t, req); a.status != http.StatusOK || len(a.ran) != 1 {
			t.Errorf("%q: %d %s", scheme, a.status, a.body)
		}
	}
}

// An answer names the request that it is for, if that can be told, also when
// the token is bad. (JSON-RPC 2.0 section 5; a client that cannot tell gives
// the whole connection up)
func TestRefusalsNameTheRequest(t *testing.T) {
	r := newRoom(t)
	huge := strings.Repeat("9", 400)
	long := `"` + strings.Repeat("x", 10_000) + `"`
	for id, want := range map[string]string{
		`7`: `7`, `0`: `0`, `-3`: `-3`, `1.5`: `1.5`, `1e3`: `1e3`, huge: huge, `"seven"`: `"seven"`, `""`: `""`, `"\u00e9\"<"`: `"\u00e9\"\u003c"`, long: long,
		`null`: `null`, `{}`: `null`, `{"a":1}`: `null`, `[]`: `null`, `true`: `null`, `false`: `null`, ``: `null`,
	} {
		body := `{"jsonrpc":"2.0",` + `"id":` + id + `,"method":"tools/call","params":{"name":"nobody"}}`
		wrong := `{"method":"tools/call","params":[],` + `"id":` + id + `,"jsonrpc":"2.0"}`
		if id == "" {
			body = strings.Replace(body, `"id":,`, ``, 1)
			wrong = strings.Replace(wrong, `"id":,`, ``, 1)
		}
		for what, req := range map[string]*http.Request{
			"a bad token":         r.post(t, "/mcp", "fya_bad", body),
			"no token":            r.post(t, "/mcp", "", body),
			"an unknown tool":     r.post(t, "/mcp", r.guest(), body),
			"consent":             r.post(t, "/mcp", r.guest(), strings.Replace(body, "nobody", "not_default", 1)),
			"params of no object": r.post(t, "/mcp", r.guest(), wrong),
		} {
			a := r.do(t, req)
			if string(a.rpc.ID) != want || a.rpc.Error == nil || a.rpc.Error.Message == "" {
				t.Errorf("id %.20s, %s: %.200s", id, what, a.body)
			}
			if code := a.code(); code >= -32768 && code <= -32000 && code != -32602 && code != -32600 {
				t.Errorf("%s: code %d is reserved (MCP 2026-07-28, basic, Error Codes)", what, code)
			}
		}
	}
}

// The SDK's own client outlives a refusal: it gives a connection up only for
// what is no JSON-RPC answer to its request.
func TestTheSDKsClientOutlivesARefusal(t *testing.T) {
	r := newRoom(t)
	carrier := &carrier{token: r.guest()}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(),
		&mcp.StreamableClientTransport{Endpoint: r.url + "/mcp", HTTPClient: &http.Client{Transport: carrier}, MaxRetries: -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	good := carrier.token
	for _, token := range []string{"fya_bad", "", good} {
		carrier.token = token
		_, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "anyone"})
		if (err == nil) != (token == good) {
			t.Errorf("with token %q: %v", token, err)
		}
	}
	for name, want := range map[string]bool{"not_default": false, "hidden": false, "nobody": false, "anyone": true} {
		if _, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: name}); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "signed_in"}); err != nil || !res.IsError {
		t.Errorf("a locked tool: %v, %v", res, err)
	}
	r.claim(good)
	if res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "signed_in"}); err != nil || res.IsError {
		t.Errorf("the same call after the claim: %v, %v", res, err)
	}
}

// A carrier sends one token with each request, if there is one.
type carrier struct{ token string }

func (c *carrier) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return http.DefaultTransport.RoundTrip(req)
}

// The same request gets the same challenge, with all scopes that the item needs
// and no other.
func TestAChallengeNamesAllScopesAtOnce(t *testing.T) {
	r := newRoom(t)
	for who, token := range map[string]string{"a guest": r.guest(), "a user with none": r.user(), "a user with one": r.user("write")} {
		for range 2 {
			for _, version := range []string{modern, older} {
				a := r.ask(t, version, token, "tools/call", `{"name":"not_default"}`)
				params := challengeOf(a)
				names := slices.Sorted(maps.Keys(params))
				if a.status != http.StatusForbidden || params["error"] != "insufficient_scope" || params["scope"] != "write export" ||
					params["resource_metadata"] != metadata || !slices.Equal(names, []string{"error", "error_description", "resource_metadata", "scope"}) {
					t.Errorf("%s: %d %v", who, a.status, params)
				}
				guarded(t, who, a)
			}
		}
	}
}

// A fault of the store is no answer about the token.
func TestAFaultOfTheStoreIsNobodysGuest(t *testing.T) {
	r := newRoom(t)
	token := r.guest()
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	a := r.do(t, r.post(t, "/mcp", token, call))
	if a.status != http.StatusServiceUnavailable || string(a.rpc.ID) != "7" || len(a.ran) > 0 || a.header.Get("Www-Authenticate") != "" {
		t.Errorf("%d %s %v", a.status, a.body, a.header)
	}
	if strings.Contains(a.body, "sql") || strings.Contains(r.log.String(), token) || !strings.Contains(r.log.String(), "fault") {
		t.Errorf("the fault is shown, or not logged: %s\n%s", a.body, r.log)
	}
}
