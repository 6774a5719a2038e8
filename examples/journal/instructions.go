package journal

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// addInstructions adds the tools that say what the prompts say, for clients
// without prompts.
func addInstructions(server *mcp.Server, j *Journal) {
	mcp.AddTool(server, &mcp.Tool{
		Name:        "get_tag_suggestions_instructions",
		Title:       "How to suggest tags",
		Description: "Get instructions on how to suggest tags for a journal entry, with the entry and the tags that there are. Follow what it returns.",
		Annotations: reads(),
	}, j.tagSuggestions)
	mcp.AddTool(server, &mcp.Tool{
		Name:        "get_journal_insights_instructions",
		Title:       "How to sum up the journal",
		Description: "Get instructions on how to sum up journal entries, of some tags or days if those are given, with the entries. Follow what it returns.",
		Annotations: reads(),
	}, j.insights)
}

// Instructions are the output of tools that tell a model what to do.
type instructions struct {
	Instructions string `json:"instructions" jsonschema:"what to do now"`
}

// A forEntry is the input of get_tag_suggestions_instructions.
type forEntry struct {
	EntryID string `json:"entryId" jsonschema:"the id from list_entries or create_entry"`
}

// A selection is the input of get_journal_insights_instructions.
type selection struct {
	TagIDs []string `json:"tagIds,omitempty" jsonschema:"ids of tags; entries that have one of them"`
	days
}

func (j *Journal) tagSuggestions(ctx context.Context, _ *mcp.CallToolRequest, in forEntry) (*mcp.CallToolResult, instructions, error) {
	text, err := j.suggest(ctx, gate.CallerFrom(ctx).Owner(), in.EntryID)
	if err != nil {
		return nil, instructions{}, shown(ctx, "get_tag_suggestions_instructions", err)
	}
	return says(text), instructions{text}, nil
}

func (j *Journal) insights(ctx context.Context, _ *mcp.CallToolRequest, in selection) (*mcp.CallToolResult, instructions, error) {
	text, err := j.summarize(ctx, gate.CallerFrom(ctx).Owner(), in)
	if err != nil {
		return nil, instructions{}, shown(ctx, "get_journal_insights_instructions", err)
	}
	return says(text), instructions{text}, nil
}

// suggest returns what a person would ask for, to have an entry tagged.
func (j *Journal) suggest(ctx context.Context, owner, id string) (string, error) {
	e, err := j.get(ctx, owner, id)
	if err != nil {
		return "", err
	}
	p, err := j.listTags(ctx, owner, paging{Limit: 100})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`Suggest tags for my journal entry with the id %s, which is below.

Prefer the tags that I have, and name new ones only where none of them fits. Say in a few words why each would help me to find
the entry again, and wait for my answer. For each tag that I agree to: create it with create_tag if I do not have it, then put
it on the entry with add_tag_to_entry.

My tags: %s
My entry:

%s`, e.ID, p.text(), e.markdown()), nil
}

// summarize returns what a person would ask for, to have entries summed up.
func (j *Journal) summarize(ctx context.Context, owner string, s selection) (string, error) {
	p, err := j.list(ctx, owner, filter{TagIDs: s.TagIDs, days: s.days, paging: paging{Limit: 100}})
	if err != nil {
		return "", err
	}
	if p.Total == 0 {
		return "My journal has no such entries. Tell me so, and offer to write one with me now.", nil
	}
	return fmt.Sprintf(`Sum up these entries of my journal for me: %d of %d, newest first. Read those that matter with get_entry before you speak
of them. Say what they have in common and what changed, keep to what I wrote, and tell me which entries you mean.

%s`, len(p.Entries), p.Total, p.outline()), nil
}

// outline returns the entries of the page, each in a line.
func (p page) outline() string {
	var b strings.Builder
	for _, l := range p.Entries {
		fmt.Fprintf(&b, "- %s, id %s", l.Created.Format(time.DateOnly), l.ID)
		if l.Mood != "" {
			fmt.Fprintf(&b, ", mood %s", l.Mood)
		}
		if len(l.Tags) > 0 {
			fmt.Fprintf(&b, ", tags %s", strings.Join(names(l.Tags), ", "))
		}
		fmt.Fprintf(&b, ": %s. %s\n", l.Title, oneLine(l.Excerpt))
	}
	return b.String()
}
