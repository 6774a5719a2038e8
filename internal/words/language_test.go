package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
)

// said are all sentences that the code gives to T and N, with the names of the gaps
// that it fills.
func said(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		here := file.Name.Name == "words"
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				if from, ok := f.X.(*ast.Ident); ok && from.Name == "words" {
					name = f.Sel.Name
				}
			case *ast.Ident:
				if here {
					name = f.Name
				}
			}
			switch name {
			case "T":
				note(t, all, path, call.Args[:1], call.Args[1:])
			case "N":
				note(t, all, path, call.Args[1:3], call.Args[3:], "n")
			}
			return true
		})
		return nil
	})
	if err != nil || len(all) < 100 {
		t.Fatalf("%d sentences: %v", len(all), err)
	}
	return all
}

func note(t *testing.T, all map[string][]string, path string, sentences, gaps []ast.Expr, more ...string) {
	for i, arg := range gaps {
		if i%2 == 0 {
			more = append(more, literal(arg))
		}
	}
	for _, arg := range sentences {
		if sentence := literal(arg); sentence != "" {
			all[sentence] = append(all[sentence], more...)
			for _, name := range gap.FindAllString(sentence, -1) {
				if !slices.Contains(more, strings.Trim(name, "{}")) {
					t.Errorf("%s: nothing fills %s of %q", path, name, sentence)
				}
			}
		}
	}
}

func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, _ := strconv.Unquote(lit.Value)
	return text
}

// unlisted are sentences that no literal of T shows: formats, and what package mail says
// of an address.
var unlisted = []string{"2 January 2006, 15:04 UTC"}

// Each sentence is said in each language, with its gaps, and in other words; no language
// has a sentence that nobody says.
func TestEveryLanguageSaysEverything(t *testing.T) {
	all := said(t)
	for _, sentence := range append(unlisted, reasons(t)...) {
		all[sentence] = nil
	}
	for tag, sentences := range ours {
		for _, sentence := range slices.Sorted(maps.Keys(all)) {
			switch translation, ok := sentences[sentence]; {
			case !strings.ContainsFunc(gap.ReplaceAllString(sentence, ""), unicode.IsLetter) && !ok: // nothing to translate
			case !ok:
				t.Errorf("%s: lacks %q", tag, sentence)
			case translation == sentence:
				t.Errorf("%s: %q is the same", tag, sentence)
			default:
				if err := fits(sentence, translation); err != nil {
					t.Errorf("%s: %v", tag, err)
				}
			}
		}
		for sentence := range sentences {
			if _, ok := all[sentence]; !ok {
				t.Errorf("%s: nobody says %q", tag, sentence)
			}
		}
	}
}

// reasons are what package mail says of addresses.
func reasons(t *testing.T) (all []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../mail/parse.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		for i := 0; ok && i < len(spec.Names); i++ {
			if strings.HasPrefix(spec.Names[i].Name, "reason") && i < len(spec.Values) {
				all = append(all, literal(spec.Values[i]))
			}
		}
		return true
	})
	if len(all) == 0 {
		t.Fatal("no reasons")
	}
	return all
}

func TestTheLanguageIsTheOneThatIsAskedFor(t *testing.T) {
	more, err := NewLanguages(map[string]map[string]string{"ar": {"Allow": "سماح"}, "pt-BR": {"Allow": "Permitir"}})
	if err != nil {
		t.Fatal(err)
	}
	for accept, want := range map[string]string{
		"": "en", "de": "de", "de-AT,de;q=0.9,en;q=0.8": "de", "en-GB,de;q=0.5": "en", "fr": "en", "fr,de;q=0.3": "de", "*": "en", "garbage;;q=x": "en",
		"ar-EG": "ar", "pt-BR": "pt-BR", strings.Repeat("-", 100_000): "en", strings.Repeat("de,", 100_000): "en", "\x00\xff": "en",
	} {
		if got := more.Best(accept).Tag; got != want {
			t.Errorf("%.40q: %s, want %s", accept, got, want)
		}
	}
	if l := more.Best("ar"); !l.RightToLeft || l.Say(T("Allow")) != "سماح" || l.Say(T("Cancel")) != "Cancel" {
		t.Errorf("%+v", l)
	}
	if l := (*Languages)(nil).Best("de"); l.Say(T("Cancel")) != "Abbrechen" || l.RightToLeft {
		t.Errorf("%+v", l)
	}
}

func TestTranslationsThatDoNotFitAreRefused(t *testing.T) {
	for want, more := range map[string]map[string]map[string]string{
		"no sentence of any page": {"fr": {"Allow!": "Autoriser !"}},
		"has the gaps":            {"fr": {"Sign in to {app}": "Connexion"}},
		"[{app} {x}]":             {"fr": {"Sign in to {app}": "Connexion à {app} {x}"}},
		"no language":             {"nonsense language": {"Allow": "x"}},
	} {
		if _, err := NewLanguages(more); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", more, err, want)
		}
	}
}

// What stands in a gap is said in the same language, is no sentence itself, and turns no
// direction.
func TestGaps(t *testing.T) {
	german := (*Languages)(nil).Best("de")
	at := time.Date(2026, 11, 21, 14, 3, 59, 0, time.UTC)
	for _, test := range []struct {
		text            Text
		english, german string
	}{
		{T("Sign in to {app}", "app", "{app}{client}"), "Sign in to {app}{client}", "Bei {app}{client} anmelden"},
		{T("Sign in to {app}", "app", "Allow"), "Sign in to Allow", "Bei Allow anmelden"},
		{As("Allow"), "Allow", "Allow"},
		{AsIn("Write", map[string]string{"de": "Schreiben"}), "Write", "Schreiben"},
		{Moment(at), "21 November 2026, 14:03 UTC", "21.11.2026, 14:03 Uhr UTC"},
		{spanText(90 * time.Second), "90 seconds", "90 Sekunden"},
		{spanText(time.Second), "1 second", "1 Sekunde"},
		{spanText(3 * time.Hour), "3 hours", "3 Stunden"},
		{Quoted([]Text{As("a"), T("Allow")}), "“a”, “Allow”", "„a“, „Erlauben“"},
		{Text{}, "", ""},
	} {
		if got := test.text.String(); got != test.english {
			t.Errorf("in English %q, want %q", got, test.english)
		}
		if got := german.Say(test.text); got != test.german {
			t.Errorf("in German %q, want %q", got, test.german)
		}
	}
	arabic := &Language{Tag: "ar", RightToLeft: true}
	if got := arabic.Say(T("Sign in to {app}", "app", "Notes")); got != "Sign in to \u2068Notes\u2069" {
		t.Errorf("%q", got)
	}
}
