package mail

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"fmt"
	netmail "net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
)

const (
	maxSubject = 255 // bytes
	maxID      = 64  // bytes
	maxLine    = 998 // bytes without the line's end; RFC 5322 section 2.1.1
)

// render returns the mail as bytes, ready for a file or a server.
func render(from string, m Message, encoding gomail.Encoding) ([]byte, error) {
	msg, err := compose(from, m, encoding)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("mail: compose: %w", err)
	}
	return b.Bytes(), nil
}

// compose builds the mail. From is the operator's: one address, with or
// without a display name.
//
// The text goes in the given encoding. As it is (8bit), a code alone on its line
// stays alone on its line. The HTML goes in base64, whose lines have a length
// divisible by four: none of them can be taken for a code of six digits.
func compose(from string, m Message, encoding gomail.Encoding) (*gomail.Msg, error) {
	sender, domain, err := parseFrom(from)
	if err != nil {
		return nil, err
	}
	if m.To == (Address{}) {
		return nil, fmt.Errorf("%w: no recipient", ErrMessage)
	}
	if err := checkSubject(m.Subject); err != nil {
		return nil, err
	}
	id := cmp.Or(m.ID, rand.Text())
	if len(id) > maxID || strings.ContainsFunc(id, notInID) {
		return nil, fmt.Errorf("%w: ID is not made of at most %d letters, digits and hyphens", ErrMessage, maxID)
	}
	text, err := lines(m.Text)
	if err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(sender)
	msg.ToMailAddress(&netmail.Address{Address: m.To.String()})
	msg.Subject(strings.Join(strings.Fields(m.Subject), " ")) // a run of spaces could be folded into a blank line
	msg.SetDate()
	msg.SetMessageIDWithValue(id + "@" + domain) // the library's own would name this machine
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, text, gomail.WithPartEncoding(encoding))
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, strings.ToValidUTF8(m.HTML, "\ufffd"), gomail.WithPartEncoding(gomail.EncodingB64))
	}
	return msg, nil
}

// parseFrom does not wrap ErrAddress: that is about a person's address, and
// this is the configuration.
func parseFrom(from string) (sender *netmail.Address, domain string, err error) {
	if strings.ContainsFunc(from, unicode.IsControl) {
		return nil, "", fmt.Errorf("%w: From has a control character", ErrSetup)
	}
	sender, err = netmail.ParseAddress(from)
	if err != nil {
		return nil, "", fmt.Errorf("%w: From is not one address: %w", ErrSetup, err)
	}
	address, err := ParseAddress(sender.Address)
	if err != nil {
		return nil, "", fmt.Errorf("%w: From: %v", ErrSetup, err)
	}
	sender.Address = address.String()
	_, domain, _ = strings.Cut(sender.Address, "@")
	return sender, domain, nil
}

func checkSubject(subject string) error {
	switch {
	case len(subject) > maxSubject:
		return fmt.Errorf("%w: subject over %d bytes", ErrMessage, maxSubject)
	case !utf8.ValidString(subject):
		return fmt.Errorf("%w: subject is not UTF-8", ErrMessage)
	case strings.ContainsFunc(subject, breaksLine):
		return fmt.Errorf("%w: subject has a line break or another control character", ErrMessage)
	case strings.Contains(subject, "=?"): // would be decoded on arrival, line breaks included (RFC 2047 section 2)
		return fmt.Errorf("%w: subject looks like an encoded word", ErrMessage)
	}
	return nil
}

func notInID(r rune) bool {
	return r != '-' && (r < '0' || '9' < r) && (r < 'A' || 'Z' < r) && (r < 'a' || 'z' < r)
}

func breaksLine(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

// lines returns text with each line ended by CR LF.
func lines(text string) (string, error) {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(text, "\ufffd"))
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if len(line) > maxLine {
			return "", fmt.Errorf("%w: text has a line over %d bytes", ErrMessage, maxLine)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }) {
			return "", fmt.Errorf("%w: text has a control character", ErrMessage)
		}
		b.WriteString(line + "\r\n")
	}
	return b.String(), nil
}
