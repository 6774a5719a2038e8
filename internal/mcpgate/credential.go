package mcpgate

import "strings"

// credential returns the token of a request's Authorization headers: of one
// header, of the scheme Bearer in any case, of nothing but the characters of a
// b64token (RFC 6750 section 2.1). It reports whether a bearer token was sent at
// all; one that was and cannot be read is empty, and never taken for none.
func credential(authorization []string) (token string, sent bool) {
	if len(authorization) != 1 {
		return "", len(authorization) > 1
	}
	scheme, token, _ := strings.Cut(authorization[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	if token = strings.Trim(token, " "); !isB64Token(token) {
		return "", true
	}
	return token, true
}

func isB64Token(s string) bool {
	s = strings.TrimRight(s, "=")
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~+/", r)
	})
}
