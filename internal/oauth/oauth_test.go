package oauth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/foyer/internal/oauth"
)

func TestParseScope(t *testing.T) {
	many := func(n int) (ss []string) {
		for i := range n {
			ss = append(ss, fmt.Sprintf("s%d", i))
		}
		return ss
	}
	for _, test := range []struct {
		name, scope string
		want        []string
		refused     bool
	}{
		{"none (X61)", "", nil, false},
		{"spaces alone", "  ", nil, false},
		{"one", "a", []string{"a"}, false},
		{"the order stays", "b a", []string{"b", "a"}, false},
		{"a duplicate goes", "b a b", []string{"b", "a"}, false},
		{"a space in front, as Claude sends it", " offline_access", []string{"offline_access"}, false},
		{"doubled spaces", "a  b ", []string{"a", "b"}, false},
		{"every sort of character", "notes:write https://a.example/x !#$%&'()*+,-./[]^_`{|}~", []string{"notes:write", "https://a.example/x", "!#$%&'()*+,-./[]^_`{|}~"}, false},
		{"a quotation mark", `a"b`, nil, true},
		{"a backslash", `a\b`, nil, true},
		{"a tab", "a\tb", nil, true},
		{"a newline", "a\nb", nil, true},
		{"a letter outside ASCII", "schön", nil, true},
		{"broken UTF-8", "\xff", nil, true},
		{"64 scopes", strings.Join(many(64), " "), many(64), false},
		{"65 scopes", strings.Join(many(65), " "), nil, true},
		{"a hundred times the same scope", strings.Repeat("a ", 100), []string{"a"}, false},
		{"a thousand spaces and more", strings.Repeat(" ", 1025), nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := oauth.ParseScope(test.scope)
			if !slices.Equal(got, test.want) || (err != nil) != test.refused {
				t.Errorf("ParseScope(%q) = %q, %v", test.scope, got, err)
			}
			if err != nil && codeOf(err) != oauth.InvalidScope {
				t.Errorf("refused with %v", err)
			}
		})
	}
}

//
func TestCanonicalResource(t *testing.T) {
	for _, test := range []struct{ name, resource, want string }{
		{"as it should be", "https://a.example/mcp", "https://a.example/mcp"},
		{"upper case", "HTTPS://A.Example/mcp", "https://a.example/mcp"},
		{"a path keeps its case", "https://a.example/MCP", "https://a.example/MCP"},
		{"a slash at the end", "https://a.example/mcp/", "https://a.example/mcp"},
		{"slashes at the end", "https://a.example/mcp//", "https://a.example/mcp"},
		{"the root", "https://a.example/", "https://a.example"},
		{"a host alone", "https://a.example", "https://a.example"},
		{"the default port", "https://a.example:443/mcp", "https://a.example/mcp"},
		{"the default port of http", "http://localhost:80", "http://localhost"},
		{"the port of the other scheme", "http://localhost:443/", "http://localhost:443"},
		{"another port", "http://localhost:8080/mcp", "http://localhost:8080/mcp"},
		{"a query stays", "https://a.example/mcp/?x=A", "https://a.example/mcp?x=A"},
		{"a query behind a host", "https://A.example?x=A", "https://a.example?x=A"},
		{"an IPv6 address", "http://[2001:DB8::1]:80/mcp", "http://[2001:db8::1]/mcp"},
		{"a neighbour is another resource (X38)", "https://a.example/mcp-other", "https://a.example/mcp-other"},
		{"nothing", "", ""},
		{"a path", "/mcp", ""},
		{"a host without a scheme", "a.example/mcp", ""},
		{"another scheme", "cursor://a.example/mcp", ""},
		{"no host", "https:///mcp", ""},
		{"no slashes", "https:a.example", ""},
		{"a fragment", "https://a.example/mcp#x", ""},
		{"an empty fragment", "https://a.example/mcp#", ""},
		{"a user", "https://a.example@evil.example/mcp", ""},
		{"a dot segment", "https://a.example/x/../mcp", ""},
		{"an encoded slash", "https://a.example/x%2fmcp", ""},
		{"an upper-case letter that only looks like K", "https://\u212a.example/mcp", ""},
		{"a dot at the end of the host", "https://a.example./mcp", ""},
		{"a port out of range", "https://a.example:65536/mcp", ""},
		{"a space in front", " https://a.example/mcp", ""},
		{"too long", "https://a.example/" + strings.Repeat("a", 2000), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := oauth.CanonicalResource(test.resource)
			if got != test.want || (err != nil) != (test.want == "") {
				t.Errorf("CanonicalResource(%q) = %q, %v, want %q", test.resource, got, err, test.want)
			}
			if err != nil && codeOf(err) != oauth.InvalidTarget {
				t.Errorf("refused with %v", err)
			}
		})
	}
}

