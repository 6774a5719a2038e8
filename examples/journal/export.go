package journal

import (
	"context"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// maxCopy is how many bytes of Markdown one answer carries; the refusal names it.
const maxCopy = 1 << 20

// addExport adds the tool that hands out everything at once.
func addExport(server *mcp.Server, j *Journal) {
	mcp.AddTool(server, &mcp.Tool{
		Name:  "export_journal",
		Title: "Take a copy of the journal",
		Description: "Take a copy of the whole journal, oldest entry first. " +
			"Returns one Markdown document and how many entries are in it. " +
			"For a very long journal, take the copy in parts with from and to.",
		Annotations: reads(),
	}, j.exportJournal)
}

// A document is the output of export_journal.
type document struct {
	Count    int    `json:"count" jsonschema:"how many entries are in the document"`
	Markdown string `json:"markdown" jsonschema:"the document"`
}

func (j *Journal) exportJournal(ctx context.Context, _ *mcp.CallToolRequest, in days) (*mcp.CallToolResult, document, error) {
	d, err := j.export(ctx, gate.CallerFrom(ctx).Owner(), in)
	if err != nil {
		return nil, document{}, shown(ctx, "export_journal", err)
	}
	return says(d.Markdown), d, nil
}

// export returns the owner's entries of a span of time as one document.
func (j *Journal) export(ctx context.Context, owner string, span days) (document, error) {
	var b strings.Builder
	b.WriteString("# Journal\n")
	count := 0
	for e, err := range j.all(ctx, owner, span) {
		if err != nil {
			return document{}, err
		}
		b.WriteString("\n" + e.markdown())
		if count++; b.Len() > maxCopy {
			return document{}, problem("These entries are too long for one copy of 1 MiB. " +
				"Take the copy in parts: call export_journal with from and to, a year or a month at a time.")
		}
	}
	if count == 0 {
		b.WriteString("\nNo entries.\n")
	}
	return document{Count: count, Markdown: b.String()}, nil
}
