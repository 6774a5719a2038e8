package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/foyer/internal/oauth"
)

const documentID = "https://app.example/client.json"

// says is a document with these members besides, or instead; a member whose text
// is empty is left out. Names and texts come in turn.
func says(id string, members ...string) string {
	all := map[string]string{"client_id": `"` + id + `"`, "client_name": `"App"`, "redirect_uris": `["https://app.example/cb"]`}
	for i := 0; i < len(members); i += 2 {
		all[members[i]] = members[i+1]
		if members[i+1] == "" {
			delete(all, members[i])
		}
	}
	var text []string
	for name, value := range all {
		text = append(text, fmt.Sprintf("%q: %s", name, value))
	}
	slices.Sort(text)
	return "{" + strings.Join(text, ", ") + "}"
}

// As it stood at chatgpt.com in 2026-08 and 2026-09 (X34).
const chatGPT = `{
	"client_id": "https://app.example/client.json",
	"client_uri": "https://app.example/",
	"redirect_uris": ["https://app.example/connector/oauth/IbUR3zxyNQ16"],
	"token_endpoint_auth_method": "private_key_jwt",
	"token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
	"grant_types": ["authorization_code", "refresh_token"],
	"response_types": ["code"],
	"client_name": "ChatGPT",
	"token_endpoint_auth_signing_alg": "RS256",
	"jwks_uri": "https://app.example/oauth/jwks.json"
}`

