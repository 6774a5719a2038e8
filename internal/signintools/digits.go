package signintools

import (
	"context"
	_ "embed"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// DigitsURI names the page in which a client with MCP Apps (2026-01-26) asks for
// the mailed digits. They go from it to validate_token without passing through
// the model. Others ignore it: the text of authenticate is enough.
const DigitsURI = "ui://foyer/one-time-code"

//go:embed digits.html
var digitsPage string

// addDigits adds the page. It is the same for everybody, and empty: the client
// puts in what authenticate returned.
func addDigits(server *mcp.Server) {
	server.AddResource(&mcp.Resource{
		URI: DigitsURI, Name: "one-time-code", Title: "One-time code", MIMEType: "text/html;profile=mcp-app",
		Description: "The field in which clients with MCP Apps ask for the digits that authenticate mails.",
	}, func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{Text: digitsPage,
			Meta: mcp.Meta{"ui": map[string]any{"prefersBorder": true}}}}}, nil
	})
}
