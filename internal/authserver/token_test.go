package authserver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func renewal(clientID, refresh string, changes ...string) url.Values {
	return with(url.Values{"grant_type": {"refresh_token"}, "client_id": {clientID}, "refresh_token": {refresh}}, changes...)
}

// client rule (c): the whole answer, which states its scope.
func TestTokenAnswers(t *testing.T) {
	r := newRoom(t)
	id := r.register("Test", loopback)
	first := r.post("/token", redemption(id, loopback, r.code(id, loopback)))
	issued := tokensIn(t, first)
	for name, w := range map[string]*httptest.ResponseRecorder{
		"a redemption": first, "a refresh": r.post("/token", renewal(id, issued.refresh)),
	} {
		body := object(t, w)
		if len(body) != 5 || body["token_type"] != "Bearer" || body["expires_in"] != 3600.0 || body["scope"] != "guest" ||
			!strings.HasPrefix(body["access_token"].(string), "fya_") || !strings.HasPrefix(body["refresh_token"].(string), "fyr_") {
			t.Errorf("%s: %v", name, body)
		}
		for header, want := range map[string]string{"Cache-Control": "no-store", "Pragma": "no-cache", "X-Content-Type-Options": "nosniff",
			"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "WWW-Authenticate, Retry-After", "Set-Cookie": ""} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s: %q, want %q", name, header, got, want)
			}
		}
	}
}

// RFC 6749 sections 2.3.1, 3.2 and 5.2, X27, X29, X57, client rule (f): what is
// wrong with a request, whatever it carries. Nothing here consumes the code.
func TestTokenRequests(t *testing.T) {
	r := newRoom(t)
	id := r.register("Test", loopback)
	code := r.code(id, loopback)
	ask := func(changes ...string) string { return redemption(id, loopback, code, changes...).Encode() }
	const form = "Content-Type: application/x-www-form-urlencoded"
	for _, test := range []struct {
		name, query, body, header string
		want                      string
	}{
		{"no Content-Type", "", ask(), "Content-Type: -", "400 invalid_request"},
		{"JSON", "", `{"grant_type":"authorization_code"}`, "Content-Type: application/json", "400 invalid_request"},
		{"multipart", "", ask(), "Content-Type: multipart/form-data; boundary=x", "400 invalid_request"},
		{"a malformed Content-Type (X29)", "", ask(), "Content-Type: ;;;=", "400 invalid_request"},
		{"a Content-Type of half a parameter (X29)", "", ask(), form + "; charset", "400 invalid_request"},
		{"nothing", "", "", form, "400 invalid_request"},
		{"everything in the query", ask(), "", form, "400 invalid_request"},
		{"the client in the query", "client_id=" + id, ask("client_id", "-"), form, "400 invalid_request"},
		{"a broken escape", "", ask() + "&a=%zz", form, "400 invalid_request"},
		{"a semicolon", "", ask() + ";a=b", form, "400 invalid_request"},
		{"bytes", "", "\x00\xff\xfe%00", form, "400 invalid_request"},
		{"two codes", "", ask() + "&code=x", form, "400 invalid_request"},
		{"two clients", "", ask() + "&client_id=" + id, form, "400 invalid_request"},
		{"two of what means nothing", "", ask() + "&x=1&x=2", form, "400 invalid_request"},
		{"two resources and two clients", "", ask("resource", resource) + "&client_id=x&resource=" + resource, form, "400 invalid_request"},
		{"two resources", "", ask("resource", resource) + "&resource=" + resource, form, "400 invalid_target"},
		{"a resource of somebody else (X3, X30)", "", ask("resource", "https://other.example/"), form, "400 invalid_target"},
		{"another one of ours", "", ask("resource", issuer+"/other"), form, "400 invalid_target"},
		{"no grant type", "", ask("grant_type", "-"), form, "400 invalid_request"},
		{"password (R-2)", "", ask("grant_type", "password", "username", "a", "password", "b"), form, "400 unsupported_grant_type"},
		{"client_credentials (X72)", "", ask("grant_type", "client_credentials"), form, "400 unsupported_grant_type"},
		{"upper case", "", ask("grant_type", "AUTHORIZATION_CODE"), form, "400 unsupported_grant_type"},
		{"no client", "", ask("client_id", "-"), form, "400 invalid_request"},
		{"an unknown client", "", ask("client_id", "client_X"), form, "401 invalid_client"},
		{"a secret", "", ask("client_secret", "s"), form, "401 invalid_client"},
		{"Basic", "", ask(), "Authorization: Basic Y2xpZW50OnNlY3JldA==", "401 invalid_client"},
		{"Bearer", "", ask(), "Authorization: Bearer x", "401 invalid_client"},
		{"no code", "", ask("code", "-"), form, "400 invalid_request"},
		{"no redirect URI", "", ask("redirect_uri", "-"), form, "400 invalid_request"},
		{"another port of the redirect URI", "", ask("redirect_uri", "http://127.0.0.1:1/callback"), form, "400 invalid_grant"},
		{"no verifier (R-40, X2)", "", ask("code_verifier", "-"), form, "400 invalid_grant"},
		{"an empty verifier (X2)", "", ask("code_verifier", ""), form, "400 invalid_grant"},
		{"the challenge for a verifier (T46)", "", ask("code_verifier", challenge), form, "400 invalid_grant"},
		{"a huge form", "", ask("x", strings.Repeat("x", maxForm)), form, "413 invalid_request"},
		{"no refresh token", "", ask("grant_type", "refresh_token"), form, "400 invalid_request"},
		{"a scope with a quote", "", ask("grant_type", "refresh_token", "refresh_token", "x", "scope", `"`), form, "400 invalid_scope"},
	} {
		w := r.send(http.MethodPost, "/token?"+test.query, test.body, test.header)
		body := object(t, w)
		if got := fmt.Sprint(w.Code, " ", body["error"]); got != test.want {
			t.Errorf("%s: %s (%s), want %s", test.name, got, body["error_description"], test.want)
		}
		checkError(t, test.name, w)
	}
	if w := r.post("/token", redemption(id, loopback, code), form+"; charset=UTF-8"); w.Code != http.StatusOK {
		t.Errorf("after all that, and with a charset: %d %s", w.Code, w.Body)
	}
}

