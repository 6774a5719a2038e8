package conformance

//lint:file-ignore SA1019 older revisions of the protocol have sampling

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const defaultFields = `
	"name": {"type": "string", "description": "Name", "default": "John Doe"},
	"age": {"type": "integer", "description": "Age", "default": 30},
	"score": {"type": "number", "description": "Score", "default": 95.5},
	"status": {"type": "string", "description": "Status", "enum": ["active", "inactive", "pending"], "default": "active"},
	"verified": {"type": "boolean", "description": "Verified", "default": true}`

const (
	options    = `["option1", "option2", "option3"]`
	titles     = `[{"const": "value1", "title": "First Option"}, {"const": "value2", "title": "Second Option"}, {"const": "value3", "title": "Third Option"}]`
	enumFields = `
	"untitledSingle": {"type": "string", "enum": ` + options + `},
	"titledSingle": {"type": "string", "oneOf": ` + titles + `},
	"legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option One", "Option Two", "Option Three"]},
	"untitledMulti": {"type": "array", "items": {"type": "string", "enum": ` + options + `}},
	"titledMulti": {"type": "array", "items": {"anyOf": ` + titles + `}}`
)

const userFields = `
	"username": {"type": "string", "description": "User's response"},
	"email": {"type": "string", "description": "User's email address"}`

type (
	prompt struct {
		Prompt string `json:"prompt"`
	}
	message struct {
		Message string `json:"message"`
	}
)

// addQuestions adds tools that ask the client one thing. They return what they
// need as an input_required result; for revisions before 2026-07-28 the SDK turns
// it into requests to the client.
func addQuestions(server *mcp.Server) {
	mcp.AddTool(server, &mcp.Tool{
		Name: "test_sampling", Description: "Asks the client's model.",
		InputSchema: object(`"prompt": {"type": "string", "description": "The prompt to send to the LLM"}`, "prompt"),
	}, func(_ context.Context, req *mcp.CallToolRequest, in prompt) (*mcp.CallToolResult, any, error) {
		if !hasSampling(req) {
			return nil, nil, missing("sampling")
		}
		if text, ok := sampled(req, "answer"); ok {
			return says("LLM response: " + text), nil, nil
		}
		return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"answer": sampling(in.Prompt, 100)}}, nil, nil
	})
	mcp.AddTool(server, &mcp.Tool{
		Name: "test_elicitation", Description: "Asks the user.",
		InputSchema: object(`"message": {"type": "string", "description": "The message to show the user"}`, "message"),
	}, func(_ context.Context, req *mcp.CallToolRequest, in message) (*mcp.CallToolResult, any, error) {
		res, err := elicit(req, "User response:", form(in.Message, userFields, "username", "email"))
		return res, nil, err
	})
	for _, fixture := range []struct{ name, description, fields string }{
		{"test_elicitation_sep1034_defaults", "Asks the user, with a default for each field.", defaultFields},
		{"test_elicitation_sep1330_enums", "Asks the user to choose, in each way there is.", enumFields},
	} {
		add(server, fixture.name, fixture.description, func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return elicit(req, "Elicitation completed:", form("Please fill in the form.", fixture.fields))
		})
	}
	add(server, "test_missing_capability", "Refuses a client without sampling.", func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		if !hasSampling(req) {
			return nil, missing("sampling")
		}
		return says("The client has sampling."), nil
	})
}

// elicit asks with the form, and tells afterwards what came.
func elicit(req *mcp.CallToolRequest, lead string, form *mcp.ElicitParams) (*mcp.CallToolResult, error) {
	if caps := req.ClientCapabilities(); caps == nil || caps.Elicitation == nil {
		return nil, missing("elicitation")
	}
	answer, ok := req.Params.InputResponses["form"].(*mcp.ElicitResult)
	if !ok {
		return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"form": form}}, nil
	}
	content, err := json.Marshal(answer.Content)
	if err != nil {
		return nil, err
	}
	return says(fmt.Sprintf("%s action=%s, content=%s", lead, answer.Action, content)), nil
}

func hasSampling(req *mcp.CallToolRequest) bool {
	caps := req.ClientCapabilities()
	return caps != nil && caps.Sampling != nil
}

// missing refuses a client that did not declare the capability.
func missing(capability string) error {
	return &jsonrpc.Error{
		Code:    mcp.CodeMissingRequiredClientCapabilities,
		Message: "this tool needs the client capability " + capability,
		Data:    json.RawMessage(`{"requiredCapabilities":{"` + capability + `":{}}}`),
	}
}

// form returns a form of the given fields, which are members of a JSON object.
func form(message, fields string, required ...string) *mcp.ElicitParams {
	return &mcp.ElicitParams{Mode: "form", Message: message, RequestedSchema: object(fields, required...)}
}

// object returns the schema of an object.
func object(fields string, required ...string) json.RawMessage {
	if len(required) == 0 {
		return json.RawMessage(`{"type": "object", "properties": {` + fields + `}}`)
	}
	names, _ := json.Marshal(required) // strings always can be
	return json.RawMessage(`{"type": "object", "properties": {` + fields + `}, "required": ` + string(names) + `}`)
}

func sampling(text string, maxTokens int64) *mcp.CreateMessageParams {
	return &mcp.CreateMessageParams{
		Messages:  []*mcp.SamplingMessage{{Role: "user", Content: &mcp.TextContent{Text: text}}},
		MaxTokens: maxTokens,
	}
}
