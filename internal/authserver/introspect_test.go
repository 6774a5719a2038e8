package authserver

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/jwt"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

const (
	filesResource = "https://files.example/api"
	mapsResource  = "https://files.example/api/maps" // below the other, and nothing of it
	filesSecret   = "files+secret/with%20signs==, 32 bytes "
	filesSecond   = "another secret of the file server"
	mapsSecret    = "a secret of the server of the maps"
	inactive      = `{"active":false}` + "\n"
)

// withServers has two resource servers: files take JWTs.
func withServers(cfg *Config) {
	cfg.ResourceServers = []ResourceServer{
		{ID: "files", Resource: filesResource, Secrets: []store.Hash{secret.HashOf(filesSecret), secret.HashOf(filesSecond)}},
		{ID: "maps", Resource: mapsResource, Secrets: []store.Hash{secret.HashOf(mapsSecret)}},
		{Resource: "https://mute.example"}, // which asks nothing
	}
}

func signing(t testing.TB) func(*Config) {
	return func(cfg *Config) {
		keys, err := jwt.NewKeys(cfg.Keys.SigningKeys())
		if err != nil {
			t.Fatal(err)
		}
		cfg.SigningKeys = jwt.Published(keys)
	}
}

// guestOf is a new client's grant for a resource.
func (r *room) guestOf(resource string) (clientID string, issued tokens) {
	r.t.Helper()
	clientID = r.register("Test", loopback)
	code := codeIn(r.t, r.authorize(good(clientID, loopback, "resource", resource)).Header().Get("Location"))
	return clientID, r.redeem(clientID, loopback, code)
}

func basicHeader(user, password string) string {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.SetBasicAuth(user, password)
	return "Authorization: " + r.Header.Get("Authorization")
}

func (r *room) introspect(token string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	return r.post("/introspect", url.Values{"token": {token}}, headers...)
}

// RFC 7662 section 2.2: the whole answer, before and after the claim.
func TestIntrospection(t *testing.T) {
	r := newRoom(t, withServers)
	id, issued := r.guestOf(filesResource)
	files := basicHeader("files", filesSecret)
	begun := r.clock()
	guestID := ""
	r.update(func(ctx context.Context, tx store.Tx) error {
		_, gr, err := grant.ByAccess(ctx, tx, secret.HashOf(issued.access), r.clock())
		guestID = gr.GuestID
		return err
	})
	check := func(name, token, want string) {
		t.Helper()
		w := r.introspect(token, files)
		if w.Code != http.StatusOK || w.Body.String() != want+"\n" {
			t.Errorf("%s: %d\ngot  %swant %s", name, w.Code, w.Body, want)
		}
		for header, want := range map[string]string{"Cache-Control": "no-store", "Pragma": "no-cache", "Content-Type": "application/json", "X-Content-Type-Options": "nosniff",
			"Access-Control-Allow-Origin": "", "Access-Control-Expose-Headers": "", "Set-Cookie": ""} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s: %q, want %q", name, header, got, want)
			}
		}
	}
	live := func(scope, sub string, issued time.Time, more string) string {
		return fmt.Sprintf(`{"active":true,"scope":"%s","client_id":"%s","sub":"%s","aud":"%s","iss":"%s","exp":%d,"iat":%d,"token_type":"Bearer"%s}`,
			scope, id, sub, filesResource, issuer, issued.Add(time.Hour).Unix(), issued.Unix(), more)
	}
	check("a guest's", issued.access, live("guest", guestID, begun, ""))
	r.advance(minute)
	r.claim(issued.access, "ann@example.com")
	authTime := fmt.Sprintf(`,"auth_time":%d,"acr":"chat"`, r.clock().Unix())
	// The user's ID holds an address in these tests alone.
	check("the same token, claimed", issued.access, live("guest notes:read notes:write", "user_ann@example.com", begun, authTime))
	r.advance(minute)
	renewed := tokensIn(t, r.post("/token", renewal(id, issued.refresh)))
	check("its successor", renewed.access, live("guest notes:read notes:write", "user_ann@example.com", r.clock(), authTime))
	r.advance(time.Hour)
	check("expired", renewed.access, strings.TrimSpace(inactive))
}