// checkError checks that w is an error of RFC 6749 section 5.2, that no cache
// keeps it, and that it says with what to authenticate where it is asked.
func checkError(t *testing.T, name string, w *httptest.ResponseRecorder) {
	t.Helper()
	body := object(t, w)
	description, _ := body["error_description"].(string)
	if len(body) != 2 || description == "" || strings.ContainsFunc(description, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) {
		t.Errorf("%s: no error of RFC 6749: %v", name, body)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Pragma") != "no-cache" || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("%s: %v", name, w.Header())
	}
	if scheme := w.Header().Get("WWW-Authenticate"); scheme != "" && scheme != `Basic realm="foyer"` {
		t.Errorf("%s: WWW-Authenticate: %q (X31)", name, scheme)
	}
}

// RFC 6749 section 5.2: who tried to authenticate is told how it went.
func TestSecretsAreRefusedWithAChallenge(t *testing.T) {
	r := newRoom(t)
	id, issued := r.guest()
	for _, path := range []string{"/token", "/revoke"} {
		form := with(renewal(id, issued.refresh), "token", issued.refresh)
		for name, w := range map[string]*httptest.ResponseRecorder{
			"a header":  r.post(path, form, "Authorization: Basic eDp5"),
			"the form":  r.post(path, with(renewal(id, issued.refresh), "token", issued.refresh, "client_secret", "s")),
			"a garbled": r.post(path, form, "Authorization: \x01"),
		} {
			if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != `Basic realm="foyer"` {
				t.Errorf("%s, %s: %d %v", path, name, w.Code, w.Header())
			}
		}
	}
	if _, ok := r.works(issued.access); !ok {
		t.Error("a refused revocation revoked")
	}
	if w := r.post("/token", renewal(id, issued.refresh, "client_secret", "")); w.Code != http.StatusOK {
		t.Errorf("an empty secret is none: %d %s", w.Code, w.Body)
	}
}

