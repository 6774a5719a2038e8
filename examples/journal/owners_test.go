package journal

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"example.com/foyer/gate"
)

// TestEachOwnerSeesOnlyTheirOwn runs random operations of random callers on one
// journal, and on a model that is a map for each owner. Ids are drawn from all
// owners, so that callers try those of others.
func TestEachOwnerSeesOnlyTheirOwn(t *testing.T) {
	b := newBench(t)
	var round atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		n := round.Add(1)
		callers := []gate.Caller{
			{UserID: fmt.Sprint("user-a-", n)},
			{UserID: fmt.Sprint("user-b-", n), GuestID: fmt.Sprint("guest-", n)},
			{GuestID: fmt.Sprint("guest-", n)},
		}
		model := map[string]map[string]draft{}
		for _, c := range callers {
			model[c.Owner()] = map[string]draft{}
		}
		ids := []string{"", "nothing"}
		word := rapid.StringN(1, 20, -1).Filter(func(s string) bool { return oneLine(s) != "" })

		t.Repeat(map[string]func(*rapid.T){
			"create": func(t *rapid.T) {
				c := rapid.SampledFrom(callers).Draw(t, "caller")
				d := draft{Title: word.Draw(t, "title"), Content: word.Draw(t, "content"), Favorite: rapid.Bool().Draw(t, "favorite")}
				e := ok[entry](t, b, c, "create_entry", d)
				model[c.Owner()][e.ID] = e.draft
				ids = append(ids, e.ID)
			},
			"update": func(t *rapid.T) {
				c, id := rapid.SampledFrom(callers).Draw(t, "caller"), rapid.SampledFrom(ids).Draw(t, "id")
				changed := change{ID: id, Title: new(word.Draw(t, "title"))}
				if _, mine := model[c.Owner()][id]; !mine {
					b.fails(t, c, "update_entry", changed, errMissing.Error())
					return
				}
				model[c.Owner()][id] = ok[entry](t, b, c, "update_entry", changed).draft
			},
			"delete": func(t *rapid.T) {
				c, id := rapid.SampledFrom(callers).Draw(t, "caller"), rapid.SampledFrom(ids).Draw(t, "id")
				if _, mine := model[c.Owner()][id]; !mine {
					b.fails(t, c, "delete_entry", entryID{id}, errMissing.Error())
					return
				}
				ok[deleted](t, b, c, "delete_entry", entryID{id})
				delete(model[c.Owner()], id)
			},
			"get": func(t *rapid.T) {
				c, id := rapid.SampledFrom(callers).Draw(t, "caller"), rapid.SampledFrom(ids).Draw(t, "id")
				want, mine := model[c.Owner()][id]
				if !mine {
					b.fails(t, c, "get_entry", entryID{id}, errMissing.Error())
				} else if got := ok[entry](t, b, c, "get_entry", entryID{id}); got.draft != want {
					t.Fatalf("read %+v, want %+v", got.draft, want)
				}
			},
			"copy": func(t *rapid.T) {
				c := rapid.SampledFrom(callers).Draw(t, "caller")
				d := ok[document](t, b, c, "export_journal", days{})
				for _, mine := range model[c.Owner()] {
					if !strings.Contains(d.Markdown, "\n## "+mine.Title+"\n") {
						t.Fatalf("%s has no %q in the copy", c.Owner(), mine.Title)
					}
				}
				if d.Count != len(model[c.Owner()]) {
					t.Fatalf("%s takes a copy of %d entries, want %d", c.Owner(), d.Count, len(model[c.Owner()]))
				}
			},
			"complete": func(t *rapid.T) {
				c := rapid.SampledFrom(callers).Draw(t, "caller")
				found, err := b.ids(t.Context(), c.Owner(), "")
				want := slices.Sorted(maps.Keys(model[c.Owner()]))
				if slices.Sort(found); err != nil || !slices.Equal(found, want) {
					t.Fatalf("ids for %s: %v, %v; want %v", c.Owner(), found, err, want)
				}
			},
			"": func(t *rapid.T) {
				c := rapid.SampledFrom(callers).Draw(t, "caller")
				p := ok[page](t, b, c, "list_entries", filter{paging: paging{Limit: 100}})
				var listed []string
				for _, l := range p.Entries {
					listed = append(listed, l.ID)
				}
				want := slices.Sorted(maps.Keys(model[c.Owner()]))
				if slices.Sort(listed); !slices.Equal(listed, want) || p.Total != len(want) {
					t.Fatalf("%s sees %v of %d, want %v", c.Owner(), listed, p.Total, want)
				}
			},
		})
	})
}
