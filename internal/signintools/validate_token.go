package signintools

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
)

func validateTool(app string) *mcp.Tool {
	return &mcp.Tool{
		Name:        words.ValidateToken,
		Title:       "Sign in: give the one-time code",
		Description: words.ValidateDescription(app),
		InputSchema: schema(map[string]any{
			"code":            map[string]any{"type": "string", "maxLength": 32, "description": "The digits from the mail, with all leading zeros."},
			"validationToken": map[string]any{"type": "string", "maxLength": 32, "description": "Another name for code."},
		}),
		Annotations: &mcp.ToolAnnotations{Title: "Sign in: give the one-time code", DestructiveHint: new(true), OpenWorldHint: new(true)},
	}
}

// validate claims the grant with the mailed digits, under the same access token.
func (t *Tools) validate(ctx context.Context, arguments json.RawMessage) (answer, error) {
	var in struct {
		Code            digits `json:"code"`
		ValidationToken digits `json:"validationToken"`
	}
	if json.Unmarshal(arguments, &in) != nil {
		return refused(words.CodeMissing), nil
	}
	code := in.Code
	switch {
	case code == "":
		code = in.ValidationToken
	case in.ValidationToken != "" && in.ValidationToken != code:
		return refused(words.CodesDiffer), nil
	}
	if code == "" {
		return refused(words.CodeMissing), nil
	}
	c := gate.CallerFrom(ctx)
	if c.SignedIn() {
		return signedInAs(c), nil
	}
	user, err := t.SignIn.Verify(ctx, signin.AskerFrom(ctx), string(code))
	if err != nil {
		return answer{}, err
	}
	c.UserID, c.Email, c.Level = user.ID, user.Email, signin.Level
	c.Scopes = slices.Concat(c.Scopes, t.SignIn.Scopes)
	unlocked := slices.Sorted(slices.Values(t.Unlocks(c)))
	a := answer{text: words.SignedIn(mail.Masked(user.Email), unlocked), data: map[string]any{
		"status":   "signed_in",
		"as":       mail.Masked(user.Email),
		"level":    signin.Level,
		"unlocked": unlocked,
	}}
	return a.offer(t.kept(ctx, c)), nil
}

// digits are a one-time code as models write it: text, or a whole number that
// has lost its leading zeros.
type digits string

func (d *digits) UnmarshalJSON(text []byte) error {
	if len(bytes.Trim(text, "0123456789")) == 0 {
		*d = digits(text)
		return nil
	}
	return json.Unmarshal(text, (*string)(d))
}