// Whatever a resource server may not use is one answer, byte for byte: X47, X73.
func TestX73WhatIsNoTokenOfTheAskingServerIsInactive(t *testing.T) {
	r := newRoom(t, withServers, signing(t))
	id, issued := r.guestOf(filesResource)
	_, endpoints := r.guest()
	revokedID, revoked := r.guestOf(filesResource)
	r.post("/revoke", url.Values{"client_id": {revokedID}, "token": {revoked.refresh}})
	code := r.code(id, loopback)
	files := basicHeader("files", filesSecret)
	if w := r.introspect(issued.access, files); !strings.HasPrefix(w.Body.String(), `{"active":true,`) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	tokens := map[string]string{
		"an unknown token":      "fya_" + strings.Repeat("A", 43),
		"a refresh token":       issued.refresh,
		"an endpoint's token":   endpoints.access,
		"a revoked token":       revoked.access,
		"a code":                code,
		"half a token":          issued.access[:20],
		"a token and a space":   issued.access + " ",
		"bytes":                 "\x00\xff",
		"the server's secret":   filesSecret,
		"a token of a sentence": "Bearer " + issued.access,
	}
	for name, token := range forged(t, r) {
		tokens[name] = token
	}
	for name, token := range tokens {
		for _, hint := range []string{"", "access_token", "refresh_token", "saml"} {
			form := url.Values{"token": {token}}
			if hint != "" {
				form.Set("token_type_hint", hint)
			}
			if w := r.post("/introspect", form, files); w.Code != http.StatusOK || w.Body.String() != inactive {
				t.Errorf("%s, hint %q: %d %s", name, hint, w.Code, w.Body)
			}
		}
	}
	for name, asker := range map[string]string{"maps": basicHeader("maps", mapsSecret)} {
		if w := r.introspect(issued.access, asker); w.Body.String() != inactive {
			t.Errorf("%s learn of a token for files: %s", name, w.Body)
		}
	}
	if w := r.introspect(issued.access, files); !strings.HasPrefix(w.Body.String(), `{"active":true,`) {
		t.Errorf("somebody else's question ended the token: %s", w.Body)
	}
	if _, err := r.Grants.Check(t.Context(), issued.access, resource); err != grant.ErrUnknown {
		t.Errorf("T44: a token for files at our endpoint: %v", err)
	}
}

// forged are JWTs of our issuer's that we have not issued, well signed and not.
func forged(t testing.TB, r *room) map[string]string {
	t.Helper()
	keys, err := jwt.NewKeys(r.Keys.SigningKeys())
	if err != nil {
		t.Fatal(err)
	}
	claims := jwt.Claims{Issuer: issuer, Subject: "user_ann", Audience: filesResource, ClientID: "client_1", Scope: "guest notes:read notes:write",
		Issued: r.clock().Unix(), Expires: r.clock().Add(time.Hour).Unix(), ID: "x", AuthTime: r.clock().Unix(), Level: "chat"}
	signed, err := keys[0].Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	body := strings.Split(signed, ".")[1]
	public, err := json.Marshal(jwt.Published(keys))
	if err != nil {
		t.Fatal(err)
	}
	kid := jwt.Published(keys).Keys[0].ID
	all := map[string]string{
		"our own signature, over what we never issued": signed,
		"no algorithm":               encode(`{"alg":"none","typ":"at+jwt"}`) + "." + body + ".",
		"HS256 under the public key": hs256(`{"alg":"HS256","kid":"`+kid+`","typ":"at+jwt"}`, body, public),
		"HS256 under nothing":        hs256(`{"alg":"HS256","typ":"at+jwt"}`, body, nil),
	}
	signature := strings.Split(signed, ".")[2]
	for name, header := range map[string]string{
		"the type of an ID token": `{"alg":"ES256","kid":"` + kid + `","typ":"JWT"}`,
		"a logout token":          `{"alg":"ES256","kid":"` + kid + `","typ":"logout+jwt"}`,
		"another kid":             `{"alg":"ES256","kid":"other","typ":"at+jwt"}`,
		"a key of its own":        `{"alg":"ES256","jwk":{"kty":"EC","crv":"P-256"},"typ":"at+jwt"}`,
		"a key to be fetched":     `{"alg":"ES256","jku":"https://evil.example/jwks","typ":"at+jwt"}`,
	} {
		all[name] = encode(header) + "." + body + "." + signature
	}
	return all
}

