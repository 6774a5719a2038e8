package journal

import (
	"context"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// addChanging adds the tools that write.
func addChanging(server *mcp.Server, j *Journal) {
	mcp.AddTool(server, &mcp.Tool{
		Name:  "create_entry",
		Title: "Write a journal entry",
		Description: "Save a new journal entry in the person's own words. " +
			"Returns the entry with its new id, and a link to it.",
		Annotations: &mcp.ToolAnnotations{DestructiveHint: new(false), OpenWorldHint: new(false)},
	}, j.createEntry)
	mcp.AddTool(server, &mcp.Tool{
		Name:  "update_entry",
		Title: "Change a journal entry",
		Description: "Change one journal entry. Fields that are left out stay as they are; content is replaced, not added to, " +
			"so read the entry first. Returns the whole entry as it is now.",
		Annotations: &mcp.ToolAnnotations{IdempotentHint: true, DestructiveHint: new(true), OpenWorldHint: new(false)},
	}, j.updateEntry)
	mcp.AddTool(server, &mcp.Tool{
		Name:        "delete_entry",
		Title:       "Delete a journal entry",
		Description: "Delete one journal entry for good. Returns the id and title of what was deleted. Ask the person first.",
		Annotations: &mcp.ToolAnnotations{IdempotentHint: true, DestructiveHint: new(true), OpenWorldHint: new(false)},
	}, j.deleteEntry)
}

// A deleted is the output of delete_entry.
type deleted struct {
	ID    string `json:"id" jsonschema:"the id that is gone"`
	Title string `json:"title"`
}

func (j *Journal) createEntry(ctx context.Context, _ *mcp.CallToolRequest, in draft) (*mcp.CallToolResult, entry, error) {
	e, err := j.create(ctx, gate.CallerFrom(ctx).Owner(), in)
	if err != nil {
		return nil, entry{}, shown(ctx, "create_entry", err)
	}
	return says(fmt.Sprintf("Saved %q as entry %s.", e.Title, e.ID), e.link()), e, nil
}

func (j *Journal) updateEntry(ctx context.Context, _ *mcp.CallToolRequest, in change) (*mcp.CallToolResult, entry, error) {
	e, err := j.update(ctx, gate.CallerFrom(ctx).Owner(), in)
	if err != nil {
		return nil, entry{}, shown(ctx, "update_entry", err)
	}
	return says(fmt.Sprintf("Entry %s is now:\n\n%s", e.ID, e.markdown()), e.link()), e, nil
}

func (j *Journal) deleteEntry(ctx context.Context, _ *mcp.CallToolRequest, in entryID) (*mcp.CallToolResult, deleted, error) {
	e, err := j.remove(ctx, gate.CallerFrom(ctx).Owner(), in.ID)
	if err != nil {
		return nil, deleted{}, shown(ctx, "delete_entry", err)
	}
	return says(fmt.Sprintf("Deleted %q.", e.Title)), deleted{ID: e.ID, Title: e.Title}, nil
}
