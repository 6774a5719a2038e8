package journal

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"pgregory.net/rapid"

	"example.com/foyer/gate"
)

// An estate is what one owner has, in the model.
type estate struct {
	entries map[string]draft
	tags    map[string]string          // names by id
	on      map[string]map[string]bool // ids of tags by id of the entry
	drafts  map[string]string          // texts by id
}

// labels returns the ids of the tags on an entry.
func (e estate) labels(entry string) []string { return slices.Sorted(maps.Keys(e.on[entry])) }

func idsOf(labels []label) (ids []string) {
	for _, l := range labels {
		ids = append(ids, l.ID)
	}
	slices.Sort(ids)
	return ids
}

// TestEachOwnerSeesOnlyTheirOwn runs random operations of random callers on one
// journal, and on a model that is an estate for each owner. Ids are drawn from
// all owners, so that callers try those of others.
func TestEachOwnerSeesOnlyTheirOwn(t *testing.T) {
	b := newBench(t)
	var round atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		n := round.Add(1)
		o := &owners{b: b, model: map[string]estate{}, ids: []string{"", "nothing"}, tagIDs: []string{"", "nothing"}, callers: []gate.Caller{
			{UserID: fmt.Sprint("user-a-", n)},
			{UserID: fmt.Sprint("user-b-", n), GuestID: fmt.Sprint("guest-", n)},
			{GuestID: fmt.Sprint("guest-", n)},
		}}
		for _, c := range o.callers {
			o.model[c.Owner()] = estate{map[string]draft{}, map[string]string{}, map[string]map[string]bool{}, map[string]string{}}
		}
		t.Repeat(rapid.StateMachineActions(o))
	})
}

// Owners are a journal and its model. Its methods are the operations.
type owners struct {
	b           *bench
	callers     []gate.Caller
	model       map[string]estate // by owner
	ids, tagIDs []string          // of all owners, and of none
}

var word = rapid.StringN(1, 20, -1).Filter(func(s string) bool { return oneLine(s) != "" })

// draw draws a caller.
func (o *owners) draw(t *rapid.T) (c gate.Caller, mine estate) {
	c = rapid.SampledFrom(o.callers).Draw(t, "caller")
	return c, o.model[c.Owner()]
}

func (o *owners) Create(t *rapid.T) {
	c, mine := o.draw(t)
	d := tagged{draft: draft{Title: word.Draw(t, "title"), Content: word.Draw(t, "content"), Favorite: rapid.Bool().Draw(t, "favorite")}}
	if tag := rapid.SampledFrom(o.tagIDs).Draw(t, "tag"); tag != "" {
		d.Tags = []string{tag}
		if _, known := mine.tags[tag]; !known {
			o.b.fails(t, c, "create_entry", d, errNoTag.Error())
			return
		}
	}
	e := ok[entry](t, o.b, c, "create_entry", d)
	mine.entries[e.ID], mine.on[e.ID] = e.draft, map[string]bool{}
	for _, tag := range d.Tags {
		mine.on[e.ID][tag] = true
	}
	o.ids = append(o.ids, e.ID)
}

func (o *owners) Update(t *rapid.T) {
	c, mine := o.draw(t)
	changed := change{ID: rapid.SampledFrom(o.ids).Draw(t, "id"), Title: new(word.Draw(t, "title"))}
	if _, known := mine.entries[changed.ID]; !known {
		o.b.fails(t, c, "update_entry", changed, errMissing.Error())
		return
	}
	mine.entries[changed.ID] = ok[entry](t, o.b, c, "update_entry", changed).draft
}

func (o *owners) Delete(t *rapid.T) {
	c, mine := o.draw(t)
	id := rapid.SampledFrom(o.ids).Draw(t, "id")
	if _, known := mine.entries[id]; !known {
		o.b.fails(t, c, "delete_entry", entryID{id}, errMissing.Error())
		return
	}
	ok[deleted](t, o.b, c, "delete_entry", entryID{id})
	delete(mine.entries, id)
	delete(mine.on, id)
}

func (o *owners) Get(t *rapid.T) {
	c, mine := o.draw(t)
	id := rapid.SampledFrom(o.ids).Draw(t, "id")
	want, known := mine.entries[id]
	for _, tool := range []string{"get_entry", "view_entry"} {
		if !known {
			o.b.fails(t, c, tool, entryID{id}, errMissing.Error())
		} else if got := ok[entry](t, o.b, c, tool, entryID{id}); got.draft != want || !slices.Equal(idsOf(got.Tags), mine.labels(id)) {
			t.Fatalf("%s reads %+v, want %+v with %v", tool, got, want, mine.labels(id))
		}
	}
}