// X34: which documents are those of the client at their URL.
func TestR68R69R75WhatADocumentMustSay(t *testing.T) {
	uris := func(n int) string {
		return `["` + strings.Repeat(`https://app.example/cb","`, n-1) + `https://app.example/cb"]`
	}
	for _, test := range []struct {
		name, body string
		ok         bool
	}{
		{"the least", says(documentID), true},
		{"ChatGPT's (X34)", chatGPT, true},
		{"a grant type that nobody here knows (X34)", says(documentID, "grant_types", `["authorization_code", "client_credentials", "urn:x"]`), true},
		{"members that nobody knows", says(documentID, "software_id", `"x"`, "logo_uri", `"javascript:x"`, "x", `{"client_id": "y"}`), true},
		{"null for what need not be there", says(documentID, "token_endpoint_auth_method", "null", "jwks", "null", "jwks_uri", "null", "client_secret", "null", "grant_types", "null"), true},
		{"escapes that mean the same", strings.ReplaceAll(says(documentID), "/", `\/`), true},
		{"a hundred redirect URIs", says(documentID, "redirect_uris", uris(100)), true},
		{"none as the method", says(documentID, "token_endpoint_auth_method", `"none"`), true},
		{"keys in the document", says(documentID, "token_endpoint_auth_method", `"private_key_jwt"`, "jwks", `{"keys":[]}`), true},
		{"a shared secret among what it can, and none", says(documentID, "token_endpoint_auth_methods_supported", `["client_secret_post", "none"]`), true},

		{"another client (R-68)", says("https://evil.example/client.json"), false},
		{"a slash more (R-68)", says(documentID + "/"), false},
		{"another case (R-68)", says(strings.ToUpper(documentID)), false},
		{"the port in words (R-68)", says("https://app.example:443/client.json"), false},
		{"no client_id (R-69)", says(documentID, "client_id", ""), false},
		{"null for client_id (R-69)", says(documentID, "client_id", "null"), false},
		{"a number for client_id", says(documentID, "client_id", "1"), false},
		{"a list for client_id", says(documentID, "client_id", `["`+documentID+`"]`), false},
		{"client_id in another case (X8)", strings.Replace(says(documentID), "client_id", "Client_ID", 1), false},
		{"no name (R-69)", says(documentID, "client_name", ""), false},
		{"null for a name", says(documentID, "client_name", "null"), false},
		{"an empty name", says(documentID, "client_name", `""`), false},
		{"a name of spaces", says(documentID, "client_name", `" \t"`), false},
		{"a name of 201 bytes", says(documentID, "client_name", `"`+strings.Repeat("n", 201)+`"`), false},
		{"a name with a zero byte", says(documentID, "client_name", `"A\u0000"`), false},
		{"no redirect URI (R-69)", says(documentID, "redirect_uris", ""), false},
		{"an empty list of redirect URIs", says(documentID, "redirect_uris", "[]"), false},
		{"null for redirect URIs", says(documentID, "redirect_uris", "null"), false},
		{"a string for redirect URIs", says(documentID, "redirect_uris", `"https://app.example/cb"`), false},
		{"no redirect URI that can be accepted", says(documentID, "redirect_uris", `["javascript:x", "http://app.example/cb", 1, null, ""]`), false},
		{"101 redirect URIs", says(documentID, "redirect_uris", uris(101)), false},
		{"a secret (R-75)", says(documentID, "client_secret", `"x"`), false},
		{"an empty secret", says(documentID, "client_secret", `""`), false},
		{"the end of a secret", says(documentID, "client_secret_expires_at", "0"), false},
		{"client_secret_basic (R-75)", says(documentID, "token_endpoint_auth_method", `"client_secret_basic"`), false},
		{"client_secret_post", says(documentID, "token_endpoint_auth_method", `"client_secret_post"`), false},
		{"client_secret_jwt", says(documentID, "token_endpoint_auth_method", `"client_secret_jwt"`), false},
		{"a shared secret, and none among what it can", says(documentID, "token_endpoint_auth_method", `"client_secret_post"`, "token_endpoint_auth_methods_supported", `["none"]`), false},
		{"a way that nobody knows", says(documentID, "token_endpoint_auth_method", `"tls_client_auth"`), false},
		{"no way at all", says(documentID, "token_endpoint_auth_methods_supported", `[]`), false},
		{"a number for a way", says(documentID, "token_endpoint_auth_method", "1"), false},
		{"keys as the way, and no keys", says(documentID, "token_endpoint_auth_method", `"private_key_jwt"`), false},
		{"keys that are no object", says(documentID, "jwks", `"x"`), false},
		{"a member twice", strings.Replace(says(documentID), "{", `{"client_name": "Other", `, 1), false},
		{"a null and a value", strings.Replace(says(documentID), "{", `{"client_name": null, `, 1), false},
		{"a list", "[" + says(documentID) + "]", false},
		{"two objects", says(documentID) + says(documentID), false},
		{"something behind", says(documentID) + " x", false},
		{"half of it", says(documentID)[:40], false},
		{"no JSON", "<html>", false},
		{"null", "null", false},
		{"a string", `"` + documentID + `"`, false},
		{"nothing", "", false},
	} {
		d, err := parseDocument(documentID, []byte(test.body))
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
		if err != nil && d.ClientID != "" {
			t.Errorf("%s: it refused, and answered %+v", test.name, d)
		}
	}
}

// one URI that cannot be accepted does not sink the others.
func TestADocumentKeepsTheRedirectURIsThatCanBeAccepted(t *testing.T) {
	d, err := parseDocument(documentID, []byte(says(documentID, "redirect_uris",
		`["javascript:alert(1)", "http://127.0.0.1/cb", 7, null, {}, "cursor://host/cb", "http://app.example/cb", "https://app.example/#x", "https://other.example/cb"]`)))
	if want := []string{"http://127.0.0.1/cb", "cursor://host/cb", "https://other.example/cb"}; err != nil || !slices.Equal(d.RedirectURIs, want) {
		t.Errorf("redirect URIs %q, %v; want %q", d.RedirectURIs, err, want)
	}
}

