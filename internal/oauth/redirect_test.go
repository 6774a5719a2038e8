package oauth_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"example.com/foyer/internal/oauth"
)

func TestRedirectURIsThatClientsRegister(t *testing.T) {
	for _, test := range []struct{ name, uri string }{
		{"Claude", "https://claude.ai/api/mcp/auth_callback"},
		{"Claude Code", "http://localhost:3118/callback"},
		{"ChatGPT", "https://chatgpt.com/connector/oauth/abc-123_x"},
		{"Codex", "http://127.0.0.1:1455/callback"},
		{"Cursor (X16)", "cursor://anysphere.cursor-mcp/oauth/callback"},
		{"Cursor with the name of a server", "cursor://anysphere.cursor-retrieval/oauth/user-my%20server/callback"},
		{"VS Code, loopback without a port", "http://127.0.0.1/"},
		{"VS Code, private-use with a host", "vscode://vscode.github-authentication/did-authenticate"},
		{"VS Code, private-use with a path alone", "vscode:redirect"},
		{"Claude on a desktop", "claude://oauth"},
		{"a reverse domain (RFC 8252 section 7.1)", "com.example.app:/oauth2redirect/example-provider"},
		{"a reverse domain with an empty host", "com.example.app:///oauth2redirect"},
		{"IPv6 loopback", "http://[::1]:8080/cb"},
		{"loopback by https", "https://localhost:8443/cb"},
		{"a query", "https://a.example/cb?tenant=1&next=%2Fhome&list[]=1"},
		{"a path in another script", "https://a.example/%E8%BF%94%E5%9B%9E"},
		{"no path", "https://a.example"},
		{"a port", "https://a.example:8443/cb"},
		{"an IPv4 address by https", "https://192.0.2.7/cb"},
		{"an IPv6 address by https", "https://[2001:db8::7]/cb"},
		{"punycode", "https://xn--bcher-kva.example/cb"},
		{"an at sign in a path", "https://a.example/@user/cb"},
		{"a parameter in a path", "https://a.example/cb;v=1"},
		{"dots that are no segment", "https://a.example/..well-known/cb..."},
		{"the longest", "https://a.example/" + strings.Repeat("a", 2000-len("https://a.example/"))},
		{"a host that only looks like loopback, by https", "https://localhost.evil.example/cb"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := oauth.CheckRedirectURI(test.uri); err != nil {
				t.Errorf("CheckRedirectURI(%q) = %v", test.uri, err)
			}
			if !oauth.MatchRedirectURI([]string{"https://other.example/", test.uri}, test.uri) {
				t.Errorf("%q does not match itself", test.uri)
			}
		})
	}
}

type trick struct{ name, uri string }

// tricks are URIs that some parser reads otherwise than another, or that lead
// out of the browser; the file says why. Covers X14 and X16.
func tricks(t testing.TB) (all []trick) {
	t.Helper()
	file, err := os.ReadFile("testdata/tricks.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSpace(line)
		name, quoted, ok := strings.Cut(line, `"`)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		uri, err := strconv.Unquote(`"` + quoted)
		if !ok || err != nil {
			t.Fatalf("tricks.txt: %s: %v", line, err)
		}
		all = append(all, trick{strings.TrimSpace(name), uri})
	}
	if len(all) < 250 {
		t.Errorf("%d tricks: where did the others go?", len(all))
	}
	return append(all, trick{"a label of 64 bytes", "https://" + strings.Repeat("a", 64) + ".example/cb"},
		trick{"too long", "https://a.example/" + strings.Repeat("a", 2001-len("https://a.example/"))})
}

