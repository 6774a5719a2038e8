package signintools

import (
	"context"
	"errors"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/elicit"
	"example.com/foyer/gate"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
)

func switchTool(app string) *mcp.Tool {
	return &mcp.Tool{
		Name:        words.SwitchAccount,
		Title:       "Sign in as somebody else",
		Description: words.SwitchDescription(app),
		InputSchema: schema(map[string]any{"email": map[string]any{"type": "string", "maxLength": 254, "description": "The e-mail address of the other account, as the user typed it."}}, "email"),
		Annotations: &mcp.ToolAnnotations{Title: "Sign in as somebody else", DestructiveHint: new(true), OpenWorldHint: new(true)}, // so that clients ask
	}
}

// A sure is the user's answer.
type sure struct {
	Switch bool `json:"switch" title:"Switch" jsonschema:"Yes, sign out and mail me the code"`
}

// switchAccount signs the user out, and mails a one-time code to another address:
// all of it, or nothing. The user is asked where the client can ask; where it
// cannot, it has shown the call, as the annotations ask it to.
func (t *Tools) switchAccount(ctx context.Context, ask *elicit.Ask, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	email, err := addressOf(emailOf(req.Params.Arguments))
	c := gate.CallerFrom(ctx)
	switch {
	case err != nil:
		return t.refusal(ctx, err).result(), nil
	case !c.SignedIn():
		return refused(words.YouAreAGuest).result(), nil
	case email.String() == c.Email:
		return signedInAs(c).result(), nil
	}
	from := mail.Masked(c.Email)
	answered, err := elicit.Form[sure](ask, "switch", words.SwitchQuestion(from, email.Masked(), t.App))
	switch {
	case errors.Is(err, elicit.ErrUnsupported):
	case err != nil:
		return nil, err
	case !answered.Switch:
		return nil, elicit.ErrDeclined
	}
	begun, err := t.SignIn.Switch(ctx, signin.AskerFrom(ctx), email)
	if err != nil {
		return t.refusal(ctx, err).result(), nil
	}
	t.Wake()
	a := mailed(email, begun)
	a.text = words.Switched(from, a.text)
	return a.result(), nil
}
