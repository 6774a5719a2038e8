package conformance

//lint:file-ignore SA1019 older revisions of the protocol have sampling, roots and log messages

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// eras are the two kinds of revisions, and the SDK's handler for each.
var eras = []struct {
	version string
	options mcp.StreamableHTTPOptions
}{
	{"2025-11-25", mcp.StreamableHTTPOptions{EventStore: mcp.NewMemoryEventStore(nil)}}, // a stream can be resumed
	{"2026-07-28", mcp.StreamableHTTPOptions{Stateless: true}},
}

// inEachEra runs test with a client of each era on a new server.
func inEachEra(t *testing.T, options *mcp.ClientOptions, test func(*testing.T, *mcp.ClientSession)) {
	for _, era := range eras {
		t.Run(era.version, func(t *testing.T) {
			server := Server()
			web := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &era.options))
			t.Cleanup(web.Close)
			client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, options)
			client.AddRoots(&mcp.Root{URI: "file:///tea"})
			session, err := client.Connect(t.Context(),
				&mcp.StreamableClientTransport{Endpoint: web.URL}, &mcp.ClientSessionOptions{ProtocolVersion: era.version})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { session.Close() })
			if got := session.InitializeResult().ProtocolVersion; got != era.version {
				t.Fatalf("the revision is %s", got)
			}
			test(t, session)
		})
	}
}

