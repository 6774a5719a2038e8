package conformance

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// contactSchema has the keywords of JSON Schema 2020-12 that must reach the
// client unchanged (SEP-1613, SEP-2106). It is the suite's own, word by word.
const contactSchema = `{
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"type": "object",
	"$defs": {
		"address": {
			"$anchor": "addressDef",
			"type": "object",
			"properties": {"street": {"type": "string"}, "city": {"type": "string"}}
		}
	},
	"properties": {
		"name": {"type": "string"},
		"address": {"$ref": "#/$defs/address"},
		"contactMethod": {"type": "string", "enum": ["phone", "email"]},
		"phone": {"type": "string"},
		"email": {"type": "string"}
	},
	"allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
	"if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
	"then": {"required": ["phone"]},
	"else": {"required": ["email"]},
	"additionalProperties": false
}`

// regionSchema repeats an argument in the header Mcp-Param-Region (SEP-2243).
const regionSchema = `{
	"type": "object",
	"properties": {
		"region": {"type": "string", "description": "Repeated in a header.", "x-mcp-header": "Region"},
		"level": {"type": "integer", "description": "Not repeated."}
	}
}`

type region struct {
	Region string `json:"region"`
	Level  int    `json:"level"`
}

// addSchemas adds tools whose input schemas are what is tested.
func addSchemas(server *mcp.Server) {
	mcp.AddTool(server, &mcp.Tool{
		Name: "json_schema_2020_12_tool", Description: "Takes a contact, whose schema is JSON Schema 2020-12.",
		InputSchema: json.RawMessage(contactSchema),
	}, func(_ context.Context, _ *mcp.CallToolRequest, contact map[string]any) (*mcp.CallToolResult, any, error) {
		return says(fmt.Sprintf("A contact of %d fields.", len(contact))), nil, nil
	})
	mcp.AddTool(server, &mcp.Tool{
		Name: "test_x_mcp_header", Description: "Takes a region, which the client repeats in a header.",
		InputSchema: json.RawMessage(regionSchema),
	}, func(_ context.Context, _ *mcp.CallToolRequest, in region) (*mcp.CallToolResult, any, error) {
		return says(fmt.Sprintf("Region %q, level %d.", in.Region, in.Level)), nil, nil
	})
}
