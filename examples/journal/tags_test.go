package journal

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// labels returns the names of an entry's tags, in their order.
func labels(e entry) string { return strings.Join(names(e.Tags), ",") }

func TestATagIsMadePutOnEntriesRenamedAndDeleted(t *testing.T) {
	b := newBench(t)
	goals := ok[tag](t, b, ada, "create_tag", tagDraft{Name: " Personal\n goals ", Description: "What I want to become."})
	if goals.Name != "Personal goals" || goals.Entries != 0 || !goals.Created.Equal(b.clock) {
		t.Fatalf("made %+v", goals)
	}
	work := ok[tag](t, b, ada, "create_tag", tagDraft{Name: "work"})
	e := ok[entry](t, b, ada, "create_entry", tagged{draft{Title: "Plan", Content: "Learn to sail."}, []string{work.ID, goals.ID, work.ID}})
	if labels(e) != "Personal goals,work" {
		t.Fatalf("the new entry has %q", labels(e))
	}
	plain := ok[entry](t, b, ada, "create_entry", tagged{draft: draft{Title: "Rain", Content: "All day."}})
	for range 2 { // the second changes nothing
		if e := ok[entry](t, b, ada, "add_tag_to_entry", pair{plain.ID, work.ID}); labels(e) != "work" {
			t.Fatalf("tagged, the entry has %q", labels(e))
		}
	}
	if got := ok[tag](t, b, ada, "get_tag", tagID{work.ID}); got.Entries != 2 || got.Name != "work" {
		t.Errorf("read %+v", got)
	}
	if got := ok[tag](t, b, ada, "update_tag", tagChange{ID: work.ID, Name: new("Work"), Description: new("Paid.")}); got.Name != "Work" || got.Description != "Paid." || got.Entries != 2 {
		t.Errorf("changed %+v", got)
	}
	if e := ok[entry](t, b, ada, "get_entry", entryID{plain.ID}); labels(e) != "Work" {
		t.Errorf("after the change, the entry has %q", labels(e))
	}
	if md := ok[document](t, b, ada, "export_journal", days{}).Markdown; !strings.Contains(md, "tags: Personal goals, Work") {
		t.Errorf("the copy has no tags:\n%s", md)
	}
	if gone := ok[deletedTag](t, b, ada, "delete_tag", tagID{work.ID}); gone != (deletedTag{work.ID, "Work"}) {
		t.Errorf("deleted %+v", gone)
	}
	if e := ok[entry](t, b, ada, "get_entry", entryID{e.ID}); labels(e) != "Personal goals" {
		t.Errorf("after the deletion, the entry has %q", labels(e))
	}
	b.fails(t, ada, "get_tag", tagID{work.ID}, "Call list_tags")
}

func TestTagsAreListedByNameInPages(t *testing.T) {
	b := newBench(t)
	if text := said(b.call(t, ada, "list_tags", paging{})); text != "There are no tags." {
		t.Errorf("without tags: %q", text)
	}
	for _, name := range []string{"work", "Beach", "über"} {
		ok[tag](t, b, ada, "create_tag", tagDraft{Name: name})
	}
	for _, test := range []struct {
		at   paging
		want string
		next int
	}{
		{paging{}, "Beach work über", 0},
		{paging{Limit: 2}, "Beach work", 2},
		{paging{Limit: 2, Offset: 2}, "über", 0},
		{paging{Offset: 3}, "", 0},
	} {
		p := ok[tagPage](t, b, ada, "list_tags", test.at)
		var listed []string
		for _, tag := range p.Tags {
			listed = append(listed, tag.Name)
		}
		if strings.Join(listed, " ") != test.want || p.Next != test.next || p.Total != 3 || p.Tags == nil {
			t.Errorf("%+v: %+v", test.at, p)
		}
	}
	b.fails(t, ada, "list_tags", paging{Limit: 101}, "limit must be 1 to 100")
}

func TestEntriesAreFoundByTagAndFavorite(t *testing.T) {
	b := newBench(t)
	work := ok[tag](t, b, ada, "create_tag", tagDraft{Name: "work"})
	sea := ok[tag](t, b, ada, "create_tag", tagDraft{Name: "sea"})
	for i, tags := range [][]string{{work.ID}, {sea.ID, work.ID}, nil, {sea.ID}} {
		ok[entry](t, b, ada, "create_entry", tagged{draft{Title: fmt.Sprint(i + 1), Content: "x", Favorite: i > 1}, tags})
	}
	for _, test := range []struct {
		name   string
		filter filter
		want   string
	}{
		{"one tag", filter{TagIDs: []string{work.ID}}, "21"},
		{"one of two tags", filter{TagIDs: []string{work.ID, sea.ID}}, "421"},
		{"a tag that is none", filter{TagIDs: []string{"nothing"}}, ""},
		{"favorites", filter{Favorite: true}, "43"},
		{"favorites with a tag", filter{Favorite: true, TagIDs: []string{sea.ID}}, "4"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := ok[page](t, b, ada, "list_entries", test.filter)
			got := ""
			for _, l := range p.Entries {
				got += l.Title
			}
			if got != test.want || p.Total != len(test.want) {
				t.Errorf("entries %q of %d, want %q", got, p.Total, test.want)
			}
		})
	}
	if p := ok[page](t, b, ada, "list_entries", filter{TagIDs: []string{sea.ID}}); len(p.Entries[1].Tags) != 2 {
		t.Errorf("the list shows the tags %+v", p.Entries[1].Tags)
	}
	res := b.call(t, ada, "list_entries", filter{})
	if link, isLink := res.Content[len(res.Content)-1].(*mcp.ResourceLink); len(res.Content) != 5 || !isLink || link.Title != "1" {
		t.Errorf("the list links to %d entries", len(res.Content)-1)
	}
}