func TestT49TricksAreRefused(t *testing.T) {
	const good = "https://a.example/cb"
	for _, test := range tricks(t) {
		t.Run(test.name, func(t *testing.T) {
			err := oauth.CheckRedirectURI(test.uri)
			var refusal *oauth.Error
			if !errors.As(err, &refusal) || refusal.Code != oauth.InvalidRedirectURI {
				t.Fatalf("CheckRedirectURI(%q) = %v, want %s", test.uri, err, oauth.InvalidRedirectURI)
			}
			if oauth.MatchRedirectURI([]string{test.uri}, test.uri) {
				t.Errorf("%q matches, once it is registered", test.uri)
			}
			registered := []string{good, test.uri, test.uri}
			if oauth.MatchRedirectURI(registered, test.uri) || !oauth.MatchRedirectURI(registered, good) {
				t.Errorf("%q, registered twice beside a good one, opens itself or sinks the other", test.uri)
			}
			if oauth.TrustedRedirect(test.uri) || oauth.IsLoopback(test.uri) {
				t.Errorf("%q is trusted", test.uri)
			}
			if got := oauth.RedirectHost(test.uri); got != "" {
				t.Errorf("%q has the destination %q", test.uri, got)
			}
		})
	}
}

// Covers R-42, X1 and X20.
func TestT49OnlyTheRegisteredURIMatches(t *testing.T) {
	const web = "https://a.example/cb?x=1"
	for _, test := range []struct {
		name, registered, uri string
		want                  bool
	}{
		{"the same", web, web, true},
		{"another path", web, "https://a.example/cb2?x=1", false},
		{"a path below", web, "https://a.example/cb/x?x=1", false},
		{"a slash more", "https://a.example/cb", "https://a.example/cb/", false},
		{"a slash less", "https://a.example/", "https://a.example", false},
		{"another host", web, "https://b.example/cb?x=1", false},
		{"a host below", web, "https://x.a.example/cb?x=1", false},
		{"the host in another case", web, "https://A.example/cb?x=1", false},
		{"another scheme", "https://localhost/cb", "http://localhost/cb", false},
		{"a parameter more", web, web + "&y=2", false},
		{"a parameter less", web, "https://a.example/cb", false},
		{"an empty query more", "https://a.example/cb", "https://a.example/cb?", false},
		{"the default port, written out", web, "https://a.example:443/cb?x=1", false},
		{"another port by https", "https://localhost:1/cb", "https://localhost:2/cb", false},
		{"another loopback port", "http://localhost:1/cb", "http://localhost:2/cb", true},
		{"a loopback port where none was registered", "http://127.0.0.1/cb", "http://127.0.0.1:51234/cb", true},
		{"no loopback port where one was registered", "http://127.0.0.1:33418/", "http://127.0.0.1/", true},
		{"an IPv6 loopback port", "http://[::1]:1/cb", "http://[::1]:2/cb", true},
		{"another loopback path", "http://127.0.0.1/cb", "http://127.0.0.1:51234/cb2", false},
		{"another loopback query", "http://127.0.0.1/cb", "http://127.0.0.1:51234/cb?x=1", false},
		{"no slash where one was registered", "http://127.0.0.1/", "http://127.0.0.1:51234", false},
		{"localhost is not 127.0.0.1", "http://localhost/cb", "http://127.0.0.1/cb", false},
		{"127.0.0.1 is not localhost", "http://127.0.0.1/cb", "http://localhost/cb", false},
		{"127.0.0.1 is not [::1]", "http://127.0.0.1/cb", "http://[::1]/cb", false},
		{"a port out of range", "http://localhost/cb", "http://localhost:65536/cb", false},
		{"a registered trick opens nothing else", "http://localhost@evil.example/cb", "http://localhost/cb", false},
		{"another port of a private-use scheme", "cursor://host:1/cb", "cursor://host:2/cb", false},
		{"another private-use scheme", "cursor://host/cb", "cursor2://host/cb", false},
		{"nothing, where nothing was registered", "", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := oauth.MatchRedirectURI([]string{test.registered}, test.uri); got != test.want {
				t.Errorf("MatchRedirectURI(%q, %q) = %v, want %v", test.registered, test.uri, got, test.want)
			}
		})
	}
	if oauth.MatchRedirectURI(nil, web) {
		t.Error("a URI matches where none is registered")
	}
}

