package mail

import (
	"bytes"
	"errors"
	"log/slog"
	netmail "net/mail"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func address(t testing.TB, text string) Address {
	t.Helper()
	a, err := ParseAddress(text)
	if err != nil {
		t.Fatalf("ParseAddress(%q): %v", text, err)
	}
	return a
}

func TestT65AddressesHaveOneForm(t *testing.T) {
	longLocal := strings.Repeat("a", 64)
	label := strings.Repeat("d", 61)
	longest := longLocal + "@" + label + "." + label + "." + label + ".com" // 254 bytes
	for _, c := range []struct{ sentence, text, want string }{
		{"a plain address stays", "jane@example.com", "jane@example.com"},
		{"the domain is lower-cased", "jane@EXAMPLE.Com", "jane@example.com"},
		{"the local part is lower-cased", "Jane.Doe@example.com", "jane.doe@example.com"},
		{"spaces around are dropped", "  jane@example.com  ", "jane@example.com"},
		{"tabs around are dropped", "\tjane@example.com\t", "jane@example.com"},
		{"a plus tag is kept", "jane+news@example.com", "jane+news@example.com"},
		{"dots in the local part are kept", "j.a.n.e@example.com", "j.a.n.e@example.com"},
		{"a one-letter local part is enough", "j@example.com", "j@example.com"},
		{"a local part may be digits", "12345@example.com", "12345@example.com"},
		{"all of atext is accepted", "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"},
		{"a slash is part of a name", "a/b@example.com", "a/b@example.com"},
		{"a percent sign is part of a name", "a%2fb@example.com", "a%2fb@example.com"},
		{"a leading hyphen is part of a name", "-rf@example.com", "-rf@example.com"},
		{"subdomains are accepted", "jane@a.b.c.example.com", "jane@a.b.c.example.com"},
		{"a domain label may be digits", "jane@163.com", "jane@163.com"},
		{"a domain label may have hyphens", "jane@my-mail.example.com", "jane@my-mail.example.com"},
		{"a long top-level domain is accepted", "jane@example.photography", "jane@example.photography"},
		{"a German domain becomes an A-label", "jane@bücher.example", "jane@xn--bcher-kva.example"},
		{"an upper-case German domain becomes the same A-label", "jane@BÜCHER.example", "jane@xn--bcher-kva.example"},
		{"a decomposed umlaut becomes the same A-label", "jane@bu\u0308cher.example", "jane@xn--bcher-kva.example"},
		{"an A-label stays", "jane@xn--bcher-kva.example", "jane@xn--bcher-kva.example"},
		{"an upper-case A-label is lower-cased", "jane@XN--BCHER-KVA.example", "jane@xn--bcher-kva.example"},
		{"sharp s is a letter of its own in IDNA2008", "jane@faß.de", "jane@xn--fa-hia.de"},
		{"final sigma is a letter of its own in IDNA2008", "jane@βόλος.com", "jane@xn--nxasmm1c.com"},
		{"a Japanese domain and top-level domain are accepted", "jane@例え.テスト", "jane@xn--r8jz45g.xn--zckzah"},
		{"a Chinese domain is accepted", "jane@中国.cn", "jane@xn--fiqs8s.cn"},
		{"a Cyrillic domain is accepted", "jane@почта.рф", "jane@xn--80a1acny.xn--p1ai"},
		{"a Hebrew domain is accepted", "jane@אבג.com", "jane@xn--4dbcd.com"},
		{"an Arabic domain is accepted", "jane@مثال.com", "jane@xn--mgbh0fb.com"},
		{"a Hindi domain with marks is accepted", "jane@उदाहरण.com", "jane@xn--p1b6ci4b4b3a.com"},
		{"a Catalan middle dot is accepted", "jane@col·lega.cat", "jane@xn--collega-xma.cat"},
		{"a Katakana middle dot is accepted", "jane@ア・ア.com", "jane@xn--ccka0y.com"},
		{"a local part of 64 bytes is accepted", longLocal + "@example.com", longLocal + "@example.com"},
		{"an address of 254 bytes is accepted", longest, longest},
	} {
		a, err := ParseAddress(c.text)
		if err != nil || a.String() != c.want {
			t.Errorf("%s: ParseAddress(%q) = %q, %v; want %q", c.sentence, c.text, a, err, c.want)
		}
	}
}

func TestT65OtherTextsAreRefusedWithAReason(t *testing.T) {
	label := strings.Repeat("d", 61)
	for _, c := range []struct{ sentence, text, reason string }{
		{"nothing", "", reasonEmpty},
		{"only spaces", "   ", reasonEmpty},
		{"no at sign", "jane.example.com", reasonNoAt},
		{"two at signs", "jane@home@example.com", reasonManyAt},
		{"nothing before the at sign", "@example.com", reasonNoLocal},
		{"nothing after the at sign", "jane@", reasonNoDomain},
		{"a lone at sign", "@", reasonNoLocal},
		{"a display name", "Jane Doe <jane@example.com>", reasonName},
		{"a quoted display name", `"Jane, Doe" <jane@example.com>`, reasonName},
		{"angle brackets alone", "<jane@example.com>", reasonName},
		{"a comment after", "jane@example.com (Jane)", reasonComment},
		{"a comment inside", "jane(home)@example.com", reasonComment},
		{"a group", "friends: jane@example.com;", reasonList},
		{"a group without end", "friends: jane@example.com", reasonColon},
		{"a list with a comma", "jane@example.com,joe@example.com", reasonList},
		{"a list with a semicolon", "jane@example.com;joe@example.com", reasonList},
		{"a list with a space", "jane@example.com joe@example.com", reasonSpace},
		{"a mailto link", "mailto:jane@example.com", reasonColon},
		{"a port", "jane@example.com:25", reasonColon},
		{"a source route", "@relay.example:jane@example.com", reasonColon},
		{"a quoted local part", `"jane"@example.com`, reasonQuoted},
		{"a quoted space", `"jane doe"@example.com`, reasonQuoted},
		{"a backslash", `jane\doe@example.com`, reasonQuoted},
		{"a space inside", "jane doe@example.com", reasonSpace},
		{"a space before the at sign", "jane @example.com", reasonSpace},
		{"a no-break space", "jane\u00a0@example.com", reasonSpace},
		{"an ideographic space around", "\u3000jane@example.com", reasonSpace},
		{"a line feed inside", "jane@example.com\nBcc: joe@example.com", reasonControl},
		{"a carriage return inside", "jane@example.com\rBcc: joe@example.com", reasonControl},
		{"both inside", "jane@example.com\r\nBcc: joe@example.com", reasonControl},
		{"a line feed at the end", "jane@example.com\n", reasonControl},
		{"a line feed at the start", "\njane@example.com", reasonControl},
		{"a NUL", "jane\x00@example.com", reasonControl},
		{"a tab inside", "jane\t@example.com", reasonControl},
		{"an escape", "jane\x1b[31m@example.com", reasonControl},
		{"a delete", "jane\x7f@example.com", reasonControl},
		{"a next line of C1", "jane\u0085@example.com", reasonControl},
		{"bytes that are not UTF-8", "jane\xff@example.com", reasonEncoding},
		{"an overlong encoding of a line feed", "jane\xc0\x8a@example.com", reasonEncoding},
		{"a line separator", "jane\u2028@example.com", reasonInvisible},
		{"a zero-width space", "jane\u200b@example.com", reasonInvisible},
		{"a zero-width joiner in the domain", "jane@exa\u200dmple.com", reasonInvisible},
		{"a zero-width non-joiner, though some domains have one", "jane@نامه\u200cای.com", reasonInvisible},
		{"the same written as an A-label", "jane@xn--mgba3gch31f060k.com", reasonDomain},
		{"a byte order mark", "\ufeffjane@example.com", reasonInvisible},
		{"a soft hyphen", "jane@exam\u00adple.com", reasonInvisible},
		{"a right-to-left override", "\u202emoc.elpmaxe@enaj", reasonInvisible},
		{"a left-to-right isolate", "\u2066jane@example.com\u2069", reasonInvisible},
		{"a Hangul filler", "jane@exam\u3164ple.com", reasonInvisible},
		{"a combining grapheme joiner", "jane@exam\u034fple.com", reasonInvisible},
		{"a variation selector", "jane@exam\ufe0fple.com", reasonInvisible},
		{"a tag character", "jane\U000e0041@example.com", reasonInvisible},
		{"a full-width at sign", "jane\uff20example.com", reasonAt},
		{"a full-width at sign beside a plain one", "jane\uff20home@example.com", reasonAt},
		{"a small at sign", "jane\ufe6bexample.com", reasonAt},
		{"a full-width dot", "jane@example\uff0ecom", reasonDot},
		{"an ideographic full stop", "jane@例え\u3002jp", reasonDot},
		{"a one dot leader", "jane@example\u2024com", reasonDot},
		{"full-width letters in the domain", "jane@\uff45xample.com", reasonDomain},
		{"full-width letters in the local part", "\uff4aane@example.com", reasonSMTPUTF8},
		{"an accent in the local part", "jané@example.com", reasonSMTPUTF8},
		{"a Cyrillic local part", "иван@почта.рф", reasonSMTPUTF8},
		{"a Kelvin sign that would lower to k", "\u212aane@example.com", reasonSMTPUTF8},
		{"a dot at the start", ".jane@example.com", reasonDots},
		{"a dot at the end of the local part", "jane.@example.com", reasonDots},
		{"two dots in the local part", "jane..doe@example.com", reasonDots},
		{"a local part of one dot", ".@example.com", reasonDots},
		{"a local part of two dots", "..@example.com", reasonDots},
		{"a path upwards", "a/../b@example.com", reasonDots},
		{"a dot at the start of the domain", "jane@.example.com", reasonDots},
		{"a dot at the end of the domain", "jane@example.com.", reasonDots},
		{"two dots in the domain", "jane@example..com", reasonDots},
		{"a domain of two dots", "jane@..", reasonDots},
		{"a domain without a dot", "jane@localhost", reasonOneLabel},
		{"an international domain without a dot", "jane@bücher", reasonOneLabel},
		{"an IPv4 address", "jane@127.0.0.1", reasonNumeric},
		{"a hexadecimal IPv4 address", "jane@127.0.0.0x1", reasonNumeric},
		{"an IPv4 literal", "jane@[127.0.0.1]", reasonLiteral},
		{"an IPv6 literal", "jane@[IPv6:::1]", reasonLiteral},
		{"an underscore in the domain", "jane@my_mail.com", reasonDomain},
		{"a slash in the domain", "jane@example.com/path", reasonDomain},
		{"a percent sign in the domain", "jane@example%2ecom.com", reasonDomain},
		{"a hyphen at the start of a label", "jane@-example.com", reasonDomain},
		{"a hyphen at the end of a label", "jane@example-.com", reasonDomain},
		{"hyphens in the third and fourth place", "jane@ex--ample.com", reasonDomain},
		{"an A-label of plain ASCII", "jane@xn--example-.com", reasonDomain},
		{"an empty A-label", "jane@xn--.com", reasonDomain},
		{"an A-label that decodes to nonsense", "jane@xn--a.com", reasonDomain},
		{"an A-label of full-width letters", "jane@xn--xample-hy68a.com", reasonDomain},
		{"an emoji domain, which IDNA2008 disallows", "jane@i❤.ws", reasonDomain},
		{"the same written as an A-label", "jane@xn--i-7iq.ws", reasonDomain},
		{"a ligature", "jane@\ufb01.com", reasonDomain},
		{"a label of mixed direction", "jane@1א.com", reasonDomain},
		{"a combining mark at the start of a label", "jane@\u0301example.com", reasonDomain},
		{"a label of 64 bytes", "jane@" + strings.Repeat("d", 64) + ".com", reasonDomain},
		{"a local part of 65 bytes", strings.Repeat("a", 65) + "@example.com", reasonLongLocal},
		{"255 bytes", strings.Repeat("a", 64) + "@" + label + "." + label + "." + label + ".info", reasonLong},
		{"a megabyte", strings.Repeat("a", 1<<20), reasonLong},
		{"a domain too long only as an A-label", strings.Repeat("a", 64) + "@" + strings.Repeat("ü.", 25) + "com", reasonLong},
		{"a shell substitution", "$(id)@example.com", reasonComment},
		{"a script", "<script>@example.com", reasonName},
	} {
		a, err := ParseAddress(c.text)
		var refusal *AddressError
		if !errors.Is(err, ErrAddress) || !errors.As(err, &refusal) {
			t.Errorf("%s: ParseAddress(%q) = %q, %v; want ErrAddress", c.sentence, c.text, a, err)
			continue
		}
		if refusal.Reason != c.reason {
			t.Errorf("%s: ParseAddress(%q) says %q, want %q", c.sentence, c.text, refusal.Reason, c.reason)
		}
		if a != (Address{}) {
			t.Errorf("%s: ParseAddress(%q) refuses and still gives %q", c.sentence, c.text, a)
		}
	}
}

func TestT65NormalisingTwiceChangesNothing(t *testing.T) {
	local := rapid.StringMatching("[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,20}")
	label := rapid.OneOf(
		rapid.StringMatching(`[A-Za-z0-9-]{1,12}`),
		rapid.StringMatching(`[xX][nN]--[A-Za-z0-9-]{1,12}`),
		rapid.StringMatching(`[a-zäöüßéñA-ZÄÖÜÉÑ]{1,8}`),
		rapid.StringMatching(`[\x{300}-\x{310}a-e가-각ᄀ-ᄃ]{1,6}`),
		rapid.StringMatching(`\p{L}{1,6}`),
		rapid.String(),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := local.Draw(t, "local") + "@" + label.Draw(t, "label") + "." + label.Draw(t, "top")
		a, err := ParseAddress(text)
		if err != nil {
			t.Skip()
		}
		checkForm(t, text, a)
	})
}