// X34, R-75: how a document says that its client authenticates.
func TestX34HowADocumentAuthenticates(t *testing.T) {
	const keys, place = `{"keys":[{"kty":"EC"}]}`, "https://app.example/oauth/jwks.json"
	for _, test := range []struct {
		name, body string
		want       Authentication
	}{
		{"nothing is said", says(documentID), Authentication{Methods: []string{"none"}}},
		{"ChatGPT's", chatGPT, Authentication{Methods: []string{"none", "private_key_jwt"}, KeysURI: place}},
		{"as ChatGPT's, without the list", strings.Replace(chatGPT, `"none", `, "", 1), Authentication{Methods: []string{"private_key_jwt"}, KeysURI: place}},
		{"none and keys", says(documentID, "token_endpoint_auth_method", `"none"`, "jwks", keys), Authentication{Methods: []string{"none"}, Keys: []byte(keys)}},
		{"the list alone", says(documentID, "token_endpoint_auth_methods_supported", `["private_key_jwt"]`, "jwks", keys), Authentication{Methods: []string{"private_key_jwt"}, Keys: []byte(keys)}},
		{"keys in two places", says(documentID, "token_endpoint_auth_method", `"private_key_jwt"`, "jwks", keys, "jwks_uri", `"`+place+`"`),
			Authentication{Methods: []string{"private_key_jwt"}, Keys: []byte(keys)}},
		{"what is not known, and what is", says(documentID, "token_endpoint_auth_methods_supported", `["tls_client_auth", "client_secret_jwt", "none"]`), Authentication{Methods: []string{"none"}}},
	} {
		d, err := parseDocument(documentID, []byte(test.body))
		if got := d.authentication(); err != nil || !slices.Equal(got.Methods, test.want.Methods) || !bytes.Equal(got.Keys, test.want.Keys) || got.KeysURI != test.want.KeysURI {
			t.Errorf("%s: %+v, %v; want %+v", test.name, got, err, test.want)
		}
		c, err := d.client()
		if kept, keptErr := authenticationOf(c); err != nil || keptErr != nil || fmt.Sprint(kept) != fmt.Sprint(d.authentication()) {
			t.Errorf("%s: kept as %s it says %+v, %v, %v", test.name, c.Document, kept, err, keptErr)
		}
	}
}

// Whatever is accepted is the client of its URL, has a redirect URI that can be
// accepted, shares no secret, and says the same when it comes back from where it
// was kept.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{says(documentID), chatGPT, says(documentID, "jwks", `{"keys": [ {} ]}`, "client_name", `"<é\ud800\u2028"`),
		says(documentID, "client_secret", `"x"`), says(documentID, "redirect_uris", `["http://[::1]:1/cb", "x:/y", 1]`), "{}", "[]", `{"client_id": 1}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		d, err := parseDocument(documentID, []byte(body))
		if err != nil {
			return
		}
		var plain map[string]any
		if err := json.Unmarshal([]byte(body), &plain); err != nil || plain["client_id"] != documentID || plain["client_secret"] != nil {
			t.Fatalf("accepted %q", body)
		}
		if method, _ := plain["token_endpoint_auth_method"].(string); strings.HasPrefix(method, "client_secret") {
			t.Fatalf("accepted %q", body)
		}
		a := d.authentication()
		if d.ClientID != documentID || d.Name == "" || len(d.RedirectURIs) == 0 || len(a.Methods) == 0 {
			t.Fatalf("accepted %q as %+v", body, d)
		}
		for _, method := range a.Methods {
			if method != "none" && (method != "private_key_jwt" || len(a.Keys) == 0 && a.KeysURI == "") {
				t.Fatalf("accepted %q with %+v", body, a)
			}
		}
		for _, uri := range d.RedirectURIs {
			if !oauth.MatchRedirectURI(d.RedirectURIs, uri) {
				t.Fatalf("accepted %q with a redirect URI %q", body, uri)
			}
		}
		c, err := d.client()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseDocument(documentID, c.Document)
		if err != nil {
			t.Fatalf("%q is kept as %q, which cannot be accepted: %v", body, c.Document, err)
		}
		if second, err := again.client(); err != nil || fmt.Sprint(second) != fmt.Sprint(c) {
			t.Fatalf("%q is kept as\n%s and then as\n%s", body, c.Document, second.Document)
		}
	})
}
