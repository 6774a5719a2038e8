// Package words is everything that people and models read: mails, and the texts
// of tools and refusals. Nothing in it decides.
package words

import (
	"bytes"
	"embed"
	htmltemplate "html/template"
	"net/url"
	"strings"
	"text/template"
	"time"
	"unicode"

	"example.com/foyer/internal/oauth"
)

//go:embed mail
var mails embed.FS

var (
	texts = template.Must(template.ParseFS(mails, "mail/*.txt"))
	htmls = htmltemplate.Must(htmltemplate.ParseFS(mails, "mail/*.html"))
)

// A Mail is a mail in words.
type Mail struct{ Subject, Text, HTML string }

// A CodeMail brings a one-time code. It is also the consent page: giving the
// code approves what it lists.
type CodeMail struct {
	App     string // what the person signs in to
	Client  string // who asks, in the words of [ClientName]
	Where   string // where the client is, in the words of [Place]
	Email   string
	Code    string
	Time    time.Time // when it was asked for
	Minutes int       // that the code lives
	Scopes  []string  // what the client may do then, in the operator's words
}

// Write returns the mail. The code stands alone on a line of the text, and
// never in the subject, which a locked screen shows.
func (m CodeMail) Write() (Mail, error) { return write("code", "Sign in to "+m.App, m) }

// A BrowserMail brings a one-time code for a page of the server.
type BrowserMail struct {
	App     string // what the person signs in to
	Email   string
	Code    string
	Time    time.Time // when it was asked for
	Minutes int       // that the code lives
}

// Write returns the mail, in which the code stands as in a [CodeMail].
func (m BrowserMail) Write() (Mail, error) { return write("browser", "Sign in to "+m.App, m) }

// A ReusedMail says that a grant ended because one of its refresh tokens came
// back.
type ReusedMail struct {
	App    string
	Client string
	Where  string
	Email  string
	Time   time.Time
}

// Write returns the mail.
func (m ReusedMail) Write() (Mail, error) { return write("reused", "You were signed out of "+m.App, m) }

// A LeavingMail says that a user is about to be deleted, and how to stay.
type LeavingMail struct {
	App     string
	Email   string
	Account string // URL of the page
	Asked   time.Time
	Until   time.Time // it can be taken back before
}

// Write returns the mail.
func (m LeavingMail) Write() (Mail, error) {
	return write("leaving", "Your account in "+m.App+" will be deleted", m)
}

func write(name, subject string, data any) (Mail, error) {
	var text, html bytes.Buffer
	if err := texts.ExecuteTemplate(&text, name+".txt", data); err != nil {
		return Mail{}, err
	}
	if err := htmls.ExecuteTemplate(&html, name+".html", data); err != nil {
		return Mail{}, err
	}
	return Mail{Subject: subject, Text: text.String(), HTML: html.String()}, nil
}

// ClientName returns how to call a client that calls itself name: without
// control characters and tricks of writing direction, and not long. Nobody has
// checked the name, so it stands in quotation marks wherever it is shown.
func ClientName(name string) string {
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
	if name == "" {
		return "an app without a name"
	}
	return "“" + name + "”"
}

// quotes reports whether r looks like the end of a quotation. Single marks are
// apostrophes too, and stay.
func quotes(r rune) bool {
	return unicode.Is(unicode.Quotation_Mark, r) && !strings.ContainsRune("'‘’", r) || strings.ContainsRune("″‶ʺ˝״〃", r)
}

// Client returns how a page calls the client id that calls itself name. A metadata
// document proves one thing besides: the host that it is from.
func Client(id, name string) string {
	if !oauth.IsDocumentURL(id) {
		return ClientName(name)
	}
	host := ""
	if u, err := url.Parse(id); err == nil {
		host = strings.ToLower(u.Host)
	}
	return ClientName(name) + " (from " + host + ")"
}

// Place returns how to call the place to which a client's codes are sent:
// host is that of its redirect URI, with the port for a loopback host.
func Place(host string, loopback bool) string {
	if loopback {
		return "on the device where it was set up (" + host + ")"
	}
	return "at " + host
}

// Destination is what a page calls the place to which a redirect leads: its host, or
// an app on this device, whose scheme ends with a colon.
func Destination(host string, loopback bool) string {
	scheme, private := strings.CutSuffix(host, ":")
	if private || loopback {
		return scheme + " (an app on this device)"
	}
	return host
}

// LoopbackWarning is about a client on a person's own device: any program there can
// call itself so.
func LoopbackWarning() string {
	return "It says that it runs on this device, and any program here could say so. Allow it only if you have just started connecting it yourself."
}

// UnverifiedWarning is about a client that has registered by itself.
func UnverifiedWarning(place string) string {
	return "Nobody has checked its name. What counts is where it is sent: " + place + ". Allow it only if you know that place, and have just started connecting it yourself."
}