func TestBadTagsAreToldWithANextStep(t *testing.T) {
	b := newBench(t)
	work := ok[tag](t, b, ada, "create_tag", tagDraft{Name: "work"})
	theirs := ok[tag](t, b, bert, "create_tag", tagDraft{Name: "work"}) // each has names of their own
	sea := ok[tag](t, b, ada, "create_tag", tagDraft{Name: "sea"})
	e := ok[entry](t, b, ada, "create_entry", tagged{draft: draft{Title: "Rain", Content: "All day."}})
	for _, test := range []struct {
		name, tool string
		arguments  any
		want       string
	}{
		{"no name", "create_tag", tagDraft{Name: "\n"}, "needs a name"},
		{"a long name", "create_tag", tagDraft{Name: strings.Repeat("ä", 61)}, "more than 60"},
		{"a long description", "create_tag", tagDraft{Name: "x", Description: strings.Repeat("ä", 501)}, "more than 500"},
		{"a name that is taken", "create_tag", tagDraft{Name: " WORK"}, "its id is " + work.ID},
		{"another's name", "update_tag", tagChange{ID: sea.ID, Name: new("Work")}, "its id is " + work.ID},
		{"a name is emptied", "update_tag", tagChange{ID: sea.ID, Name: new("")}, "needs a name"},
		{"a tag that is none", "update_tag", tagChange{ID: "nothing"}, "Call list_tags"},
		{"the tag of another on a new entry", "create_entry", tagged{draft{Title: "x", Content: "x"}, []string{work.ID, theirs.ID}}, "no such tag"},
		{"the tag of another on an entry", "add_tag_to_entry", pair{e.ID, theirs.ID}, "no such tag"},
		{"no entry", "add_tag_to_entry", pair{"nothing", work.ID}, "Call list_entries"},
		{"no entry to suggest for", "get_tag_suggestions_instructions", forEntry{"nothing"}, "Call list_entries"},
		{"a day that is none", "get_journal_insights_instructions", selection{days: days{To: "soon"}}, "to must be a day"},
	} {
		t.Run(test.name, func(t *testing.T) { b.fails(t, ada, test.tool, test.arguments, test.want) })
	}
	if p := ok[page](t, b, ada, "list_entries", filter{}); p.Total != 1 || len(p.Entries[0].Tags) != 0 {
		t.Errorf("bad input left %+v", p)
	}
	ok[tag](t, b, ada, "update_tag", tagChange{ID: work.ID, Name: new("WORK")}) // its own name is free
}

func TestAJournalTakesNoMoreThan500Tags(t *testing.T) {
	b := newBench(t)
	_, err := b.db.Exec(`
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO tags (owner, id, name, description, key, created, updated) SELECT 'ada', i, i, '', i, 0, 0 FROM n`, maxTags)
	if err != nil {
		t.Fatal(err)
	}
	b.fails(t, ada, "create_tag", tagDraft{Name: "x"}, fmt.Sprintf("%d tags", maxTags))
	ok[tag](t, b, bert, "create_tag", tagDraft{Name: "x"})
	ok[deletedTag](t, b, ada, "delete_tag", tagID{"1"})
	ok[tag](t, b, ada, "create_tag", tagDraft{Name: "x"})
}

