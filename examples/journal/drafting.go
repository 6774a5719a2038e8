package journal

import (
	"context"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/elicit"
	"example.com/foyer/gate"
)

// addDrafting adds the tools for drafts.
func addDrafting(server *mcp.Server, j *Journal, questions *elicit.Questions) {
	mcp.AddTool(server, &mcp.Tool{
		Name:  "save_draft",
		Title: "Keep a draft",
		Description: "Keep a draft of the person's own words, or replace one that was kept. It takes no account: without one, drafts stay with this " +
			"connection, and can be taken along when the person signs in. Returns the draft with its id. To make an entry of it, use create_entry.",
		Annotations: &mcp.ToolAnnotations{DestructiveHint: new(true), OpenWorldHint: new(false)},
	}, j.saveDraft)
	mcp.AddTool(server, &mcp.Tool{
		Name:        "list_drafts",
		Title:       "List drafts",
		Description: "List the drafts that were kept, newest first, whole.",
		Annotations: reads(),
	}, j.listDrafts)
	elicit.AddTool(questions, server, &mcp.Tool{
		Name:        "delete_draft",
		Title:       "Delete a draft",
		Description: "Delete one draft for good. The person is asked first, by their client. Returns the id of what was deleted.",
		Annotations: &mcp.ToolAnnotations{IdempotentHint: true, DestructiveHint: new(true), OpenWorldHint: new(false)},
	}, j.deleteDraft)
}

// A noteText is the input of save_draft.
type noteText struct {
	ID   string `json:"id,omitempty" jsonschema:"the id of the draft to replace, from save_draft or list_drafts; a new draft if absent"`
	Text string `json:"text" jsonschema:"the whole draft, Markdown, at most 20000 characters"`
}

// A noteID is the input of delete_draft.
type noteID struct {
	ID string `json:"id" jsonschema:"the id from save_draft or list_drafts"`
}

// Notes are the output of list_drafts.
type notes struct {
	Drafts []note `json:"drafts" jsonschema:"newest first"`
}

// A deletedNote is the output of delete_draft.
type deletedNote struct {
	ID string `json:"id" jsonschema:"the id that is gone"`
}

func (j *Journal) saveDraft(ctx context.Context, _ *mcp.CallToolRequest, in noteText) (*mcp.CallToolResult, note, error) {
	n, err := j.keep(ctx, gate.CallerFrom(ctx), in.ID, in.Text)
	if err != nil {
		return nil, note{}, shown(ctx, "save_draft", err)
	}
	return says(fmt.Sprintf("Kept as draft %s.", n.ID)), n, nil
}

func (j *Journal) listDrafts(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, notes, error) {
	found, err := j.drafts(ctx, gate.CallerFrom(ctx).Owner())
	if err != nil {
		return nil, notes{}, shown(ctx, "list_drafts", err)
	}
	if len(found) == 0 {
		return says("There are no drafts."), notes{found}, nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, newest first:\n", count(len(found), "draft", "drafts"))
	for _, n := range found {
		fmt.Fprintf(&b, "\n%s, %s:\n%s\n", n.ID, n.Updated.Format("2006-01-02"), n.Text)
	}
	return says(b.String()), notes{found}, nil
}

func (j *Journal) deleteDraft(ctx context.Context, ask *elicit.Ask, in noteID) (deletedNote, error) {
	owner := gate.CallerFrom(ctx).Owner()
	n, err := j.draftOf(ctx, owner, in.ID)
	if err != nil {
		return deletedNote{}, shown(ctx, "delete_draft", err)
	}
	if err := agreed(ask, fmt.Sprintf("Delete the draft that begins with “%s”? It cannot be brought back.", n.beginning())); err != nil {
		return deletedNote{}, err
	}
	if err := j.discard(ctx, owner, n.ID); err != nil {
		return deletedNote{}, shown(ctx, "delete_draft", err)
	}
	return deletedNote{ID: n.ID}, nil
}

// beginning returns the first words of the draft, by which a person knows it.
func (n note) beginning() string {
	words := []rune(oneLine(n.Text))
	if len(words) > 60 {
		return string(words[:59]) + "…"
	}
	return string(words)
}
