package elicit

import (
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
)

// formats are those of the protocol. JSON Schema does not check them.
var formats = map[string]struct {
	words string
	check func(string) bool
}{
	"email": {"an e-mail address", func(s string) bool {
		a, err := mail.ParseAddress(s)
		return err == nil && a.Address == s
	}},
	"uri": {"a URL", func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && u.IsAbs()
	}},
	"date": {"a date like 2026-11-21", func(s string) bool {
		_, err := time.Parse(time.DateOnly, s)
		return err == nil
	}},
	"date-time": {"a time like 2026-11-21T14:03:00Z", func(s string) bool {
		_, err := time.Parse(time.RFC3339, s)
		return err == nil
	}},
}

// fits reports whether v, which was JSON, is a value of l.
func (l field) fits(v any) bool {
	if l.rule.Validate(v) != nil {
		return false
	}
	s, ok := v.(string)
	return !ok || l.schema.Format == "" || formats[l.schema.Format].check(s)
}

// label is what the user calls l.
func (l field) label() string {
	if l.schema.Title != "" {
		return l.schema.Title
	}
	return l.name
}

// words say to the user what fits.
func (l field) words() string {
	s := l.schema
	switch {
	case len(s.Enum) > 0:
		return "one of " + strings.Trim(fmt.Sprintf("%q", s.Enum), "[]")
	case s.Format != "":
		return formats[s.Format].words
	case s.Type == "boolean":
		return "yes or no"
	case s.Type == "string" && s.MinLength == nil && s.MaxLength == nil:
		return "text"
	case s.Type == "string":
		return "text of " + limits(s.MinLength, s.MaxLength) + " characters"
	}
	kind := map[string]string{"integer": "a whole number", "number": "a number"}[s.Type]
	if s.Minimum == nil && s.Maximum == nil {
		return kind
	}
	return kind + ", " + limits(s.Minimum, s.Maximum)
}

func limits[N int | float64](low, high *N) string {
	switch {
	case low == nil:
		return fmt.Sprintf("at most %v", *high)
	case high == nil:
		return fmt.Sprintf("at least %v", *low)
	}
	return fmt.Sprintf("%v to %v", *low, *high)
}

// secretive reports whether a field of that name asks for what must not travel
// in a form (MCP 2026-07-28, elicitation).
func secretive(name string) bool {
	name = strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(name))
	return slices.Contains([]string{"otp", "pin", "code", "cvc", "cvv", "tan"}, name) ||
		slices.ContainsFunc([]string{"password", "passwd", "passcode", "passphrase", "secret", "token", "credential", "onetime",
			"verificationcode", "securitycode", "apikey", "privatekey", "creditcard", "cardnumber"},
			func(part string) bool { return strings.Contains(name, part) })
}
