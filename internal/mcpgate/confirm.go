package mcpgate

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/words"
)

// Confirm answers the first call of a tool that is confirmed: with what it would
// do. run has the tool's own handler answer, which it may only where that one does
// nothing yet.
type Confirm func(ctx context.Context, req *mcp.CallToolRequest, d gate.Decision, run func() (mcp.Result, error)) (mcp.Result, error)

var errUnconfirmed = errors.New("this server cannot have a call confirmed; tell the user")

// confirm lets nothing run that has to be confirmed.
func (g *Gate) confirm(ctx context.Context, d gate.Decision, req mcp.Request, run func() (mcp.Result, error)) (mcp.Result, error) {
	call, ok := req.(*mcp.CallToolRequest)
	if !ok || g.Confirm == nil {
		return nil, errUnconfirmed
	}
	return g.Confirm(ctx, call, d, run)
}

// DecideAgain decides about a call of the tool called name that comes by another
// request of its caller, as if it came by itself, and now: since that request
// began, its user may have been asked something for minutes. What does not pass is
// answered by refusal.
func (g *Gate) DecideAgain(ctx context.Context, req mcp.Request, name string, arguments json.RawMessage) (d gate.Decision, refusal *mcp.CallToolResult) {
	c, err := g.anew(ctx, carriedBy(req))
	if err != nil {
		return gate.Decision{Outcome: gate.Deny, Reason: gate.Policy}, &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: words.BadToken}}}
	}
	m := message{Method: "tools/call"}
	m.Params.Name, m.Params.Arguments = name, arguments
	r := g.rule(ctx, c, m)
	g.note(c, m.Method, r)
	if ref := r.refused(); ref != nil {
		return r.decision, g.result(c, *ref)
	}
	return r.decision, nil
}

// anew is c as it is now, of whom nothing is decided yet.
func (g *Gate) anew(ctx context.Context, c carried) (carried, error) {
	c.decided = nil
	if c.caller.GrantID == "" {
		return c, nil
	}
	b, err := g.Grants.Look(ctx, c.asker.Access, c.endpoint.Resource)
	if err == nil {
		c.caller = g.caller(b)
	}
	return c, err
}

// RunTool has a tool answer a call that was decided about, and confirmed, without
// asking anybody again.
func (g *Gate) RunTool(ctx context.Context, req *mcp.CallToolRequest, name string, arguments json.RawMessage) (mcp.Result, error) {
	return g.receive(ctx, "tools/call", &mcp.CallToolRequest{Session: req.Session, Params: &mcp.CallToolParamsRaw{Name: name, Arguments: arguments}, Extra: req.Extra})
}

// Arguments returns those of a call as its tool gets them: they fit its schema,
// and have its defaults. The error says why they do not.
func (g *Gate) Arguments(name string, raw json.RawMessage) (json.RawMessage, error) {
	values, err := item{name: name, input: g.Items.inputs[name]}.arguments(question{kind: tool, name: name, arguments: raw})
	if err != nil {
		return nil, err
	}
	return json.Marshal(values)
}