// X49 among them: a secret is compared as it is, with its last space.
func TestWhoMayIntrospect(t *testing.T) {
	r := newRoom(t, withServers)
	_, issued := r.guestOf(filesResource)
	for _, test := range []struct {
		name    string
		headers []string
		may     bool
	}{
		{"the secret", []string{basicHeader("files", filesSecret)}, true},
		{"the second secret", []string{basicHeader("files", filesSecond)}, true},
		{"encoded, as RFC 6749 section 2.3.1 has it", []string{basicHeader("files", url.QueryEscape(filesSecret))}, true},
		{"encoded, with %20 for a space", []string{basicHeader("files", url.PathEscape(filesSecond))}, true},
		{"encoded twice", []string{basicHeader("files", url.QueryEscape(url.QueryEscape(filesSecret)))}, false},
		{"nothing", nil, false},
		{"no secret", []string{basicHeader("files", "")}, false},
		{"no ID", []string{basicHeader("", filesSecret)}, false},
		{"neither", []string{basicHeader("", "")}, false},
		{"another's secret", []string{basicHeader("files", mapsSecret)}, false},
		{"another's ID", []string{basicHeader("maps", filesSecret)}, false},
		{"the resource for an ID", []string{basicHeader(url.QueryEscape(filesResource), filesSecret)}, false},
		{"an ID in capitals", []string{basicHeader("FILES", filesSecret)}, false},
		{"a trimmed secret", []string{basicHeader("files", strings.TrimSpace(filesSecret))}, false},
		{"a secret and a line break", []string{basicHeader("files", filesSecret+"\n")}, false},
		{"part of a secret", []string{basicHeader("files", filesSecret[:32])}, false},
		{"the hash of a secret", []string{basicHeader("files", func() string { h := secret.HashOf(filesSecret); return string(h[:]) }())}, false},
		{"the token itself", []string{"Authorization: Bearer " + issued.access}, false},
		{"the secret as a token", []string{"Authorization: Bearer " + filesSecret}, false},
		{"a header that cannot be read", []string{"Authorization: Basic !"}, false},
	} {
		w := r.introspect(issued.access, test.headers...)
		if !test.may {
			body := object(t, w)
			if w.Code != http.StatusUnauthorized || body["error"] != "invalid_client" || w.Header().Get("WWW-Authenticate") != `Basic realm="foyer"` || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %v %v", test.name, w.Code, w.Header(), body)
			}
			continue
		}
		if !strings.HasPrefix(w.Body.String(), `{"active":true,`) {
			t.Errorf("%s: %d %s", test.name, w.Code, w.Body)
		}
	}
	req := httptest.NewRequest(http.MethodPost, "/introspect", strings.NewReader("token="+issued.access))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header["Authorization"] = []string{strings.TrimPrefix(basicHeader("files", filesSecret), "Authorization: "), strings.TrimPrefix(basicHeader("maps", mapsSecret), "Authorization: ")}
	w := httptest.NewRecorder()
	if r.mux.ServeHTTP(w, req); w.Code != http.StatusUnauthorized {
		t.Errorf("two headers: %d", w.Code)
	}
}

