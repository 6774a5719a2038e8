package oauth_test

import (
	"errors"
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

// tricks are URIs that some parser reads otherwise than another, or that lead
// out of the browser. Covers X14 and X16.
var tricks = []struct{ name, uri string }{
	{"nothing", ""},
	{"a space alone", " "},
	{"a relative path", "/cb"},
	{"a network path", "//evil.example/cb"},
	{"a host without a scheme", "evil.example/cb"},
	{"a colon first", "://evil.example/cb"},
	{"javascript", "javascript:alert(1)"},
	{"javascript in mixed case", "JaVaScRiPt:alert(1)"},
	{"javascript with a host", "javascript://a.example/%0aalert(1)"},
	{"javascript behind a space", " javascript:alert(1)"},
	{"javascript behind a control character", "\x01javascript:alert(1)"},
	{"javascript with a tab inside", "java\tscript:alert(1)"},
	{"javascript with a newline inside", "java\nscript:alert(1)"},
	{"javascript with an encoded letter", "java%73cript:alert(1)"},
	{"data", "data:text/html,x"},
	{"vbscript", "vbscript:x"},
	{"a file", "file:///etc/passwd"},
	{"a drive", "c:/windows/win.ini"},
	{"a blob", "blob:https://a.example/1"},
	{"the source of a page", "view-source:https://a.example/"},
	{"an Android intent", "intent://a#Intent;scheme=x;end"},
	{"an Android intent without a fragment", "intent://a.example/cb"},
	{"an archive", "jar:https://a.example/x.jar!/"},
	{"a file system", "filesystem:https://a.example/temporary/x"},
	{"a page of the browser", "chrome://settings/"},
	{"an extension of the browser", "chrome-extension://abc/cb.html"},
	{"a handler of the system", "ms-msdt:/id"},
	{"a mail", "mailto:a@evil.example"},
	{"a call", "tel:112"},
	{"a web socket", "wss://evil.example/cb"},
	{"ftp", "ftp://evil.example/cb"},
	{"out of band", "urn:ietf:wg:oauth:2.0:oob"},
	{"a blank page", "about:blank"},
	{"http on a host that is not loopback", "http://evil.example/cb"},
	{"https in upper case", "HTTPS://a.example/cb"},
	{"https without slashes", "https:evil.example/cb"},
	{"https with one slash", "https:/evil.example/cb"},
	{"https with three slashes", "https:///evil.example/cb"},
	{"https with backslashes", `https:\\evil.example\cb`},
	{"a private-use scheme and nothing else", "cursor:"},
	{"a private-use scheme and two slashes", "cursor://"},
	{"a private-use scheme and a query", "cursor:?code=1"},
	{"a private-use scheme with a user", "cursor://a@evil/cb"},
	{"a private-use scheme with an address like a mail's", "cursor:a@evil.example"},
	{"a scheme with an underscore", "my_app://cb"},
	{"a scheme that begins with a digit", "3app://cb"},
	{"a fragment", "https://a.example/cb#x"},
	{"an empty fragment", "https://a.example/cb#"},
	{"a user", "https://a.example@evil.example/cb"},
	{"a user and a password", "https://a.example:443@evil.example/cb"},
	{"an empty user", "https://@evil.example/cb"},
	{"an encoded at sign", "https://a.example%40evil.example/cb"},
	{"a twice encoded at sign", "https://a.example%2540evil.example/cb"},
	{"an encoded percent before an at sign", "https://a.example%25@evil.example/cb"},
	{"localhost as a user", "http://localhost@evil.example/cb"},
	{"localhost and a port as a user", "http://localhost:80@evil.example/cb"},
	{"a backslash before an at sign", `http://localhost\@evil.example/cb`},
	{"a backslash in the path", `https://a.example/\evil.example`},
	{"an encoded backslash", "https://a.example/%5cevil.example"},
	{"an encoded slash", "https://a.example/cb%2Fx"},
	{"an encoded dot segment", "https://a.example/%2e%2e/cb"},
	{"a half encoded dot segment", "https://a.example/.%2E/cb"},
	{"a twice encoded dot segment", "https://a.example/%252e%252e/cb"},
	{"a dot segment", "https://a.example/cb/../admin"},
	{"a dot segment at the end", "https://a.example/cb/.."},
	{"a single dot", "https://a.example/./cb"},
	{"a dot segment with a parameter", "https://a.example/cb/..;/admin"},
	{"a dot segment with an encoded parameter", "https://a.example/cb/..%3b/admin"},
	{"a dot segment behind a private-use scheme", "cursor://host/../cb"},
	{"an encoded null", "https://a.example/cb%00"},
	{"an encoded newline in the path", "https://a.example/%0d%0aset-cookie"},
	{"an encoded newline in the query", "https://a.example/cb?x=%0d%0ay"},
	{"an overlong slash", "https://a.example/%c0%afcb"},
	{"a percent sign at the end", "https://a.example/cb%"},
	{"a broken escape", "https://a.example/cb%zz"},
	{"a broken escape in the query", "https://a.example/cb?x=%4"},
	{"a space", "https://a.example/c b"},
	{"a space at the end", "https://a.example/cb "},
	{"a tab", "https://a.example/\tcb"},
	{"a newline at the end", "https://a.example/cb\n"},
	{"a carriage return in the host", "https://a.exa\rmple/cb"},
	{"a null", "https://a.example/cb\x00"},
	{"a quotation mark", `https://a.example/"onload=`},
	{"angle brackets", "https://a.example/<script>"},
	{"brackets in the path", "https://a.example/[x]"},
	{"broken UTF-8", "https://a.example/\xff"},
	{"a letter outside ASCII", "https://bücher.example/cb"},
	{"a Cyrillic letter in the host", "https://ex\u0430mple.com/cb"},
	{"an ideographic dot", "https://a\u3002example/cb"},
	{"an ideographic dot, encoded", "https://a%E3%80%82example/cb"},
	{"a fullwidth dot", "https://a\uff0eexample/cb"},
	{"a fullwidth slash", "https://a.example\uff0fevil.example/cb"},
	{"a fullwidth localhost", "http://\uff4cocalhost/cb"},
	{"a zero-width space", "https://a\u200b.example/cb"},
	{"a right-to-left override", "https://a.example/\u202ecb"},
	{"a wildcard", "https://*.example.com/cb"},
	{"a wildcard alone", "https://*/cb"},
	{"a dot alone", "https://./cb"},
	{"an empty label", "https://a..example/cb"},
	{"a dot at the end of localhost", "http://localhost./cb"},
	{"a dot at the end of a host", "https://a.example./cb"},
	{"a label of 64 bytes", "https://" + strings.Repeat("a", 64) + ".example/cb"},
	{"localhost with a suffix", "http://localhost.evil.example/cb"},
	{"localhost as a prefix of a label", "http://localhostevil.example/cb"},
	{"localhost in upper case", "http://LOCALHOST/cb"},
	{"127.0.0.1 with a suffix", "http://127.0.0.1.nip.io/cb"},
	{"127.0.0.1 with a dot at the end", "http://127.0.0.1./cb"},
	{"loopback, shortened", "http://127.1/cb"},
	{"loopback, shortened, by https", "https://127.1/cb"},
	{"loopback in octal", "http://0177.0.0.1/cb"},
	{"loopback in octal, by https", "https://0177.0.0.1/cb"},
	{"loopback in hexadecimal", "http://0x7f.1/cb"},
	{"loopback in hexadecimal, by https", "https://0x7f.1/cb"},
	{"loopback as one hexadecimal number", "https://0x7f000001/cb"},
	{"loopback as one number", "http://2130706433/cb"},
	{"loopback as one number, by https", "https://2130706433/cb"},
	{"another loopback address", "http://127.0.0.2/cb"},
	{"the unspecified address", "http://0.0.0.0/cb"},
	{"zero", "http://0/cb"},
	{"IPv6 unspecified", "http://[::]/cb"},
	{"IPv6 loopback, written out", "http://[0:0:0:0:0:0:0:1]/cb"},
	{"IPv6 loopback, written out, by https", "https://[0:0:0:0:0:0:0:1]/cb"},
	{"IPv6 loopback without brackets", "http://::1/cb"},
	{"IPv6 loopback, the bracket left open", "http://[::1/cb"},
	{"IPv6 loopback with a name behind it", "http://[::1]evil.example/cb"},
	{"IPv4 loopback in IPv6", "http://[::ffff:127.0.0.1]/cb"},
	{"IPv4 loopback in IPv6, by https", "https://[::ffff:127.0.0.1]/cb"},
	{"an IPv6 zone", "http://[::1%25eth0]/cb"},
	{"a raw IPv6 zone", "https://[fe80::1%eth0]/cb"},
	{"a name in brackets", "http://[localhost]/cb"},
	{"port 0", "http://localhost:0/cb"},
	{"port 65536", "http://localhost:65536/cb"},
	{"an endless port", "http://localhost:99999999999999999999/cb"},
	{"a negative port", "http://localhost:-1/cb"},
	{"a port with a sign", "http://localhost:+80/cb"},
	{"a port with a zero in front", "http://localhost:080/cb"},
	{"an empty port", "http://localhost:/cb"},
	{"a port that is a word", "http://localhost:http/cb"},
	{"two ports", "http://localhost:80:81/cb"},
	{"a port without a host", "https://:443/cb"},
	{"too long", "https://a.example/" + strings.Repeat("a", 2001-len("https://a.example/"))},
}

func TestT49TricksAreRefused(t *testing.T) {
	for _, test := range tricks {
		t.Run(test.name, func(t *testing.T) {
			err := oauth.CheckRedirectURI(test.uri)
			var refusal *oauth.Error
			if !errors.As(err, &refusal) || refusal.Code != oauth.InvalidRedirectURI {
				t.Fatalf("CheckRedirectURI(%q) = %v, want %s", test.uri, err, oauth.InvalidRedirectURI)
			}
			if oauth.MatchRedirectURI([]string{test.uri}, test.uri) {
				t.Errorf("%q matches, once it is registered", test.uri)
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
