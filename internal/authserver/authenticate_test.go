package authserver

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"example.com/foyer/internal/client"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

var (
	clientSecret  = strings.Repeat("secret-_", 4)
	signingKey, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // never fails (crypto/rand)
)

// confidential adds one client for each method.
var confidential = withClients(func(cfg *client.Config) {
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: signingKey.Public(), KeyID: "k1"}}})
	if err != nil {
		panic(err)
	}
	uris := []string{loopback, foreign}
	cfg.Fetch = func(context.Context, string) ([]byte, error) { return nil, errors.New("no answer") }
	cfg.Preregistered = []client.Preregistered{
		{ID: "public", Name: "Public", RedirectURIs: uris},
		{ID: "secretive", Name: "Secretive", RedirectURIs: uris, Secrets: []string{clientSecret}},
		{ID: "signing", Name: "Signing", RedirectURIs: uris, Keys: set},
		{ID: "remote", Name: "Remote", RedirectURIs: uris, KeysURI: "https://app.example/jwks"},
	}
})

// assertion is a new one of clientID.
func (r *room) assertion(clientID string) string {
	r.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: signingKey, KeyID: "k1"}}, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	claims, err := json.Marshal(map[string]any{"iss": clientID, "sub": clientID, "aud": r.Issuer, "exp": r.clock().Add(5 * time.Minute).Unix(), "jti": rand.Text()})
	if err != nil {
		r.t.Fatal(err)
	}
	jws, err := signer.Sign(claims)
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		r.t.Fatal(err)
	}
	return text
}

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// the whole life of a grant, with each method.
func TestConfidentialClients(t *testing.T) {
	for _, test := range []struct {
		id     string
		method string
	}{{"public", "none"}, {"secretive", "client_secret_basic"}, {"secretive", "client_secret_post"}, {"signing", "private_key_jwt"}} {
		t.Run(test.method, func(t *testing.T) {
			r := newRoom(t, confidential)
			ask := func(path string, form url.Values) *httptest.ResponseRecorder {
				form.Del("client_id")
				switch test.method {
				case "client_secret_basic":
					return r.post(path, form, basic(test.id, clientSecret))
				case "client_secret_post":
					form.Set("client_secret", clientSecret)
				case "private_key_jwt":
					return r.post(path, with(form, "client_assertion_type", assertionType, "client_assertion", r.assertion(test.id)))
				}
				return r.post(path, with(form, "client_id", test.id))
			}
			first := tokensIn(t, ask("/token", redemption(test.id, loopback, r.code(test.id, loopback))))
			second := tokensIn(t, ask("/token", renewal(test.id, first.refresh)))
			if w := ask("/revoke", url.Values{"token": {second.refresh}}); w.Code != http.StatusOK {
				t.Errorf("revoke: %d %s", w.Code, w.Body)
			}
			if _, ok := r.works(second.access); ok {
				t.Error("the token still works")
			}
		})
	}
}

