package words

import (
	"strings"
	"unicode"

	"example.com/foyer/internal/oauth"
)

// ClientName returns how to call a client that calls itself name. Nobody has checked
// the name, so it stands in quotation marks wherever it is shown.
func ClientName(name string) Text {
	if name = Tame(name); name == "" {
		return T("an app without a name")
	}
	return Quoted([]Text{As(name)})
}

// Tame returns the name that a client gives itself without control characters, tricks
// of writing direction and quotation marks, and not long.
func Tame(name string) string {
	name = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r), quotes(r):
			return -1
		}
		return r
	}, name)), " ")
	if runes := []rune(name); len(runes) > 64 {
		name = string(runes[:63]) + "…"
	}
	return name
}

// quotes reports whether r looks like the end of a quotation. Single marks are
// apostrophes too, and stay.
func quotes(r rune) bool {
	return unicode.Is(unicode.Quotation_Mark, r) && !strings.ContainsRune("'‘’", r) || strings.ContainsRune("″‶ʺ˝״〃", r)
}

// Client returns how a page calls the client id that calls itself name. A metadata
// document proves one thing besides: the host that it is from.
func Client(id, name string) Text {
	host := oauth.DocumentHost(id)
	if host == "" {
		return ClientName(name)
	}
	return T("{client} (from {host})", "client", ClientName(name), "host", host)
}

// Place returns how to call the place to which a client's codes are sent:
// host is that of its redirect URI, with the port for a loopback host.
func Place(host string, loopback bool) Text {
	if loopback {
		return T("on the device where it was set up ({host})", "host", host)
	}
	return T("at {host}", "host", host)
}

// Destination is what a page calls the place to which a redirect leads: its host, or
// an app on this device, whose scheme ends with a colon.
func Destination(host string, loopback bool) Text {
	scheme, private := strings.CutSuffix(host, ":")
	if private || loopback {
		return T("{host} (an app on this device)", "host", scheme)
	}
	return As(host)
}

// LoopbackWarning is about a client on a person's own device: any program there can
// call itself so.
func LoopbackWarning() Text {
	return T("It says that it runs on this device, and any program here could say so. Allow it only if you have just started connecting it yourself.")
}

// UnverifiedWarning is about a client that has registered by itself.
func UnverifiedWarning(place Text) Text {
	return T("Nobody has checked its name. What counts is where it is sent: {place}. Allow it only if you know that place, and have just started connecting it yourself.", "place", place)
}
