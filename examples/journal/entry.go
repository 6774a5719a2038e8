package journal

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// A draft is what a person writes: an entry without its tags and dates.
type draft struct {
	Title    string `json:"title" jsonschema:"one line, at most 200 characters"`
	Content  string `json:"content" jsonschema:"the entry itself, Markdown, at most 20000 characters"`
	Mood     string `json:"mood,omitempty" jsonschema:"how the day felt, one or two words such as calm; kept in lower case"`
	Location string `json:"location,omitempty" jsonschema:"where it happened, such as Lisbon"`
	Weather  string `json:"weather,omitempty" jsonschema:"such as rain, or 21 degrees and sunny"`
	Private  bool   `json:"private,omitempty" jsonschema:"true if the entry should not be quoted without being asked for"`
	Favorite bool   `json:"favorite,omitempty" jsonschema:"true if the person wants to find it again"`
}

// A tagged draft is the input of create_entry.
type tagged struct {
	draft
	Tags []string `json:"tags,omitempty" jsonschema:"ids of tags for the entry, from list_tags or create_tag"`
}

// An entry is a draft that was saved.
type entry struct {
	ID string `json:"id" jsonschema:"names the entry in other calls"`
	draft
	Tags    []label   `json:"tags" jsonschema:"by name"`
	Created time.Time `json:"created" jsonschema:"RFC 3339, UTC"`
	Updated time.Time `json:"updated" jsonschema:"RFC 3339, UTC"`
}

// A change is the input of update_entry. What is nil stays as it is.
type change struct {
	ID       string  `json:"id" jsonschema:"the id from list_entries or create_entry"`
	Title    *string `json:"title,omitempty" jsonschema:"the new title"`
	Content  *string `json:"content,omitempty" jsonschema:"the new content; it replaces the old one"`
	Mood     *string `json:"mood,omitempty" jsonschema:"the new mood; empty to remove it"`
	Location *string `json:"location,omitempty" jsonschema:"the new location; empty to remove it"`
	Weather  *string `json:"weather,omitempty" jsonschema:"the new weather; empty to remove it"`
	Private  *bool   `json:"private,omitempty" jsonschema:"whether the entry is private"`
	Favorite *bool   `json:"favorite,omitempty" jsonschema:"whether the entry is a favorite"`
}

// apply returns d with the change made.
func (c change) apply(d draft) draft {
	replace(&d.Title, c.Title)
	replace(&d.Content, c.Content)
	replace(&d.Mood, c.Mood)
	replace(&d.Location, c.Location)
	replace(&d.Weather, c.Weather)
	replace(&d.Private, c.Private)
	replace(&d.Favorite, c.Favorite)
	return d
}

func replace[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// tidy returns d as it is kept, or a [problem] that says what to shorten or add.
func (d draft) tidy() (draft, error) {
	d.Title = oneLine(d.Title)
	d.Content = strings.TrimSpace(withoutNUL(d.Content))
	d.Mood = strings.ToLower(oneLine(d.Mood))
	d.Location = oneLine(d.Location)
	d.Weather = oneLine(d.Weather)
	if d.Title == "" || d.Content == "" {
		return draft{}, problem("An entry needs a title and some content. Ask the person for what is missing, then call again.")
	}
	for _, field := range []struct {
		name, value string
		most        int
	}{
		{"title", d.Title, 200},
		{"content", d.Content, 20_000},
		{"mood", d.Mood, 100},
		{"location", d.Location, 100},
		{"weather", d.Weather, 100},
	} {
		if n := utf8.RuneCountInString(field.value); n > field.most {
			return draft{}, problem(fmt.Sprintf("The %s has %d characters, and at most %d fit. Shorten it, or split the entry in two, then call again.",
				field.name, n, field.most))
		}
	}
	return d, nil
}

// words returns what a search looks through.
func (d draft) words() string { return strings.ToLower(d.Title + "\n" + d.Content) }

// oneLine joins the words of s with single spaces, so that a title cannot break
// out of its heading.
func oneLine(s string) string { return strings.Join(strings.Fields(withoutNUL(s)), " ") }

// withoutNUL drops the one character at which SQLite's text functions stop.
func withoutNUL(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// markdown returns the entry as a section of a document.
func (e entry) markdown() string {
	facts := []string{e.Created.Format("2006-01-02 15:04 UTC")}
	for _, fact := range []struct{ name, value string }{
		{"mood: ", e.Mood}, {"in ", e.Location}, {"weather: ", e.Weather},
	} {
		if fact.value != "" {
			facts = append(facts, fact.name+fact.value)
		}
	}
	if len(e.Tags) > 0 {
		facts = append(facts, "tags: "+strings.Join(names(e.Tags), ", "))
	}
	if e.Private {
		facts = append(facts, "private")
	}
	if e.Favorite {
		facts = append(facts, "favorite")
	}
	return fmt.Sprintf("## %s\n\n%s\n\n%s\n", e.Title, strings.Join(facts, " · "), e.Content)
}

func names(labels []label) []string {
	var all []string
	for _, l := range labels {
		all = append(all, l.Name)
	}
	return all
}