func (o *owners) MakeTag(t *rapid.T) {
	c, mine := o.draw(t)
	made := ok[tag](t, o.b, c, "create_tag", tagDraft{Name: fmt.Sprint("tag ", len(o.tagIDs))})
	mine.tags[made.ID] = made.Name
	o.tagIDs = append(o.tagIDs, made.ID)
}

func (o *owners) ChangeTag(t *rapid.T) {
	c, mine := o.draw(t)
	changed := tagChange{ID: rapid.SampledFrom(o.tagIDs).Draw(t, "tag"), Description: new(word.Draw(t, "description"))}
	if _, known := mine.tags[changed.ID]; !known {
		o.b.fails(t, c, "update_tag", changed, errNoTag.Error())
		return
	}
	ok[tag](t, o.b, c, "update_tag", changed)
}

func (o *owners) DeleteTag(t *rapid.T) {
	c, mine := o.draw(t)
	id := rapid.SampledFrom(o.tagIDs).Draw(t, "tag")
	if _, known := mine.tags[id]; !known {
		o.b.fails(t, c, "delete_tag", tagID{id}, errNoTag.Error())
		return
	}
	ok[deletedTag](t, o.b, c, "delete_tag", tagID{id})
	delete(mine.tags, id)
	for _, on := range mine.on {
		delete(on, id)
	}
}

func (o *owners) Tag(t *rapid.T) {
	c, mine := o.draw(t)
	p := pair{rapid.SampledFrom(o.ids).Draw(t, "id"), rapid.SampledFrom(o.tagIDs).Draw(t, "tag")}
	_, knownEntry := mine.entries[p.EntryID]
	_, knownTag := mine.tags[p.TagID]
	switch {
	case !knownEntry:
		o.b.fails(t, c, "add_tag_to_entry", p, errMissing.Error())
	case !knownTag:
		o.b.fails(t, c, "add_tag_to_entry", p, errNoTag.Error())
	default:
		mine.on[p.EntryID][p.TagID] = true
		if e := ok[entry](t, o.b, c, "add_tag_to_entry", p); !slices.Equal(idsOf(e.Tags), mine.labels(p.EntryID)) {
			t.Fatalf("%+v has the tags %v, want %v", p, e.Tags, mine.labels(p.EntryID))
		}
	}
}

func (o *owners) FindByTag(t *rapid.T) {
	c, mine := o.draw(t)
	id := rapid.SampledFrom(o.tagIDs).Draw(t, "tag")
	want := 0
	for _, on := range mine.on {
		if on[id] {
			want++
		}
	}
	if p := ok[page](t, o.b, c, "list_entries", filter{TagIDs: []string{id}}); p.Total != want {
		t.Fatalf("%s finds %d entries with %q, want %d", c.Owner(), p.Total, id, want)
	}
	if _, known := mine.tags[id]; !known {
		o.b.fails(t, c, "get_tag", tagID{id}, errNoTag.Error())
	} else if got := ok[tag](t, o.b, c, "get_tag", tagID{id}); got.Entries != want {
		t.Fatalf("the tag %q is on %d entries, want %d", id, got.Entries, want)
	}
}

func (o *owners) Read(t *rapid.T) {
	c, mine := o.draw(t)
	o.b.caller.Store(&c)
	id, tag := rapid.SampledFrom(o.ids).Draw(t, "id"), rapid.SampledFrom(o.tagIDs).Draw(t, "tag")
	for uri, want := range map[string]string{entryPrefix + id: mine.entries[id].Title, tagPrefix + tag: mine.tags[tag]} {
		res, err := o.b.client.ReadResource(context.Background(), &mcp.ReadResourceParams{URI: uri})
		if (err == nil) != (want != "") {
			t.Fatalf("%s reads %s: %+v, %v; want %q", c.Owner(), uri, res, err, want)
		}
	}
	_, err := o.b.client.GetPrompt(context.Background(), &mcp.GetPromptParams{Name: "suggest_tags", Arguments: map[string]string{"entryId": id}})
	if _, known := mine.entries[id]; (err == nil) != known {
		t.Fatalf("%s has tags suggested for %q: %v", c.Owner(), id, err)
	}
}

func (o *owners) Subscribe(t *rapid.T) {
	c, mine := o.draw(t)
	o.b.caller.Store(&c)
	id := rapid.SampledFrom(o.ids).Draw(t, "id")
	err := o.b.client.Subscribe(context.Background(), &mcp.SubscribeParams{URI: entryPrefix + id})
	if _, known := mine.entries[id]; (err == nil) != known {
		t.Fatalf("%s subscribes to %q: %v", c.Owner(), id, err)
	}
}

