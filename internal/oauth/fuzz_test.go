package oauth_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.com/foyer/internal/oauth"
)

// A URI that matches differs from the registered one at most in its port, and
// net/url reads it as this package does.
func FuzzMatchRedirectURI(f *testing.F) {
	for _, test := range tricks {
		f.Add("http://localhost/cb", test.uri)
		f.Add(test.uri, "http://localhost/cb")
	}
	f.Add("http://127.0.0.1:1/cb?x=1", "http://127.0.0.1:65535/cb?x=1")
	f.Add("https://a.example:8443/%20;a=1?[]", "https://a.example:8443/%20;a=1?[]")
	f.Add("com.example.app:/cb", "com.example.app:/cb")
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
		if u.User != nil || u.Fragment != "" || strings.ContainsAny(uri, "\\ \t\r\n") {
			t.Errorf("%q matches", uri)
		}
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
	for _, test := range tricks {
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
		hosts := []string{"claude.ai", "claude.com", "chatgpt.com", "vscode.dev", "insiders.vscode.dev", "www.cursor.com", "cursor:"}
		if host := oauth.RedirectHost(uri); !oauth.IsLoopback(uri) && !slices.Contains(hosts, host) {
			t.Errorf("%q is trusted and leads to %q", uri, host)
		}
	})
}

// The canonical spelling of a canonical spelling is itself, and net/url finds
// the same host in both.
func FuzzCanonicalResource(f *testing.F) {
	for _, s := range []string{"https://a.example/mcp", "HTTPS://A.EXAMPLE:443//", "http://[::1]:80/?x=/", "https://a.example/%20//?", "http://K\u212a/"} {
		f.Add(s)
	}
	for _, test := range tricks {
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
	})
}

// Scopes that were read, written and read again are the same scopes.
func FuzzParseScope(f *testing.F) {
	for _, s := range []string{"", " offline_access", "a b a", "notes:write  guest ", "a\tb", "\xff", `a"b`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, scope string) {
		once, err := oauth.ParseScope(scope)
		if err != nil {
			return
		}
		twice, err := oauth.ParseScope(strings.Join(once, " "))
		if err != nil || !slices.Equal(once, twice) {
			t.Errorf("%q is read as %q, and that as %q, %v", scope, once, twice, err)
		}
		if len(once) > 64 || slices.Contains(once, "") || len(slices.Compact(slices.Sorted(slices.Values(once)))) != len(once) {
			t.Errorf("%q is read as %q", scope, once)
		}
	})
}