// RFC 6749 sections 2.3.1 and 5.2, X32, X72: what is refused, and how; none of it
// consumes the code or ends the grant.
func TestCredentialsThatAreRefused(t *testing.T) {
	r := newRoom(t, confidential)
	code := r.code("secretive", loopback)
	issued := tokensIn(t, r.post("/token", redemption("secretive", loopback, r.code("secretive", loopback), "client_secret", clientSecret)))
	const challenge = `Basic realm="foyer"`
	for _, test := range []struct {
		name      string
		changes   []string
		header    string
		challenge string
		want      string
	}{
		{"nothing but the ID", nil, "", challenge, "401 invalid_client"},
		{"no client at all", []string{"client_id", "-"}, "", "", "400 invalid_request"},
		{"a wrong secret", []string{"client_secret", clientSecret + "x"}, "", challenge, "401 invalid_client"},
		{"an empty secret", []string{"client_secret", ""}, "", challenge, "401 invalid_client"},
		{"a wrong password", nil, basic("secretive", "wrong"), challenge, "401 invalid_client"},
		{"no password", nil, basic("secretive", ""), challenge, "401 invalid_client"},
		{"no user", nil, basic("", clientSecret), challenge, "401 invalid_client"},
		{"another user", nil, basic("public", clientSecret), challenge, "401 invalid_client"},
		{"a broken escape", nil, basic("secretive", "%zz"), challenge, "401 invalid_client"},
		{"no base64", nil, "Authorization: Basic !", challenge, "401 invalid_client"},
		{"no colon", nil, "Authorization: Basic c2VjcmV0aXZl", challenge, "401 invalid_client"},
		{"an unknown scheme", nil, "Authorization: Digest x", challenge, "401 invalid_client"},
		{"an empty header", nil, "Authorization: ", challenge, "401 invalid_client"},
		{"the secret as a bearer token", nil, "Authorization: Bearer " + clientSecret, challenge, "401 invalid_client"},
		{"both ways at once", []string{"client_secret", clientSecret}, basic("secretive", clientSecret), challenge, "401 invalid_client"},
		{"an unknown client in the header", []string{"client_id", "-"}, basic("nobody", clientSecret), challenge, "401 invalid_client"},
		{"an unknown client in the form", []string{"client_id", "nobody", "client_secret", clientSecret}, "", "", "401 invalid_client"},
		{"an assertion", []string{"client_assertion_type", assertionType, "client_assertion", r.assertion("secretive")}, "", challenge, "401 invalid_client"},
		{"an assertion of another", []string{"client_assertion_type", assertionType, "client_assertion", r.assertion("signing")}, "", challenge, "401 invalid_client"},
		{"half an assertion", []string{"client_id", "-", "client_assertion_type", assertionType}, "", "", "401 invalid_client"},
		{"two secrets", []string{"client_secret", "a&client_secret=b"}, "", "", "400 invalid_request"},
		{"the client's own grant type (X72)", []string{"grant_type", "client_credentials", "client_secret", clientSecret}, "", "", "400 unsupported_grant_type"},
		{"a resource of another, by the right client", []string{"client_secret", clientSecret, "resource", "https://other.example/"}, "", "", "400 invalid_target"},
	} {
		for path, form := range map[string]url.Values{
			"/token":  redemption("secretive", loopback, code, test.changes...),
			"/revoke": with(url.Values{"client_id": {"secretive"}, "token": {issued.access}}, test.changes...),
		} {
			if path == "/revoke" && (strings.Contains(test.want, "grant_type") || strings.Contains(test.want, "target")) {
				continue
			}
			body := strings.ReplaceAll(form.Encode(), "a%26client_secret%3Db", "a&client_secret=b")
			headers := []string{"Content-Type: application/x-www-form-urlencoded"}
			if test.header != "" {
				headers = append(headers, test.header)
			}
			w := r.send(http.MethodPost, path, body, headers...)
			if got := fmt.Sprint(w.Code, " ", object(t, w)["error"]); got != test.want || w.Header().Get("WWW-Authenticate") != test.challenge {
				t.Errorf("%s, %s: %s, want %s; challenge %q", path, test.name, got, test.want, w.Header().Get("WWW-Authenticate"))
			}
			checkError(t, test.name, w)
			if strings.Contains(w.Body.String(), clientSecret) {
				t.Errorf("%s: the answer shows the secret", test.name)
			}
		}
	}
	twice := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(redemption("secretive", loopback, code).Encode()))
	twice.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"},
		"Authorization": {strings.TrimPrefix(basic("secretive", clientSecret), "Authorization: "), "Bearer x"}}
	w := httptest.NewRecorder()
	if r.mux.ServeHTTP(w, twice); object(t, w)["error"] != "invalid_client" {
		t.Errorf("two headers: %d %s", w.Code, w.Body)
	}
	if _, ok := r.works(issued.access); !ok {
		t.Error("a refused revocation revoked")
	}
	if w := r.post("/token", redemption("secretive", loopback, code, "client_id", "-"), basic("secretive", clientSecret)); w.Code != http.StatusOK {
		t.Errorf("after all that: %d %s", w.Code, w.Body)
	}
}

// RFC 6749 section 2.3.1: half of the clients encode what they send, half do not.
func TestTheHeaderMayBeEncoded(t *testing.T) {
	var escaped strings.Builder
	for _, c := range []byte(clientSecret) {
		fmt.Fprintf(&escaped, "%%%02X", c)
	}
	for name, header := range map[string]string{
		"as it is":          basic("secretive", clientSecret),
		"every byte of it":  basic("%73ecretive", escaped.String()),
		"in lower case":     strings.Replace(basic("secretive", clientSecret), "Basic", "basic", 1),
		"with go's library": basic(url.QueryEscape("secretive"), url.QueryEscape(clientSecret)),
	} {
		r := newRoom(t, confidential)
		if w := r.post("/token", redemption("secretive", loopback, r.code("secretive", loopback)), header); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// One client's code and tokens are nothing to another, though it authenticates.
func TestWhoAuthenticatesGetsOnlyItsOwn(t *testing.T) {
	r := newRoom(t, confidential)
	code := r.code("secretive", loopback)
	asSigning := func(form url.Values) url.Values {
		return with(form, "client_id", "-", "client_assertion_type", assertionType, "client_assertion", r.assertion("signing"))
	}
	if w := r.post("/token", asSigning(redemption("", loopback, code))); object(t, w)["error"] != "invalid_grant" {
		t.Errorf("another's code: %d %s", w.Code, w.Body)
	}
	issued := tokensIn(t, r.post("/token", redemption("secretive", loopback, code, "client_secret", clientSecret)))
	if w := r.post("/token", asSigning(renewal("", issued.refresh))); object(t, w)["error"] != "invalid_grant" {
		t.Errorf("another's refresh token: %d %s", w.Code, w.Body)
	}
	if w := r.post("/revoke", asSigning(url.Values{"token": {issued.refresh}})); object(t, w)["error"] != "unauthorized_client" {
		t.Errorf("another's token revoked: %d %s", w.Code, w.Body)
	}
	if _, ok := r.works(issued.access); !ok {
		t.Error("another client ended the grant")
	}
}

// what is announced is what somebody can do.
func TestMethodsAreAnnounced(t *testing.T) {
	r := newRoom(t, confidential)
	body := object(t, r.send(http.MethodGet, "/.well-known/oauth-authorization-server", ""))
	for _, endpoint := range []string{"token", "revocation"} {
		if got := fmt.Sprint(body[endpoint+"_endpoint_auth_methods_supported"]); got != "[none client_secret_basic client_secret_post private_key_jwt]" {
			t.Errorf("%s: methods %s", endpoint, got)
		}
		if got := fmt.Sprint(body[endpoint+"_endpoint_auth_signing_alg_values_supported"]); got != "[ES256 EdDSA RS256 PS256]" {
			t.Errorf("%s: algorithms %s", endpoint, got)
		}
	}
}
