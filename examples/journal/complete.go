package journal

import (
	"context"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// maxCompletions is the most values that an answer may hold (MCP 2025-06-18,
// server/utilities/completion).
const maxCompletions = 100

// complete proposes ids of the caller's own entries and tags, and names of
// periods.
func (j *Journal) complete(ctx context.Context, req *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
	ref, argument := req.Params.Ref, req.Params.Argument
	owner := gate.CallerFrom(ctx).Owner()
	var values []string
	var err error
	if ref == nil {
		ref = &mcp.CompleteReference{}
	}
	switch [2]string{ref.URI + ref.Name, argument.Name} {
	case [2]string{entryURI, "id"}, [2]string{"suggest_tags", "entryId"}:
		values, err = j.ids(ctx, owner, argument.Value)
	case [2]string{tagURI, "id"}:
		values, err = j.tagIDs(ctx, owner, argument.Value)
	case [2]string{"summarize_journal_entries", "tagIds"}:
		before, last := cutLast(argument.Value)
		values, err = j.tagIDs(ctx, owner, last)
		for i := range values {
			values[i] = before + values[i]
		}
	case [2]string{"reflect", "period"}:
		for _, p := range periods {
			if strings.HasPrefix(p, argument.Value) {
				values = append(values, p)
			}
		}
	}
	if err != nil {
		return nil, refused(ctx, ref.URI+ref.Name, err)
	}
	if values == nil {
		values = []string{} // null would not be a list
	}
	return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: values}}, nil
}

// cutLast cuts a list with commas before its last element.
func cutLast(list string) (before, last string) {
	at := strings.LastIndex(list, ",") + 1
	return list[:at], strings.TrimSpace(list[at:])
}

// ids returns the newest ids of the owner's entries that begin with typed.
func (j *Journal) ids(ctx context.Context, owner, typed string) ([]string, error) {
	if owner == "" {
		return nil, errNobody
	}
	return j.strings(ctx, `
		SELECT id FROM entries WHERE owner = ?1 AND substr(id, 1, length(?2)) = ?2
		ORDER BY created DESC, seq DESC LIMIT ?3`, owner, typed, maxCompletions)
}

// tagIDs returns ids of the owner's tags that begin with typed, or whose names
// do: people remember those.
func (j *Journal) tagIDs(ctx context.Context, owner, typed string) ([]string, error) {
	if owner == "" {
		return nil, errNobody
	}
	return j.strings(ctx, `
		SELECT id FROM tags WHERE owner = ?1 AND (substr(id, 1, length(?2)) = ?2 OR substr(key, 1, length(?3)) = ?3)
		ORDER BY key LIMIT ?4`, owner, typed, strings.ToLower(typed), maxCompletions)
}
