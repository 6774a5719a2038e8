package conformance

import (
	"context"
	"errors"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// redDot is a PNG of one red pixel.
var redDot = []byte("\x89PNG\r\n\x1a\n" +
	"\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90\x77\x53\xde" +
	"\x00\x00\x00\x0cIDAT\x78\x9c\x63\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef" +
	"\x00\x00\x00\x00IEND\xae\x42\x60\x82")

// silence is a WAV of no samples: one channel, 8000 a second, 16 bits each.
var silence = []byte("RIFF\x24\x00\x00\x00WAVE" +
	"fmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00" +
	"data\x00\x00\x00\x00")

// addContent adds a tool for each kind of content, and one that fails.
func addContent(server *mcp.Server) {
	image := &mcp.ImageContent{Data: redDot, MIMEType: "image/png"}
	for _, fixture := range []struct {
		name, description string
		content           []mcp.Content
	}{
		{"test_simple_text", "Returns a text.", []mcp.Content{
			&mcp.TextContent{Text: "This is a simple text response for testing."},
		}},
		{"test_image_content", "Returns a picture of one red pixel.", []mcp.Content{image}},
		{"test_audio_content", "Returns a sound of no length.", []mcp.Content{
			&mcp.AudioContent{Data: silence, MIMEType: "audio/wav"},
		}},
		{"test_embedded_resource", "Returns a resource in full.", []mcp.Content{
			embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."),
		}},
		{"test_multiple_content_types", "Returns a text, a picture and a resource.", []mcp.Content{
			&mcp.TextContent{Text: "Multiple content types test:"},
			image,
			embedded("test://mixed-content-resource", "application/json", `{"test":"data","value":123}`),
		}},
	} {
		add(server, fixture.name, fixture.description, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: fixture.content}, nil
		})
	}
	add(server, "test_error_handling", "Fails.", func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return nil, errors.New("This tool intentionally returns an error for testing")
	})
}

func embedded(uri, mimeType, text string) *mcp.EmbeddedResource {
	return &mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: uri, MIMEType: mimeType, Text: text}}
}
