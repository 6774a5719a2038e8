package mcpgate

import (
	"context"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/audit"
	"example.com/foyer/gate"
	"example.com/foyer/store"
)

var outcomes = map[gate.Outcome]string{gate.Allow: store.OutcomeAllow, gate.Challenge: store.OutcomeChallenge, gate.Confirm: store.OutcomeConfirm, gate.Deny: store.OutcomeDeny}

// note has the trail record what was decided about a message. What everybody may
// do is not recorded, nor what a stranger is refused, nor that somebody may use
// the kit's own tools, which have events of their own.
func (g *Gate) note(c carried, method string, r ruling) {
	if g.Trail == nil || c.caller.GrantID == "" {
		return
	}
	if r.decision.Outcome == gate.Allow && (g.Items.table(r.kind)[r.item].IsOpen() || slices.Contains(g.Own, r.item)) {
		return
	}
	e := store.Event{At: c.caller.At, Kind: store.EventDecided, Request: c.request, GrantID: c.caller.GrantID, ClientID: c.asker.ClientID,
		UserID: c.caller.UserID, GuestID: c.caller.GuestID, Level: c.caller.Level, Item: string(r.kind), Method: method,
		Outcome: outcomes[r.decision.Outcome], Reason: string(r.decision.Reason), Scopes: r.decision.Scopes, Roles: r.decision.Roles}
	if r.item != "" { // and never the name that the caller has sent
		e.Item += " " + r.item
	}
	g.Trail.Note(e)
}

// run has the server answer what is allowed, and tells the hook of a call.
func (g *Gate) run(ctx context.Context, c carried, method string, req mcp.Request, next mcp.MethodHandler, r ruling) (res mcp.Result, err error) {
	if method == "tools/call" && g.Trail != nil && g.Trail.WantsToolCalls() {
		call := audit.ToolCall{UserID: c.caller.UserID, GrantID: c.caller.GrantID, Tool: r.item, Outcome: "error"} // also where it panics
		defer func() {
			if result, ok := res.(*mcp.CallToolResult); ok && err == nil && !result.IsError {
				call.Outcome = "ok"
			}
			g.Trail.ToolCalled(call)
		}()
	}
	return next(ctx, method, req)
}
