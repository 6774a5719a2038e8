package mcpgate

import (
	"context"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// subscriptions is how many resources a session, or a subscriptions/listen, may
// be subscribed to at once. The SDK goes through those of everybody whenever a
// session ends, which one of its own for each request of 2026-07-28 does.
const subscriptions = 256

func tooManySubscriptions() error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: fmt.Sprintf("at most %d resources can be subscribed to at once: unsubscribe from some", subscriptions)}
}

// subscription lets a session subscribe to a resource, or unsubscribe, and
// remembers what is to be taken back when the session ends: the SDK forgets a
// URI only when somebody unsubscribes from it. A request that stands for itself
// is a session that ends with it.
func (g *Gate) subscription(ctx context.Context, method string, req mcp.Request, next mcp.MethodHandler) (mcp.Result, error) {
	sdk, ok := req.GetSession().(*mcp.ServerSession)
	m, _ := decoded(method, req)
	if !ok || method != "resources/subscribe" {
		res, err := next(ctx, method, req)
		if err == nil && ok {
			g.live.unsubscribed(sdk, m.Params.URI)
		}
		return res, err
	}
	alone := sdk.ID() == ""
	fresh, fits := g.live.subscribes(sdk, m.Params.URI, gate.CallerFrom(ctx).Owner())
	if !alone && !fits {
		return nil, tooManySubscriptions()
	}
	res, err := next(ctx, method, req)
	switch {
	case err == nil && alone:
		g.takeBack(ctx, sdk, m.Params.URI)
	case err != nil && fresh:
		g.live.unsubscribed(sdk, m.Params.URI)
	}
	return res, err
}

// subscribes notes that owner subscribes to uri in the session of sdk, if the
// session may, and whether it had not before.
func (l *live) subscribes(sdk *mcp.ServerSession, uri, owner string) (fresh, fits bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sessions[sdk.ID()]
	if s == nil {
		return false, false
	}
	_, before := s.subscribed[uri]
	if !before && len(s.subscribed) >= subscriptions {
		return false, false
	}
	s.subscribed[uri] = owner
	return !before, true
}

func (l *live) unsubscribed(sdk *mcp.ServerSession, uri string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.sessions[sdk.ID()]; s != nil {
		delete(s.subscribed, uri)
	}
}

// over ends what the SDK has of s, and takes back what s has subscribed to.
func (g *Gate) over(s *session) {
	_ = s.sdk.Close() // an error says that it is closed
	g.live.mu.Lock()
	ctx := gate.WithCaller(context.Background(), s.caller)
	g.live.mu.Unlock()
	for uri := range s.subscribed {
		g.takeBack(ctx, s.sdk, uri)
	}
}

// takeBack unsubscribes the session of sdk from uri, behind all requests.
func (g *Gate) takeBack(ctx context.Context, sdk *mcp.ServerSession, uri string) {
	const method = "resources/unsubscribe"
	var res mcp.Result
	var err error
	defer g.recover(ctx, method, &res, &err)
	res, err = g.receive(context.WithoutCancel(ctx), method, &mcp.ServerRequest[*mcp.UnsubscribeParams]{Session: sdk, Params: &mcp.UnsubscribeParams{URI: uri}, Extra: &mcp.RequestExtra{}})
	if err != nil {
		g.Log.ErrorContext(ctx, "fault", "about", "a subscription of a session that is over", "err", err)
	}
}
