package journal

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestAnEntryIsWrittenReadChangedAndDeleted(t *testing.T) {
	b := newBench(t)
	made := ok[entry](t, b, ada, "create_entry", map[string]any{
		"title": "  A walk\nby the  sea ", "content": "\nWind, and gulls.\n", "mood": "Calm", "location": "Lisbon", "weather": "rain",
		"private": true, "favorite": true,
	})
	want := draft{Title: "A walk by the sea", Content: "Wind, and gulls.", Mood: "calm", Location: "Lisbon", Weather: "rain", Private: true, Favorite: true}
	if made.draft != want || !made.Created.Equal(b.clock) || !made.Updated.Equal(b.clock) {
		t.Fatalf("made %+v", made)
	}
	if got := ok[entry](t, b, ada, "get_entry", entryID{made.ID}); !reflect.DeepEqual(got, made) {
		t.Fatalf("read %+v, want %+v", got, made)
	}

	written := b.clock
	b.clock = b.clock.Add(time.Hour)
	changed := ok[entry](t, b, ada, "update_entry", map[string]any{"id": made.ID, "content": "Wind.", "weather": "", "private": false, "title": nil})
	want.Content, want.Weather, want.Private = "Wind.", "", false
	if changed.draft != want || !changed.Created.Equal(written) || !changed.Updated.Equal(b.clock) {
		t.Fatalf("changed %+v", changed)
	}
	b.clock = b.clock.Add(time.Hour)
	if again := ok[entry](t, b, ada, "update_entry", map[string]any{"id": made.ID, "content": "Wind."}); !reflect.DeepEqual(again, changed) {
		t.Fatalf("the same change again gave %+v, want %+v", again, changed)
	}

	if gone := ok[deleted](t, b, ada, "delete_entry", entryID{made.ID}); gone != (deleted{made.ID, want.Title}) {
		t.Fatalf("deleted %+v", gone)
	}
	b.fails(t, ada, "get_entry", entryID{made.ID}, "Call list_entries")
	b.fails(t, ada, "delete_entry", entryID{made.ID}, "Call list_entries")
	b.fails(t, ada, "update_entry", map[string]any{"id": made.ID, "mood": "sad"}, "Call list_entries")
}

func TestResultsHaveATextForPeopleAndALink(t *testing.T) {
	b := newBench(t)
	res := b.call(t, ada, "create_entry", draft{Title: "Rain", Content: "All day."})
	link, isLink := res.Content[len(res.Content)-1].(*mcp.ResourceLink)
	if !isLink || !strings.HasPrefix(link.URI, entryPrefix) || !strings.HasPrefix(said(res), `Saved "Rain" as entry `) {
		t.Fatalf("create_entry says %q with the link %+v", said(res), link)
	}
	if text := said(b.call(t, ada, "get_entry", entryID{strings.TrimPrefix(link.URI, entryPrefix)})); text != "## Rain\n\n2026-05-20 09:30 UTC\n\nAll day.\n" {
		t.Errorf("get_entry says %q", text)
	}
}

func TestListFiltersAndPages(t *testing.T) {
	b := newBench(t)
	for i := range 5 {
		ok[entry](t, b, ada, "create_entry", draft{
			Title: fmt.Sprint("Day ", i+1), Content: []string{"Grün 100%", "plain", "GRÜN", "a_b", "plain"}[i], Mood: []string{"calm", "glad"}[i%2],
		})
		b.clock = b.clock.Add(24 * time.Hour)
	}
	for _, test := range []struct {
		name   string
		filter filter
		want   string // the days that are listed
		total  int
		next   int
	}{
		{"everything, newest first", filter{}, "54321", 5, 0},
		{"text in any case", filter{Query: "grün"}, "31", 2, 0},
		{"a percent sign is only itself", filter{Query: "%"}, "1", 1, 0},
		{"an underscore is only itself", filter{Query: "a_"}, "4", 1, 0},
		{"text in the title", filter{Query: "day 2"}, "2", 1, 0},
		{"mood", filter{Mood: " Glad "}, "42", 2, 0},
		{"from a day", filter{days: days{From: "2026-05-22"}}, "543", 3, 0},
		{"to a day, which is included", filter{days: days{To: "2026-05-22"}}, "321", 3, 0},
		{"mood within days", filter{Mood: "calm", days: days{"2026-05-21", "2026-05-23"}}, "3", 1, 0},
		{"the first page", filter{paging: paging{Limit: 2}}, "54", 5, 2},
		{"the second page", filter{paging: paging{2, 2}}, "32", 5, 4},
		{"the last page", filter{paging: paging{2, 4}}, "1", 5, 0},
		{"beyond the last page", filter{paging: paging{Offset: 9}}, "", 5, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := ok[page](t, b, ada, "list_entries", test.filter)
			got := ""
			for _, l := range p.Entries {
				got += strings.TrimPrefix(l.Title, "Day ")
			}
			if got != test.want || p.Total != test.total || p.Next != test.next || p.Entries == nil {
				t.Errorf("days %q of %d, next %d; want %q of %d, next %d", got, p.Total, p.Next, test.want, test.total, test.next)
			}
		})
	}
}