// The pair of RFC 7636 appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// Covers R-40, X2 and X33.
func TestT46OnlyS256IsACodeChallenge(t *testing.T) {
	for _, test := range []struct {
		name, method, challenge string
		ok                      bool
	}{
		{"S256", "S256", challenge, true},
		{"no challenge", "S256", "", false},
		{"no challenge and no method", "", "", false},
		{"no method, which would mean plain", "", challenge, false},
		{"plain", "plain", verifier, false},
		{"an unknown method", "S512", challenge, false},
		{"S256 in lower case", "s256", challenge, false},
		{"a character less", "S256", challenge[1:], false},
		{"a character more", "S256", challenge + "A", false},
		{"padding", "S256", challenge[:42] + "=", false},
		{"the other base64", "S256", challenge[:42] + "+", false},
		{"a tilde, which only verifiers may hold", "S256", challenge[:42] + "~", false},
		{"a letter outside ASCII", "S256", challenge[:41] + "ü", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := oauth.CheckCodeChallenge(test.method, test.challenge)
			if (err == nil) != test.ok || err != nil && codeOf(err) != oauth.InvalidRequest {
				t.Errorf("CheckCodeChallenge(%q, %q) = %v", test.method, test.challenge, err)
			}
		})
	}
}

func TestT46OnlyTheVerifierMatches(t *testing.T) {
	long := strings.Repeat("a", 128)
	for _, test := range []struct {
		name, challenge, verifier string
		want                      bool
	}{
		{"the pair of RFC 7636", challenge, verifier, true},
		{"the longest verifier", s256(long), long, true},
		{"the challenge itself", challenge, challenge, false},
		{"no verifier", challenge, "", false},
		{"neither", "", "", false},
		{"no challenge", "", verifier, false},
		{"a prefix of the challenge", challenge[:42], verifier, false},
		{"a verifier that is too short", s256(verifier[:42]), verifier[:42], false},
		{"a verifier that is too long", s256(long + "a"), long + "a", false},
		{"a character that no verifier holds", s256(verifier[:42] + "="), verifier[:42] + "=", false},
		{"a space behind it", challenge, verifier + " ", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := oauth.VerifierMatches(test.challenge, test.verifier); got != test.want {
				t.Errorf("VerifierMatches(%q, %q) = %v, want %v", test.challenge, test.verifier, got, test.want)
			}
		})
	}
}

func s256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestAnErrorIsSentAsTheRFCSpellsIt(t *testing.T) {
	for _, test := range []struct {
		name       string
		err        oauth.Error
		json, text string
	}{
		{"with a description", oauth.Error{Code: oauth.InvalidGrant, Description: "code has expired"}, `{"error":"invalid_grant","error_description":"code has expired"}`, "invalid_grant: code has expired"},
		{"without one", oauth.Error{Code: oauth.ServerError}, `{"error":"server_error"}`, "server_error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := encode(t, test.err); got != test.json {
				t.Errorf("sent as %s, want %s", got, test.json)
			}
			if got := test.err.Error(); got != test.text {
				t.Errorf("printed as %q, want %q", got, test.text)
			}
		})
	}
}

// RFC 6749 section 5.2 allows few characters in a description. No description
// repeats the input: it could carry the words of whoever made the link.
func TestDescriptionsHoldNoInput(t *testing.T) {
	for _, test := range tricks(t) {
		_, badScope := oauth.ParseScope("\x00" + test.uri)
		_, badResource := oauth.CanonicalResource("x:" + test.uri)
		for _, err := range []error{oauth.CheckRedirectURI(test.uri), badScope, badResource, oauth.CheckCodeChallenge("S256", test.uri)} {
			var refusal *oauth.Error
			if !errors.As(err, &refusal) {
				t.Fatalf("%s: %v is no *oauth.Error", test.name, err)
			}
			if strings.ContainsFunc(refusal.Description, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) ||
				strings.Contains(refusal.Description, "evil") {
				t.Errorf("%s: description %q", test.name, refusal.Description)
			}
		}
	}
}

// Covers X62 and X35.
func TestNoFieldIsNull(t *testing.T) {
	for _, test := range []struct {
		name  string
		value any
		want  string
	}{
		{"a public client", oauth.ClientInformation{ClientID: "c1", IssuedAt: 1, ClientMetadata: oauth.ClientMetadata{
			RedirectURIs: []string{"https://a.example/cb"}, TokenEndpointAuthMethod: "none"}},
			`{"client_id":"c1","client_id_issued_at":1,"redirect_uris":["https://a.example/cb"],"token_endpoint_auth_method":"none"}`},
		{"tokens without refresh", oauth.Tokens{AccessToken: "a", TokenType: "Bearer", ExpiresIn: 60},
			`{"access_token":"a","token_type":"Bearer","expires_in":60,"scope":""}`},
		{"an empty resource", oauth.ResourceMetadata{Resource: "https://a.example"}, `{"resource":"https://a.example"}`},
		{"an empty server", oauth.ServerMetadata{Issuer: "https://a.example"},
			`{"issuer":"https://a.example","authorization_endpoint":"","token_endpoint":"","authorization_response_iss_parameter_supported":false,"client_id_metadata_document_supported":false}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := encode(t, test.value); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestARegistrationMayHoldUnknownAndNullFields(t *testing.T) {
	const body = `{"client_name":"Claude","redirect_uris":["https://claude.ai/api/mcp/auth_callback"],"scope":"claudeai",
		"client_uri":null,"grant_types":null,"contacts":["x"],"client_name#de":"Claude","jwks":{"keys":[]},"application_type":"native"}`
	var got oauth.ClientMetadata
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got.ClientName != "Claude" || got.Scope != "claudeai" || got.ApplicationType != "native" || got.GrantTypes != nil || len(got.RedirectURIs) != 1 {
		t.Errorf("read as %+v", got)
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func codeOf(err error) string {
	var refusal *oauth.Error
	if !errors.As(err, &refusal) {
		return "no *oauth.Error"
	}
	return refusal.Code
}
