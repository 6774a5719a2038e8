package layout

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"example.com/foyer/internal/words"
)

var accents = regexp.MustCompile(`--accent: (#[0-9a-f]{6}); --on-accent: (#[0-9a-f]{6});`)

// Whatever colour an operator chooses, buttons and links can be read, on a light page
// and on a dark one (WCAG 2.2, 1.4.3).
func TestEveryAccentCanBeRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chosen := fmt.Sprintf("#%06x", rapid.IntRange(0, 0xffffff).Draw(t, "accent"))
		l, err := New(Brand{Accent: chosen}, nil)
		if err != nil {
			t.Fatal(err)
		}
		found := accents.FindAllStringSubmatch(string(l.style), -1)
		if len(found) != 4 { // ours, and the operator's, which counts
			t.Fatalf("%d accents in the style", len(found))
		}
		for i, ground := range []colour{white, night, white, night} {
			accent, err := parse(found[i][1])
			on, err2 := parse(found[i][2])
			if errors.Join(err, err2) != nil || contrast(accent, ground) < 4.5 || contrast(accent, on) < 4.5 {
				t.Errorf("%s on %v became %v: contrast %.2f, and %.2f of what stands on it", chosen, ground, accent, contrast(accent, ground), contrast(accent, on))
			}
		}
	})
	if l, err := New(Brand{Accent: "#0b6e4f"}, nil); err != nil || !strings.Contains(string(l.style), "--accent: #0b6e4f;") {
		t.Errorf("an accent that can be read is changed: %v", err)
	}
}

func TestBadBrandsAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		brand Brand
		want  error
	}{
		"no colour":         {Brand{Accent: "red"}, ErrAccent},
		"a short one":       {Brand{Accent: "#0b6"}, ErrAccent},
		"more than one":     {Brand{Accent: "#0b6e4f; } body { display: none"}, ErrAccent},
		"a sign":            {Brand{Accent: "#+b6e4f"}, ErrAccent},
		"a text for a logo": {Brand{Logo: []byte("hello")}, ErrLogo},
		"a page for a logo": {Brand{Logo: []byte("<html><svg></html>")}, ErrLogo},
		"too much":          {Brand{Logo: []byte("<svg>" + strings.Repeat(" ", maxLogo))}, ErrLogo},
		"a PNG":             {Brand{Logo: []byte("\x89PNG\r\n\x1a\nrest")}, nil},
		"an SVG":            {Brand{Logo: []byte("<?xml version='1.0'?><svg/>")}, nil},
	} {
		if _, err := New(test.brand, nil); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// The policy lets the one style be used, and an image that is in the page.
func TestALogoIsInThePage(t *testing.T) {
	l, err := New(Brand{Logo: []byte("<svg onload='alert(1)'/>"), Accent: "#777777"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	l.Write(w, httptest.NewRequest(http.MethodGet, "/", nil), 200, Page{App: "Notes", Title: words.As("Hello")})
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "img-src data:") || !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "unsafe") {
		t.Error(policy)
	}
	if body := html.UnescapeString(w.Body.String()); !strings.Contains(body, `<img src="data:image/svg+xml;base64,`) || strings.Contains(body, "onload") {
		t.Error(body)
	}
	w = httptest.NewRecorder()
	(*Look)(nil).Write(w, httptest.NewRequest(http.MethodGet, "/", nil), 200, Page{App: "Notes", Title: words.As("Hello")})
	if strings.Contains(w.Header().Get("Content-Security-Policy"), "img-src") || strings.Contains(w.Body.String(), "<img") {
		t.Error("a page without a logo lets images in")
	}
}

// A page is in the language that the browser asks for, and turns round where that is
// written from right to left.
func TestAPageIsInTheLanguageOfTheBrowser(t *testing.T) {
	languages, err := words.NewLanguages(map[string]map[string]string{"ar": {"Allow": "سماح"}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(Brand{}, languages)
	if err != nil {
		t.Fatal(err)
	}
	for accept, want := range map[string]string{"": `<html lang="en">`, "de-CH": `<html lang="de">`, "ar": `<html lang="ar" dir="rtl">`} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", accept)
		l.Write(w, r, 200, Page{App: "Notes", Title: words.T("Allow"), Form: &Form{}, Code: "x"})
		title := map[string]string{"": "Allow", "de-CH": "Erlauben", "ar": "سماح"}[accept]
		if body := w.Body.String(); !strings.Contains(body, want) || !strings.Contains(body, "<h1>"+title+"</h1>") || !strings.Contains(body, "<title>"+title+" – Notes</title>") {
			t.Errorf("%q: %s", accept, body)
		}
	}
}

// An operator's own page is served under the same policy, with the operator's style.
func TestAPageOfTheOperatorsOwn(t *testing.T) {
	l, err := New(Brand{Page: strings.Replace(Template, "<main>", `<main class="ours">`, 1), Style: "main { color: red }"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	l.Write(w, httptest.NewRequest(http.MethodGet, "/", nil), 200, Page{App: "Notes", Title: words.As("Hello")})
	sum := sha256.Sum256([]byte("main { color: red }"))
	policy := w.Header().Get("Content-Security-Policy")
	if body := w.Body.String(); !strings.Contains(body, `<main class="ours">`) || !strings.Contains(body, "<style>main { color: red }</style>") ||
		!strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || strings.Contains(policy, "script") {
		t.Errorf("%s\n%s", policy, body)
	}
}

// What a page leaves out, a person would say yes to unseen; nothing is served then.
func TestAPageShowsEverything(t *testing.T) {
	for leftOut, page := range map[string]string{
		"the warning":              strings.Replace(Template, `{{range .Warn}}<p class="warning">{{say .}}</p>`, "{{range .Warn}}", 1),
		"the quote":                strings.Replace(Template, "<blockquote>{{.Quote}}</blockquote>", "", 1),
		`name=\"second-hidden\"`:   strings.Replace(Template, `{{with .Second}}{{template "form" .}}{{end}}`, "", 1),
		"the form problem":         strings.Replace(Template, `{{$problem}}</p>`, "</p>", 1),
		"the title":                "<p>nothing</p>",
		"function \"shout\" not":   "{{shout .Title}}",
		"can't evaluate field Who": "{{.Who}}",
	} {
		if page == Template {
			t.Fatalf("%s: the template is as it was", leftOut)
		}
		if _, err := New(Brand{Page: page}, nil); err == nil || !strings.Contains(err.Error(), leftOut) {
			t.Errorf("without %s: %v", leftOut, err)
		}
	}
	if _, err := New(Brand{Style: "p { } </style><script>"}, nil); !errors.Is(err, ErrStyle) {
		t.Errorf("a style with a tag: %v", err)
	}
}
