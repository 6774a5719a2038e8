package oauth_test

import (
	"strings"
	"testing"

	"example.com/foyer/internal/oauth"
)

// the shape of a client ID that is a URL.
func TestR67URLsOfDocuments(t *testing.T) {
	for _, test := range []struct {
		name, id string
		isURL    bool
		ok       bool
	}{
		{"Claude's", "https://claude.ai/oauth/mcp-oauth-client-metadata", true, true},
		{"one of ChatGPT's", "https://chatgpt.com/oauth/IbUR3zxyNQ16/client.json", true, true},
		{"a port", "https://app.example:443/c", true, true},
		{"a path of one letter", "https://app.example/c", true, true},
		{"a slash at the end", "https://app.example/c/", true, true},
		{"an encoded letter", "https://app.example/%61", true, true},
		{"an IPv4 address", "https://192.0.2.1/c", true, true},
		{"http, which another rule refuses", "http://app.example/c", true, true},
		{"no path", "https://app.example", true, false},
		{"a slash alone", "https://app.example/", true, false},
		{"a query", "https://app.example/c?a=b", true, false},
		{"an empty query", "https://app.example/c?", true, false},
		{"a fragment", "https://app.example/c#a", true, false},
		{"an empty fragment", "https://app.example/c#", true, false},
		{"a user", "https://user@app.example/c", true, false},
		{"a user and a password", "https://user:pw@app.example/c", true, false},
		{"a user that looks like a host", "https://claude.ai@evil.example/c", true, false},
		{"a dot segment", "https://app.example/./c", true, false},
		{"two dots", "https://app.example/a/../c", true, false},
		{"two dots at the end", "https://app.example/a/..", true, false},
		{"encoded dots", "https://app.example/a/%2e%2e/c", true, false},
		{"an encoded slash", "https://app.example/a%2fc", true, false},
		{"a backslash", `https://app.example\@evil.example/c`, true, false},
		{"a space", "https://app.example/a c", true, false},
		{"a line break", "https://app.example/c\n", true, false},
		{"a letter beyond ASCII", "https://app.example/ç", true, false},
		{"no host", "https:///c", true, false},
		{"a port of nothing", "https://app.example:/c", true, false},
		{"port 0", "https://app.example:0/c", true, false},
		{"a decimal host", "https://2130706433/c", true, false},
		{"a hexadecimal host", "https://0x7f.1/c", true, false},
		{"an octal host", "https://0177.0.0.1/c", true, false},
		{"a short host", "https://127.1/c", true, false},
		{"a mapped host", "https://[::ffff:127.0.0.1]/c", true, false},
		{"a long host", "https://[0:0:0:0:0:0:0:1]/c", true, false},
		{"an encoded host", "https://app%2eexample/c", true, false},
		{"a dot at the end of the host", "https://app.example./c", true, false},
		{"2,001 bytes", "https://app.example/" + strings.Repeat("c", 1981), true, false},
		{"upper case", "HTTPS://app.example/c", false, false},
		{"an ID of ours", "client_ABC", false, false},
		{"another scheme", "ftp://app.example/c", false, false},
		{"nothing", "", false, false},
	} {
		if got := oauth.IsDocumentURL(test.id); got != test.isURL {
			t.Errorf("%s: IsDocumentURL(%q) = %v", test.name, test.id, got)
		}
		if err := oauth.CheckDocumentURL(test.id); (err == nil) != test.ok {
			t.Errorf("%s: CheckDocumentURL(%q) = %v", test.name, test.id, err)
		}
	}
}

// T49: which redirect URI is of a document's own origin.
func TestT49OriginsThatAreOne(t *testing.T) {
	const document = "https://app.example/c.json"
	for uri, want := range map[string]bool{
		"https://app.example/cb":                     true,
		"https://APP.example/cb?a=b":                 true,
		"https://app.example:443/cb":                 true,
		"https://app.example":                        true,
		"http://app.example/cb":                      false,
		"https://app.example:8443/cb":                false,
		"https://www.app.example/cb":                 false,
		"https://example/cb":                         false,
		"https://app.example.evil.example/cb":        false,
		"https://app.example@evil.example/cb":        false,
		"https://evil.example/https://app.example/x": false,
		"https://app.example./cb":                    false,
		"app.example:/cb":                            false,
		"https:app.example":                          false,
		"javascript://app.example/%0aalert(1)":       false,
		"":                                           false,
	} {
		if got := oauth.SameOrigin(document, uri); got != want {
			t.Errorf("SameOrigin(%q) = %v, want %v", uri, got, want)
		}
		if got := oauth.SameOrigin(uri, document); got != want {
			t.Errorf("the other way round: SameOrigin(%q) = %v, want %v", uri, got, want)
		}
	}
	if oauth.SameOrigin("http://app.example/c", "http://app.example/cb") || oauth.SameOrigin("", "") || oauth.SameOrigin("a:/b", "a:/b") {
		t.Error("without https there is no origin to trust")
	}
}
