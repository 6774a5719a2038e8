// Package conformance is an MCP server with what the official conformance suite
// (npm @modelcontextprotocol/conformance) asks of a server under test: one tool
// of each kind, and resources, prompts, completions, log messages, questions to
// the client and list changes.
//
// Its names and texts are the suite's. Its tools are plain SDK code, and
// [Tools], [Resources] and [Prompts] let everyone use everything, so that the
// suite, which cannot sign in, meets the kit and not a closed door.
//
// It has nothing of the protocol's extensions: no tasks, no skills.
package conformance

import (
	"context"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// Tools says who may call which tool.
var Tools = gate.Rules{
	"json_schema_2020_12_tool":                   gate.Anyone(),
	"test_audio_content":                         gate.Anyone(),
	"test_changing_tool":                         gate.Anyone(),
	"test_elicitation":                           gate.Anyone(),
	"test_elicitation_sep1034_defaults":          gate.Anyone(),
	"test_elicitation_sep1330_enums":             gate.Anyone(),
	"test_embedded_resource":                     gate.Anyone(),
	"test_error_handling":                        gate.Anyone(),
	"test_image_content":                         gate.Anyone(),
	"test_input_required_result_capabilities":    gate.Anyone(),
	"test_input_required_result_elicitation":     gate.Anyone(),
	"test_input_required_result_list_roots":      gate.Anyone(),
	"test_input_required_result_multi_round":     gate.Anyone(),
	"test_input_required_result_multiple_inputs": gate.Anyone(),
	"test_input_required_result_request_state":   gate.Anyone(),
	"test_input_required_result_sampling":        gate.Anyone(),
	"test_input_required_result_tampered_state":  gate.Anyone(),
	"test_logging_tool":                          gate.Anyone(),
	"test_missing_capability":                    gate.Anyone(),
	"test_multiple_content_types":                gate.Anyone(),
	"test_reconnection":                          gate.Anyone(),
	"test_sampling":                              gate.Anyone(),
	"test_simple_text":                           gate.Anyone(),
	"test_streaming_elicitation":                 gate.Anyone(),
	"test_tool_with_logging":                     gate.Anyone(),
	"test_tool_with_progress":                    gate.Anyone(),
	"test_trigger_prompt_change":                 gate.Anyone(),
	"test_trigger_resource_update":               gate.Anyone(),
	"test_trigger_tool_change":                   gate.Anyone(),
	"test_x_mcp_header":                          gate.Anyone(),
}

// Resources says who may read which resource.
var Resources = gate.Rules{
	"test://static-binary":      gate.Anyone(),
	"test://static-text":        gate.Anyone(),
	"test://template/{id}/data": gate.Anyone(),
	"test://watched-resource":   gate.Anyone(),
}

// Prompts says who may use which prompt.
var Prompts = gate.Rules{
	"test_changing_prompt":               gate.Anyone(),
	"test_input_required_result_prompt":  gate.Anyone(),
	"test_prompt_with_arguments":         gate.Anyone(),
	"test_prompt_with_embedded_resource": gate.Anyone(),
	"test_prompt_with_image":             gate.Anyone(),
	"test_simple_prompt":                 gate.Anyone(),
}

// Server returns a new server with everything that the suite asks for. States of
// unfinished questions are sealed with a key of this server alone.
func Server() *mcp.Server {
	server := mcp.NewServer(
		&mcp.Implementation{Name: "conformance", Title: "Conformance", Version: "1.0.0"},
		&mcp.ServerOptions{
			CompletionHandler:  complete,
			SubscribeHandler:   func(context.Context, *mcp.SubscribeRequest) error { return nil }, // the SDK keeps the list
			UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
		},
	)
	addContent(server)
	addSchemas(server)
	addStreams(server)
	addQuestions(server)
	addRounds(server)
	addChanges(server)
	addResources(server)
	addPrompts(server)
	return server
}

// none are the arguments of a tool without any.
type none struct{}

// add adds a tool without arguments. An error of h that is no jsonrpc.Error
// becomes a result with isError.
func add(server *mcp.Server, name, description string, h func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error)) {
	mcp.AddTool(server, &mcp.Tool{Name: name, Description: description},
		func(ctx context.Context, req *mcp.CallToolRequest, _ none) (*mcp.CallToolResult, any, error) {
			res, err := h(ctx, req)
			return res, nil, err
		})
}

// says returns a result of one text.
func says(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}
}
