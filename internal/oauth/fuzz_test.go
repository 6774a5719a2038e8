package oauth_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"example.com/foyer/internal/oauth"
)

// net/url and a browser go where this package says, and to the letter of the
// URI: nothing in it is mended on the way. (T49, X14)
func FuzzCheckRedirectURI(f *testing.F) {
	for _, test := range tricks(f) {
		f.Add(test.uri)
	}
	for _, uri := range accepted {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) { agree(t, uri) })
}

// accepted are URIs of every sort that may be registered.
var accepted = []string{"https://a.example", "https://A.example:443/cb?x=%20", "https://a.example:8443/%20;a=1?[]", "https://192.0.2.7/", "https://[2001:db8::7]:1/cb", "http://[::1]:8080/cb",
	"http://localhost/..a/.b./c..", "com.example.app:/cb", "com.example.app:cb", "cursor://anysphere.cursor-mcp/oauth/callback", "com.example.app:///cb", "vscode://Host:1/cb?x", "https://xn--bcher-kva.example/"}

func agree(t *testing.T, uri string) {
	t.Helper()
	if oauth.CheckRedirectURI(uri) != nil {
		return
	}
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatalf("%q is accepted, and net/url refuses it: %v", uri, err)
	}
	b, ok := browse(uri)
	if !ok {
		t.Fatalf("%q is accepted, and a browser refuses it", uri)
	}
	host, port := strings.ToLower(u.Host), ""
	if at := strings.LastIndexByte(host, ':'); at > strings.LastIndexByte(host, ']') {
		host, port = host[:at], host[at+1:]
	}
	if port == specialPorts[u.Scheme] {
		port = ""
	}
	if u.Scheme != b.scheme || host != strings.ToLower(b.host) || port != b.port || u.User != nil || u.Fragment != "" {
		t.Errorf("%q leads to %s %s %s by net/url, and to %s %s %s in a browser", uri, u.Scheme, host, port, b.scheme, b.host, b.port)
	}
	path := u.EscapedPath()
	if u.Opaque != "" {
		path = u.Opaque
	}
	if path == "" && (u.Scheme == "https" || u.Scheme == "http") {
		path = "/"
	}
	if raw, _, _ := strings.Cut(uri, "?"); path != b.path || path != "/" && !strings.HasSuffix(raw, path) {
		t.Errorf("%q has the path %q by net/url, and %q in a browser", uri, path, b.path)
	}
	if named := oauth.RedirectHost(uri); named != host && named != host+":"+u.Port() && named != u.Scheme+":" {
		t.Errorf("%q leads to %s:%s, and a page calls it %s", uri, host, port, named)
	}
}

// A URI that matches differs from the registered one at most in its port, and
// net/url reads it as this package does.
func FuzzMatchRedirectURI(f *testing.F) {
	for _, test := range tricks(f) {
		f.Add("http://localhost/cb", test.uri)
		f.Add(test.uri, "http://localhost/cb")
	}
	f.Add("http://127.0.0.1:1/cb?x=1", "http://127.0.0.1:65535/cb?x=1")
	f.Add("https://a.example:8443/%20;a=1?[]", "https://a.example:8443/%20;a=1?[]")
	f.Add("com.example.app:/cb", "com.example.app:/cb")
	for _, other := range []string{"http://127.0.0.1:2/cc", "http://localhost:2/cb", "http://127.0.0.1:2/cb?x=1", "http://127.0.0.1:2/cb/", "https://127.0.0.1:2/cb"} {
		f.Add("http://127.0.0.1/cb", other)
	}
	f.Fuzz(func(t *testing.T, registered, uri string) {
		matches := oauth.MatchRedirectURI([]string{registered}, uri)
		if accepted := oauth.CheckRedirectURI(uri) == nil; accepted != oauth.MatchRedirectURI([]string{uri}, uri) {
			t.Errorf("%q: may be registered: %v, matches itself: %v", uri, accepted, !accepted)
		}
		if !matches {
			return
		}
		r, err := url.Parse(registered)
		if err != nil {
			t.Fatalf("%q matches %q, which net/url refuses: %v", uri, registered, err)
		}
		u, err := url.Parse(uri)
		if err != nil {
			t.Fatalf("%q matches, but net/url refuses it: %v", uri, err)
		}
		agree(t, uri)
		if registered == uri {
			return
		}
		if u.Scheme != "http" || !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()) {
			t.Errorf("%q matches %q without being loopback", uri, registered)
		}
		if withoutPort(u) != withoutPort(r) {
			t.Errorf("%q matches %q, and differs in more than the port", uri, registered)
		}
	})
}

