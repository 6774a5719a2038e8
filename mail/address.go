package mail

import (
	"errors"
	"log/slog"
	"strings"
)

// An Address is the mail address of one person, in the one form that Foyer
// compares and stores. Addresses are comparable with ==; the zero Address is
// no address. Two addresses that differ in a dot or a +tag are two people.
type Address struct {
	text string // local@domain in ASCII and lower case, or empty
}

// ErrAddress is wrapped by every error of [ParseAddress].
var ErrAddress = errors.New("mail: not an address")

// An AddressError says why a text is not an address. It wraps [ErrAddress].
type AddressError struct {
	Reason string // a sentence or two for a person or a model; holds nothing of the text that was refused
}

// Error returns the reason, with nothing of the text that was refused.
func (e *AddressError) Error() string { return ErrAddress.Error() + ": " + e.Reason }

// Unwrap returns [ErrAddress].
func (e *AddressError) Unwrap() error { return ErrAddress }

// String returns the address normalised: the local part in lower-case ASCII,
// the domain as lower-case A-labels (RFC 5890 section 2.3.2.1). ParseAddress
// of it gives the same address again. The zero Address gives "".
func (a Address) String() string { return a.text }

// Masked returns the address for a person who may be somebody else, such as
// "j***@example.com": the first character and the domain. It does not tell how
// long the local part is. The zero Address gives "".
func (a Address) Masked() string {
	if a.text == "" {
		return ""
	}
	return a.text[:1] + "***" + a.text[strings.LastIndexByte(a.text, '@'):]
}

// Masked returns [Address.Masked] of text, or "" where text is not an address.
func Masked(text string) string {
	a, _ := ParseAddress(text) // the zero Address on an error
	return a.Masked()
}

// RateKey returns what the address has in common with its variants: String
// without a +tag and without the dots of the local part. It is for budgets
// only. At many providers the variants are different people, so that an
// identity made of it would hand one person's account to another. It need not
// be an address.
func (a Address) RateKey() string {
	local, domain, _ := strings.Cut(a.text, "@")
	local, _, _ = strings.Cut(local, "+")
	if a.text == "" {
		return ""
	}
	return strings.ReplaceAll(local, ".", "") + "@" + domain
}

// LogValue logs the address masked.
func (a Address) LogValue() slog.Value { return slog.StringValue(a.Masked()) }
