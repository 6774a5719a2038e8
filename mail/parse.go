package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

const (
	maxAddress = 254 // bytes; RFC 5321 section 4.5.3.1.3, without the angle brackets
	maxLocal   = 64  // bytes; RFC 5321 section 4.5.3.1.1
)

// The reasons of [AddressError].
const (
	reasonEmpty     = "There is no address. Write it like name@example.com."
	reasonEncoding  = "It is not valid UTF-8 text. Write it like name@example.com."
	reasonControl   = "It has a line break or another control character. Write the address alone on one line."
	reasonInvisible = "It has an invisible character, perhaps from copying. Type the address by hand."
	reasonAt        = "Its @ is a look-alike. Use the plain @ (U+0040)."
	reasonDot       = "One of its dots is a look-alike. Use the plain dot (U+002E)."
	reasonName      = "It has angle brackets. Give the bare address without a name, like name@example.com."
	reasonList      = "It has a comma or semicolon. Give exactly one address."
	reasonComment   = "It has parentheses. Give the bare address without a comment."
	reasonLiteral   = "It has square brackets. Use a domain name such as example.com, not an IP address."
	reasonColon     = "It has a colon. Give the bare address, without mailto: and without a group."
	reasonQuoted    = "It has a quotation mark or backslash. Quoted addresses are not supported here."
	reasonSpace     = "It has a space inside. Give the bare address, like name@example.com."
	reasonNoAt      = "It has no @. Write it like name@example.com."
	reasonManyAt    = "It has more than one @. Write it like name@example.com."
	reasonNoLocal   = "There is nothing before the @. Write it like name@example.com."
	reasonNoDomain  = "There is nothing after the @. Write it like name@example.com."
	reasonLong      = "It is longer than 254 bytes, more than a mail address may have."
	reasonLongLocal = "The part before the @ is longer than 64 bytes, more than a mail address may have."
	reasonSMTPUTF8  = "The part before the @ has letters outside ASCII (SMTPUTF8), which are not supported here. Use an address with plain letters before the @."
	reasonLocal     = "The part before the @ has a character that no mail address may have."
	reasonDots      = "It has a dot at the start or end of a part, or two dots in a row."
	reasonDomain    = "The part after the @ is not a valid domain name."
	reasonOneLabel  = "The domain needs a dot, like example.com."
	reasonNumeric   = "The domain must end in a top-level domain such as .com; IP addresses are not supported."
)