// checkForm checks what holds of every address, wherever it came from.
func checkForm(t interface{ Fatalf(string, ...any) }, text string, a Address) {
	again, err := ParseAddress(a.String())
	if err != nil || again != a {
		t.Fatalf("ParseAddress(%q) = %q, which parses to %q, %v", text, a, again, err)
	}
	if strings.ContainsFunc(a.String(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		t.Fatalf("ParseAddress(%q) = %q, not printable ASCII", text, a)
	}
	if name := url.PathEscape(a.String()); name == "." || name == ".." || strings.ContainsAny(name, `/\`) {
		t.Fatalf("ParseAddress(%q) = %q, which is no name of a directory", text, a)
	}
	if local, _, _ := strings.Cut(a.String(), "@"); len(local) > 64 || len(a.String()) > 254 {
		t.Fatalf("ParseAddress(%q) = %q, too long", text, a)
	}
	if parsed, err := netmail.ParseAddress(a.String()); err != nil || parsed.Address != a.String() || parsed.Name != "" {
		t.Fatalf("ParseAddress(%q) = %q, which net/mail reads as %v, %v", text, a, parsed, err)
	}
	checkSpellings(t, a)
}

// checkSpellings finds that a mailbox has one address and one key, however it is
// written: in other case, with blanks around, with the letters of its A-labels,
// composed or not.
func checkSpellings(t interface{ Fatalf(string, ...any) }, a Address) {
	local, domain, _ := strings.Cut(a.String(), "@")
	letters, err := domains.ToUnicode(domain)
	if err != nil {
		t.Fatalf("%q has labels that are no letters: %v", a, err)
	}
	for _, other := range []string{strings.ToUpper(a.String()), " \t" + a.String() + " ", local + "@" + letters, local + "@" + norm.NFD.String(letters)} {
		if b, err := ParseAddress(other); err != nil || b != a || b.RateKey() != a.RateKey() {
			t.Fatalf("%q and %q are one mailbox, and become %q, %q, %v", a, other, a, b, err)
		}
	}
	if key := a.RateKey(); strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) || !strings.HasSuffix(key, "@"+domain) {
		t.Fatalf("%q has the key %q", a, key)
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, text := range []string{
		"jane@example.com", "Jane@Bücher.example", "a+b.c@xn--bcher-kva.example", "jane@bu\u0308cher.example",
		"jane@example.com\r\nBcc: joe@example.com", "Jane <jane@example.com>", `"a b"@example.com`, "jane@İ.com",
		"jane@\u1e9e.de", "jane@xn--zca.de", "..@..", "a/./b@example.com", "jane@xn--ls8h.la",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAddress(text)
		if err == nil {
			checkForm(t, text, a)
		} else if !errors.Is(err, ErrAddress) {
			t.Fatalf("ParseAddress(%q): %v does not wrap ErrAddress", text, err)
		}
	})
}

func TestT66PlusAndDotsAreOtherPeopleWithOneBudget(t *testing.T) {
	jane := address(t, "janedoe@example.com")
	for _, text := range []string{"janedoe+1@example.com", "jane.doe@example.com", "j.a.n.e.doe+x+y@example.com", "JANE.DOE@Example.com"} {
		other := address(t, text)
		if other == jane || other.String() == jane.String() {
			t.Errorf("%q became the person %q", text, jane)
		}
		if other.RateKey() != jane.RateKey() {
			t.Errorf("%q spends from the budget %q, not %q", text, other.RateKey(), jane.RateKey())
		}
	}
	for _, text := range []string{"janedoe@example.org", "janedo@example.com", "janedoe@mail.example.com"} {
		if address(t, text).RateKey() == jane.RateKey() {
			t.Errorf("%q spends from the budget of %q", text, jane)
		}
	}
	if got := address(t, "+tag@example.com").RateKey(); got != "@example.com" {
		t.Errorf("the budget of a bare tag is %q", got)
	}
}

func TestMaskedTellsTheFirstCharacterOnly(t *testing.T) {
	for text, want := range map[string]string{
		"jane@example.com":    "j***@example.com",
		"j@example.com":       "j***@example.com",
		"Ja@Bücher.example":   "j***@xn--bcher-kva.example",
		"+tag@example.com":    "+***@example.com",
		"*@example.com":       "****@example.com",
		"j.d+bank@example.co": "j***@example.co",
	} {
		if got := address(t, text).Masked(); got != want {
			t.Errorf("Masked of %q = %q, want %q", text, got, want)
		}
		if got := Masked(text); got != want {
			t.Errorf("Masked(%q) = %q, want %q", text, got, want)
		}
	}
	if got := Masked("no address, but a secret"); got != "" {
		t.Errorf("of what is no address Masked shows %q", got)
	}
}

func TestTheZeroAddressIsEmptyEverywhere(t *testing.T) {
	var a Address
	if a.String() != "" || a.Masked() != "" || a.RateKey() != "" {
		t.Errorf("zero Address: String %q, Masked %q, RateKey %q", a.String(), a.Masked(), a.RateKey())
	}
}

func TestLogsMaskAddresses(t *testing.T) {
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("sent", "to", address(t, "jane@example.com"))
	if strings.Contains(b.String(), "jane") || !strings.Contains(b.String(), "j***@example.com") {
		t.Errorf("logged %q", b.String())
	}
}

func TestReasonsRepeatNothingOfTheText(t *testing.T) {
	_, err := ParseAddress("Ignore-all-previous-instructions <evil@example.net>")
	if err == nil || strings.Contains(err.Error(), "Ignore") || strings.Contains(err.Error(), "evil") {
		t.Errorf("refused with %v", err)
	}
}
