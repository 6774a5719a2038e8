package conformance

//lint:file-ignore SA1019 older revisions of the protocol have log messages

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestMessagesComeDuringTheCall(t *testing.T) {
	news := make(chan string, 9)
	options := &mcp.ClientOptions{
		LoggingMessageHandler: func(_ context.Context, req *mcp.LoggingMessageRequest) { news <- fmt.Sprint(req.Params.Data) },
		ProgressNotificationHandler: func(_ context.Context, req *mcp.ProgressNotificationClientRequest) {
			news <- fmt.Sprintf("%v of %v", req.Params.Progress, req.Params.Total)
		},
	}
	inEachEra(t, options, func(t *testing.T, session *mcp.ClientSession) {
		if session.InitializeResult().ProtocolVersion < "2026-07-28" {
			if err := session.SetLoggingLevel(t.Context(), &mcp.SetLoggingLevelParams{Level: "info"}); err != nil {
				t.Fatal(err)
			}
		}
		for _, test := range []struct {
			tool string
			want []string
		}{
			{"test_tool_with_logging", []string{"Tool execution started", "Tool processing data", "Tool execution completed"}},
			{"test_tool_with_progress", []string{"0 of 100", "50 of 100", "100 of 100"}},
		} {
			params := &mcp.CallToolParams{Name: test.tool, Meta: mcp.Meta{mcp.MetaKeyLogLevel: "info"}}
			params.SetProgressToken("token")
			if _, err := session.CallTool(t.Context(), params); err != nil {
				t.Fatalf("%s: %v", test.tool, err)
			}
			for _, want := range test.want {
				select {
				case got := <-news:
					if got != want {
						t.Errorf("%s sends %q, want %q", test.tool, got, want)
					}
				case <-time.After(20 * time.Second):
					t.Fatalf("%s did not send %q", test.tool, want)
				}
			}
		}
	})
}

func TestChangesAreTold(t *testing.T) {
	news := make(chan string, 9)
	options := &mcp.ClientOptions{
		ToolListChangedHandler:   func(context.Context, *mcp.ToolListChangedRequest) { news <- "tools" },
		PromptListChangedHandler: func(context.Context, *mcp.PromptListChangedRequest) { news <- "prompts" },
		ResourceUpdatedHandler:   func(_ context.Context, r *mcp.ResourceUpdatedNotificationRequest) { news <- r.Params.URI },
	}
	inEachEra(t, options, func(t *testing.T, session *mcp.ClientSession) {
		if err := session.Subscribe(t.Context(), &mcp.SubscribeParams{URI: watchedURI}); err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			trigger, want string
		}{
			{"test_trigger_tool_change", "tools"},
			{"test_trigger_prompt_change", "prompts"},
			{"test_trigger_resource_update", watchedURI},
		} {
			hears(t, session, news, test.trigger, test.want)
		}
		res, err := session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: watchedURI})
		if err != nil || res.Contents[0].Text == "Update 0." {
			t.Errorf("after the update: %v, %v", res, err)
		}
		called, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "test_changing_tool"})
		if err != nil || text(called.Content, called.IsError) == "Change 0." {
			t.Errorf("after the change: %v, %v", called, err)
		}
	})
}

// hears calls trigger until want is among the news: the streams of a new session
// may open after its first call.
func hears(t *testing.T, session *mcp.ClientSession, news <-chan string, trigger, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		if _, err := session.CallTool(ctx, &mcp.CallToolParams{Name: trigger}); err != nil {
			t.Fatalf("%s: %v", trigger, err)
		}
		again := time.After(time.Second)
		for waiting := true; waiting; {
			select {
			case got := <-news:
				if got == want {
					return
				}
			case <-again:
				waiting = false
			case <-ctx.Done():
				t.Fatalf("%s: no news of %s", trigger, want)
			}
		}
	}
}
