package mcpgate

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the gate takes for a token is the one credential of the one header, to
// the letter of RFC 6750 section 2.1, and what only begins like one is bad and
// not absent.
func FuzzCredential(f *testing.F) {
	for _, header := range []string{"Bearer fya_abc", "bearer  abc==", "BEARER a.b-c_d~e+f/g=", "Bearer", "Bearer ", "Bearer a b", "Bearer a,Bearer b", "Bearer a=b", "Bearer ====", "Bearer\ta", "Bearer a\t", "Bearer \u00a0a",
		"Bearer a\u00a0", "Bearer a\x00", "Bearer \u212aelvin", "Bearer a\r\nb", "bearer\u212a a", "Basic YTpi", "", " Bearer a", "Bearerer a", `Bearer "a"`, "Bearer a;b", "Bearer token=a", "ſbearer a", "Bearer a%20b"} {
		f.Add(header, "", 1)
		f.Add(header, "Bearer other", 2)
	}
	f.Add("", "", 0)
	good := regexp.MustCompile(`^(?:[Bb][Ee][Aa][Rr][Ee][Rr]) +([A-Za-z0-9._~+/-]+=*) *$`)
	begins := regexp.MustCompile(`^(?:[Bb][Ee][Aa][Rr][Ee][Rr])(?: |$)`)
	f.Fuzz(func(t *testing.T, first, second string, n int) {
		headers := []string{first, second}[:min(max(n, 0), 2)]
		before := slices.Clone(headers)
		token, sent := credential(headers)
		want, meant := "", len(headers) > 1
		if len(headers) == 1 {
			meant = begins.MatchString(first)
			if found := good.FindStringSubmatch(first); found != nil {
				want = found[1]
			}
		}
		if token != want || sent != meant {
			t.Errorf("of %q the gate takes %q, %v; want %q, %v", headers, token, sent, want, meant)
		}
		if strings.ContainsAny(token, " ,;\"\r\n\t\x00") || token != "" && !sent || !slices.Equal(before, headers) {
			t.Errorf("of %q the gate takes %q, %v", before, token, sent)
		}
	})
}
