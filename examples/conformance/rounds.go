package conformance

//lint:file-ignore SA1019 older revisions of the protocol have sampling and roots

import (
	"context"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

const (
	nameField  = `"name": {"type": "string"}`
	colorField = `"color": {"type": "string"}`
	okField    = `"ok": {"type": "boolean"}`
)

// addRounds adds tools that come to their result in several calls (SEP-2322).
// Whatever is missing or misshapen in an answer is asked for again.
func addRounds(server *mcp.Server) {
	r := rounds{states: newSealer()}
	add(server, "test_input_required_result_elicitation", "Asks the user for a name.", r.name)
	add(server, "test_input_required_result_sampling", "Asks the client's model for a capital.", r.capital)
	add(server, "test_input_required_result_list_roots", "Asks the client for its roots.", r.roots)
	add(server, "test_input_required_result_multiple_inputs", "Asks for three things at once.", r.three)
	add(server, "test_input_required_result_multi_round", "Asks for two things, one after the other.", r.twice)
	add(server, "test_input_required_result_request_state", "Asks for a confirmation, and wants its state back.", r.confirm)
	add(server, "test_input_required_result_tampered_state", "Asks for a confirmation, and refuses a state that is not its own.", r.confirm)
	add(server, "test_input_required_result_capabilities", "Asks for what the client can answer.", r.capable)
}

type rounds struct{ states sealer }

func (rounds) name(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if name, ok := typed[string](req.Params.InputResponses, "user_name", "name"); ok {
		return says("Hello, " + name + "!"), nil
	}
	return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"user_name": askName()}}, nil
}

func (rounds) capital(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if text, ok := sampled(req, "capital_question"); ok {
		return says("The model says: " + text), nil
	}
	return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"capital_question": sampling("What is the capital of France?", 100)}}, nil
}

func (rounds) roots(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	listed, ok := req.Params.InputResponses["client_roots"].(*mcp.ListRootsResult)
	if !ok {
		return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"client_roots": &mcp.ListRootsParams{}}}, nil
	}
	var uris []string
	for _, root := range listed.Roots {
		if root != nil {
			uris = append(uris, root.URI)
		}
	}
	return says(fmt.Sprintf("%d roots: %s", len(uris), strings.Join(uris, ", "))), nil
}

// three asks for three things at once, and takes only the three together with a
// state that proves that they were asked for.
func (r rounds) three(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	_, asked, err := r.state(ctx, req)
	if err != nil {
		return nil, err
	}
	name, named := typed[string](req.Params.InputResponses, "user_name", "name")
	greeting, greeted := sampled(req, "greeting")
	listed, hasRoots := req.Params.InputResponses["client_roots"].(*mcp.ListRootsResult)
	if asked && named && greeted && hasRoots {
		return says(fmt.Sprintf("%s %s! You have %d roots.", greeting, name, len(listed.Roots))), nil
	}
	return r.ask(ctx, req, state{Round: 1}, mcp.InputRequestMap{
		"user_name":    askName(),
		"greeting":     sampling("Generate a greeting", 50),
		"client_roots": &mcp.ListRootsParams{},
	})
}

// twice asks for a name, and then for a color. What is known so far is in the
// state, and nowhere else.
func (r rounds) twice(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	st, _, err := r.state(ctx, req)
	if err != nil {
		return nil, err
	}
	if st.Round == 1 {
		if name, ok := typed[string](req.Params.InputResponses, "step1", "name"); ok {
			st = state{Round: 2, Name: name}
		}
	} else if st.Round == 2 {
		if color, ok := typed[string](req.Params.InputResponses, "step2", "color"); ok {
			return says(fmt.Sprintf("%s likes %s.", st.Name, color)), nil
		}
	}
	if st.Round == 2 {
		return r.ask(ctx, req, st, mcp.InputRequestMap{"step2": form("Step 2: What is your favorite color?", colorField, "color")})
	}
	return r.ask(ctx, req, state{Round: 1}, mcp.InputRequestMap{"step1": form("Step 1: What is your name?", nameField, "name")})
}

// confirm takes an answer only with the state of its question: an answer that
// comes by itself is asked for.
func (r rounds) confirm(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	_, asked, err := r.state(ctx, req)
	if err != nil {
		return nil, err
	}
	if ok, answered := typed[bool](req.Params.InputResponses, "confirm", "ok"); asked && answered {
		return says(fmt.Sprintf("state-ok: the answer is %t.", ok)), nil
	}
	return r.ask(ctx, req, state{Round: 1}, mcp.InputRequestMap{"confirm": form("Please confirm", okField, "ok")})
}

func (rounds) capable(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if len(req.Params.InputResponses) > 0 {
		return says(fmt.Sprintf("%d answers came.", len(req.Params.InputResponses))), nil
	}
	questions := mcp.InputRequestMap{}
	if caps := req.ClientCapabilities(); caps != nil {
		if caps.Elicitation != nil {
			questions["user_name"] = askName()
		}
		if caps.Sampling != nil {
			questions["greeting"] = sampling("Generate a greeting", 50)
		}
		if caps.RootsV2 != nil {
			questions["client_roots"] = &mcp.ListRootsParams{}
		}
	}
	if len(questions) == 0 {
		return says("There is nothing that the client could be asked."), nil
	}
	return &mcp.CallToolResult{InputRequests: questions}, nil
}

// ask returns questions, and st sealed for the same caller and tool.
func (r rounds) ask(ctx context.Context, req *mcp.CallToolRequest, st state, questions mcp.InputRequestMap) (*mcp.CallToolResult, error) {
	sealed, err := r.states.seal(st, gate.CallerFrom(ctx).Owner(), req.Params.Name)
	return &mcp.CallToolResult{InputRequests: questions, RequestState: sealed}, err
}

// state opens the state of req, and reports whether there is one.
func (r rounds) state(ctx context.Context, req *mcp.CallToolRequest) (st state, asked bool, err error) {
	if req.Params.RequestState == "" {
		return state{}, false, nil
	}
	st, err = r.states.open(req.Params.RequestState, gate.CallerFrom(ctx).Owner(), req.Params.Name)
	if err != nil {
		return state{}, false, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: err.Error()}
	}
	return st, true, nil
}

func askName() *mcp.ElicitParams { return form("What is your name?", nameField, "name") }

// typed returns a field of the form called key, if the user accepted it and the
// field has the type that was asked for: answers come unchecked.
func typed[T comparable](answers mcp.InputResponseMap, key, field string) (value T, ok bool) {
	answer, isForm := answers[key].(*mcp.ElicitResult)
	if !isForm || answer.Action != "accept" {
		return value, false
	}
	value, ok = answer.Content[field].(T)
	return value, ok
}

// sampled returns the text that the client's model answered to the question key.
func sampled(req *mcp.CallToolRequest, key string) (text string, ok bool) {
	var parts []string
	answer, isMessage := req.Params.InputResponses[key].(*mcp.CreateMessageWithToolsResult)
	if !isMessage {
		return "", false
	}
	for _, part := range answer.Content {
		if text, isText := part.(*mcp.TextContent); isText {
			parts = append(parts, text.Text)
		}
	}
	return strings.Join(parts, "\n"), len(parts) > 0
}