func (o *owners) Copy(t *rapid.T) {
	c, mine := o.draw(t)
	d := ok[document](t, o.b, c, "export_journal", days{})
	for _, e := range mine.entries {
		if !strings.Contains(d.Markdown, "\n## "+e.Title+"\n") {
			t.Fatalf("%s has no %q in the copy", c.Owner(), e.Title)
		}
	}
	if d.Count != len(mine.entries) {
		t.Fatalf("%s takes a copy of %d entries, want %d", c.Owner(), d.Count, len(mine.entries))
	}
}

func (o *owners) Complete(t *rapid.T) {
	c, mine := o.draw(t)
	o.b.caller.Store(&c)
	for uri, want := range map[string][]string{entryURI: slices.Sorted(maps.Keys(mine.entries)), tagURI: slices.Sorted(maps.Keys(mine.tags))} {
		res, err := o.b.client.Complete(context.Background(), &mcp.CompleteParams{
			Ref: &mcp.CompleteReference{Type: "ref/resource", URI: uri}, Argument: mcp.CompleteParamsArgument{Name: "id"}})
		if err != nil || !slices.Equal(slices.Sorted(slices.Values(res.Completion.Values)), want) {
			t.Fatalf("%s completes %s with %+v, %v; want %v", c.Owner(), uri, res, err, want)
		}
	}
}

func (o *owners) KeepDraft(t *rapid.T) {
	c, mine := o.draw(t)
	in := noteText{Text: word.Draw(t, "text")}
	if len(mine.drafts) > 0 && rapid.Bool().Draw(t, "replace") || len(mine.drafts) >= maxDrafts {
		in.ID = rapid.SampledFrom(o.ids).Draw(t, "id")
	}
	if _, known := mine.drafts[in.ID]; in.ID != "" && !known {
		o.b.fails(t, c, "save_draft", in, errNoDraft.Error())
		return
	}
	n := ok[note](t, o.b, c, "save_draft", in)
	mine.drafts[n.ID] = n.Text
	o.ids = append(o.ids, n.ID)
}

func (o *owners) DeleteDraft(t *rapid.T) {
	c, mine := o.draw(t)
	id := rapid.SampledFrom(o.ids).Draw(t, "id")
	if _, known := mine.drafts[id]; !known {
		o.b.fails(t, c, "delete_draft", noteID{id}, errNoDraft.Error())
		return
	}
	ok[deletedNote](t, o.b, c, "delete_draft", noteID{id})
	delete(mine.drafts, id)
}

// Merge moves what the guest of the second caller kept.
func (o *owners) Merge(t *rapid.T) {
	user, guest := o.callers[1], o.callers[2]
	if err := o.b.Move(context.Background(), guest.GuestID, user.UserID); err != nil {
		t.Fatal(err)
	}
	maps.Copy(o.model[user.Owner()].drafts, o.model[guest.Owner()].drafts)
	clear(o.model[guest.Owner()].drafts)
}

func (o *owners) ListDrafts(t *rapid.T) {
	c, mine := o.draw(t)
	listed := map[string]string{}
	for _, n := range ok[notes](t, o.b, c, "list_drafts", struct{}{}).Drafts {
		listed[n.ID] = n.Text
	}
	if !maps.Equal(listed, mine.drafts) {
		t.Fatalf("%s sees the drafts %v, want %v", c.Owner(), listed, mine.drafts)
	}
}

// Check compares what a caller is shown with the model, after every operation.
func (o *owners) Check(t *rapid.T) {
	c, mine := o.draw(t)
	switch tool := rapid.SampledFrom([]string{"list_entries", "view_journal", "list_tags"}).Draw(t, "tool"); tool {
	case "list_tags":
		var listed []string
		for _, tag := range ok[tagPage](t, o.b, c, tool, paging{Limit: 100}).Tags {
			listed = append(listed, tag.ID)
		}
		if want := slices.Sorted(maps.Keys(mine.tags)); !slices.Equal(slices.Sorted(slices.Values(listed)), want) {
			t.Fatalf("%s sees the tags %v, want %v", c.Owner(), listed, want)
		}
	default:
		arguments := map[string]any{}
		if tool == "list_entries" {
			arguments["limit"] = 100
		}
		p := ok[page](t, o.b, c, tool, arguments)
		var listed []string
		for _, l := range p.Entries {
			listed = append(listed, l.ID)
			if !slices.Equal(idsOf(l.Tags), mine.labels(l.ID)) {
				t.Fatalf("%s sees the tags %v, want %v", c.Owner(), l.Tags, mine.labels(l.ID))
			}
		}
		want := slices.Sorted(maps.Keys(mine.entries))
		if slices.Sort(listed); !slices.Equal(listed, want) || p.Total != len(want) {
			t.Fatalf("%s sees %v of %d, want %v", c.Owner(), listed, p.Total, want)
		}
	}
}
