package signintools

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
)

func whoamiTool(app string) *mcp.Tool {
	return &mcp.Tool{
		Name:        words.Whoami,
		Title:       "Who is signed in",
		Description: words.WhoamiDescription(app),
		InputSchema: schema(map[string]any{}),
		OutputSchema: schema(map[string]any{
			"status":        map[string]any{"enum": []string{"guest", "pending", "signed_in"}},
			"as":            map[string]any{"type": "string", "description": "The user's masked address."},
			"level":         map[string]any{"type": "string", "description": "How the user was authenticated."},
			"scopes":        map[string]any{"type": "array", "items": map[string]any{"type": "string"}},
			"expires_in":    map[string]any{"type": "integer", "description": "Seconds that a mailed one-time code still lives."},
			"kept_as_guest": map[string]any{"type": "string", "description": "What was kept here before the user signed in, and can be taken along."},
			"next":          map[string]any{"type": "array", "items": map[string]any{"type": "string"}, "description": "Tools that make sense now."},
		}, "status", "scopes"),
		Annotations: &mcp.ToolAnnotations{Title: "Who is signed in", ReadOnlyHint: true, IdempotentHint: true, OpenWorldHint: new(false)},
	}
}

// whoami tells the state of the grant, and is never refused.
func (t *Tools) whoami(ctx context.Context, _ json.RawMessage) (answer, error) {
	c := gate.CallerFrom(ctx)
	scopes := slices.DeleteFunc(append([]string{}, c.Scopes...), func(s string) bool { _, level := gate.LevelOf(s); return level })
	if c.SignedIn() {
		a := answer{text: words.YouAre(mail.Masked(c.Email)), data: map[string]any{
			"status": "signed_in", "as": mail.Masked(c.Email), "level": c.Level, "scopes": scopes, "next": []string{words.Logout}}}
		return a.offer(t.kept(ctx, c)), nil
	}
	waiting, ok, err := t.SignIn.Pending(ctx, c.GrantID)
	if err != nil {
		return answer{}, err
	}
	if ok {
		return answer{text: words.CodeExpected(mail.Masked(waiting.Email), waiting.ExpiresIn), data: map[string]any{
			"status": "pending", "as": mail.Masked(waiting.Email), "scopes": scopes, "expires_in": words.Seconds(waiting.ExpiresIn), "next": []string{words.ValidateToken}}}, nil
	}
	return answer{text: words.YouAreAGuest, data: map[string]any{"status": "guest", "scopes": scopes, "next": []string{words.Authenticate}}}, nil
}
