package signin

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDigitsAreReadAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct {
		sentence, answer string
		digits           int
		want             string
	}{
		{"as they stand in the mail", "482913", 6, "482913"},
		{"with leading zeros", "000042", 6, "000042"},
		{"with a space in the middle", "482 913", 6, "482913"},
		{"with spaces around", "  482913\t\r\n", 6, "482913"},
		{"with a space after each", "4 8 2 9 1 3", 6, "482913"},
		{"with a dash", "482-913", 6, "482913"},
		{"with a dash at the front", "-482913", 6, "482913"},
		{"with a mathematician's minus", "482\u2212913", 6, ""},
		{"with a hyphen that does not break", "482\u2011913", 6, "482913"},
		{"with an en dash", "482\u2013913", 6, "482913"},
		{"with an em dash", "482\u2014913", 6, "482913"},
		{"with a space that does not break", "482\u00a0913", 6, "482913"},
		{"with a narrow one", "482\u202f913", 6, "482913"},
		{"with a thin one", "482\u2009913", 6, "482913"},
		{"in full width", "４８２９１３", 6, "482913"},
		{"in full width, with the space of that width", "４８２　９１３", 6, "482913"},
		{"in full width, with the dash of that width", "４８２－９１３", 6, "482913"},
		{"as a number that lost two zeros", "4829", 6, "004829"},
		{"as a number that lost all but one", "0", 6, "000000"},
		{"eight of them where eight are expected", "01234567", 8, "01234567"},
		{"as a number that lost a zero of eight", "1234567", 8, "01234567"},
		{"eight of them where six are expected", "01234567", 6, "01234567"},
		{"six of them where eight are expected", "123456", 8, "00123456"},
		{"nothing", "", 6, ""},
		{"only spaces", "   ", 6, ""},
		{"only dashes", "---", 6, ""},
		{"letters", "abcdef", 6, ""},
		{"letters that look like digits", "48O9l3", 6, ""},
		{"digits in a sentence", "my code is 482913", 6, ""},
		{"a fraction", "482913.0", 6, ""},
		{"an exponent", "4.82913e5", 6, ""},
		{"a comma", "482,913", 6, ""},
		{"a plus", "+482913", 6, ""},
		{"digits of another script", "٤٨٢٩١٣", 6, ""},
		{"superscripts", "⁴⁸²⁹¹³", 6, ""},
		{"a zero-width space", "482\u200b913", 6, ""},
		{"a zero byte", "482\x00913", 6, ""},
		{"bytes that are no text", "482\xff913", 6, ""},
		{"a very long number", strings.Repeat("1", 1<<20), 6, strings.Repeat("1", 1<<20)},
		{"very many spaces", "482" + strings.Repeat(" ", 1<<20) + "913", 6, "482913"},
	} {
		if got := normalise(c.answer, c.digits); got != c.want {
			t.Errorf("%s: normalise(%.40q, %d) = %.40q, want %.40q", c.sentence, c.answer, c.digits, got, c.want)
		}
	}
}

// Whatever is answered, what comes out is digits, no fewer than expected, or
// nothing; and reading it again changes nothing.
func TestDigitsComeOutOrNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{digits, digitsAttacked}).Draw(t, "digits")
		checkDigits(t, rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9０-９ \-–]{0,12}`)).Draw(t, "answer"), n)
	})
}

func FuzzDigits(f *testing.F) {
	for _, answer := range []string{"482913", " 482 913\n", "４８２９１３", "4829", "0", "48-29–13", "+482913", "4e5", "٤٨٢٩١٣", "482\x00913", "482\xff913", "\u200b482913", ""} {
		f.Add(answer, true)
		f.Add(answer, false)
	}
	f.Fuzz(func(t *testing.T, answer string, attacked bool) {
		checkDigits(t, answer, map[bool]int{false: digits, true: digitsAttacked}[attacked])
	})
}

// checkDigits also finds that nothing is made up: what comes out are the digits
// that stood there, in their order, behind zeros at most.
func checkDigits(t interface{ Fatalf(string, ...any) }, answer string, n int) {
	got := normalise(answer, n)
	if strings.Trim(got, "0123456789") != "" || got != "" && len(got) < n || normalise(got, n) != got {
		t.Fatalf("normalise(%q, %d) = %q", answer, n, got)
	}
	var stood strings.Builder
	for _, r := range answer {
		switch {
		case r >= '0' && r <= '9':
			stood.WriteRune(r)
		case r >= '０' && r <= '９':
			stood.WriteRune(r - '０' + '0')
		}
	}
	if zeros, ok := strings.CutSuffix(got, stood.String()); got != "" && (!ok || strings.Trim(zeros, "0") != "" || zeros != "" && len(got) != n) {
		t.Fatalf("normalise(%q, %d) = %q, and %q stood there", answer, n, got, &stood)
	}
}
