package journal

import (
	"context"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/elicit"
	"example.com/foyer/gate"
)

// addDeleting adds the tools that ask the person before they delete. Where the
// client cannot ask, they refuse: a model that was talked into a deletion would
// only have to come with such a client.
func addDeleting(server *mcp.Server, j *Journal, questions *elicit.Questions) {
	c := changer{j, server}
	elicit.AddTool(questions, server, &mcp.Tool{
		Name:        "delete_entry",
		Title:       "Delete a journal entry",
		Description: "Delete one journal entry for good. The person is asked first, by their client. Returns the id and title of what was deleted.",
		Annotations: &mcp.ToolAnnotations{IdempotentHint: true, DestructiveHint: new(true), OpenWorldHint: new(false)},
	}, c.deleteEntry)
	elicit.AddTool(questions, server, &mcp.Tool{
		Name:  "delete_tag",
		Title: "Delete a tag",
		Description: "Delete a tag for good, and take it off every entry; the entries stay. " +
			"The person is asked first, by their client. Returns the id and name of what was deleted.",
		Annotations: &mcp.ToolAnnotations{IdempotentHint: true, DestructiveHint: new(true), OpenWorldHint: new(false)},
	}, c.deleteTag)
}

// A deleted is the output of delete_entry.
type deleted struct {
	ID    string `json:"id" jsonschema:"the id that is gone"`
	Title string `json:"title"`
}

// A deletedTag is the output of delete_tag.
type deletedTag struct {
	ID   string `json:"id" jsonschema:"the id that is gone"`
	Name string `json:"name"`
}

// A consent is the person's answer.
type consent struct {
	Confirmed bool `json:"confirmed" title:"Delete it" jsonschema:"Yes, delete it for good"`
}

func (c changer) deleteEntry(ctx context.Context, ask *elicit.Ask, in entryID) (deleted, error) {
	owner := gate.CallerFrom(ctx).Owner()
	e, err := c.get(ctx, owner, in.ID)
	if err != nil {
		return deleted{}, shown(ctx, "delete_entry", err)
	}
	if err := agreed(ask, e.farewell()); err != nil {
		return deleted{}, err
	}
	if err := c.remove(ctx, owner, e.ID); err != nil {
		return deleted{}, shown(ctx, "delete_entry", err)
	}
	c.tell(e.ID)
	return deleted{ID: e.ID, Title: e.Title}, nil
}

func (c changer) deleteTag(ctx context.Context, ask *elicit.Ask, in tagID) (deletedTag, error) {
	owner := gate.CallerFrom(ctx).Owner()
	t, err := c.getTag(ctx, owner, in.ID)
	if err != nil {
		return deletedTag{}, shown(ctx, "delete_tag", err)
	}
	if err := agreed(ask, t.farewell()); err != nil {
		return deletedTag{}, err
	}
	tell, err := c.tellOf(ctx, owner, t.ID)
	if err != nil {
		return deletedTag{}, shown(ctx, "delete_tag", err)
	}
	if err := c.removeTag(ctx, owner, t.ID); err != nil {
		return deletedTag{}, shown(ctx, "delete_tag", err)
	}
	tell()
	return deletedTag{ID: t.ID, Name: t.Name}, nil
}

// agreed puts question, and returns nil for a yes alone.
func agreed(ask *elicit.Ask, question string) error {
	answer, err := elicit.Form[consent](ask, "delete", question)
	if err != nil {
		return err
	}
	if !answer.Confirmed {
		return elicit.ErrDeclined
	}
	return nil
}

// farewell asks whether the entry may go, and says what goes with it.
func (e entry) farewell() string {
	with := ""
	if n := len(e.Tags); n > 0 {
		with = "has " + count(n, "tag", "tags") + " and "
	}
	return fmt.Sprintf("Delete “%s”? It %scannot be brought back.", e.Title, with)
}

// farewell asks whether the tag may go, and says where it goes from.
func (t tag) farewell() string {
	from := "No entry has it, and it"
	if t.Entries > 0 {
		from = count(t.Entries, "entry loses", "entries lose") + " it, and it"
	}
	return fmt.Sprintf("Delete the tag “%s”? %s cannot be brought back.", t.Name, from)
}