// R-50, T44, X30: which resources are accepted; what is refused consumes nothing.
func TestResourcesAtToken(t *testing.T) {
	spellings := map[string]bool{"": true, resource: true, resource + "/": true, "HTTPS://NOTES.example/mcp": true, "https://notes.example:443/mcp": true,
		issuer: false, issuer + "/other": false, resource + "-other": false, resource + "/sub": false, "http://notes.example/mcp": false,
		resource + "?x=1": false, resource + "#x": false, "mcp": false, "https://notes.example/MCP": false, "https://notes.example./mcp": false, resource + "\x00": false}
	for _, refresh := range []bool{false, true} {
		for spelling, accepted := range spellings {
			r := newRoom(t)
			id := r.register("Test", loopback)
			form := redemption(id, loopback, r.code(id, loopback))
			if refresh {
				form = renewal(id, tokensIn(t, r.post("/token", form)).refresh)
			}
			form.Set("resource", spelling)
			w := r.post("/token", form)
			if accepted {
				if w.Code != http.StatusOK {
					t.Errorf("refresh %v, %q: %d %s", refresh, spelling, w.Code, w.Body)
				}
				continue
			}
			if body := object(t, w); w.Code != http.StatusBadRequest || body["error"] != "invalid_target" {
				t.Errorf("refresh %v, %q: %d %v", refresh, spelling, w.Code, body)
			}
			r.advance(30 * time.Second)
			form.Del("resource")
			if w := r.post("/token", form); w.Code != http.StatusOK {
				t.Errorf("refresh %v: %q consumed it: %d %s", refresh, spelling, w.Code, w.Body)
			}
		}
	}
}

// R-62, X61: a refresh never widens, and what nobody knows is dropped.
func TestScopesAtRefresh(t *testing.T) {
	for _, test := range []struct{ name, scope, want string }{
		{"none", "-", "200 guest notes:read notes:write"},
		{"empty", "", "200 guest notes:read notes:write"},
		{"one that nobody knows, of Claude", "claudeai", "200 guest notes:read notes:write"},
		{"guest and offline_access", " guest offline_access", "200 guest notes:read notes:write"},
		{"one of two that were granted", "notes:write", "200 guest notes:write"},
		{"the other, and some that open nothing", "guest notes:read offline_access claudeai", "200 guest notes:read"},
		{"both", "notes:write notes:read", "200 guest notes:read notes:write"},
		{"one that was not granted", "notes:write notes:export", "400 invalid_scope"},
		{"one that cannot be read", `a"b`, "400 invalid_scope"},
		{"too long", strings.Repeat("s", 2000), "400 invalid_scope"},
	} {
		r := newRoom(t)
		id, issued := r.guest()
		r.claim(issued.access, "jane@example.com")
		body := object(t, r.post("/token", renewal(id, issued.refresh, "scope", test.scope)))
		got := fmt.Sprint("200 ", body["scope"])
		if body["error"] != nil {
			got = fmt.Sprint("400 ", body["error"])
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
		if body["error"] != nil {
			continue
		}
		again := object(t, r.post("/token", renewal(id, issued.refresh, "scope", test.scope)))
		if again["scope"] != body["scope"] || again["access_token"] != body["access_token"] {
			t.Errorf("%s: repeated, it has %v of another token, want %v", test.name, again["scope"], body["scope"])
		}
		next := object(t, r.post("/token", renewal(id, fmt.Sprint(body["refresh_token"]))))
		if next["scope"] != "guest notes:read notes:write" {
			t.Errorf("%s: the next refresh without a list has %v, want all that was granted", test.name, next["scope"])
		}
	}
}

// Guests are counted by address on loopback, where each person has their own;
// the addresses of hosted clients are many people's (client rule (j)).
func TestGuestsAreCountedOnLoopback(t *testing.T) {
	r := newRoom(t, counted)
	local, hosted := r.register("Local", loopback), r.register("Hosted", claude)
	redeem := func(id, uri string) *httptest.ResponseRecorder {
		return r.post("/token", redemption(id, uri, r.code(id, uri)), "Remote: 192.0.2.7:1")
	}
	for i := range 60 {
		if w := redeem(local, loopback); w.Code != http.StatusOK {
			t.Fatalf("guest %d: %d", i, w.Code)
		}
	}
	w := redeem(local, loopback)
	if body := object(t, w); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "60" || body["error"] != "temporarily_unavailable" {
		t.Errorf("guest 61: %d %v", w.Code, w.Header())
	}
	if w := redeem(hosted, claude); w.Code != http.StatusOK {
		t.Errorf("a hosted client at the same address: %d", w.Code)
	}
}
