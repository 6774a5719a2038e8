package oauth

import (
	"slices"
	"strings"
)

const (
	maxScopes     = 64
	maxScopeBytes = 1024
)

// ParseScope returns the scopes of the parameter scope (RFC 6749 section 3.3)
// in their order, each once. No scope at all is nil, and no error: clients send
// an empty parameter, and spaces before the first scope. It refuses other
// characters, more than 1 KiB and more than 64 scopes with an [*Error] of code
// [InvalidScope].
func ParseScope(scope string) ([]string, error) {
	if len(scope) > maxScopeBytes {
		return nil, &Error{InvalidScope, "scope is longer than 1024 bytes"}
	}
	var scopes []string
	for s := range strings.SplitSeq(scope, " ") {
		if s == "" || slices.Contains(scopes, s) {
			continue
		}
		if strings.ContainsFunc(s, notScopeChar) {
			return nil, &Error{InvalidScope, "scope contains a character that RFC 6749 section 3.3 forbids"}
		}
		scopes = append(scopes, s)
	}
	if len(scopes) > maxScopes {
		return nil, &Error{InvalidScope, "more than 64 scopes"}
	}
	return scopes, nil
}

func notScopeChar(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