func TestEveryItemIsForAnyone(t *testing.T) {
	inEachEra(t, nil, func(t *testing.T, session *mcp.ClientSession) {
		tools, err := session.ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		resources, err := session.ListResources(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		templates, err := session.ListResourceTemplates(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		prompts, err := session.ListPrompts(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var names, uris, words []string
		for _, tool := range tools.Tools {
			names = append(names, tool.Name)
		}
		for _, resource := range resources.Resources {
			uris = append(uris, resource.URI)
		}
		for _, template := range templates.ResourceTemplates {
			uris = append(uris, template.URITemplate)
		}
		for _, prompt := range prompts.Prompts {
			words = append(words, prompt.Name)
		}
		for _, table := range []struct {
			rules gate.Rules
			items []string
		}{{Tools, names}, {Resources, uris}, {Prompts, words}} {
			slices.Sort(table.items)
			if ruled := slices.Sorted(maps.Keys(table.rules)); !slices.Equal(ruled, table.items) {
				t.Errorf("rules for %q\nitems are %q", ruled, table.items)
			}
			for _, name := range table.items {
				if got := table.rules.Decide(gate.Caller{}, name, nil).Outcome; got != gate.Allow {
					t.Errorf("%s answers a guest with %v", name, got)
				}
			}
		}
	})
}

// answering is a client that has an answer to everything.
func answering() *mcp.ClientOptions {
	return &mcp.ClientOptions{
		Capabilities: &mcp.ClientCapabilities{RootsV2: &mcp.RootCapabilities{}},
		CreateMessageHandler: func(_ context.Context, req *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			asked := req.Params.Messages[0].Content.(*mcp.TextContent).Text
			return &mcp.CreateMessageResult{Model: "m", Role: "assistant", Content: &mcp.TextContent{Text: "<" + asked + ">"}}, nil
		},
		ElicitationHandler: func(_ context.Context, req *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			content := map[string]any{}
			fields := req.Params.RequestedSchema.(map[string]any)["properties"].(map[string]any)
			for field, answer := range map[string]any{"name": "Ada", "color": "green", "ok": true, "username": "ada", "email": "ada@example.com",
				"context": "tea", "age": 30, "titledSingle": "value2", "untitledMulti": []string{"option1", "option3"}} {
				if _, wanted := fields[field]; wanted {
					content[field] = answer
				}
			}
			return &mcp.ElicitResult{Action: "accept", Content: content}, nil
		},
	}
}

func TestEachToolAnswers(t *testing.T) {
	inEachEra(t, answering(), func(t *testing.T, session *mcp.ClientSession) {
		if _, err := session.ListTools(t.Context(), nil); err != nil { // tells the client which headers to send
			t.Fatal(err)
		}
		for _, test := range []struct {
			tool      string
			arguments any
			want      string
		}{
			{"test_simple_text", nil, "This is a simple text response for testing."},
			{"test_image_content", nil, "image/png"},
			{"test_audio_content", nil, "audio/wav"},
			{"test_embedded_resource", nil, "test://embedded-resource text/plain This is an embedded resource content."},
			{"test_multiple_content_types", nil, `Multiple content types test:|image/png|test://mixed-content-resource application/json {"test":"data","value":123}`},
			{"test_error_handling", nil, "ERROR This tool intentionally returns an error for testing"},
			{"json_schema_2020_12_tool", map[string]any{"contactMethod": "phone", "phone": "1"}, "A contact of 2 fields."},
			{"test_x_mcp_header", region{Region: "north", Level: 2}, `Region "north", level 2.`},
			{"test_tool_with_logging", nil, "Tool with logging executed successfully"},
			{"test_tool_with_progress", nil, "Tool with progress executed successfully"},
			{"test_reconnection", nil, "Reconnection test completed successfully"},
			{"test_changing_tool", nil, "Change 0."},
			{"test_sampling", prompt{"How are you?"}, "LLM response: <How are you?>"},
			{"test_elicitation", message{"Who?"}, `User response: action=accept, content={"email":"ada@example.com","username":"ada"}`},
			{"test_elicitation_sep1034_defaults", nil, `Elicitation completed: action=accept, content={"age":30,`},
			{"test_elicitation_sep1330_enums", nil, `"titledSingle":"value2","untitledMulti":["option1","option3"]`},
			{"test_missing_capability", nil, "The client has sampling."},
			{"test_input_required_result_elicitation", nil, "Hello, Ada!"},
			{"test_input_required_result_sampling", nil, "The model says: <What is the capital of France?>"},
			{"test_input_required_result_list_roots", nil, "1 roots: file:///tea"},
			{"test_input_required_result_multiple_inputs", nil, "<Generate a greeting> Ada! You have 1 roots."},
			{"test_input_required_result_request_state", nil, "state-ok: the answer is true."},
			{"test_input_required_result_tampered_state", nil, "state-ok: the answer is true."},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			res, err := session.CallTool(ctx, &mcp.CallToolParams{Name: test.tool, Arguments: test.arguments})
			cancel()
			if err != nil {
				t.Errorf("%s: %v", test.tool, err)
			} else if got := text(res.Content, res.IsError); !strings.Contains(got, test.want) {
				t.Errorf("%s says %q, want %q", test.tool, got, test.want)
			}
		}
	})
}

// text returns what a result says, one part beside the other.
func text(parts []mcp.Content, failed bool) string {
	var all []string
	for _, part := range parts {
		switch part := part.(type) {
		case *mcp.TextContent:
			all = append(all, part.Text)
		case *mcp.ImageContent:
			all = append(all, part.MIMEType)
		case *mcp.AudioContent:
			all = append(all, part.MIMEType)
		case *mcp.EmbeddedResource:
			all = append(all, part.Resource.URI+" "+part.Resource.MIMEType+" "+part.Resource.Text)
		}
	}
	if failed {
		return "ERROR " + strings.Join(all, "|")
	}
	return strings.Join(all, "|")
}

func TestAClientThatCannotBeAskedIsToldWhy(t *testing.T) {
	inEachEra(t, nil, func(t *testing.T, session *mcp.ClientSession) {
		for tool, test := range map[string]struct {
			arguments any
			want      string
		}{
			"test_sampling":                     {prompt{"Hi"}, "sampling"},
			"test_missing_capability":           {nil, "sampling"},
			"test_elicitation":                  {message{"Who?"}, "elicitation"},
			"test_elicitation_sep1034_defaults": {nil, "elicitation"},
			"test_elicitation_sep1330_enums":    {nil, "elicitation"},
		} {
			_, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: test.arguments})
			var refused *jsonrpc.Error
			if !errors.As(err, &refused) || refused.Code != mcp.CodeMissingRequiredClientCapabilities ||
				string(refused.Data) != `{"requiredCapabilities":{"`+test.want+`":{}}}` {
				t.Errorf("%s: %v", tool, err)
			}
		}
	})
}

func TestPicturesAndSoundsAreWhatTheySay(t *testing.T) {
	if _, err := png.Decode(bytes.NewReader(redDot)); err != nil {
		t.Errorf("the picture: %v", err)
	}
	if got := http.DetectContentType(silence); got != "audio/wave" || len(silence) != 44 {
		t.Errorf("the sound is %s of %d bytes", got, len(silence))
	}
}

func TestEachPromptAndResourceAnswers(t *testing.T) {
	inEachEra(t, answering(), func(t *testing.T, session *mcp.ClientSession) {
		for _, test := range []struct {
			name      string
			arguments map[string]string
			want      string
		}{
			{"test_simple_prompt", nil, "This is a simple prompt for testing."},
			{"test_prompt_with_arguments", map[string]string{"arg1": "a", "arg2": "b"}, "Prompt with arguments: arg1='a', arg2='b'"},
			{"test_prompt_with_embedded_resource", map[string]string{"resourceUri": "test://x"},
				"test://x text/plain Embedded resource content for testing.|Please process the embedded resource above."},
			{"test_prompt_with_image", nil, "image/png|Please analyze the image above."},
			{"test_input_required_result_prompt", nil, "Context: tea"},
			{"test_changing_prompt", nil, "Change 0."},
		} {
			res, err := session.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: test.name, Arguments: test.arguments})
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
				continue
			}
			var parts []mcp.Content
			for _, m := range res.Messages {
				parts = append(parts, m.Content)
			}
			if got := text(parts, false); got != test.want {
				t.Errorf("%s says %q, want %q", test.name, got, test.want)
			}
		}
		for _, test := range []struct{ uri, want string }{
			{"test://static-text", "text/plain This is the content of the static text resource."},
			{"test://static-binary", "image/png " + string(redDot)},
			{"test://template/123/data", `application/json {"id":"123","templateTest":true,"data":"Data for ID: 123"}`},
			{"test://template/a%22b/data", `application/json {"id":"a\"b","templateTest":true,"data":"Data for ID: a\"b"}`},
			{"test://watched-resource", "text/plain Update 0."},
		} {
			res, err := session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: test.uri})
			if err != nil {
				t.Errorf("%s: %v", test.uri, err)
			} else if c := res.Contents[0]; c.URI != test.uri || c.MIMEType+" "+c.Text+string(c.Blob) != test.want {
				t.Errorf("%s is %q", test.uri, c.MIMEType+" "+c.Text+string(c.Blob))
			}
		}
		for _, uri := range []string{"test://nothing", "test://template//data", "test://template/%zz/data"} {
			if _, err := session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: uri}); err == nil {
				t.Errorf("%s exists", uri)
			}
		}
		res, err := session.Complete(t.Context(), &mcp.CompleteParams{
			Ref:      &mcp.CompleteReference{Type: "ref/prompt", Name: "test_prompt_with_arguments"},
			Argument: mcp.CompleteParamsArgument{Name: "arg1", Value: "park"},
		})
		if err != nil || !slices.Equal(res.Completion.Values, []string{"park"}) {
			t.Errorf("completions: %v, %v", res, err)
		}
	})
}
