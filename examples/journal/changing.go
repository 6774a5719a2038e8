package journal

import (
	"context"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// addChanging adds the tools that write.
func addChanging(server *mcp.Server, j *Journal) {
	c := changer{j, server}
	mcp.AddTool(server, &mcp.Tool{
		Name:  "create_entry",
		Title: "Write a journal entry",
		Description: "Save a new journal entry in the person's own words, with tags of theirs if they fit. " +
			"Returns the entry with its new id, and a link to it.",
		Annotations: &mcp.ToolAnnotations{DestructiveHint: new(false), OpenWorldHint: new(false)},
	}, j.createEntry)
	mcp.AddTool(server, &mcp.Tool{
		Name:  "update_entry",
		Title: "Change a journal entry",
		Description: "Change one journal entry. Fields that are left out stay as they are; content is replaced, not added to, " +
			"so read the entry first. Returns the whole entry as it is now.",
		Annotations: &mcp.ToolAnnotations{IdempotentHint: true, DestructiveHint: new(true), OpenWorldHint: new(false)},
	}, c.updateEntry)
}

func (j *Journal) createEntry(ctx context.Context, _ *mcp.CallToolRequest, in tagged) (*mcp.CallToolResult, entry, error) {
	e, err := j.create(ctx, gate.CallerFrom(ctx).Owner(), in)
	if err != nil {
		return nil, entry{}, shown(ctx, "create_entry", err)
	}
	return says(fmt.Sprintf("Saved %q as entry %s.", e.Title, e.ID), e.link()), e, nil
}

func (c changer) updateEntry(ctx context.Context, _ *mcp.CallToolRequest, in change) (*mcp.CallToolResult, entry, error) {
	e, err := c.update(ctx, gate.CallerFrom(ctx).Owner(), in)
	if err != nil {
		return nil, entry{}, shown(ctx, "update_entry", err)
	}
	c.tell(e.ID)
	return says(fmt.Sprintf("Entry %s is now:\n\n%s", e.ID, e.markdown()), e.link()), e, nil
}
