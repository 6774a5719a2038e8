package oauth

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

const maxURIBytes = 2000

// A uri is an absolute URI without user and fragment, cut where RFC 3986
// section 3 cuts it. Nothing in it was decoded or changed: put together again
// it is the same string.
type uri struct {
	scheme  string
	slashes bool   // whether an authority, perhaps an empty one, follows the scheme
	host    string // with brackets around an IPv6 address
	port    string
	path    string // for a URI without slashes: all up to the query
	query   string // with its question mark
}

// parseURI refuses everything that some parser might read otherwise: characters
// outside RFC 3986, dot segments, encoded separators, users, hosts that are
// numbers in disguise. What is left, a browser and this package read alike.
func parseURI(s string) (uri, error) {
	if len(s) > maxURIBytes {
		return uri{}, errors.New("is longer than 2000 bytes")
	}
	if strings.ContainsFunc(s, notURIChar) {
		return uri{}, errors.New("contains a character that a URI may not hold")
	}
	if strings.Contains(s, "#") {
		return uri{}, errors.New("has a fragment")
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || !isScheme(scheme) {
		return uri{}, errors.New("is not absolute, or has a scheme in upper case")
	}
	u := uri{scheme: scheme}
	if at := strings.IndexByte(rest, '?'); at >= 0 {
		rest, u.query = rest[:at], rest[at:]
	}
	authority := ""
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		u.slashes = true
		authority, rest = after, ""
		if at := strings.IndexByte(after, '/'); at >= 0 {
			authority, rest = after[:at], after[at:]
		}
	}
	u.path = rest
	if err := u.setAuthority(authority); err != nil {
		return uri{}, err
	}
	if err := checkPath(u.path, u.slashes); err != nil {
		return uri{}, err
	}
	if text, ok := unescape(u.query); !ok || strings.ContainsFunc(text, isControl) {
		return uri{}, errors.New("has a query with a forbidden percent-encoding")
	}
	return u, nil
}

func (u *uri) setAuthority(authority string) error {
	if strings.ContainsAny(authority, "@%") {
		return errors.New("has a user, or an encoded character in its host")
	}
	u.host = authority
	if at := strings.LastIndexByte(authority, ':'); at > strings.LastIndexByte(authority, ']') {
		u.host, u.port = authority[:at], authority[at+1:]
		if n, err := strconv.ParseUint(u.port, 10, 16); err != nil || n == 0 || u.port[0] == '0' {
			return errors.New("has a port that is not a number from 1 to 65535")
		}
	}
	if authority != "" && !isHost(u.host) {
		return errors.New("has a host that is neither a name nor a plain IP address")
	}
	return nil
}

// isHost reports whether host is a name, a dotted IPv4 address of four decimal
// numbers, or an IPv6 address in brackets and in its shortest form.
func isHost(host string) bool {
	if strings.HasPrefix(host, "[") {
		addr, err := netip.ParseAddr(strings.TrimSuffix(host[1:], "]"))
		return err == nil && addr.Is6() && !addr.Is4In6() && addr.Zone() == "" && "["+addr.String()+"]" == host
	}
	last := ""
	for last = range strings.SplitSeq(host, ".") {
		if last == "" || len(last) > 63 || strings.ContainsFunc(last, notHostChar) {
			return false
		}
	}
	// Browsers read a name as an IPv4 address where its last label is a
	// number: 2130706433, 0x7f.1 and 127.1 are all 127.0.0.1.
	if strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") || strings.HasPrefix(last, "0X") {
		addr, err := netip.ParseAddr(host)
		return err == nil && addr.Is4()
	}
	return len(host) <= 253
}

// checkPath refuses what a server or a browser may resolve to another path:
// dot segments, also with a parameter behind them (..;/), and encodings of
// characters that mean something in a URI.
func checkPath(path string, slashes bool) error {
	if strings.ContainsAny(path, "[]") || !slashes && strings.Contains(path, "@") {
		return errors.New("has a path with a forbidden character")
	}
	for segment := range strings.SplitSeq(path, "/") {
		name, _, _ := strings.Cut(segment, ";")
		text, ok := unescape(segment)
		switch {
		case name == "." || name == "..":
			return errors.New("has a dot segment")
		case !ok || strings.ContainsFunc(text, isControl) || escapesSeparator(segment):
			return errors.New("has a path with a forbidden percent-encoding")
		}
	}
	return nil
}

func escapesSeparator(segment string) bool {
	for i := range len(segment) {
		if segment[i] != '%' {
			continue
		}
		b, _ := strconv.ParseUint(segment[i+1:i+3], 16, 8)
		if strings.IndexByte(`/\.%@;:?#`, byte(b)) >= 0 {
			return true
		}
	}
	return false
}

// unescape decodes percent-encodings. It is false where one is broken, or where
// they are not UTF-8.
func unescape(s string) (string, bool) {
	if !strings.Contains(s, "%") {
		return s, true
	}
	var text strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			text.WriteByte(s[i])
			continue
		}
		if len(s)-i < 3 {
			return "", false
		}
		b, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		text.WriteByte(byte(b))
		i += 2
	}
	return text.String(), utf8.ValidString(text.String())
}

// isScheme reports whether s is a scheme in lower case. One letter is none: it
// would be a drive.
func isScheme(s string) bool {
	if len(s) < 2 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '+' && r != '-' && r != '.'
	})
}

func notURIChar(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r) }

func notHostChar(r rune) bool { return !alphanumeric(r) && r != '-' && r != '_' }

func isControl(r rune) bool { return r < ' ' || 0x7f <= r && r < 0xa0 }
