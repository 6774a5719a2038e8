package foyer

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sources returns the texts of the files whose names end with suffix.
func sources(t *testing.T, suffix string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && path != "." || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, suffix):
			return nil
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// What the documents promise, a test shows: every test that they name exists.
func TestEveryTestThatTheDocsNameExists(t *testing.T) {
	var tests []string
	for _, text := range sources(t, "_test.go") {
		for _, found := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)`).FindAllStringSubmatch(text, -1) {
			tests = append(tests, found[1])
		}
	}
	named := 0
	for path, text := range sources(t, ".md") {
		for _, name := range regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Za-z0-9_]+)`").FindAllStringSubmatch(text, -1) {
			named++
			if !slices.Contains(tests, name[1]) {
				t.Errorf("%s names %s, which does not exist", path, name[1])
			}
		}
		for _, link := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), link[1])); err != nil {
				t.Errorf("%s links to %s: %v", path, link[1], err)
			}
		}
	}
	if named < 50 {
		t.Errorf("the docs name %d tests: where did the others go?", named)
	}
}

// A number that a test carries, such as T01, is explained in the docs.
func TestEveryNumberThatATestCarriesIsExplained(t *testing.T) {
	var docs strings.Builder
	for path, text := range sources(t, ".md") {
		if strings.HasPrefix(path, "docs") {
			docs.WriteString(text)
		}
	}
	for path, text := range sources(t, "_test.go") {
		for _, number := range regexp.MustCompile(`func Test(T\d\d)|\b(T\d\d|R-\d+|X\d+)\b`).FindAllStringSubmatch(text, -1) {
			n := number[1] + number[2]
			if !strings.Contains(docs.String(), "| "+n+" |") {
				t.Errorf("%s speaks of %s, which no table of the docs explains", path, n)
			}
		}
	}
}

// The pictures of pages are those that the document shows, all of them, and small.
func TestEveryPictureOfAPageIsShown(t *testing.T) {
	text, err := os.ReadFile("docs/pages.md")
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, found := range regexp.MustCompile(`src="(pages/[^"]+)"`).FindAllStringSubmatch(string(text), -1) {
		shown = append(shown, filepath.Join("docs", found[1]))
	}
	kept, err := filepath.Glob("docs/pages/*")
	slices.Sort(shown)
	if err != nil || !slices.Equal(shown, kept) {
		t.Errorf("shown: %q\nkept:  %q", shown, kept)
	}
	size := 0
	for _, path := range kept {
		picture, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		size += len(picture)
	}
	if size > 1500<<10 {
		t.Errorf("%d KiB of pictures", size>>10)
	}
}
