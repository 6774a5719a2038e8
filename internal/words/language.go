package words

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"golang.org/x/text/language"
)

// A Language says texts.
type Language struct {
	Tag         string // BCP 47
	RightToLeft bool
	sentences   map[string]string // by the English ones
}

// English says every text as it stands in the code.
var English = &Language{Tag: "en"}

//go:embed de.json
var german []byte

// ours are the languages that we speak besides.
var ours = func() map[string]map[string]string {
	sentences := map[string]string{}
	if err := json.Unmarshal(german, &sentences); err != nil {
		panic(err)
	}
	return map[string]map[string]string{"de": sentences}
}()

// Sentences are all sentences of pages and subjects, in English, in order.
func Sentences() []string { return slices.Sorted(maps.Keys(ours["de"])) }

// Languages are those that a server speaks, English first.
type Languages struct {
	all     []*Language
	matcher language.Matcher
}

var standard, _ = NewLanguages(nil)

// NewLanguages returns ours, and more: by tag, and by English sentence. What they lack
// is said in English, or by ours.
func NewLanguages(more map[string]map[string]string) (*Languages, error) {
	sentences := maps.Clone(ours)
	for _, tag := range slices.Sorted(maps.Keys(more)) {
		known := maps.Clone(sentences[tag])
		if known == nil {
			known = map[string]string{}
		}
		for _, sentence := range slices.Sorted(maps.Keys(more[tag])) {
			if err := fits(sentence, more[tag][sentence]); err != nil {
				return nil, fmt.Errorf("%s: %w", tag, err)
			}
			known[sentence] = more[tag][sentence]
		}
		sentences[tag] = known
	}
	ls := &Languages{all: []*Language{English}}
	tags := []language.Tag{language.English}
	for _, name := range slices.Sorted(maps.Keys(sentences)) {
		tag, err := language.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("%q is no language (BCP 47): %w", name, err)
		}
		script, _ := tag.Script()
		l := &Language{Tag: tag.String(), RightToLeft: slices.Contains(rightToLeft, script.String()), sentences: sentences[name]}
		if base, _ := tag.Base(); base.String() == "en" && len(name) == 2 {
			ls.all[0] = l // our sentences in the words of somebody else
			continue
		}
		ls.all, tags = append(ls.all, l), append(tags, tag)
	}
	ls.matcher = language.NewMatcher(tags)
	return ls, nil
}

// rightToLeft are scripts (ISO 15924).
var rightToLeft = []string{"Adlm", "Arab", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"}

var gap = regexp.MustCompile(`\{[a-z]+\}`)

// fits returns an error where a translation is of no sentence of ours, or has other gaps.
func fits(sentence, translation string) error {
	if _, known := ours["de"][sentence]; !known {
		return fmt.Errorf("%q is no sentence of any page", sentence)
	}
	has, want := gap.FindAllString(translation, -1), gap.FindAllString(sentence, -1)
	slices.Sort(has)
	slices.Sort(want)
	if !slices.Equal(slices.Compact(has), slices.Compact(want)) {
		return fmt.Errorf("%q has the gaps %v, and %q has %v", translation, has, sentence, want)
	}
	return nil
}

const maxAccept = 256 // bytes of Accept-Language that are read

// Best returns the language that fits accept best: the value of Accept-Language (RFC
// 9110 section 12.5.4), or a tag. It is English where none fits.
func (ls *Languages) Best(accept string) *Language {
	if ls == nil {
		ls = standard
	}
	wanted, _, err := language.ParseAcceptLanguage(accept[:min(len(accept), maxAccept)])
	if err != nil || len(wanted) == 0 {
		return ls.all[0]
	}
	_, i, confidence := ls.matcher.Match(wanted...)
	if confidence == language.No {
		i = 0
	}
	return ls.all[i]
}

// All are the languages, English first.
func (ls *Languages) All() []*Language {
	if ls == nil {
		ls = standard
	}
	return ls.all
}
