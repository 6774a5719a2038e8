package oauth

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A known client could be registered, is trusted, and its knowledge has a date.
// A star never stands for a host, or for more than one segment.
func TestKnownClientsAreGoodData(t *testing.T) {
	var seen []string
	for _, k := range knownClients {
		uri := strings.Replace(k.uri, "*", "a-1_b.c~d", 1)
		if CheckRedirectURI(uri) != nil || !TrustedRedirect(uri) || IsLoopback(uri) || strings.HasPrefix(uri, "http:") {
			t.Errorf("%s: %s is no redirect URI to trust", k.client, uri)
		}
		if !regexp.MustCompile(`^20\d\d-(0[1-9]|1[0-2])$`).MatchString(k.seen) {
			t.Errorf("%s: seen %q", k.client, k.seen)
		}
		if slices.Contains(seen, k.uri) || strings.Count(k.uri, "*") > 1 {
			t.Errorf("%s: %s is there twice, or has two stars", k.client, k.uri)
		}
		seen = append(seen, k.uri)
		before, after, open := strings.Cut(k.uri, "*")
		if !open {
			continue
		}
		if !strings.HasSuffix(before, "/") || strings.Count(before, "/") < 4 || after != "" && after[0] != '/' {
			t.Errorf("%s: the star in %s is no segment of its own", k.client, k.uri)
		}
		for _, middle := range []string{"", ".", "..", "a/b", "a%2fb", "a?b", "a#b", "a;b", "a@b", "*"} {
			if TrustedRedirect(before + middle + after) {
				t.Errorf("%s: %q passes for one segment", k.client, middle)
			}
		}
	}
}
