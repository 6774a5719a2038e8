package journal

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

const (
	entriesURI  = "journal://entries"
	entryPrefix = "journal://entries/"
	entryURI    = "journal://entries/{id}"
)

const credits = `# Journal

A first journal: write down a day, find it again, look back on a month.

It is the example application of Foyer, a Go library that puts just-in-time
authorization in front of MCP servers: look round as a guest, and say who you
are when there is something to keep. The idea of a journal for this purpose is
Epic Me, by Kent C. Dodds.
`

// addResources adds the entries as resources, for clients that attach them.
func addResources(server *mcp.Server, j *Journal) {
	server.AddResource(&mcp.Resource{
		URI: "journal://credits", Name: "credits", Title: "Credits", MIMEType: "text/markdown",
		Description: "What this journal is, and who made it.",
	}, func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{Text: credits}}}, nil
	})
	server.AddResource(&mcp.Resource{
		URI: entriesURI, Name: "entries", Title: "Journal entries", MIMEType: "application/json",
		Description: "The person's newest 100 journal entries: id, title, date and beginning of each.",
	}, j.readEntries)
	server.AddResourceTemplate(&mcp.ResourceTemplate{
		URITemplate: entryURI, Name: "entry", Title: "Journal entry", MIMEType: "application/json",
		Description: "One journal entry, whole.",
	}, j.readEntry)
}

func (j *Journal) readEntries(ctx context.Context, _ *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	p, err := j.list(ctx, gate.CallerFrom(ctx).Owner(), filter{Limit: 100})
	if err != nil {
		return nil, refused(ctx, entriesURI, err)
	}
	return asJSON(ctx, entriesURI, p)
}

func (j *Journal) readEntry(ctx context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	e, err := j.get(ctx, gate.CallerFrom(ctx).Owner(), strings.TrimPrefix(req.Params.URI, entryPrefix))
	if errors.Is(err, errMissing) {
		return nil, mcp.ResourceNotFoundError(req.Params.URI)
	}
	if err != nil {
		return nil, refused(ctx, entryURI, err)
	}
	return asJSON(ctx, entryURI, e)
}

// asJSON returns v as the content of the resource called item. The SDK fills in
// its URI and type.
func asJSON(ctx context.Context, item string, v any) (*mcp.ReadResourceResult, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, refused(ctx, item, err)
	}
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{Text: string(text)}}}, nil
}
