package oauth

import (
	"slices"
	"strings"
)

// CheckRedirectURI refuses what no client may register as a redirect URI, with
// an [*Error] of code [InvalidRedirectURI]. What passes is an absolute URI of at
// most 2,000 bytes, without user, fragment, dot segment or encoded separator,
// and it has
//
//   - the scheme https,
//   - or http and one of the hosts localhost, 127.0.0.1 and [::1] (RFC 8252
//     section 7.3),
//   - or a private-use scheme (RFC 8252 section 7.1), which is any that is not
//     known to mean something else, with a host or a path: cursor://host/path,
//     com.example.app:/path.
//
// Schemes are in lower case, so that no reader can take "JavaScript:" for a
// private-use one.
func CheckRedirectURI(uri string) error {
	_, err := parseRedirectURI(uri)
	return err
}

// MatchRedirectURI reports whether uri is one of those that a client has
// registered: the same string, or on http and a loopback host one that differs
// in nothing but its port (RFC 8252 section 7.3). localhost, 127.0.0.1 and
// [::1] are three hosts. What [CheckRedirectURI] refuses never matches, whatever
// was registered.
func MatchRedirectURI(registered []string, uri string) bool {
	u, err := parseRedirectURI(uri)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(registered, func(r string) bool {
		if r == uri {
			return true
		}
		known, err := parseRedirectURI(r)
		return err == nil && u.scheme == "http" && known.scheme == "http" &&
			known.host == u.host && known.path == u.path && known.query == u.query
	})
}

// TrustedRedirect reports whether a browser may be sent to uri without a page
// that names the destination: to a loopback host, or to a client that is known
// (RFC 9700 section 4.11.2). It says nothing about who registered uri.
func TrustedRedirect(uri string) bool {
	return IsLoopback(uri) || slices.ContainsFunc(knownClients, func(k knownClient) bool { return k.has(uri) })
}

// IsLoopback reports whether uri is a redirect URI that ends on the user's own
// device, by http or https.
func IsLoopback(uri string) bool {
	u, err := parseRedirectURI(uri)
	return err == nil && u.loopback()
}

// HostedRedirect reports whether uri is a redirect URI that ends at a host elsewhere, by
// https: at whoever holds its certificate, and not at whatever listens on the user's
// own device.
func HostedRedirect(uri string) bool {
	u, err := parseRedirectURI(uri)
	return err == nil && u.scheme == "https" && !u.loopback()
}

// RedirectHost is what a page or a mail calls the destination of uri: its host,
// with the port where that is not the usual one; for a private-use scheme the
// scheme and a colon. It is empty for what [CheckRedirectURI] refuses.
func RedirectHost(uri string) string {
	u, err := parseRedirectURI(uri)
	switch {
	case err != nil:
		return ""
	case u.scheme != "https" && u.scheme != "http":
		return u.scheme + ":"
	case u.port == "" || u.scheme == "https" && u.port == "443":
		return strings.ToLower(u.host)
	}
	return strings.ToLower(u.host) + ":" + u.port
}

func (u uri) loopback() bool {
	return (u.scheme == "http" || u.scheme == "https") && slices.Contains(loopbackHosts, u.host)
}

var loopbackHosts = []string{"localhost", "127.0.0.1", "[::1]"}

func parseRedirectURI(s string) (uri, error) {
	u, err := parseURI(s)
	if err != nil {
		return uri{}, &Error{InvalidRedirectURI, "redirect URI " + err.Error()}
	}
	switch {
	case u.scheme == "https" && u.host == "":
		return uri{}, &Error{InvalidRedirectURI, "redirect URI has no host"}
	case u.scheme == "http" && !u.loopback():
		return uri{}, &Error{InvalidRedirectURI, "redirect URI needs https, except on localhost, 127.0.0.1 and [::1]"}
	case foreignScheme(u.scheme):
		return uri{}, &Error{InvalidRedirectURI, "redirect URI has a scheme that is no application's own"}
	case u.host == "" && u.path == "":
		return uri{}, &Error{InvalidRedirectURI, "redirect URI has neither host nor path"}
	}
	return u, nil
}

// foreignScheme reports whether scheme runs a script, opens a file, talks to
// some other program of the system, or has a public meaning that is not
// "give this to one application".
func foreignScheme(scheme string) bool {
	return slices.Contains(foreignSchemes, scheme) ||
		slices.ContainsFunc(foreignFamilies, func(family string) bool { return strings.HasPrefix(scheme, family) })
}

var foreignSchemes = []string{
	"about", "afp", "android-app", "blob", "callto", "cid", "content", "data", "dav", "devtools", "dns", "edge", "facetime", "facetime-audio",
	"feed", "file", "filesystem", "ftp", "ftps", "geo", "git", "gopher", "hcp", "help", "imap", "intent", "itms",
	"itms-apps", "itms-services", "jar", "javascript", "jnlp", "jnlps", "ldap", "ldaps", "livescript", "magnet", "mailto",
	"market", "mhtml", "mid", "mk", "mms", "mocha", "news", "nfs", "nntp", "pop", "res", "resource",
	"rlogin", "rsync", "rtsp", "search", "search-ms", "sftp", "shell", "sip", "sips", "sms", "smb", "ssh", "stun", "svn",
	"tel", "telnet", "tftp", "turn", "urn", "vbs", "vbscript", "view-source", "vnc", "webcal", "ws", "wss", "wyciwyg",
	"xmpp",
}

var foreignFamilies = []string{"chrome", "moz-", "ms-", "safari-", "x-apple"}