func TestBadInputIsToldWithANextStep(t *testing.T) {
	b := newBench(t)
	made := ok[entry](t, b, ada, "create_entry", draft{Title: "Rain", Content: "All day."})
	for _, test := range []struct {
		name, tool string
		arguments  any
		want       string
	}{
		{"no title", "create_entry", draft{Title: " \n", Content: "x"}, "needs a title"},
		{"no content", "create_entry", draft{Title: "x", Content: "\x00"}, "needs a title and some content"},
		{"a long title", "create_entry", draft{Title: strings.Repeat("ä", 201), Content: "x"}, "201 characters, and at most 200"},
		{"a long entry", "create_entry", draft{Title: "x", Content: strings.Repeat("ä", 20_001)}, "at most 20000"},
		{"a long mood", "create_entry", draft{Title: "x", Content: "x", Mood: strings.Repeat("ä", 101)}, "The mood has 101"},
		{"a title is emptied", "update_entry", map[string]any{"id": made.ID, "title": ""}, "needs a title"},
		{"a day that is none", "list_entries", map[string]any{"from": "yesterday"}, "from must be a day"},
		{"another", "export_journal", map[string]any{"to": "2026-02-30"}, "to must be a day"},
		{"a limit too high", "list_entries", filter{paging: paging{Limit: 101}}, "limit must be 1 to 100"},
		{"a negative offset", "list_entries", filter{paging: paging{Offset: -1}}, "offset 0 or more"},
		{"an unknown theme", "writing_prompt", theme{"dragons"}, "Choose day"},
		{"an unknown field", "get_entry", map[string]any{"id": made.ID, "owner": "bert"}, "owner"},
		{"a field of another type", "get_entry", map[string]any{"id": 7}, "id"},
		{"a missing field", "create_entry", map[string]any{"title": "x"}, "content"},
	} {
		t.Run(test.name, func(t *testing.T) { b.fails(t, ada, test.tool, test.arguments, test.want) })
	}
	if p := ok[page](t, b, ada, "list_entries", filter{}); p.Total != 1 {
		t.Errorf("bad input left %d entries, want 1", p.Total)
	}
	ok[entry](t, b, ada, "create_entry", draft{Title: strings.Repeat("ä", 200), Content: strings.Repeat("ä", 20_000)})
}

func TestACallWithoutAnOwnerIsRefused(t *testing.T) {
	b := newBench(t)
	for tool, arguments := range map[string]any{
		"list_entries": filter{}, "get_entry": entryID{"x"}, "create_entry": draft{Title: "x", Content: "x"},
		"update_entry": change{ID: "x"}, "delete_entry": entryID{"x"}, "export_journal": days{},
		"view_journal": struct{}{}, "view_entry": entryID{"x"}, "create_tag": tagDraft{Name: "x"}, "get_tag": tagID{"x"}, "list_tags": paging{},
		"update_tag": tagChange{ID: "x"}, "delete_tag": tagID{"x"}, "add_tag_to_entry": pair{"x", "x"},
		"get_tag_suggestions_instructions": forEntry{"x"}, "get_journal_insights_instructions": selection{},
	} {
		b.fails(t, nobody, tool, arguments, "no owner")
	}
}

