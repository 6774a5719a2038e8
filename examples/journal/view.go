package journal

import (
	"context"
	_ "embed"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The page in which a client that has MCP Apps shows what view_journal and
// view_entry return (MCP Apps 2026-01-26). It is the same for everybody: the
// client puts the result in. Others ignore it, and have the text.
const (
	viewURI  = "ui://journal/view"
	viewType = "text/html;profile=mcp-app"
)

//go:embed view.html
var view string

// shownBy returns what links a tool to the page.
func shownBy() mcp.Meta {
	return mcp.Meta{"ui": map[string]any{"resourceUri": viewURI}}
}

// addView adds the page.
func addView(server *mcp.Server) {
	server.AddResource(&mcp.Resource{
		URI: viewURI, Name: "view", Title: "The journal as a page", MIMEType: viewType,
		Description: "The page in which clients with MCP Apps show entries. It is empty.",
	}, func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{Text: view,
			Meta: mcp.Meta{"ui": map[string]any{"prefersBorder": true}}}}}, nil
	})
}
