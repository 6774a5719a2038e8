package journal

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// A tagDraft is what a person says about a tag, and the input of create_tag.
type tagDraft struct {
	Name        string `json:"name" jsonschema:"one line, at most 60 characters, such as personal goals"`
	Description string `json:"description,omitempty" jsonschema:"what the tag is for, at most 500 characters"`
}

// A tag is a tagDraft that was saved.
type tag struct {
	ID string `json:"id" jsonschema:"names the tag in other calls"`
	tagDraft
	Entries int       `json:"entries" jsonschema:"how many entries have the tag"`
	Created time.Time `json:"created" jsonschema:"RFC 3339, UTC"`
	Updated time.Time `json:"updated" jsonschema:"RFC 3339, UTC"`
}

// A label is a tag on an entry.
type label struct {
	ID   string `json:"id" jsonschema:"pass it to get_tag to read more"`
	Name string `json:"name"`
}

// A tagChange is the input of update_tag. What is nil stays as it is.
type tagChange struct {
	ID          string  `json:"id" jsonschema:"the id from list_tags or create_tag"`
	Name        *string `json:"name,omitempty" jsonschema:"the new name"`
	Description *string `json:"description,omitempty" jsonschema:"the new description; empty to remove it"`
}

// A tagPage is the output of list_tags.
type tagPage struct {
	Tags  []tag `json:"tags" jsonschema:"by name"`
	Total int   `json:"total" jsonschema:"how many tags there are, on all pages"`
	Next  int   `json:"next_offset,omitempty" jsonschema:"the offset of the next page; absent on the last one"`
}

// apply returns d with the change made.
func (c tagChange) apply(d tagDraft) tagDraft {
	replace(&d.Name, c.Name)
	replace(&d.Description, c.Description)
	return d
}

// tidy returns d as it is kept, or a [problem] that says what to do.
func (d tagDraft) tidy() (tagDraft, error) {
	d.Name, d.Description = oneLine(d.Name), oneLine(d.Description)
	switch {
	case d.Name == "":
		return tagDraft{}, problem("A tag needs a name. Ask the person for one, then call again.")
	case utf8.RuneCountInString(d.Name) > 60:
		return tagDraft{}, problem("The name has more than 60 characters. Shorten it, then call again.")
	case utf8.RuneCountInString(d.Description) > 500:
		return tagDraft{}, problem("The description has more than 500 characters. Shorten it, then call again.")
	}
	return d, nil
}

// key is the same for names that people take for the same.
func (d tagDraft) key() string { return strings.ToLower(d.Name) }

// text returns the tag as a person would read it.
func (t tag) text() string {
	text := fmt.Sprintf("%s (id %s), on %s", t.Name, t.ID, count(t.Entries, "entry", "entries"))
	if t.Description != "" {
		text += ": " + t.Description
	}
	return text
}

// text returns the page as a person would read it.
func (p tagPage) text() string {
	if p.Total == 0 {
		return "There are no tags."
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %s, by name:\n", len(p.Tags), count(p.Total, "tag", "tags"))
	for _, t := range p.Tags {
		b.WriteString("- " + t.text() + "\n")
	}
	if p.Next > 0 {
		fmt.Fprintf(&b, "Call again with offset %d for more.\n", p.Next)
	}
	return b.String()
}

// count returns n of one or many things.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}
