package journal

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

const firstEntry = `Help me to write the first entry of my journal.

Ask me first what is on my mind. If I do not know, call writing_prompt and offer me what it returns.
Then ask at most three short questions, one at a time. Put my answers together in my own words, without
adding feelings or facts that I did not name, and read the draft to me. When I am content with it, save it
with create_entry.`

// addPrompts adds the prompts.
func addPrompts(server *mcp.Server, j *Journal) {
	server.AddPrompt(&mcp.Prompt{
		Name: "first_entry", Title: "Write a first entry",
		Description: "Get help with the first entry of a journal.",
	}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return asUser("Write a first entry", firstEntry), nil
	})
	server.AddPrompt(&mcp.Prompt{
		Name: "reflect", Title: "Look back",
		Description: "Look back on the entries of a period, and see what they have in common.",
		Arguments: []*mcp.PromptArgument{{
			Name: "period", Title: "Period",
			Description: "today, week, month, year, or a month such as 2026-05, or a year such as 2026; week if absent",
		}},
	}, j.reflect)
	server.AddPrompt(&mcp.Prompt{
		Name: "suggest_tags", Title: "Suggest tags",
		Description: "Have tags suggested for an entry; those that you agree to are made and put on it.",
		Arguments:   []*mcp.PromptArgument{{Name: "entryId", Title: "Entry", Description: "the id of the entry", Required: true}},
	}, j.suggestTags)
	server.AddPrompt(&mcp.Prompt{
		Name: "summarize_journal_entries", Title: "Sum up entries",
		Description: "Have entries summed up: all of them, or those of some tags or days.",
		Arguments: []*mcp.PromptArgument{
			{Name: "tagIds", Title: "Tags", Description: "ids of tags, with commas between them; entries that have one of them"},
			{Name: "from", Title: "From", Description: "the first day, such as 2026-05-01"},
			{Name: "to", Title: "To", Description: "the last day, such as 2026-05-31"},
		},
	}, j.summarizeEntries)
}

func (j *Journal) reflect(ctx context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	span, err := period(req.Params.Arguments["period"], j.now())
	if err != nil {
		return nil, refused(ctx, "reflect", err)
	}
	p, err := j.list(ctx, gate.CallerFrom(ctx).Owner(), filter{days: span, paging: paging{Limit: 100}})
	if err != nil {
		return nil, refused(ctx, "reflect", err)
	}
	return asUser("Look back", reflection(span, p)), nil
}

func (j *Journal) suggestTags(ctx context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	text, err := j.suggest(ctx, gate.CallerFrom(ctx).Owner(), req.Params.Arguments["entryId"])
	if err != nil {
		return nil, refused(ctx, "suggest_tags", err)
	}
	return asUser("Suggest tags", text), nil
}

func (j *Journal) summarizeEntries(ctx context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	args := req.Params.Arguments
	text, err := j.summarize(ctx, gate.CallerFrom(ctx).Owner(), selection{TagIDs: split(args["tagIds"]), days: days{From: args["from"], To: args["to"]}})
	if err != nil {
		return nil, refused(ctx, "summarize_journal_entries", err)
	}
	return asUser("Sum up entries", text), nil
}

// split returns the ids in a list with commas; nil if there are none.
func split(list string) (ids []string) {
	for id := range strings.SplitSeq(list, ",") {
		if id = strings.TrimSpace(id); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// reflection returns what a person would ask for, with the entries to look at.
func reflection(span days, p page) string {
	if p.Total == 0 {
		return fmt.Sprintf("My journal has no entries from %s to %s. Tell me so, and offer to write one with me now.", span.From, span.To)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Look back with me on my journal from %s to %s. It has %d entries in that time", span.From, span.To, p.Total)
	if n := len(p.Entries); n < p.Total {
		fmt.Fprintf(&b, "; these are the newest %d", n)
	}
	b.WriteString(`. Read those that matter with get_entry before you speak of them.

Tell me in a few sentences what the time was about, how my mood moved, and one thing that returned and that I may not have
noticed. Quote me rather than summarise where my words are good. End with one question that I could write about next.

My entries, newest first:
`)
	b.WriteString(p.outline())
	return b.String()
}

// periods are the periods that have a name.
var periods = []string{"today", "week", "month", "year"}

// period returns the days of the period called name, which end today if it has
// no end of its own.
func period(name string, now time.Time) (days, error) {
	first, last := now.UTC(), now.UTC()
	switch name = strings.ToLower(strings.TrimSpace(name)); name {
	case "today":
	case "", "week":
		first = last.AddDate(0, 0, -6)
	case "month":
		first = last.AddDate(0, -1, 1)
	case "year":
		first = last.AddDate(-1, 0, 1)
	default:
		if month, err := time.Parse("2006-01", name); err == nil {
			first, last = month, month.AddDate(0, 1, -1)
		} else if year, err := time.Parse("2006", name); err == nil {
			first, last = year, year.AddDate(1, 0, -1)
		} else {
			return days{}, problem("period must be today, week, month, year, a month such as 2026-05 or a year such as 2026.")
		}
	}
	return days{From: first.Format(time.DateOnly), To: last.Format(time.DateOnly)}, nil
}

// asUser returns a prompt of one message that the person says.
func asUser(description, text string) *mcp.GetPromptResult {
	return &mcp.GetPromptResult{
		Description: description,
		Messages:    []*mcp.PromptMessage{{Role: "user", Content: &mcp.TextContent{Text: text}}},
	}
}