func TestInstructionsAndPromptsSayTheSame(t *testing.T) {
	b := newBench(t)
	work := ok[tag](t, b, ada, "create_tag", tagDraft{Name: "work", Description: "Paid."})
	e := ok[entry](t, b, ada, "create_entry", tagged{draft{Title: "Rain", Content: "All day."}, []string{work.ID}})
	ok[entry](t, b, ada, "create_entry", tagged{draft: draft{Title: "Sun", Content: "At last."}})
	for _, test := range []struct {
		name, prompt, tool string
		arguments          map[string]string
		input              any
		want               []string
		not                string
	}{
		{"tags for an entry", "suggest_tags", "get_tag_suggestions_instructions", map[string]string{"entryId": e.ID}, forEntry{e.ID},
			[]string{e.ID, "work (id " + work.ID + "), on 1 entry: Paid.", "## Rain", "create_tag", "add_tag_to_entry"}, "Sun"},
		{"all entries", "summarize_journal_entries", "get_journal_insights_instructions", nil, selection{},
			[]string{"id " + e.ID + ", tags work: Rain. All day.", ": Sun. At last.", "2 of 2"}, ""},
		{"entries with a tag", "summarize_journal_entries", "get_journal_insights_instructions", map[string]string{"tagIds": "nothing, " + work.ID}, selection{TagIDs: []string{"nothing", work.ID}},
			[]string{"Rain"}, "Sun"},
		{"entries of other days", "summarize_journal_entries", "get_journal_insights_instructions", map[string]string{"to": "2026-05-19"}, selection{days: days{To: "2026-05-19"}},
			[]string{"no such entries"}, "Rain"},
	} {
		t.Run(test.name, func(t *testing.T) {
			res, err := b.client.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: test.prompt, Arguments: test.arguments})
			if err != nil {
				t.Fatal(err)
			}
			text := res.Messages[0].Content.(*mcp.TextContent).Text
			if told := said(b.call(t, ada, test.tool, test.input)); told != text {
				t.Errorf("the tool says %q, the prompt %q", told, text)
			}
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in %q", want, text)
				}
			}
			if test.not != "" && strings.Contains(text, test.not) {
				t.Errorf("%q is in %q", test.not, text)
			}
		})
	}
	b.caller.Store(&bert)
	if _, err := b.client.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "suggest_tags", Arguments: map[string]string{"entryId": e.ID}}); code(err) != jsonrpc.CodeInvalidParams {
		t.Errorf("suggest_tags for another's entry: %v", err)
	}
}

func TestViewsShowEntriesToPeople(t *testing.T) {
	b := newBench(t)
	e := ok[entry](t, b, ada, "create_entry", tagged{draft: draft{Title: "Rain", Content: "All day."}})
	if text := said(b.call(t, ada, "view_journal", nil)); !strings.Contains(text, "- 2026-05-20, id "+e.ID+": Rain. All day.\n") {
		t.Errorf("view_journal says %q", text)
	}
	if p := ok[page](t, b, ada, "view_journal", nil); p.Total != 1 {
		t.Errorf("view_journal returns %+v", p)
	}
	if text := said(b.call(t, ada, "view_entry", entryID{e.ID})); !strings.Contains(text, e.markdown()) {
		t.Errorf("view_entry says %q", text)
	}
	b.fails(t, bert, "view_entry", entryID{e.ID}, "Call list_entries")
}

func TestCompletionKnowsTheOwnersTagsByName(t *testing.T) {
	b := newBench(t)
	work := ok[tag](t, b, ada, "create_tag", tagDraft{Name: "Work"})
	e := ok[entry](t, b, ada, "create_entry", tagged{draft: draft{Title: "Rain", Content: "All day."}})
	template, prompt := mcp.CompleteReference{Type: "ref/resource", URI: tagURI}, mcp.CompleteReference{Type: "ref/prompt", Name: "summarize_journal_entries"}
	for _, test := range []struct {
		name, argument, typed string
		caller                gate.Caller
		ref                   mcp.CompleteReference
		want                  []string
	}{
		{"a name", "id", "wO", ada, template, []string{work.ID}},
		{"an id", "id", work.ID[:4], ada, template, []string{work.ID}},
		{"neither", "id", "%", ada, template, []string{}},
		{"the tag of another", "id", "", bert, template, []string{}},
		{"the second of a list", "tagIds", "a, wo", ada, prompt, []string{"a," + work.ID}},
		{"the second of another's list", "tagIds", "a,wo", bert, prompt, []string{}},
		{"the entry of a prompt", "entryId", e.ID[:2], ada, mcp.CompleteReference{Type: "ref/prompt", Name: "suggest_tags"}, []string{e.ID}},
		{"another's entry", "entryId", "", bert, mcp.CompleteReference{Type: "ref/prompt", Name: "suggest_tags"}, []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b.caller.Store(&test.caller)
			res, err := b.client.Complete(t.Context(), &mcp.CompleteParams{Ref: &test.ref, Argument: mcp.CompleteParamsArgument{Name: test.argument, Value: test.typed}})
			if err != nil || !slices.Equal(res.Completion.Values, test.want) {
				t.Errorf("%+v, %v; want %v", res, err, test.want)
			}
		})
	}
}

// A file from before there were tags keeps its entries.
func TestAFileWithoutTagsIsOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	made, err := j.create(t.Context(), "ada", tagged{draft: draft{Title: "Rain", Content: "All day."}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.db.Exec(`DROP TABLE entry_tags; DROP TABLE tags`); err != nil {
		t.Fatal(err)
	}
	j.Close()
	if j, err = Open(path); err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	work, err := j.createTag(t.Context(), "ada", tagDraft{Name: "work"})
	if err != nil {
		t.Fatal(err)
	}
	if e, _, err := j.putTag(t.Context(), "ada", pair{made.ID, work.ID}); err != nil || labels(e) != "work" || e.Title != "Rain" {
		t.Errorf("%+v, %v", e, err)
	}
}
