package mcpgate

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/signin"
	"example.com/foyer/store"
)

// Middleware asks the rules about what the SDK has decoded, and is the
// authority: the handler in front can only refuse more.
func (g *Gate) Middleware(next mcp.MethodHandler) mcp.MethodHandler {
	g.receive = next
	return func(ctx context.Context, method string, req mcp.Request) (res mcp.Result, err error) {
		defer g.recover(ctx, method, &res, &err)
		c := carriedBy(req)
		ctx = store.WithRequest(signin.WithAsker(gate.WithCaller(ctx, c.caller), c.asker), c.request)
		sdk, inSession := req.GetSession().(*mcp.ServerSession)
		if inSession = inSession && sdk.ID() != ""; inSession && method != "initialize" {
			var done func()
			ctx, done = g.live.running(ctx, sdk)
			defer done()
		}
		switch classOf(method) {
		case touching:
			return g.call(ctx, c, method, req, next)
		case listening:
			if inSession {
				break // which has a stream of its own
			}
			return g.listen(ctx, c, req, next)
		case listing:
			return g.list(ctx, c, func() (mcp.Result, error) { return next(ctx, method, req) }, req)
		case greeting:
			res, err := next(ctx, method, req)
			if err != nil {
				return nil, err
			}
			return g.greet(c, req, res), nil
		case harmless:
			return next(ctx, method, req)
		}
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: fmt.Sprintf("method not found: %q", method)}
	}
}

// recover answers a call whose handler panicked. The SDK runs handlers outside
// of the request's goroutine, so that nobody else would, and the server would
// end for everyone. The value may hold a secret: its type is logged, not it.
func (g *Gate) recover(ctx context.Context, method string, res *mcp.Result, err *error) {
	v := recover()
	if v == nil {
		return
	}
	g.Log.ErrorContext(ctx, "panic", "method", method, "type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
	*res, *err = nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "the server failed; try again in a moment"}
}

// A class is what the gate does with a method.
type class int

const (
	unheard   class = iota // refused: nobody has said which rule it comes under
	touching               // asks the rules of the items that it touches
	listening              // asks them for each, and leaves some out
	listing                // likewise
	greeting               // is told how a guest gets in
	harmless               // touches no item
)

func classOf(method string) class {
	switch method {
	case "tools/call", "prompts/get", "resources/read", "resources/subscribe", "resources/unsubscribe", "completion/complete":
		return touching
	case "subscriptions/listen":
		return listening
	case "tools/list", "prompts/list", "resources/list", "resources/templates/list":
		return listing
	case "initialize", "server/discover":
		return greeting
	case "ping", "logging/setLevel",
		"notifications/cancelled", "notifications/initialized", "notifications/progress", "notifications/roots/list_changed":
		return harmless
	}
	return unheard
}

// ofItsEra reports whether the versions from 2026-07-28 on, or those before it,
// have method (MCP 2026-07-28, changelog). The rule of what another era's method
// names is nothing to tell.
func ofItsEra(method string, modern bool) bool {
	switch method {
	case "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe":
		return !modern
	case "subscriptions/listen", "server/discover":
		return modern
	}
	return true
}

// call lets through what is allowed.
func (g *Gate) call(ctx context.Context, c carried, method string, req mcp.Request, next mcp.MethodHandler) (mcp.Result, error) {
	m, ok := decoded(method, req)
	if !ok {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "params are missing"}
	}
	rule := g.rule(ctx, c, m)
	g.note(c, method, rule)
	ref := rule.refused()
	switch {
	case ref == nil && (method == "resources/subscribe" || method == "resources/unsubscribe"):
		return g.subscription(ctx, method, req, next)
	case ref == nil && rule.decision.Outcome == gate.Confirm && method == "tools/call":
		return g.confirm(ctx, rule.decision, req, func() (mcp.Result, error) { return g.run(ctx, c, method, req, next, rule) })
	case ref == nil:
		if err := g.settle(m, req); err != nil {
			return nil, err
		}
		res, err := g.run(ctx, c, method, req, next, rule)
		if read, ok := res.(*mcp.ReadResourceResult); ok && err == nil {
			private(&read.Cacheable)
		}
		return res, err
	case ref.decision.Reason == gate.Unknown || ref.kind != tool || method != "tools/call":
		return nil, g.rpcError(c.caller, *ref)
	}
	res := g.result(c, *ref)
	if call, ok := req.(*mcp.CallToolRequest); ok && call.ProtocolVersion() >= "2026-07-28" {
		return complete(res)
	}
	return res, nil
}

// settle hands the tool the very arguments that its rule was asked about, with
// defaults, so that there is no second way to read them.
func (g *Gate) settle(m message, req mcp.Request) error {
	p, ok := req.GetParams().(*mcp.CallToolParamsRaw)
	if !ok || !g.asksArguments(tool, m.Params.Name) {
		return nil
	}
	q, _ := ask(m)
	values, err := item{name: q.name, input: g.Items.inputs[q.name]}.arguments(q)
	if err != nil {
		return err
	}
	p.Arguments, err = json.Marshal(values)
	return err
}

// decoded returns what the SDK read, as the message that the rules are asked
// about.
func decoded(method string, req mcp.Request) (m message, ok bool) {
	m.Method = method
	switch p := req.GetParams().(type) {
	case *mcp.CallToolParamsRaw:
		if ok = p != nil; ok {
			m.Params.Name, m.Params.Arguments = p.Name, p.Arguments
		}
	case *mcp.GetPromptParams:
		if ok = p != nil; ok {
			m.Params.Name = p.Name
			m.Params.Arguments, _ = json.Marshal(p.Arguments) // strings are JSON
		}
	case *mcp.ReadResourceParams:
		if ok = p != nil; ok {
			m.Params.URI = p.URI
		}
	case *mcp.SubscribeParams:
		if ok = p != nil; ok {
			m.Params.URI = p.URI
		}
	case *mcp.UnsubscribeParams:
		if ok = p != nil; ok {
			m.Params.URI = p.URI
		}
	case *mcp.CompleteParams:
		if ok = p != nil && p.Ref != nil; ok {
			m.Params.Ref.Type, m.Params.Ref.Name, m.Params.Ref.URI = p.Ref.Type, p.Ref.Name, p.Ref.URI
		}
	}
	return m, ok
}