func TestIntrospectionRequests(t *testing.T) {
	r := newRoom(t, withServers)
	_, issued := r.guestOf(filesResource)
	files := basicHeader("files", filesSecret)
	for _, test := range []struct {
		name, method, target, body string
		headers                    []string
		want                       int
	}{
		{"no token", "POST", "/introspect", "token_type_hint=access_token", nil, 400},
		{"an empty token", "POST", "/introspect", "token=", nil, 400},
		{"two tokens", "POST", "/introspect", "token=a&token=b", nil, 400},
		{"a token in the query", "POST", "/introspect?token=" + issued.access, "", nil, 400},
		{"no form", "POST", "/introspect", `{"token":"x"}`, []string{"Content-Type: application/json"}, 400},
		{"a form that cannot be read", "POST", "/introspect", "token=%zz", nil, 400},
		{"too much", "POST", "/introspect", "token=" + strings.Repeat("x", maxForm), nil, 413},
		{"GET", "GET", "/introspect?token=" + issued.access, "", nil, 405},
		{"OPTIONS of a page", "OPTIONS", "/introspect", "", []string{"Origin: https://files.example", "Access-Control-Request-Method: POST"}, 405},
	} {
		w := r.send(test.method, test.target, test.body, append([]string{files}, test.headers...)...)
		if body := object(t, w); w.Code != test.want || body["error"] != "invalid_request" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v, want %d", test.name, w.Code, body, test.want)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: pages may read it", test.name)
		}
	}
}

// Who guesses is slowed, and whoever shares the address with the guesser is not.
func TestGuessesOfSecretsAreCounted(t *testing.T) {
	r := newRoom(t, withServers, counted)
	const remote = "Remote: 192.0.2.7:4711"
	for i := range strangersPerAddr {
		if w := r.introspect("x", remote, basicHeader("files", fmt.Sprint("guess ", i))); w.Code != http.StatusUnauthorized {
			t.Fatalf("guess %d: %d", i, w.Code)
		}
	}
	w := r.introspect("x", remote, basicHeader("files", "one more"))
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || w.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for range strangersPerAddr * 2 {
		if w := r.introspect("x", remote, basicHeader("files", filesSecret)); w.Body.String() != inactive {
			t.Fatalf("the server itself: %d %s", w.Code, w.Body)
		}
	}
	if w := r.introspect("x", "Remote: 192.0.2.8:4711", basicHeader("files", "guess")); w.Code != http.StatusUnauthorized {
		t.Errorf("another address: %d", w.Code)
	}
}

// A fault is no {"active":false}: that would sign people out elsewhere.
func TestAFaultOfIntrospection(t *testing.T) {
	r := newRoom(t, withServers)
	_, issued := r.guestOf(filesResource)
	r.store.Close()
	w := r.introspect(issued.access, basicHeader("files", filesSecret))
	if body := object(t, w); w.Code != http.StatusInternalServerError || body["error"] != "server_error" {
		t.Errorf("%d %v", w.Code, body)
	}
	if log := r.log.String(); !strings.Contains(log, "path=/introspect") || strings.Contains(log, issued.access) || strings.Contains(log, filesSecret) {
		t.Errorf("log: %s", log)
	}
}

