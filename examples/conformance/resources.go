package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const watchedURI = "test://watched-resource"

// addResources adds the resources, and the tool that changes the one that a
// client watches.
func addResources(server *mcp.Server) {
	server.AddResource(&mcp.Resource{
		URI: "test://static-text", Name: "static-text", Title: "Static text", MIMEType: "text/plain", Description: "A text that never changes.",
	}, func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return contents(mcp.ResourceContents{Text: "This is the content of the static text resource."}), nil
	})
	server.AddResource(&mcp.Resource{
		URI: "test://static-binary", Name: "static-binary", Title: "Static binary", MIMEType: "image/png", Description: "A picture of one red pixel.",
	}, func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return contents(mcp.ResourceContents{Blob: redDot}), nil
	})
	server.AddResourceTemplate(&mcp.ResourceTemplate{
		URITemplate: "test://template/{id}/data", Name: "template", Title: "Template", MIMEType: "application/json", Description: "A record for each id.",
	}, readRecord)

	var updates atomic.Int64
	server.AddResource(&mcp.Resource{
		URI: watchedURI, Name: "watched-resource", Title: "Watched resource", MIMEType: "text/plain",
		Description: "A text that changes when test_trigger_resource_update is called.",
	}, func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return contents(mcp.ResourceContents{Text: fmt.Sprintf("Update %d.", updates.Load())}), nil
	})
	add(server, "test_trigger_resource_update", "Updates "+watchedURI+".", func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		updates.Add(1)
		// The context is nobody's: the news goes to the streams of all who subscribed, not to that of this call.
		err := server.ResourceUpdated(context.Background(), &mcp.ResourceUpdatedNotificationParams{URI: watchedURI})
		return says("Updated."), err
	})
}

func readRecord(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	id := strings.TrimSuffix(strings.TrimPrefix(req.Params.URI, "test://template/"), "/data")
	id, err := url.PathUnescape(id)
	if err != nil || id == "" {
		return nil, mcp.ResourceNotFoundError(req.Params.URI)
	}
	text, err := json.Marshal(struct {
		ID           string `json:"id"`
		TemplateTest bool   `json:"templateTest"`
		Data         string `json:"data"`
	}{id, true, "Data for ID: " + id})
	if err != nil {
		return nil, err
	}
	return contents(mcp.ResourceContents{Text: string(text)}), nil
}

// contents returns a result of one part. The SDK fills in its URI and type.
func contents(c mcp.ResourceContents) *mcp.ReadResourceResult {
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{&c}}
}
