package conformance

import (
	"context"
	"fmt"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// addChanges adds items that change, and tools that change them. A changed item
// keeps its name, and so its rule.
func addChanges(server *mcp.Server) {
	tool := counter(func(n int) {
		add(server, "test_changing_tool", fmt.Sprintf("Has been changed %d times.", n),
			func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				return says(fmt.Sprintf("Change %d.", n)), nil
			})
	})
	prompt := counter(func(n int) {
		server.AddPrompt(&mcp.Prompt{Name: "test_changing_prompt", Description: fmt.Sprintf("Has been changed %d times.", n)},
			func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
				return asks("A prompt that changes", &mcp.TextContent{Text: fmt.Sprintf("Change %d.", n)}), nil
			})
	})
	tool()
	prompt()
	addTrigger(server, "test_trigger_tool_change", "Changes the description of test_changing_tool.", tool)
	addTrigger(server, "test_trigger_prompt_change", "Changes the description of test_changing_prompt.", prompt)
}

// counter calls change with 0, 1, 2 and so on, one at a time.
func counter(change func(n int)) func() {
	var mu sync.Mutex
	n := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		change(n)
		n++
	}
}

func addTrigger(server *mcp.Server, name, description string, change func()) {
	add(server, name, description, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		change()
		return says("Changed."), nil
	})
}
