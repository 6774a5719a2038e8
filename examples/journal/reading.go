package journal

import (
	"context"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// addReading adds the tools that look things up.
func addReading(server *mcp.Server, j *Journal) {
	mcp.AddTool(server, &mcp.Tool{
		Name:  "list_entries",
		Title: "List journal entries",
		Description: "List or search the person's journal entries, newest first. " +
			"Returns the id, title, date and beginning of each, and how many match in all. " +
			"Read a whole entry with get_entry.",
		Annotations: reads(),
	}, j.listEntries)
	mcp.AddTool(server, &mcp.Tool{
		Name:        "get_entry",
		Title:       "Read a journal entry",
		Description: "Read one journal entry. Returns all of its text, its mood, place and weather, and when it was written.",
		Annotations: reads(),
	}, j.getEntry)
	mcp.AddTool(server, &mcp.Tool{
		Name:        "view_journal",
		Title:       "Show the journal",
		Description: "Show the person their newest 100 journal entries, to look through. To find something yourself, use list_entries.",
		Annotations: reads(),
		Meta:        shownBy(),
	}, j.viewJournal)
	mcp.AddTool(server, &mcp.Tool{
		Name:        "view_entry",
		Title:       "Show a journal entry",
		Description: "Show the person one journal entry, whole. To read it yourself, use get_entry.",
		Annotations: reads(),
		Meta:        shownBy(),
	}, j.viewEntry)
}

// An entryID is the input of tools that work on one entry.
type entryID struct {
	ID string `json:"id" jsonschema:"the id from list_entries or create_entry"`
}

func (j *Journal) listEntries(ctx context.Context, _ *mcp.CallToolRequest, in filter) (*mcp.CallToolResult, page, error) {
	p, err := j.list(ctx, gate.CallerFrom(ctx).Owner(), in)
	if err != nil {
		return nil, page{}, shown(ctx, "list_entries", err)
	}
	return says(p.text(), p.links()...), p, nil
}

func (j *Journal) getEntry(ctx context.Context, _ *mcp.CallToolRequest, in entryID) (*mcp.CallToolResult, entry, error) {
	e, err := j.get(ctx, gate.CallerFrom(ctx).Owner(), in.ID)
	if err != nil {
		return nil, entry{}, shown(ctx, "get_entry", err)
	}
	return says(e.markdown(), e.link()), e, nil
}

func (j *Journal) viewJournal(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, page, error) {
	p, err := j.list(ctx, gate.CallerFrom(ctx).Owner(), filter{paging: paging{Limit: 100}})
	if err != nil {
		return nil, page{}, shown(ctx, "view_journal", err)
	}
	return says("Show the person this, as it is:\n\n"+p.outline(), p.links()...), p, nil
}

func (j *Journal) viewEntry(ctx context.Context, _ *mcp.CallToolRequest, in entryID) (*mcp.CallToolResult, entry, error) {
	e, err := j.get(ctx, gate.CallerFrom(ctx).Owner(), in.ID)
	if err != nil {
		return nil, entry{}, shown(ctx, "view_entry", err)
	}
	return says("Show the person this, as it is:\n\n"+e.markdown(), e.link()), e, nil
}

// text returns the page as a person would read it.
func (p page) text() string {
	if p.Total == 0 {
		return "No entries match."
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d entries, newest first:\n", len(p.Entries), p.Total)
	for _, l := range p.Entries {
		fmt.Fprintf(&b, "- %s, %s (id %s)\n", l.Created.Format("2006-01-02"), l.Title, l.ID)
	}
	if p.Next > 0 {
		fmt.Fprintf(&b, "Call again with offset %d for more.\n", p.Next)
	}
	return b.String()
}

// links returns links to the entries of the page.
func (p page) links() []mcp.Content {
	var links []mcp.Content
	for _, l := range p.Entries {
		links = append(links, entry{ID: l.ID, draft: draft{Title: l.Title}}.link())
	}
	return links
}

// link returns a link to the resource that the entry is.
func (e entry) link() *mcp.ResourceLink {
	return &mcp.ResourceLink{URI: entryPrefix + e.ID, Name: e.ID, Title: e.Title, MIMEType: "application/json"}
}

// says returns a result with a text for people, and links after it. The SDK
// puts the structured output beside it.
func says(text string, links ...mcp.Content) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: append([]mcp.Content{&mcp.TextContent{Text: text}}, links...)}
}

// reads returns the annotations of a tool that changes nothing.
func reads() *mcp.ToolAnnotations {
	return &mcp.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, DestructiveHint: new(false), OpenWorldHint: new(false)}
}
