package mcpgate

import (
	"context"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Running is the context of a call in sdk that comes now.
func (g *Gate) Running(ctx context.Context, sdk *mcp.ServerSession) context.Context {
	ctx, _ = g.live.running(ctx, sdk)
	return ctx
}

// StreamLater lets a caller without a token into a session, and has its stream
// opened later.
func (g *Gate) StreamLater(id, resource string) (open func() context.Context) {
	c := carried{endpoint: Endpoint{Resource: resource}}
	s := g.live.enter(id, c, g.Now())
	return func() context.Context {
		ctx, cancel := context.WithCancel(context.Background())
		st := newStream(s.sdk, c, cancel)
		st.session = s
		g.live.open(st)
		return ctx
	}
}