func withoutPort(u *url.URL) string { return strings.Replace(u.String(), u.Host, u.Hostname(), 1) }

// A destination that is trusted could be registered, and is loopback or one of
// few hosts.
func FuzzTrustedRedirect(f *testing.F) {
	for _, test := range tricks(f) {
		f.Add(test.uri)
	}
	f.Add("https://chatgpt.com/connector/oauth/1")
	f.Add("cursor://anysphere.cursor-retrieval/oauth/1/callback")
	f.Fuzz(func(t *testing.T, uri string) {
		if !oauth.TrustedRedirect(uri) {
			return
		}
		if err := oauth.CheckRedirectURI(uri); err != nil {
			t.Errorf("%q is trusted: %v", uri, err)
		}
		hosts := []string{"claude.ai", "claude.com", "chatgpt.com", "vscode.dev", "insiders.vscode.dev", "www.cursor.com", "cursor:", "global.consent.azure-apim.net"}
		if host := oauth.RedirectHost(uri); !oauth.IsLoopback(uri) && !slices.Contains(hosts, host) {
			t.Errorf("%q is trusted and leads to %q", uri, host)
		}
	})
}

// The canonical spelling of a canonical spelling is itself, and net/url finds
// the same host in both.
func FuzzCanonicalResource(f *testing.F) {
	for _, s := range resources {
		f.Add(s)
	}
	for _, test := range tricks(f) {
		f.Add(test.uri)
	}
	f.Fuzz(func(t *testing.T, resource string) {
		once, err := oauth.CanonicalResource(resource)
		if err != nil {
			return
		}
		if twice, err := oauth.CanonicalResource(once); twice != once {
			t.Errorf("%q becomes %q and then %q, %v", resource, once, twice, err)
		}
		before, err := url.Parse(resource)
		if err != nil {
			t.Fatalf("net/url refuses %q: %v", resource, err)
		}
		after, err := url.Parse(once)
		if err != nil {
			t.Fatalf("net/url refuses %q: %v", once, err)
		}
		if !strings.EqualFold(before.Hostname(), after.Hostname()) || strings.HasSuffix(after.Path, "/") || after.Fragment != "" || after.User != nil {
			t.Errorf("%q becomes %q", resource, once)
		}
		for _, longer := range []string{once + "x", once + "-x", once + ".evil.example", once + "@evil.example", once + "/x", once + "%2fx", once + "?x", once + ":1"} {
			if other, err := oauth.CanonicalResource(longer); err == nil && other == once {
				t.Errorf("%q is %q", longer, once)
			}
		}
	})
}

var resources = []string{"https://a.example", "https://a.example:443/mcp", "https://a.example/mcp", "HTTPS://A.EXAMPLE:443//", "http://[::1]:80/?x=/", "https://a.example/%20//?", "http://K\u212a/", "https://a.example/mcp-other", "https://a.example/mcp/x"}

