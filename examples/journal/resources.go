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
	userURI     = "journal://user"
	tagsURI     = "journal://tags"
	tagPrefix   = "journal://tags/"
	tagURI      = "journal://tags/{id}"
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

// addResources adds entries and tags as resources, for clients that attach them.
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
	server.AddResource(&mcp.Resource{
		URI: tagsURI, Name: "tags", Title: "Tags", MIMEType: "application/json",
		Description: "The person's first 100 tags, by name.",
	}, j.readTags)
	server.AddResourceTemplate(&mcp.ResourceTemplate{
		URITemplate: tagURI, Name: "tag", Title: "Tag", MIMEType: "application/json",
		Description: "One tag: its name, what it is for, and how many entries have it.",
	}, j.readOneTag)
	server.AddResource(&mcp.Resource{
		URI: userURI, Name: "user", Title: "The person", MIMEType: "application/json",
		Description: "Whose journal it is, and how much is in it.",
	}, j.readUser)
}

// A person is whose journal it is.
type person struct {
	Email   string `json:"email,omitempty"`
	Entries int    `json:"entries"`
	Tags    int    `json:"tags"`
}

func (j *Journal) readUser(ctx context.Context, _ *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	caller := gate.CallerFrom(ctx)
	entries, err := j.list(ctx, caller.Owner(), filter{paging: paging{Limit: 1}})
	if err != nil {
		return nil, refused(ctx, userURI, err)
	}
	tags, err := j.listTags(ctx, caller.Owner(), paging{Limit: 1})
	if err != nil {
		return nil, refused(ctx, userURI, err)
	}
	return asJSON(ctx, userURI, person{caller.Email, entries.Total, tags.Total})
}

func (j *Journal) readTags(ctx context.Context, _ *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	p, err := j.listTags(ctx, gate.CallerFrom(ctx).Owner(), paging{Limit: 100})
	if err != nil {
		return nil, refused(ctx, tagsURI, err)
	}
	return asJSON(ctx, tagsURI, p)
}

func (j *Journal) readOneTag(ctx context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	t, err := j.getTag(ctx, gate.CallerFrom(ctx).Owner(), strings.TrimPrefix(req.Params.URI, tagPrefix))
	if errors.Is(err, errNoTag) {
		return nil, mcp.ResourceNotFoundError(req.Params.URI)
	}
	if err != nil {
		return nil, refused(ctx, tagURI, err)
	}
	return asJSON(ctx, tagURI, t)
}

func (j *Journal) readEntries(ctx context.Context, _ *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	p, err := j.list(ctx, gate.CallerFrom(ctx).Owner(), filter{paging: paging{Limit: 100}})
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
