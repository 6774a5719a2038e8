package mcpgate

import (
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/internal/words"
)

// greet answers the first request of a client: a session that it opens is its
// caller's, and a guest is told how to get in.
func (g *Gate) greet(c carried, req mcp.Request, res mcp.Result) mcp.Result {
	switch res := res.(type) {
	case *mcp.InitializeResult:
		if sdk, ok := req.GetSession().(*mcp.ServerSession); ok && sdk.ID() != "" {
			g.opened(sdk, c, res.ProtocolVersion)
		}
		own := *res
		own.Instructions = instructions(c, own.Instructions)
		return &own
	case *mcp.DiscoverResult:
		own := *res
		private(&own.Cacheable) // an endpoint that wants a token has nothing public
		own.Instructions = instructions(c, own.Instructions)
		return &own
	}
	return res
}

// instructions adds to the server's own how a guest signs in, which takes a
// token.
func instructions(c carried, own string) string {
	switch {
	case c.caller.GrantID == "":
		return own
	case own == "":
		return words.Instructions
	}
	return own + "\n\n" + words.Instructions
}