// A resource elsewhere may be named, is never meant where none is named, and has
// no document here: its own server publishes that.
func TestResourcesElsewhere(t *testing.T) {
	r := newRoom(t, withServers)
	id, issued := r.guestOf("https://FILES.example:443/api/")
	if b, err := r.Grants.Check(t.Context(), issued.access, filesResource); err != nil || b.Grant.Resource != filesResource {
		t.Errorf("%v, %q", err, b.Grant.Resource)
	}
	tokensIn(t, r.post("/token", renewal(id, issued.refresh, "resource", filesResource)))
	for _, other := range []string{filesResource + "/", mapsResource, resource, "https://files.example", "https://files.example/api2", "https://other.example/api"} {
		code := codeIn(t, r.authorize(good(id, loopback, "resource", filesResource)).Header().Get("Location"))
		w := r.post("/token", redemption(id, loopback, code, "resource", other))
		if canonical := other == filesResource+"/"; w.Code == http.StatusOK != canonical {
			t.Errorf("a code for files, redeemed for %s: %d %s", other, w.Code, w.Body)
		}
	}
	for _, unknown := range []string{"https://files.example", "https://files.example/api2", "https://files.example/api/x", "https://other.example/api"} {
		if at := parsed(t, r.authorize(good(id, loopback, "resource", unknown)).Header().Get("Location")); at.Get("error") != "invalid_target" {
			t.Errorf("%s: %v", unknown, at)
		}
	}
	code := codeIn(t, r.authorize(good(id, loopback, "resource", "-")).Header().Get("Location"))
	if _, ok := r.works(r.redeem(id, loopback, code).access); !ok {
		t.Error("no resource: not the first endpoint's")
	}
	for _, path := range []string{"/.well-known/oauth-protected-resource/api", "/.well-known/oauth-protected-resource/api/maps"} {
		if w := r.send(http.MethodGet, path, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestWhatIsAnnouncedForResourceServers(t *testing.T) {
	const introspection = `"introspection_endpoint":"https://notes.example/introspect","introspection_endpoint_auth_methods_supported":["client_secret_basic"]`
	const keys = `"jwks_uri":"https://notes.example/jwks"`
	mute := func(cfg *Config) { cfg.ResourceServers = []ResourceServer{{Resource: filesResource}} }
	for name, test := range map[string]struct {
		room *room
		want string
	}{
		"none":                        {newRoom(t), ""},
		"one that asks":               {newRoom(t, withServers), "," + introspection},
		"one that verifies by itself": {newRoom(t, mute, signing(t)), "," + keys},
		"those that do both":          {newRoom(t, withServers, signing(t)), "," + introspection + "," + keys},
	} {
		for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"} {
			want := strings.TrimSuffix(serverDocument, "}\n") + test.want + "}\n"
			if w := test.room.send(http.MethodGet, path, ""); w.Body.String() != want {
				t.Errorf("%s, %s:\ngot  %swant %s", name, path, w.Body, want)
			}
		}
		for path, announced := range map[string]bool{"/introspect": strings.Contains(test.want, introspection), "/jwks": strings.Contains(test.want, keys)} {
			if w := test.room.send(http.MethodPost, path, "token=x"); (w.Code != http.StatusNotFound) != announced {
				t.Errorf("%s: POST %s: %d", name, path, w.Code)
			}
		}
	}
}

// RFC 7517 section 5: a document like the others.
func TestKeysAreADocument(t *testing.T) {
	r := newRoom(t, withServers, signing(t))
	w := r.send(http.MethodGet, "/jwks", "", "Origin: https://files.example")
	want, err := json.Marshal(r.SigningKeys)
	if err != nil || w.Code != http.StatusOK || w.Body.String() != string(want)+"\n" || !strings.Contains(string(want), `"alg":"ES256"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for header, want := range map[string]string{"Cache-Control": "public, max-age=300", "Pragma": "", "Content-Type": "application/json", "Access-Control-Allow-Origin": "*"} {
		if got := w.Header().Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	if w := r.send(http.MethodPost, "/jwks", ""); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET" {
		t.Errorf("POST: %d %v", w.Code, w.Header())
	}
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func hs256(header, body string, key []byte) string {
	input := encode(header) + "." + body
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func BenchmarkIntrospection(b *testing.B) {
	r := newRoom(b, withServers)
	_, issued := r.guestOf(filesResource)
	files := basicHeader("files", filesSecret)
	for b.Loop() {
		if w := r.introspect(issued.access, files); w.Body.String() == inactive {
			b.Fatal(w.Body)
		}
	}
}
