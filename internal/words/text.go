package words

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Text is what a person reads, before it is known in which language. It is a
// sentence in English, which may have gaps such as {client}; a [Language] says it.
type Text struct {
	sentence string
	gaps     []any             // names and values by turns
	others   map[string]string // of somebody else's words: the same in other languages, by tag
	as       bool              // the words are somebody else's, and said as they are
	many     []Text            // said one after the other, with commas
	at       time.Time         // said to the minute
}

// T is a sentence of ours. Gaps are the names of its gaps, each followed by its value:
// a string, a Text, an int, a [time.Time] or a [time.Duration].
func T(sentence string, gaps ...any) Text { return Text{sentence: sentence, gaps: gaps} }

// N is one sentence of ours for n = 1, and another for more or none, in which n is {n}.
func N(n int, one, other string, gaps ...any) Text {
	if n == 1 {
		return T(one, gaps...)
	}
	return T(other, append(gaps, "n", n)...)
}

// As is a text of somebody else's, which is said as it is.
func As(text string) Text { return Text{sentence: text, as: true} }

// AsIn is a text of somebody else's, who has it in other languages too, by their tags.
func AsIn(text string, others map[string]string) Text {
	return Text{sentence: text, as: true, others: others}
}

// List is several texts, with commas between them.
func List(texts []Text) Text { return Text{many: texts} }

// Quoted is several texts, each in quotation marks.
func Quoted(texts []Text) Text {
	quoted := make([]Text, len(texts))
	for i, t := range texts {
		quoted[i] = T("“{text}”", "text", t)
	}
	return List(quoted)
}

// Moment says when t is, to the minute.
func Moment(t time.Time) Text { return Text{at: t} }

// IsZero reports whether there is nothing to say.
func (t Text) IsZero() bool { return t.sentence == "" && len(t.many) == 0 && t.at.IsZero() }

// String says t in English.
func (t Text) String() string { return English.Say(t) }

// Say says t.
func (l *Language) Say(t Text) string {
	switch {
	case t.many != nil:
		said := make([]string, len(t.many))
		for i, one := range t.many {
			said[i] = l.Say(one)
		}
		return strings.Join(said, ", ")
	case !t.at.IsZero():
		return t.at.UTC().Format(l.sentence("2 January 2006, 15:04 UTC"))
	case t.as:
		return cmp.Or(t.others[l.Tag], t.sentence)
	case len(t.gaps) == 0:
		return l.sentence(t.sentence)
	}
	fill := make([]string, len(t.gaps))
	for i := 0; i < len(t.gaps); i += 2 {
		fill[i], fill[i+1] = "{"+t.gaps[i].(string)+"}", l.apart(l.value(t.gaps[i+1]))
	}
	return strings.NewReplacer(fill...).Replace(l.sentence(t.sentence)) // once: a value with a gap in it stays as it is
}

func (l *Language) sentence(english string) string { return cmp.Or(l.sentences[english], english) }

// value says what stands in a gap.
func (l *Language) value(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case Text:
		return l.Say(value)
	case int:
		return strconv.Itoa(value)
	case time.Time:
		return l.Say(Moment(value))
	case time.Duration:
		return l.Say(spanText(value))
	}
	panic(fmt.Sprintf("words: %T in a gap", value))
}

// apart keeps a value from turning the direction of what stands around it, in
// languages that are written from right to left (Unicode UAX 9, isolates).
func (l *Language) apart(value string) string {
	if !l.RightToLeft {
		return value
	}
	return "\u2068" + value + "\u2069"
}
