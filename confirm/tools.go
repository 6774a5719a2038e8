package confirm

import (
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/elicit"
	"example.com/foyer/gate"
	"example.com/foyer/internal/operation"
	"example.com/foyer/internal/words"
)

// Rules of the kit's own tools: whoever has a grant may call them. What they do is
// decided about by the rule of the tool that is confirmed.
func Rules() gate.Rules {
	rules := gate.Rules{}
	for _, name := range Names {
		rules[name] = gate.AnyGrant()
	}
	return rules
}

// Add adds confirm_request, operation_status and cancel_request to server.
func (o *Operations) Add(server *mcp.Server) {
	elicit.AddRawTool(o.cfg.Questions, server, confirmTool(), o.confirm)
	server.AddTool(statusTool(), func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return o.status(ctx, req), nil
	})
	server.AddTool(cancelTool(), func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return o.cancel(ctx, req), nil
	})
}

func confirmTool() *mcp.Tool {
	return &mcp.Tool{Name: words.ConfirmRequest, Title: "Confirm", Description: words.ConfirmDescription, InputSchema: json.RawMessage(
		`{"type":"object","additionalProperties":false,"required":["confirmationToken"],"properties":{` +
			`"confirmationToken":{"type":"string","maxLength":64,"description":"The confirmationToken of the preview."},` +
			`"idempotencyKey":{"type":"string","maxLength":255,"description":"May be left out. A key of your own for this one thing: use it again only to ask again for the same."}}}`),
		OutputSchema: answerSchema, Annotations: &mcp.ToolAnnotations{Title: "Confirm", DestructiveHint: new(true), IdempotentHint: true, OpenWorldHint: new(true)}}
}

func statusTool() *mcp.Tool {
	return &mcp.Tool{Name: words.OperationStatus, Title: "What came of it", Description: words.StatusDescription, InputSchema: json.RawMessage(
		`{"type":"object","additionalProperties":false,"properties":{` +
			`"confirmationToken":{"type":"string","maxLength":64,"description":"The confirmationToken of the preview. Without it, everything that waits for a confirmation is listed."}}}`),
		OutputSchema: answerSchema, Annotations: &mcp.ToolAnnotations{Title: "What came of it", ReadOnlyHint: true, OpenWorldHint: new(false)}}
}

func cancelTool() *mcp.Tool {
	return &mcp.Tool{Name: words.CancelRequest, Title: "Do not do it", Description: words.CancelDescription, InputSchema: json.RawMessage(
		`{"type":"object","additionalProperties":false,"required":["confirmationToken"],"properties":{` +
			`"confirmationToken":{"type":"string","maxLength":64,"description":"The confirmationToken of the preview."}}}`),
		OutputSchema: answerSchema, Annotations: &mcp.ToolAnnotations{Title: "Do not do it", DestructiveHint: new(false), IdempotentHint: true, OpenWorldHint: new(false)}}
}

// status tells what came of an operation, or what waits for a confirmation. It does
// nothing.
func (o *Operations) status(ctx context.Context, req *mcp.CallToolRequest) *mcp.CallToolResult {
	var in confirmation
	if len(req.Params.Arguments) > 0 && json.Unmarshal(req.Params.Arguments, &in) != nil {
		return refused(words.TokenMissing)
	}
	c := gate.CallerFrom(ctx)
	if in.Token == "" {
		return o.list(ctx, c)
	}
	op, err := o.rules.Find(ctx, in.Token, operation.WhoIs(c))
	switch {
	case err != nil:
		return o.told(ctx, words.OperationStatus, err)
	case op.State != operation.Previewed:
		t := o.known(op.Tool)
		if t == nil {
			return o.outcome(op)
		}
		return o.outcome(o.reconciled(ctx, t, op))
	}
	need := gate.ByModel
	if d, refusal := o.cfg.Decide(ctx, req, op.Tool, op.Arguments); refusal == nil {
		need = max(d.Confirm, need)
	}
	if gate.Confirmation(op.Confirmed) >= need {
		need = gate.ByModel // what is left
	}
	return o.show(op, c, need, "preview")
}

// list tells what waits for a confirmation.
func (o *Operations) list(ctx context.Context, c gate.Caller) *mcp.CallToolResult {
	open, err := o.rules.Open(ctx, operation.WhoIs(c))
	if err != nil {
		return o.told(ctx, words.OperationStatus, err)
	}
	a := answer{Status: "open", Open: []answer{}}
	var summaries []string
	for _, op := range open {
		a.Open = append(a.Open, answer{Status: "preview", Tool: op.Tool, Summary: op.Summary, Token: op.ID, ExpiresIn: words.Seconds(o.rules.Left(op))})
		summaries = append(summaries, op.Summary)
	}
	return a.result(words.OpenOperations(summaries), false)
}

// cancel ends what was not confirmed yet.
func (o *Operations) cancel(ctx context.Context, req *mcp.CallToolRequest) *mcp.CallToolResult {
	var in confirmation
	if json.Unmarshal(req.Params.Arguments, &in) != nil || in.Token == "" {
		return refused(words.TokenMissing)
	}
	op, err := o.rules.Cancel(ctx, in.Token, operation.WhoIs(gate.CallerFrom(ctx)))
	if err != nil {
		return o.told(ctx, words.CancelRequest, err)
	}
	if op.State == operation.Cancelled {
		return answer{Status: operation.Cancelled, Tool: op.Tool, Summary: op.Summary}.result(words.CancelledBefore(op.Summary), false)
	}
	return o.outcome(op)
}