func TestT49WhereABrowserIsSentWithoutAPage(t *testing.T) {
	for _, test := range []struct {
		name, uri string
		want      bool
	}{
		{"Claude", "https://claude.ai/api/mcp/auth_callback", true},
		{"Claude at its other host", "https://claude.com/api/mcp/auth_callback", true},
		{"Claude, another path", "https://claude.ai/api/mcp/auth_callback2", false},
		{"Claude, a query", "https://claude.ai/api/mcp/auth_callback?x", false},
		{"Claude, another port", "https://claude.ai:8443/api/mcp/auth_callback", false},
		{"Claude, without https", "http://claude.ai/api/mcp/auth_callback", false},
		{"Claude as a label", "https://claude.ai.evil.example/api/mcp/auth_callback", false},
		{"ChatGPT", "https://chatgpt.com/connector/oauth/Ab-1_2.3~4", true},
		{"ChatGPT, an older connector", "https://chatgpt.com/connector_platform_oauth_redirect", true},
		{"ChatGPT without an id", "https://chatgpt.com/connector/oauth/", false},
		{"ChatGPT, a segment more", "https://chatgpt.com/connector/oauth/1/2", false},
		{"ChatGPT, a dot segment", "https://chatgpt.com/connector/oauth/..", false},
		{"ChatGPT, a query behind the id", "https://chatgpt.com/connector/oauth/1?to=x", false},
		{"ChatGPT, an encoded character in the id", "https://chatgpt.com/connector/oauth/1%20", false},
		{"VS Code", "https://vscode.dev/redirect", true},
		{"VS Code Insiders", "https://insiders.vscode.dev/redirect", true},
		{"VS Code, another path", "https://vscode.dev/redirect/x", false},
		{"Cursor", "cursor://anysphere.cursor-mcp/oauth/callback", true},
		{"Cursor, older versions", "cursor://anysphere.cursor-retrieval/oauth/user-notes/callback", true},
		{"Cursor, older versions, a segment more", "cursor://anysphere.cursor-retrieval/oauth/a/b/callback", false},
		{"Cursor, older versions, an overlap", "cursor://anysphere.cursor-retrieval/oauth/callback", false},
		{"Cursor, another extension", "cursor://evil.extension/oauth/callback", false},
		{"Cursor agents", "https://www.cursor.com/agents/mcp/oauth/callback", true},
		{"loopback", "http://localhost:8787/callback", true},
		{"loopback by number", "http://127.0.0.1:8787/callback", true},
		{"IPv6 loopback", "http://[::1]/callback", true},
		{"loopback by https", "https://localhost/callback", true},
		{"a host that only looks like loopback", "https://localhost.evil.example/callback", false},
		{"a name that resolves to loopback", "https://127.0.0.1.nip.io/callback", false},
		{"an unknown private-use scheme", "claude://oauth", false},
		{"an unknown host", "https://a.example/cb", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := oauth.TrustedRedirect(test.uri); got != test.want {
				t.Errorf("TrustedRedirect(%q) = %v, want %v", test.uri, got, test.want)
			}
		})
	}
}

func TestWhatAPageCallsADestination(t *testing.T) {
	for _, test := range []struct{ name, uri, want string }{
		{"a host", "https://a.example/cb?x=https://b.example", "a.example"},
		{"a host in upper case", "https://A.Example/cb", "a.example"},
		{"a host with the usual port", "https://a.example:443/cb", "a.example"},
		{"a host with another port", "https://a.example:8443", "a.example:8443"},
		{"loopback", "http://localhost:3118/callback", "localhost:3118"},
		{"loopback without a port", "http://127.0.0.1/", "127.0.0.1"},
		{"IPv6 loopback", "http://[::1]:1/", "[::1]:1"},
		{"a private-use scheme with a host", "cursor://anysphere.cursor-mcp/oauth/callback", "cursor:"},
		{"a private-use scheme with a path", "com.example.app:/cb", "com.example.app:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := oauth.RedirectHost(test.uri); got != test.want {
				t.Errorf("RedirectHost(%q) = %q, want %q", test.uri, got, test.want)
			}
		})
	}
}
