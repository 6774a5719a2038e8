package oauth_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A location is where a browser goes: scheme, host, port and path as the URL
// standard of WHATWG cuts them, which is not how RFC 3986 does.
type location struct{ scheme, host, port, path, query string }

var specialPorts = map[string]string{"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21", "file": ""}

// browse reads s as the basic URL parser of the standard does
// (https://url.spec.whatwg.org/#concept-basic-url-parser), without a base. It
// knows ASCII hosts alone, and reports false for others, and for what a browser
// refuses. It mends nothing in a path but dot segments and backslashes.
func browse(s string) (l location, ok bool) {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
	s, _, _ = strings.Cut(s, "#")
	scheme, rest, found := strings.Cut(s, ":")
	if l.scheme = strings.ToLower(scheme); !found || !isBrowserScheme(l.scheme) {
		return l, false
	}
	standard, special := specialPorts[l.scheme]
	rest, query, asks := strings.Cut(rest, "?")
	if asks {
		l.query = "?" + query
	}
	if special {
		rest = "//" + strings.TrimLeft(strings.ReplaceAll(rest, `\`, "/"), "/")
	}
	authority, has := strings.CutPrefix(rest, "//")
	if !has {
		l.path = dotless(rest, special)
		return l, true
	}
	end := strings.IndexByte(authority, '/')
	if end < 0 {
		end = len(authority)
	}
	l.path = dotless(authority[end:], special)
	if special && l.path == "" {
		l.path = "/"
	}
	l.host, l.port = authority[strings.LastIndexByte(authority[:end], '@')+1:end], ""
	if at := strings.LastIndexByte(l.host, ':'); at > strings.LastIndexByte(l.host, ']') {
		l.host, l.port = l.host[:at], l.host[at+1:]
		if n, err := strconv.ParseUint(l.port, 10, 16); l.port != "" && (err != nil || strings.HasPrefix(l.port, "+")) {
			return l, false
		} else if l.port != "" {
			l.port = strconv.FormatUint(n, 10)
		}
	}
	if l.port == standard {
		l.port = ""
	}
	l.host, ok = browserHost(l.host, special)
	return l, ok
}

func isBrowserScheme(s string) bool {
	return s != "" && s[0] >= 'a' && s[0] <= 'z' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
}

// dotless takes dot segments out of a path, also where they are encoded.
func dotless(path string, special bool) string {
	if !special && !strings.HasPrefix(path, "/") {
		return path // opaque
	}
	var out []string
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		switch plain := strings.ReplaceAll(strings.ToLower(segment), "%2e", "."); {
		case plain == "..":
			if len(out) > 1 {
				out = out[:len(out)-1]
			}
		case plain != ".":
			out = append(out, segment)
			continue
		}
		if i == len(segments)-1 {
			out = append(out, "")
		}
	}
	return strings.Join(out, "/")
}

// browserHost reads a host (https://url.spec.whatwg.org/#concept-host-parser).
func browserHost(host string, special bool) (string, bool) {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		if !closed || err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", false
		}
		if addr.Is4In6() {
			four := addr.As16()
			return fmt.Sprintf("[::ffff:%x:%x]", int(four[12])<<8|int(four[13]), int(four[14])<<8|int(four[15])), true
		}
		return "[" + addr.String() + "]", true
	}
	if !special {
		return host, !strings.ContainsAny(host, "\x00\t\n\r #/:<>?@[\\]^|")
	}
	text := percentDecoded(host)
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("#/:<>?@[\\]^|%", r) }) {
		return "", false
	}
	text = strings.ToLower(text)
	labels := strings.Split(strings.TrimSuffix(text, "."), ".")
	if last := labels[len(labels)-1]; last != "" && strings.Trim(last, "0123456789") == "" || isBrowserNumber(last) {
		return browserIPv4(labels)
	}
	return text, true
}

func percentDecoded(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if b, err := strconv.ParseUint(s[min(i+1, len(s)):min(i+3, len(s))], 16, 8); s[i] == '%' && err == nil && i+2 < len(s) {
			out.WriteByte(byte(b))
			i += 2
			continue
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

func isBrowserNumber(label string) bool {
	_, ok := browserNumber(label)
	return ok
}

// browserNumber reads decimal, octal and hexadecimal numbers.
func browserNumber(label string) (uint64, bool) {
	base := 10
	switch {
	case label == "":
		return 0, false
	case strings.HasPrefix(label, "0x"):
		label, base = label[2:], 16
	case len(label) > 1 && label[0] == '0':
		label, base = label[1:], 8
	}
	if label == "" {
		return 0, true
	}
	n, err := strconv.ParseUint(label, base, 64)
	return n, err == nil && label[0] != '+'
}

// browserIPv4 reads one to four numbers, of which the last fills what is left.
func browserIPv4(labels []string) (string, bool) {
	if len(labels) > 4 {
		return "", false
	}
	var address uint64
	for i, label := range labels {
		n, ok := browserNumber(label)
		last := i == len(labels)-1
		switch {
		case !ok, !last && n > 255, last && n >= 1<<(8*(4-i)):
			return "", false
		case last:
			address |= n
		default:
			address |= n << (8 * (3 - i))
		}
	}
	return netip.AddrFrom4([4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)}).String(), true
}
