package authserver

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func parsed(t testing.TB, location string) url.Values {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

var (
	codeParam = regexp.MustCompile(`code=[\w-]{100,}`)
	link      = regexp.MustCompile(`<a href="([^"]+)">`)
)

// outcome is what became of an authorization request: "302" and where to; or the
// status and the heading of a page, with its button, and where its link leads.
func outcome(w *httptest.ResponseRecorder) string {
	hide := func(s string) string { return codeParam.ReplaceAllString(s, "code=…") }
	if w.Code == http.StatusFound {
		if strings.HasPrefix(w.Header().Get("Location"), "/consent?request=") {
			return asks
		}
		return "302 " + hide(w.Header().Get("Location"))
	}
	got := strconv.Itoa(w.Code) + " " + heading(w)
	if sealedIn(w) != "" {
		got += " [button]"
	}
	if found := link.FindStringSubmatch(w.Body.String()); found != nil && strings.HasPrefix(found[1], "/consent?request=") {
		got += " -> the page that asks"
	} else if found != nil {
		got += " -> " + hide(html.UnescapeString(found[1]))
	}
	if w.Header().Get("Location") != "" {
		got += " and a Location"
	}
	return got
}

const (
	iss     = "&iss=https%3A%2F%2Fnotes.example"
	issXYZ  = iss + "&state=xyz"
	gives   = "?code=…" + issXYZ
	unknown = "400 The app has to register again"
	astray  = "400 This link leads astray"
	partial = "400 This link is incomplete"
	asks    = "302 to the page that asks"

	badAge    = "max_age must be a number of seconds"
	unmetCode = "unmet_authentication_requirements"
	tooStrong = "no sign-in in the browser is that strong here"
)

// refused is the query of an error response.
func refused(code, description string) string {
	return "?error=" + code + "&error_description=" + url.QueryEscape(description) + issXYZ
}

// T45, T46, T49, X1, X2, X3, X14, X20, X33, X61,
// client rules (a), (c), (d), (e) and (i).
func TestAuthorize(t *testing.T) {
	r := newRoom(t)
	id := r.register("Inspector", loopback, "http://localhost/callback", "http://127.0.0.1:1/other?keep=1&b=%20", "http://[::1]:1/cb", claude, foreign, private,
		"https://app.example/q?a=b", "cursor://anysphere.cursor-mcp/oauth/callback", "https://chatgpt.com/connector/oauth/a1B2")
	odd := r.register("Odd", "http://127.0.0.1:1/cb?iss=https://evil.example", "https://app.example/cb?x=1&%63ode=evil", "http://127.0.0.1:1/cb?a;iss=x")
	expired := r.register("Expired", "https://expired.example/cb")
	r.update(forget(expired))
	ask := func(changes ...string) url.Values { return good(id, loopback, changes...) }
	at := func(uri string, changes ...string) url.Values { return good(id, uri, changes...) }
	twice := func(q url.Values, name, value string) url.Values { q.Add(name, value); return q }
	mistaken := func(uri, code, description string) string {
		return "400 The app made a mistake -> " + uri + refused(code, description)
	}
	const (
		noChallenge  = "code_challenge is missing: PKCE is required"
		notS256      = "code_challenge_method must be S256"
		badChallenge = "code_challenge must be 43 characters of base64url"
		given2       = "a parameter is given twice"
		badScope     = "scope contains a character that RFC 6749 section 3.3 forbids"
		notOurs      = "resource is none of this server's"
	)
	for _, test := range []struct {
		name  string
		query url.Values
		want  string
	}{
		// what gives a code at once
		{"a guest's request", ask(), "302 " + loopback + gives},
		{"no scope at all", ask("scope", "-"), "302 " + loopback + gives},
		{"an empty scope, of ChatGPT (X61)", ask("scope", ""), "302 " + loopback + gives},
		{"a scope that nobody knows, of Claude (X61)", ask("scope", "claudeai"), "302 " + loopback + gives},
		{"a space before the first scope", ask("scope", " offline_access"), "302 " + loopback + gives},
		{"prompt=consent and other parameters that mean nothing", ask("prompt", "consent", "nonce", "n", "login_hint", "x", "display", "popup", "max_age", "", "acr_values", ""), "302 " + loopback + gives},
		{"response_mode query", ask("response_mode", "query"), "302 " + loopback + gives},
		{"no state", ask("state", "-"), "302 " + loopback + "?code=…" + iss},
		{"an empty state is none", ask("state", ""), "302 " + loopback + "?code=…" + iss},
		{"no resource (R-51)", ask("resource", "-"), "302 " + loopback + gives},
		{"an empty resource", ask("resource", ""), "302 " + loopback + gives},
		{"the other resource", ask("resource", issuer+"/other"), "302 " + loopback + gives},
		{"a resource with an upper-case host (R-50)", ask("resource", "HTTPS://NOTES.EXAMPLE/mcp"), "302 " + loopback + gives},
		{"a resource with a slash at the end", ask("resource", resource+"/"), "302 " + loopback + gives},
		{"a resource with the usual port", ask("resource", "https://notes.example:443/mcp"), "302 " + loopback + gives},
		{"another port on loopback (X20)", at("http://127.0.0.1:50000/callback"), "302 http://127.0.0.1:50000/callback" + gives},
		{"no port on loopback", at("http://127.0.0.1/callback"), "302 http://127.0.0.1/callback" + gives},
		{"another port of localhost (X20)", at("http://localhost:3118/callback"), "302 http://localhost:3118/callback" + gives},
		{"IPv6 loopback", at("http://[::1]:5/cb"), "302 http://[::1]:5/cb" + gives},
		{"a query of the redirect URI is kept", at("http://127.0.0.1:1/other?keep=1&b=%20"), "302 http://127.0.0.1:1/other?keep=1&b=%20&" + gives[1:]},
		{"a known client", at(claude), "302 " + claude + gives},
		{"a known client with a segment of its own", at("https://chatgpt.com/connector/oauth/a1B2"), "302 https://chatgpt.com/connector/oauth/a1B2" + gives},
		{"a known private-use scheme", at("cursor://anysphere.cursor-mcp/oauth/callback"), "302 cursor://anysphere.cursor-mcp/oauth/callback" + gives},

		// what asks first
		{"a redirect URI that nobody vouches for", at(foreign), "200 Continue to app.example? [button]"},
		{"the same with a query", at("https://app.example/q?a=b"), "200 Continue to app.example? [button]"},
		{"a private-use scheme that nobody vouches for", at(private), "200 Continue to com.example.app (an app on this device)? [button]"},
		{"prompt=none does not take the button away", at(foreign, "prompt", "none"), "200 Continue to app.example? [button]"},

		// what a person has to give
		{"a default scope", ask("scope", "guest notes:write"), asks},
		{"a scope that is not default", ask("scope", "notes:export claudeai"), asks},
		{"the same for a redirect URI that nobody vouches for", at(foreign, "scope", "notes:export"), asks},

		// what is never sent anywhere
		{"an unknown client", good("client_NOBODY", loopback), unknown},
		{"an empty client", ask("client_id", ""), unknown},
		{"an expired client", good(expired, "https://expired.example/cb"), unknown},
		{"a URL for a client", good("https://evil.example/client.json", loopback), unknown},
		{"no client", ask("client_id", "-"), partial},
		{"two clients", twice(ask(), "client_id", id), partial},
		{"no redirect URI", ask("redirect_uri", "-"), partial},
		{"two redirect URIs", twice(ask(), "redirect_uri", "https://evil.example/"), partial},
		{"nothing at all", nil, partial},
		{"an empty redirect URI", at(""), astray},
		{"another host", at("https://evil.example/cb"), astray},
		{"another path", at("http://127.0.0.1:33418/callback2"), astray},
		{"a slash at the end", at(loopback + "/"), astray},
		{"a query that was not registered", at(loopback + "?x=1"), astray},
		{"another port where it counts", at("https://app.example:8443/cb"), astray},
		{"another scheme", at("http://app.example/cb"), astray},
		{"upper case", at("https://APP.example/cb"), astray},
		{"a user (X14)", at("https://app.example@evil.example/cb"), astray},
		{"dot segments (X14)", at("https://app.example/x/../cb"), astray},
		{"an encoded separator (X14)", at("https://app.example%2f@evil.example/cb"), astray},
		{"a backslash (X14)", at(`https://app.example\@evil.example/cb`), astray},
		{"a fragment", at(foreign + "#x"), astray},
		{"a control character", at(foreign + "\r\nLocation: https://evil.example"), astray},
		{"a script", at("javascript:alert(1)"), astray},
		{"a mistake besides does not send anything there", at("https://evil.example/cb", "response_type", "token"), astray},
		{"a redirect URI that answers for us with its own iss (T45)", good(odd, "http://127.0.0.1:1/cb?iss=https://evil.example"), astray},
		{"a redirect URI with an encoded code", good(odd, "https://app.example/cb?x=1&%63ode=evil"), astray},
		{"a redirect URI with a query that readers may split otherwise", good(odd, "http://127.0.0.1:1/cb?a;iss=x"), astray},

		// what the client is told
		{"no response type", ask("response_type", "-"), "302 " + loopback + refused("invalid_request", "missing: response_type")},
		{"response type token (R-2)", ask("response_type", "token"), "302 " + loopback + refused("unsupported_response_type", "response_type must be code")},
		{"response type code token", ask("response_type", "code token"), "302 " + loopback + refused("unsupported_response_type", "response_type must be code")},
		{"response mode fragment", ask("response_mode", "fragment"), "302 " + loopback + refused("invalid_request", "response_mode must be query")},
		{"no code challenge (X2)", ask("code_challenge", "-"), "302 " + loopback + refused("invalid_request", noChallenge)},
		{"no code challenge, and no method", ask("code_challenge", "-", "code_challenge_method", "-"), "302 " + loopback + refused("invalid_request", noChallenge)},
		{"no method, which would mean plain", ask("code_challenge_method", "-"), "302 " + loopback + refused("invalid_request", notS256)},
		{"plain", ask("code_challenge_method", "plain"), "302 " + loopback + refused("invalid_request", notS256)},
		{"an unknown method (X33)", ask("code_challenge_method", "s256"), "302 " + loopback + refused("invalid_request", notS256)},
		{"a short code challenge", ask("code_challenge", "short"), "302 " + loopback + refused("invalid_request", badChallenge)},
		{"a code challenge with padding", ask("code_challenge", challenge+"="), "302 " + loopback + refused("invalid_request", badChallenge)},
		{"a scope with a quote", ask("scope", `guest "`), "302 " + loopback + refused("invalid_scope", badScope)},
		{"a scope with a control character", ask("scope", "guest\nx"), "302 " + loopback + refused("invalid_scope", badScope)},
		{"too many scopes", ask("scope", strings.Repeat("s ", 600)), "302 " + loopback + refused("invalid_scope", "scope is longer than 1024 bytes")},
		{"a resource of somebody else (X3)", ask("resource", "https://other.example/mcp"), "302 " + loopback + refused("invalid_target", notOurs)},
		{"a resource that ours is a prefix of (X38)", ask("resource", resource+"-other"), "302 " + loopback + refused("invalid_target", notOurs)},
		{"a resource with a fragment", ask("resource", resource+"#x"), "302 " + loopback + refused("invalid_target", notOurs)},
		{"no absolute resource", ask("resource", "/mcp"), "302 " + loopback + refused("invalid_target", notOurs)},
		{"two resources", twice(ask(), "resource", issuer+"/other"), "302 " + loopback + refused("invalid_target", notOurs)},
		{"two scopes", twice(ask(), "scope", "guest"), "302 " + loopback + refused("invalid_request", given2)},
		{"two resources and two scopes", twice(twice(ask(), "resource", resource), "scope", "guest"), "302 " + loopback + refused("invalid_request", given2)},
		{"two of what means nothing", twice(ask("prompt", "a"), "prompt", "b"), "302 " + loopback + refused("invalid_request", given2)},
		{"two states, of which none is echoed", twice(ask(), "state", "other"), "302 " + loopback + strings.TrimSuffix(refused("invalid_request", given2), "&state=xyz")},
		{"a state that is too long", ask("state", strings.Repeat("s", 4097)), "302 " + loopback + strings.TrimSuffix(refused("invalid_request", "state may have 4096 bytes"), "&state=xyz")},
		{"a mistake of a known client", at(claude, "code_challenge", "-"), "302 " + claude + refused("invalid_request", noChallenge)},
		{"a mistake and a query that is kept", at("http://127.0.0.1:1/other?keep=1&b=%20", "response_type", "token"),
			"302 http://127.0.0.1:1/other?keep=1&b=%20&" + refused("unsupported_response_type", "response_type must be code")[1:]},

		// what is asked of the sign-in (RFC 9470 section 4)
		{"an age", ask("max_age", "600"), asks},
		{"no age at all", ask("max_age", "0"), asks},
		{"the age of a world", ask("max_age", "18446744073709551615"), asks},
		{"an age of the Inspector's own place", at(foreign, "max_age", "1"), asks},
		{"a negative age", ask("max_age", "-1"), "302 " + loopback + refused("invalid_request", badAge)},
		{"an age with a sign", ask("max_age", "+1"), "302 " + loopback + refused("invalid_request", badAge)},
		{"an age in parts of seconds", ask("max_age", "1.5"), "302 " + loopback + refused("invalid_request", badAge)},
		{"an age in words", ask("max_age", "ten"), "302 " + loopback + refused("invalid_request", badAge)},
		{"an age that no number holds", ask("max_age", "18446744073709551616"), "302 " + loopback + refused("invalid_request", badAge)},
		{"two ages", twice(ask("max_age", "1"), "max_age", "2"), "302 " + loopback + refused("invalid_request", given2)},
		{"a level", ask("acr_values", "email"), asks},
		{"a weaker level", ask("acr_values", "chat"), asks},
		{"one of two levels", ask("acr_values", "passkey email"), asks},
		{"a level as a scope", ask("scope", "guest acr:email"), asks},
		{"levels that nobody knows", ask("acr_values", "0 urn:mace:incommon:iap:silver", "scope", "guest acr:gold"), "302 " + loopback + gives},
		{"a level that is too strong", ask("acr_values", "passkey"), "302 " + loopback + refused(unmetCode, tooStrong)},
		{"levels that are, and one that nobody knows", ask("acr_values", "oidc passkey 0"), "302 " + loopback + refused(unmetCode, tooStrong)},
		{"a scope that is too strong", ask("scope", "notes:export acr:oidc"), "302 " + loopback + refused(unmetCode, tooStrong)},
		{"one of two scopes", ask("scope", "acr:email acr:oidc", "acr_values", "email"), "302 " + loopback + refused(unmetCode, tooStrong)},
		{"a level that is too strong, for who is not trusted", at(foreign, "acr_values", "passkey"), "400 This takes a stronger sign-in -> " + foreign + refused(unmetCode, tooStrong)},

		// what the person is told, because nobody vouches for the redirect URI (R-45, X17)
		{"no code challenge", at(foreign, "code_challenge", "-"), mistaken(foreign, "invalid_request", noChallenge)},
		{"response type token", at(foreign, "response_type", "token"), mistaken(foreign, "unsupported_response_type", "response_type must be code")},
		{"a resource of somebody else", at(foreign, "resource", "https://other.example/"), mistaken(foreign, "invalid_target", notOurs)},
		{"a scope with a quote", at(private, "scope", `"`), mistaken(private, "invalid_scope", badScope)},
		{"two scopes", twice(at(foreign), "scope", "x"), mistaken(foreign, "invalid_request", given2)},
	} {
		for range 4 { // nothing depends on the order in which a map is walked
			if got := outcome(r.authorize(test.query)); got != test.want {
				t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
				break
			}
		}
	}
	if r.log.String() != "" {
		t.Errorf("a refusal was logged as a fault: %s", r.log)
	}
}

func TestAuthorizeReadsOnlyWhatIsAQuery(t *testing.T) {
	r := newRoom(t)
	q := good(r.register("Test", loopback), loopback).Encode()
	for name, target := range map[string]string{
		"a semicolon":            "/authorize?" + q + "&a;b",
		"a broken escape":        "/authorize?" + q + "&a=%zz",
		"half an escape":         "/authorize?" + q + "%",
		"a broken escape before": "/authorize?%=1&" + q,
	} {
		if got := outcome(r.send(http.MethodGet, target, "")); got != "400 This link is broken" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if w := r.send(http.MethodHead, "/authorize?"+q, ""); w.Code != http.StatusFound {
		t.Errorf("HEAD: %d", w.Code)
	}
	if w := r.send(http.MethodPut, "/authorize?"+q, ""); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("PUT: %d %v", w.Code, w.Header())
	}
	if got := outcome(r.send(http.MethodPost, "/authorize?"+q, "")); got != "403 That button no longer works" {
		t.Errorf("POST of a query: %s", got)
	}
}

// T45: state comes back byte for byte, and nothing comes twice; at
// once, behind the button, and with an error.
func TestStateComesBackByteForByte(t *testing.T) {
	r := newRoom(t)
	id := r.register("Test", loopback, foreign)
	for name, state := range map[string]string{
		"plain":                      "xyz",
		"what a URL means by itself": "a&iss=evil&code=c#f?/%20+ =;,",
		"markup":                     `"><script>alert(1)</script>'`,
		"control characters":         "\x00\r\n\tSet-Cookie: a=b",
		"what is not UTF-8":          "\xff\xfe\x80a\xc3",
		"other scripts":              "日本語 \u202e\u2066 é 🙂",
		"what JSON escapes":          "\u2028<>&\"\\",
		"as long as it may be":       strings.Repeat("\xff", 4096),
	} {
		page := r.authorize(good(id, foreign, "state", state))
		pressed := r.post("/authorize", url.Values{"request": {sealedIn(page)}}, setCookie(page))
		for where, location := range map[string]string{
			"at once":            r.authorize(good(id, loopback, "state", state)).Header().Get("Location"),
			"with an error":      r.authorize(good(id, loopback, "state", state, "response_type", "token")).Header().Get("Location"),
			"behind the button":  strings.TrimPrefix(pressed.Header().Get("Refresh"), "0; url="),
			"on a mistaken page": html.UnescapeString(link.FindStringSubmatch(r.authorize(good(id, foreign, "state", state, "response_type", "token")).Body.String())[1]),
		} {
			q := parsed(t, location)
			if len(q["state"]) != 1 || q.Get("state") != state || len(q["iss"]) != 1 || q.Get("iss") != issuer || len(q["code"])+len(q["error"]) != 1 {
				t.Errorf("%s, %s: %q came back as %q", name, where, state, location)
			}
			if strings.ContainsFunc(location, func(c rune) bool { return c <= ' ' || c > '~' }) {
				t.Errorf("%s, %s: a header with %q", name, where, location)
			}
		}
	}
}

// R-95 and X27: an answer that carries a code is kept by nobody.
func TestACodeIsKeptByNobody(t *testing.T) {
	r := newRoom(t)
	w := r.authorize(good(r.register("Test", loopback), loopback))
	for header, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"} {
		if got := w.Header().Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	if w.Body.Len() != 0 {
		t.Errorf("a body: %s", w.Body)
	}
}

// without a resource, the first is meant, and a token is
// for one resource alone (T44, X3).
func TestACodeIsForOneResource(t *testing.T) {
	r := newRoom(t)
	id := r.register("Test", loopback)
	for asked, want := range map[string]string{"-": resource, issuer + "/other": issuer + "/other", "HTTPS://Notes.Example/mcp/": resource} {
		code := codeIn(t, r.authorize(good(id, loopback, "resource", asked)).Header().Get("Location"))
		access := r.redeem(id, loopback, code).access
		for _, audience := range r.Resources {
			if _, err := r.Grants.Check(t.Context(), access, audience); (err == nil) != (audience == want) {
				t.Errorf("asked for %q: at %s: %v", asked, audience, err)
			}
		}
		r.advance(time.Second)
	}
}
