package words

import (
	"bytes"
	"embed"
	htmltemplate "html/template"
	"strings"
	"text/template"
	"unicode/utf8"
)

// A Letter is a mail, before it is known in which language.
type Letter struct {
	Subject Text // and its heading
	Lines   []Text
	Code    string // stands alone on a line of the text, and never in the subject, which a locked screen shows
	After   []Text
	Facts   []Fact
	Notes   []Text
	List    []Text // below the last note
	Links   []Link
	Foot    Text
}

// A Fact is a term, and what there is to say about it.
type Fact struct{ Term, Text Text }

// A Link leads to a page of ours.
type Link struct {
	Lead Text // says what it is for
	Text Text // of the link itself, where it is not shown
	URL  string
}

// A Mail is a mail in words.
type Mail struct{ Subject, Text, HTML string }

//go:embed mail.txt mail.html
var mails embed.FS

var (
	plainMail = template.Must(template.New("mail.txt").Funcs(template.FuncMap{"say": English.Say, "wrap": wrap, "pad": pad}).ParseFS(mails, "mail.txt"))
	htmlMail  = htmltemplate.Must(htmltemplate.New("mail.html").Funcs(htmltemplate.FuncMap{"say": English.Say}).ParseFS(mails, "mail.html"))
)

// Write returns the mail in a language.
func (l *Language) Write(letter Letter) (Mail, error) {
	say := map[string]any{"say": l.Say}
	data := struct {
		Letter
		Language *Language
	}{letter, l}
	inText, err := plainMail.Clone()
	if err != nil {
		return Mail{}, err
	}
	inHTML, err := htmlMail.Clone()
	if err != nil {
		return Mail{}, err
	}
	var text, page bytes.Buffer
	if err := inText.Funcs(say).Execute(&text, data); err != nil {
		return Mail{}, err
	}
	if err := inHTML.Funcs(say).Execute(&page, data); err != nil {
		return Mail{}, err
	}
	return Mail{Subject: l.Say(letter.Subject), Text: text.String(), HTML: page.String()}, nil
}

const column = 78 // characters of a line

// wrap breaks a paragraph into lines, the later ones after indent.
func wrap(indent, text string) string {
	var lines strings.Builder
	at := 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case at == 0:
		case at+1+n > column:
			lines.WriteString("\n" + indent)
			at = len(indent)
		default:
			lines.WriteByte(' ')
			at++
		}
		lines.WriteString(word)
		at += n
	}
	return lines.String()
}

// pad fills up the term of a fact, so that the facts stand below each other.
func pad(facts []Fact, l *Language, term string) string {
	width := 0
	for _, f := range facts {
		width = max(width, utf8.RuneCountInString(l.Say(f.Term)))
	}
	return term + strings.Repeat(" ", width+2-utf8.RuneCountInString(term))
}
