package conformance

//lint:file-ignore SA1019 older revisions of the protocol have log messages

import (
	"context"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// step is how long a tool waits between two messages, so that they arrive while
// the call is under way.
const step = 50 * time.Millisecond

// addStreams adds tools that send something before their result.
func addStreams(server *mcp.Server) {
	add(server, "test_tool_with_logging", "Writes three log messages, and then returns.", logs(
		"Tool execution started", "Tool processing data", "Tool execution completed"))
	add(server, "test_logging_tool", "Writes one log message, and then returns.", logs("Tool executed"))
	add(server, "test_tool_with_progress", "Reports progress three times, and then returns.", progress)
	add(server, "test_streaming_elicitation", "Reports progress three times, and asks nothing.", progress)
	add(server, "test_reconnection", "Ends the stream of its call early; the client reconnects for the result.", reconnection)
}

// logs writes messages, of which the SDK sends those that the client wants.
func logs(messages ...string) func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for i, message := range messages {
			if i > 0 {
				if err := wait(ctx, step); err != nil {
					return nil, err
				}
			}
			if err := req.Session.Log(ctx, &mcp.LoggingMessageParams{Level: "info", Logger: req.Params.Name, Data: message}); err != nil {
				return nil, err
			}
		}
		return says("Tool with logging executed successfully"), nil
	}
}

func progress(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	token := req.Params.GetProgressToken()
	for percent := range 3 {
		if percent > 0 {
			if err := wait(ctx, step); err != nil {
				return nil, err
			}
		}
		if token == nil {
			continue
		}
		err := req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: token, Progress: float64(50 * percent), Total: 100})
		if err != nil {
			return nil, err
		}
	}
	return says("Tool with progress executed successfully"), nil
}

func reconnection(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if req.Extra != nil && req.Extra.CloseSSEStream != nil {
		req.Extra.CloseSSEStream(mcp.CloseSSEStreamArgs{RetryAfter: 10 * time.Millisecond})
	}
	if err := wait(ctx, 2*step); err != nil {
		return nil, err
	}
	return says("Reconnection test completed successfully"), nil
}

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
