package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// A changer has the tools that change what was there before, and tells those
// who subscribed to it.
type changer struct {
	*Journal
	server *mcp.Server
}

// subscribe lets a client subscribe to an entry of its caller. Lists have no
// subscriptions: their URIs are the same for every owner, and so the news would be.
func (j *Journal) subscribe(ctx context.Context, req *mcp.SubscribeRequest) error {
	id, single := strings.CutPrefix(req.Params.URI, entryPrefix)
	if !single {
		return refused(ctx, req.Params.URI, problem("Only single entries can be subscribed to: journal://entries/{id}."))
	}
	_, err := j.get(ctx, gate.CallerFrom(ctx).Owner(), id)
	if errors.Is(err, errMissing) {
		return mcp.ResourceNotFoundError(req.Params.URI)
	}
	if err != nil {
		return refused(ctx, entryURI, err)
	}
	return nil
}

// tell tells the subscribers of entries that they changed. The context is
// nobody's: the news goes to their streams, not to that of this call.
func (c changer) tell(ids ...string) {
	for _, id := range ids {
		// The SDK's error is always nil.
		_ = c.server.ResourceUpdated(context.Background(), &mcp.ResourceUpdatedNotificationParams{URI: entryPrefix + id})
	}
}

// tellOf returns what tells the subscribers of the entries that have the
// owner's tag now.
func (c changer) tellOf(ctx context.Context, owner, tag string) (func(), error) {
	ids, err := c.strings(ctx, `SELECT entry FROM entry_tags WHERE owner = ?1 AND tag = ?2`, owner, tag)
	if err != nil {
		return nil, err
	}
	return func() { c.tell(ids...) }, nil
}

// strings returns the first column of what query finds.
func (j *Journal) strings(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := j.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("journal: look up: %w", err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, fmt.Errorf("journal: look up: %w", err)
		}
		found = append(found, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("journal: look up: %w", err)
	}
	return found, nil
}