// unwanted are the ASCII characters of the longer forms of RFC 5322 section
// 3.4, in the order in which they tell most about what was meant.
var unwanted = []struct{ chars, reason string }{
	{"<>", reasonName},
	{",;", reasonList},
	{"()", reasonComment},
	{"[]", reasonLiteral},
	{":", reasonColon},
	{`"\`, reasonQuoted},
}

// domains takes labels that are valid in IDNA2008 as they stand, maps nothing
// (RFC 5891 section 5.4: a lookup refuses what a registration must), and knows
// the lengths of DNS.
var domains = idna.New(idna.ValidateForRegistration())

// ParseAddress reads one bare address: a dot-atom, "@", and a domain name with
// at least one dot (RFC 5321 section 4.1.2). Spaces and tabs around it are
// dropped; case and the Unicode form of the domain are normalised.
//
// Everything else is refused with an [*AddressError], which wraps
// [ErrAddress]: display names, comments, groups, lists, quoted local parts, IP
// addresses, local parts outside ASCII, control characters and invisible
// characters anywhere, look-alikes of "@" and ".", more than 254 bytes in all
// or 64 before the "@" (RFC 5321 section 4.5.3.1).
//
// The domain is only known to be well formed. Whether it exists, takes mail,
// or imitates another in a different script is not asked: show it as String
// does, in A-labels.
func ParseAddress(text string) (Address, error) {
	text = strings.Trim(text, " \t")
	if reason := refuseText(text); reason != "" {
		return Address{}, &AddressError{Reason: reason}
	}
	local, domain, _ := strings.Cut(text, "@")
	if reason := refuseLocal(local); reason != "" {
		return Address{}, &AddressError{Reason: reason}
	}
	domain, reason := parseDomain(domain)
	if reason != "" {
		return Address{}, &AddressError{Reason: reason}
	}
	normal := strings.ToLower(local) + "@" + domain
	if len(normal) > maxAddress {
		return Address{}, &AddressError{Reason: reasonLong}
	}
	return Address{text: normal}, nil
}

// refuseText returns why text is not local@domain, or "".
func refuseText(text string) string {
	switch {
	case text == "":
		return reasonEmpty
	case len(text) > maxAddress:
		return reasonLong
	case !utf8.ValidString(text):
		return reasonEncoding
	case strings.ContainsFunc(text, unicode.IsControl):
		return reasonControl
	case strings.ContainsFunc(text, invisible):
		return reasonInvisible
	case strings.ContainsAny(text, "\uff20\ufe6b"):
		return reasonAt
	case strings.ContainsAny(text, "\u3002\uff0e\uff61\ufe52\u2024"):
		return reasonDot
	}
	for _, u := range unwanted {
		if strings.ContainsAny(text, u.chars) {
			return u.reason
		}
	}
	switch n := strings.Count(text, "@"); {
	case strings.ContainsFunc(text, unicode.IsSpace):
		return reasonSpace
	case n == 0:
		return reasonNoAt
	case n > 1:
		return reasonManyAt
	}
	return ""
}

func refuseLocal(local string) string {
	switch {
	case local == "":
		return reasonNoLocal
	case len(local) > maxLocal:
		return reasonLongLocal
	case strings.ContainsFunc(local, func(r rune) bool { return r > unicode.MaxASCII }):
		return reasonSMTPUTF8
	case strings.ContainsFunc(local, func(r rune) bool { return r != '.' && !atext(r) }):
		return reasonLocal
	case dotsAstray(local):
		return reasonDots
	}
	return ""
}

// parseDomain returns the domain in A-labels, or the reason to refuse it.
func parseDomain(domain string) (ascii, reason string) {
	switch {
	case domain == "":
		return "", reasonNoDomain
	case dotsAstray(domain):
		return "", reasonDots
	}
	ascii, err := domains.ToASCII(norm.NFC.String(strings.ToLower(domain)))
	if err != nil {
		return "", reasonDomain
	}
	// An A-label must not smuggle in what is refused when it is written out.
	unicodeForm, err := idna.Punycode.ToUnicode(ascii)
	if err != nil || strings.ContainsFunc(unicodeForm, notInLabel) {
		return "", reasonDomain
	}
	if again, err := domains.ToASCII(unicodeForm); err != nil || again != ascii {
		return "", reasonDomain
	}
	dot := strings.LastIndexByte(ascii, '.')
	if dot < 0 {
		return "", reasonOneLabel
	}
	if top := ascii[dot+1:]; !strings.HasPrefix(top, "xn--") && strings.ContainsFunc(top, notLetter) {
		return "", reasonNumeric // RFC 1123 section 2.1: else it may be an IP address
	}
	return ascii, ""
}

func dotsAstray(part string) bool {
	return strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".") || strings.Contains(part, "..")
}

// atext reports whether r may be in an atom (RFC 5322 section 3.2.3).
func atext(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

func notLetter(r rune) bool { return r < 'a' || r > 'z' }

// notInLabel reports whether r may be in no domain name written out. IDNA2008
// allows letters, digits and marks, and a few by name (RFC 5892 sections 2.1
// and 2.6); the library's tables, made for browsers, allow emoji too.
func notInLabel(r rune) bool {
	return invisible(r) ||
		!unicode.In(r, unicode.Ll, unicode.Lo, unicode.Lm, unicode.Mn, unicode.Mc, unicode.Nd) &&
			!strings.ContainsRune("-.\u00b7\u0375\u05f3\u05f4\u06fd\u06fe\u0f0b\u3007\u30fb", r)
}

// invisible reports whether r draws nothing, or changes the direction of what
// is drawn around it.
func invisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
