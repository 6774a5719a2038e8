package journal

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// An idea is something to write about, and the output of writing_prompt.
type idea struct {
	Theme  string `json:"theme" jsonschema:"what it is about"`
	Prompt string `json:"prompt" jsonschema:"something to write about"`
}

// ideas are in the order of their days, so that the theme changes every day.
var ideas = []idea{
	{"day", "What was the first thing you noticed this morning, before you looked at a screen?"},
	{"people", "Who made today easier, and do they know it?"},
	{"place", "Describe the room you are in to someone who will never see it."},
	{"memory", "Which smell takes you back the furthest, and where does it take you?"},
	{"work", "What did you do today that nobody will notice? Why did you do it anyway?"},
	{"self", "What have you changed your mind about in the last year?"},

	{"day", "Write down ten minutes of today so exactly that you could live them again."},
	{"people", "Write the message that you keep meaning to send."},
	{"place", "Walk a way you know by heart, in words, and stop where something happened."},
	{"memory", "Tell the story of a thing that you have kept for no good reason."},
	{"work", "Where did you get stuck, and what did you try just before that?"},
	{"self", "What would you do this week if nobody ever asked you how it went?"},

	{"day", "What surprised you today, however small it was?"},
	{"people", "Describe somebody you love by what their hands do."},
	{"place", "Where do you go when you want to think? What does it give you that home does not?"},
	{"memory", "What did you believe as a child that you still find a little true?"},
	{"work", "Explain the hardest part of what you do to a curious ten-year-old."},
	{"self", "What are you putting off, and what does it protect you from?"},

	{"day", "If today had a headline, what would it be? Now write the second paragraph."},
	{"people", "What did you last disagree about, and what was the other person right about?"},
	{"place", "What does your street sound like at night, from near to far?"},
	{"memory", "Write about a meal that you remember better than the reason for it."},
	{"work", "What would you like to be better at a year from now? What is the smallest part of it?"},
	{"self", "When did you last feel entirely at ease? What was missing, and what was there?"},
}

// A theme is the input of writing_prompt.
type theme struct {
	Theme string `json:"theme,omitempty" jsonschema:"day, people, place, memory, work or self; any if absent"`
}

// addWriting adds the tool that helps to begin.
func addWriting(server *mcp.Server, j *Journal) {
	mcp.AddTool(server, &mcp.Tool{
		Name:        "writing_prompt",
		Title:       "Get a writing prompt",
		Description: "Get the writing prompt of the day, for someone who does not know what to write about. Returns one question or task and its theme.",
		Annotations: reads(),
	}, j.writingPrompt)
}

func (j *Journal) writingPrompt(ctx context.Context, _ *mcp.CallToolRequest, in theme) (*mcp.CallToolResult, idea, error) {
	choice, err := ideaOf(j.now(), in.Theme)
	if err != nil {
		return nil, idea{}, shown(ctx, "writing_prompt", err)
	}
	return says(choice.Prompt), choice, nil
}

// ideaOf returns the idea of the day in UTC, among those of the theme if there
// is one.
func ideaOf(now time.Time, theme string) (idea, error) {
	choices := ideas
	if theme = strings.ToLower(strings.TrimSpace(theme)); theme != "" {
		choices = slices.DeleteFunc(slices.Clone(ideas), func(i idea) bool { return i.Theme != theme })
	}
	if len(choices) == 0 {
		return idea{}, problem("There is no such theme. Choose day, people, place, memory, work or self, or leave theme out.")
	}
	day := int(now.Unix() / (24 * 60 * 60))
	return choices[day%len(choices)], nil
}
