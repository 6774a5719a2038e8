package mcpgate_test

import (
	"fmt"
	"strings"
)

// challengeOf returns the parameters of the answer's one challenge, which is for
// Bearer, or what is wrong with it.
func challengeOf(a reply) map[string]string {
	values := a.header.Values("Www-Authenticate")
	if len(values) != 1 {
		return map[string]string{"error": fmt.Sprintf("%d challenges", len(values))}
	}
	scheme, params, err := parseChallenge(values[0])
	if err != nil || scheme != "Bearer" {
		return map[string]string{"error": fmt.Sprintf("%s: %v", scheme, err)}
	}
	return params
}

// parseChallenge reads one challenge with its parameters (RFC 9110 sections
// 11.2 and 11.6.1; strings as in section 5.6.4). Names come lower-case, once.
func parseChallenge(s string) (scheme string, params map[string]string, err error) {
	scheme, rest, ok := strings.Cut(s, " ")
	if !ok || !isToken(scheme) {
		return "", nil, fmt.Errorf("no scheme in %q", s)
	}
	params = map[string]string{}
	for rest = strings.TrimLeft(rest, " "); ; {
		name, after, ok := strings.Cut(rest, "=")
		name = strings.ToLower(strings.TrimRight(name, " \t"))
		if _, twice := params[name]; !ok || !isToken(name) || twice {
			return "", nil, fmt.Errorf("no parameter, or one twice, at %q", rest)
		}
		value, after, err := parseValue(strings.TrimLeft(after, " \t"))
		if err != nil {
			return "", nil, err
		}
		params[name] = value
		if rest = strings.TrimLeft(after, " \t"); rest == "" {
			return scheme, params, nil
		}
		if rest[0] != ',' {
			return "", nil, fmt.Errorf("no comma at %q", rest)
		}
		rest = strings.TrimLeft(rest[1:], " \t")
	}
}

func parseValue(s string) (value, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexFunc(s, func(r rune) bool { return !isToken(string(r)) })
		if end < 0 {
			end = len(s)
		}
		if end == 0 {
			return "", "", fmt.Errorf("no value at %q", s)
		}
		return s[:end], s[end:], nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], nil
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c < ' ' && c != '\t' || c > '~':
			return "", "", fmt.Errorf("byte %#x in %q", c, s)
		default:
			b.WriteByte(c)
		}
	}
	return "", "", fmt.Errorf("no end of %q", s)
}

func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}