// Two spellings are one resource if and only if net/url finds the same scheme,
// host, port, path and query in both, but for case, a standard port and slashes
// at the end. (X3, X38, X43)
func FuzzTwoResources(f *testing.F) {
	for _, a := range resources {
		for _, b := range resources {
			f.Add(a, b)
		}
		f.Add(a, strings.ToUpper(a))
		f.Add(a, a+"/")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		one, errOne := oauth.CanonicalResource(a)
		other, errOther := oauth.CanonicalResource(b)
		if errOne != nil || errOther != nil {
			return
		}
		if same := pieces(t, a) == pieces(t, b); same != (one == other) {
			t.Errorf("%q and %q become %q and %q, and are the same: %v", a, b, one, other, same)
		}
	})
}

func pieces(t *testing.T, resource string) string {
	t.Helper()
	u, err := url.Parse(resource)
	if err != nil {
		t.Fatalf("net/url refuses %q: %v", resource, err)
	}
	port := u.Port()
	if port == specialPorts[u.Scheme] {
		port = ""
	}
	return fmt.Sprintf("%q %q %q %q %q %v", u.Scheme, strings.ToLower(u.Hostname()), port, strings.TrimRight(u.EscapedPath(), "/"), u.RawQuery, u.ForceQuery)
}

// Scopes are the words between the spaces, in their order, each once; what is no
// scope of RFC 6749 section 3.3 refuses them all.
func FuzzParseScope(f *testing.F) {
	for _, s := range []string{"", " offline_access", "a b a", "notes:write  guest ", "a\tb", "\xff", `a"b`, `a\b`, "a\u00a0b", "a\x00b", manyScopes(64), manyScopes(65), strings.Repeat("a", 1025)} {
		f.Add(s)
	}
	token := regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`)
	f.Fuzz(func(t *testing.T, scope string) {
		var words []string
		good := len(scope) <= 1024
		for _, word := range strings.Split(scope, " ") {
			if word == "" || slices.Contains(words, word) {
				continue
			}
			words = append(words, word)
			good = good && token.MatchString(word)
		}
		once, err := oauth.ParseScope(scope)
		if good = good && len(words) <= 64; good != (err == nil) || good && !slices.Equal(once, words) || !good && once != nil {
			t.Fatalf("%q is read as %q, %v; its words are %q", scope, once, err, words)
		}
		if twice, err := oauth.ParseScope(strings.Join(once, " ")); err != nil || !slices.Equal(once, twice) {
			t.Errorf("%q is read as %q, and that as %q, %v", scope, once, twice, err)
		}
	})
}

func manyScopes(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint("s", i))
	}
	return strings.Join(all, " ")
}

// URIs put together from pieces that readers are known to differ in.
func TestT49EveryReaderGoesToTheSamePlace(t *testing.T) {
	start := rapid.SampledFrom([]string{"https://", "http://", "https:", "https:/", "https:///", "HTTPS://", "cursor://", "com.example.app:", "com.example.app:/", "ftp://", "file://", "ws://", ""})
	host := rapid.SampledFrom([]string{"a.example", "A.Example", "localhost", "127.0.0.1", "[::1]", "[2001:db8::7]", "[2001:DB8::7]", "[::ffff:7f00:1]", "127.1", "0x7f.1", "0177.0.0.1", "2130706433", "1.2.3.4.5",
		"a_b.example", "-a.example", "xn--bcher-kva.example", "xn--a", "a.example.", "a..b", "0x", "a.0x1", "a.1", "1.a", ""})
	piece := rapid.SampledFrom([]string{"@", ":", ":80", ":443", ":0", ":8443", ":080", ":65536", "/", "//", "\\", "?", "#", "%2e", "%2f", "%5c", "%40", "%25", "%00", "%09", "..", ".", ";", "..;", "..;/", "/../", "/./", "cb", "[", "]", "&", "=", "'", "!", "$", ",", "~", "\t", "\n", " ", "\u3002", "%E3%80%82",
		"evil.example", "@evil.example", "//evil.example", "code=1"})
	rapid.Check(t, func(r *rapid.T) {
		uri := start.Draw(r, "start") + host.Draw(r, "host") + strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(r, "pieces"), "")
		agree(t, uri)
	})
}
