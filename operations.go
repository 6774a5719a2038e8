package foyer

import (
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/audit"
	"example.com/foyer/confirm"
	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// Operations returns what tools that change things are added with; see
// [confirm.AddTool].
func (k *Kit) Operations() *confirm.Operations { return k.operations }

// newOperations asks the gate, which is there once the kit has its handler, and
// before there is a call.
func (k *Kit) newOperations() *confirm.Operations {
	return confirm.New(confirm.Config{
		App: func() string { return k.title }, Store: k.cfg.Store, Questions: k.Questions(), Now: k.now, Log: k.cfg.Log,
		Decide: func(ctx context.Context, req mcp.Request, tool string, arguments json.RawMessage) (gate.Decision, *mcp.CallToolResult) {
			return k.gate.DecideAgain(ctx, req, tool, arguments)
		},
		Arguments: func(tool string, raw json.RawMessage) (json.RawMessage, error) { return k.gate.Arguments(tool, raw) },
		Run: func(ctx context.Context, req *mcp.CallToolRequest, tool string, arguments json.RawMessage) (mcp.Result, error) {
			return k.gate.RunTool(ctx, req, tool, arguments)
		},
		Done: func(ctx context.Context, o store.Operation) {
			k.trail.Mutation(ctx, audit.Mutation{UserID: o.UserID, Tool: o.Tool, Summary: o.Summary, Operation: o.ID})
		},
		Terms: func(tool string) string { return k.terms[tool] + " " + k.cfg.Tools[tool].String() },
	})
}