func TestExportIsOneDocumentOldestFirst(t *testing.T) {
	b := newBench(t)
	if d := ok[document](t, b, ada, "export_journal", days{}); d != (document{0, "# Journal\n\nNo entries.\n"}) {
		t.Errorf("an empty journal: %+v", d)
	}
	ok[entry](t, b, ada, "create_entry", draft{Title: "One", Content: "First.", Mood: "calm", Location: "Rome", Weather: "sun", Private: true, Favorite: true})
	b.clock = b.clock.Add(24 * time.Hour)
	ok[entry](t, b, ada, "create_entry", draft{Title: "Two", Content: "Second."})
	one := "\n## One\n\n2026-05-20 09:30 UTC · mood: calm · in Rome · weather: sun · private · favorite\n\nFirst.\n"
	two := "\n## Two\n\n2026-05-21 09:30 UTC\n\nSecond.\n"
	if d := ok[document](t, b, ada, "export_journal", days{}); d != (document{2, "# Journal\n" + one + two}) {
		t.Errorf("both: %+v", d)
	}
	if d := ok[document](t, b, ada, "export_journal", days{From: "2026-05-21"}); d != (document{1, "# Journal\n" + two}) {
		t.Errorf("from the second day: %+v", d)
	}
	for range 53 { // 53 x 20 KB is more than 1 MiB
		if _, err := b.create(t.Context(), "ada", tagged{draft: draft{Title: "Long", Content: strings.Repeat("x", 20_000)}}); err != nil {
			t.Fatal(err)
		}
	}
	b.fails(t, ada, "export_journal", days{}, "with from and to")
}

func TestAFullJournalTakesNoMore(t *testing.T) {
	b := newBench(t)
	made := ok[entry](t, b, ada, "create_entry", draft{Title: "x", Content: "x"})
	_, err := b.db.Exec(`
		WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO entries (owner, id, title, content, mood, location, weather, private, favorite, created, updated, words)
		SELECT 'ada', i, 'x', 'x', '', '', '', 0, 0, 0, 0, 'x' FROM n`, maxEntries)
	if err != nil {
		t.Fatal(err)
	}
	b.fails(t, ada, "create_entry", draft{Title: "x", Content: "x"}, fmt.Sprintf("%d entries", maxEntries))
	ok[entry](t, b, bert, "create_entry", draft{Title: "x", Content: "x"})
	ok[deleted](t, b, ada, "delete_entry", entryID{made.ID})
	ok[entry](t, b, ada, "create_entry", draft{Title: "x", Content: "x"})
}

func TestManyMayWriteAtOnce(t *testing.T) {
	b := newBench(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			e, err := b.create(t.Context(), "ada", tagged{draft: draft{Title: "x", Content: "x"}})
			if err == nil {
				_, err = b.update(t.Context(), "ada", change{ID: e.ID, Mood: new("calm")})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if p, err := b.list(t.Context(), "ada", filter{Mood: "calm"}); err != nil || p.Total != 8 {
		t.Errorf("%d entries, %v; want 8", p.Total, err)
	}
}

func TestTheWritingPromptDependsOnDayAndTheme(t *testing.T) {
	b := newBench(t)
	first := ok[idea](t, b, nobody, "writing_prompt", theme{})
	if again := ok[idea](t, b, ada, "writing_prompt", theme{}); again != first {
		t.Errorf("the same day gave %+v, then %+v", first, again)
	}
	seen := map[idea]bool{}
	for range len(ideas) {
		seen[ok[idea](t, b, nobody, "writing_prompt", theme{})] = true
		b.clock = b.clock.Add(24 * time.Hour)
	}
	if len(seen) != len(ideas) || len(ideas) < 20 {
		t.Errorf("%d different prompts in %d days", len(seen), len(ideas))
	}
	for _, i := range ideas {
		if got := ok[idea](t, b, nobody, "writing_prompt", theme{i.Theme}); got.Theme != i.Theme || !slices.Contains(ideas, got) {
			t.Errorf("theme %s gave %+v", i.Theme, got)
		}
		if _, err := ideaOf(b.clock, "dragons"); !strings.Contains(err.Error(), i.Theme) {
			t.Errorf("the refusal does not name the theme %s: %v", i.Theme, err)
		}
	}
}
