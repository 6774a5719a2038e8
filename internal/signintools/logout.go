package signintools

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
)

func logoutTool(app string) *mcp.Tool {
	return &mcp.Tool{
		Name:        words.Logout,
		Title:       "Sign out",
		Description: words.LogoutDescription(app),
		InputSchema: schema(map[string]any{}),
		Annotations: &mcp.ToolAnnotations{Title: "Sign out", DestructiveHint: new(true), IdempotentHint: true, OpenWorldHint: new(false)},
	}
}

// logout makes the grant a new guest's. A guest is told that there is nothing to
// do, which is no failure.
func (t *Tools) logout(ctx context.Context, _ json.RawMessage) (answer, error) {
	err := t.Grants.SignOut(ctx, signin.AskerFrom(ctx).Access)
	if errors.Is(err, grant.ErrGuest) {
		return answer{text: words.NobodySignedIn, data: map[string]any{"status": "guest"}}, nil
	} else if err != nil {
		return answer{}, err
	}
	return answer{text: words.SignedOut, data: map[string]any{"status": "guest", "next": []string{words.Authenticate}}}, nil
}
