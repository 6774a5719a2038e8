package oauth

import "strings"

// CanonicalResource returns the one spelling of a resource (RFC 8707 section
// 2): scheme and host in lower case, no default port, no slash at the end. Two
// resources are the same where their canonical spellings are the same string,
// and never because one begins with the other. It refuses what is no absolute http or
// https URI, and fragments, users and dot segments, with an [*Error] of code
// [InvalidTarget].
func CanonicalResource(resource string) (string, error) {
	if strings.ContainsFunc(resource, notURIChar) { // before lower case: the Kelvin sign would become a k
		return "", &Error{InvalidTarget, "resource contains a character that a URI may not hold"}
	}
	scheme, rest, _ := strings.Cut(resource, ":")
	u, err := parseURI(strings.ToLower(scheme) + ":" + lowerAuthority(rest))
	if err != nil {
		return "", &Error{InvalidTarget, "resource " + err.Error()}
	}
	if u.scheme != "https" && u.scheme != "http" || u.host == "" {
		return "", &Error{InvalidTarget, "resource is no http or https URI"}
	}
	canonical := u.scheme + "://" + u.host
	if u.port != "" && u.port != defaultPorts[u.scheme] {
		canonical += ":" + u.port
	}
	return canonical + strings.TrimRight(u.path, "/") + u.query, nil
}

var defaultPorts = map[string]string{"http": "80", "https": "443"}

// lowerAuthority puts the host of rest, which begins after the scheme's colon,
// in lower case.
func lowerAuthority(rest string) string {
	after, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return rest
	}
	end := strings.IndexAny(after, "/?")
	if end < 0 {
		end = len(after)
	}
	return "//" + strings.ToLower(after[:end]) + after[end:]
}
