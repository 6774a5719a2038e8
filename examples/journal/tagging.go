package journal

import (
	"context"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// addTagging adds the tools for tags, but for the one that deletes.
func addTagging(server *mcp.Server, j *Journal) {
	c := changer{j, server}
	mcp.AddTool(server, &mcp.Tool{
		Name:        "list_tags",
		Title:       "List tags",
		Description: "List the person's tags, by name. Returns the id, name and description of each, and how many entries have it.",
		Annotations: reads(),
	}, j.listTheTags)
	mcp.AddTool(server, &mcp.Tool{
		Name:        "get_tag",
		Title:       "Read a tag",
		Description: "Read one tag: its name, what it is for, and how many entries have it. List those entries with list_entries and tagIds.",
		Annotations: reads(),
	}, j.readTag)
	mcp.AddTool(server, &mcp.Tool{
		Name:        "create_tag",
		Title:       "Make a tag",
		Description: "Make a new tag. Look with list_tags first: a name exists once. Returns the tag with its new id.",
		Annotations: &mcp.ToolAnnotations{DestructiveHint: new(false), OpenWorldHint: new(false)},
	}, j.makeTag)
	mcp.AddTool(server, &mcp.Tool{
		Name:        "update_tag",
		Title:       "Change a tag",
		Description: "Change the name or the description of a tag, on every entry that has it. Fields that are left out stay as they are.",
		Annotations: &mcp.ToolAnnotations{IdempotentHint: true, DestructiveHint: new(true), OpenWorldHint: new(false)},
	}, c.changeTag)
	mcp.AddTool(server, &mcp.Tool{
		Name:        "add_tag_to_entry",
		Title:       "Tag a journal entry",
		Description: "Put a tag on a journal entry. Both must exist. Returns the entry with its tags.",
		Annotations: &mcp.ToolAnnotations{IdempotentHint: true, DestructiveHint: new(false), OpenWorldHint: new(false)},
	}, c.tagEntry)
}

// A tagID is the input of tools that work on one tag.
type tagID struct {
	ID string `json:"id" jsonschema:"the id from list_tags or create_tag"`
}

// A pair is the input of add_tag_to_entry.
type pair struct {
	EntryID string `json:"entryId" jsonschema:"the id from list_entries or create_entry"`
	TagID   string `json:"tagId" jsonschema:"the id from list_tags or create_tag"`
}

func (j *Journal) listTheTags(ctx context.Context, _ *mcp.CallToolRequest, in paging) (*mcp.CallToolResult, tagPage, error) {
	p, err := j.listTags(ctx, gate.CallerFrom(ctx).Owner(), in)
	if err != nil {
		return nil, tagPage{}, shown(ctx, "list_tags", err)
	}
	var links []mcp.Content
	for _, t := range p.Tags {
		links = append(links, t.link())
	}
	return says(p.text(), links...), p, nil
}

func (j *Journal) readTag(ctx context.Context, _ *mcp.CallToolRequest, in tagID) (*mcp.CallToolResult, tag, error) {
	t, err := j.getTag(ctx, gate.CallerFrom(ctx).Owner(), in.ID)
	if err != nil {
		return nil, tag{}, shown(ctx, "get_tag", err)
	}
	return says(t.text(), t.link()), t, nil
}

func (j *Journal) makeTag(ctx context.Context, _ *mcp.CallToolRequest, in tagDraft) (*mcp.CallToolResult, tag, error) {
	t, err := j.createTag(ctx, gate.CallerFrom(ctx).Owner(), in)
	if err != nil {
		return nil, tag{}, shown(ctx, "create_tag", err)
	}
	return says(fmt.Sprintf("Made the tag %q, id %s.", t.Name, t.ID), t.link()), t, nil
}

func (c changer) changeTag(ctx context.Context, _ *mcp.CallToolRequest, in tagChange) (*mcp.CallToolResult, tag, error) {
	owner := gate.CallerFrom(ctx).Owner()
	t, err := c.updateTag(ctx, owner, in)
	if err != nil {
		return nil, tag{}, shown(ctx, "update_tag", err)
	}
	tell, err := c.tellOf(ctx, owner, t.ID)
	if err != nil {
		return nil, tag{}, shown(ctx, "update_tag", err)
	}
	tell()
	return says("The tag is now: "+t.text(), t.link()), t, nil
}

func (c changer) tagEntry(ctx context.Context, _ *mcp.CallToolRequest, in pair) (*mcp.CallToolResult, entry, error) {
	e, t, err := c.putTag(ctx, gate.CallerFrom(ctx).Owner(), in)
	if err != nil {
		return nil, entry{}, shown(ctx, "add_tag_to_entry", err)
	}
	c.tell(e.ID)
	return says(fmt.Sprintf("%q has the tag %q now.", e.Title, t.Name), e.link(), t.link()), e, nil
}

// link returns a link to the resource that the tag is.
func (t tag) link() *mcp.ResourceLink {
	return &mcp.ResourceLink{URI: tagPrefix + t.ID, Name: t.ID, Title: t.Name, MIMEType: "application/json"}
}
