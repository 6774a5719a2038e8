package journal

import (
	"context"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// maxCompletions is the most values that an answer may hold (MCP 2025-06-18,
// server/utilities/completion).
const maxCompletions = 100

// complete proposes ids of the caller's entries for the template of entries,
// newest first, and names of periods for reflect.
func (j *Journal) complete(ctx context.Context, req *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
	ref, argument := req.Params.Ref, req.Params.Argument
	values := []string{} // null would not be a list
	switch {
	case ref == nil:
	case ref.URI == entryURI && argument.Name == "id":
		ids, err := j.ids(ctx, gate.CallerFrom(ctx).Owner(), argument.Value)
		if err != nil {
			return nil, refused(ctx, entryURI, err)
		}
		values = append(values, ids...)
	case ref.Name == "reflect" && argument.Name == "period":
		for _, p := range periods {
			if strings.HasPrefix(p, argument.Value) {
				values = append(values, p)
			}
		}
	}
	return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: values}}, nil
}

// ids returns the newest ids of the owner's entries that begin with prefix.
func (j *Journal) ids(ctx context.Context, owner, prefix string) ([]string, error) {
	if owner == "" {
		return nil, errNobody
	}
	rows, err := j.db.QueryContext(ctx, `
		SELECT id FROM entries WHERE owner = ?1 AND substr(id, 1, length(?2)) = ?2
		ORDER BY created DESC, seq DESC LIMIT ?3`, owner, prefix, maxCompletions)
	if err != nil {
		return nil, fmt.Errorf("journal: complete: %w", err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("journal: complete: %w", err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("journal: complete: %w", err)
	}
	return ids, nil
}
