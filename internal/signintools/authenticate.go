package signintools

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
)

func authenticateTool(app string) *mcp.Tool {
	return &mcp.Tool{
		Name:        words.Authenticate,
		Title:       "Sign in: mail a one-time code",
		Description: words.AuthenticateDescription(app),
		InputSchema: schema(map[string]any{"email": map[string]any{"type": "string", "maxLength": 254, "description": "The user's e-mail address, as the user typed it."}}, "email"),
		Annotations: &mcp.ToolAnnotations{Title: "Sign in: mail a one-time code", DestructiveHint: new(true), OpenWorldHint: new(true)}, // so that clients ask before a mail goes out
		Meta:        mcp.Meta{"ui": map[string]any{"resourceUri": DigitsURI}},
	}
}

// authenticate mails a one-time code. What it answers is the same for every
// address.
func (t *Tools) authenticate(ctx context.Context, arguments json.RawMessage) (answer, error) {
	typed := emailOf(arguments)
	if c := gate.CallerFrom(ctx); typed != "" && c.SignedIn() {
		return signedInAs(c), nil
	}
	email, err := addressOf(typed)
	if err != nil {
		return answer{}, err
	}
	begun, err := t.SignIn.Begin(ctx, signin.AskerFrom(ctx), email)
	if err != nil {
		return answer{}, err
	}
	t.Wake()
	return mailed(email, begun), nil
}

// emailOf reads the argument of tools that mail; empty where it is missing.
func emailOf(arguments json.RawMessage) string {
	var in struct {
		Email string `json:"email"`
	}
	if json.Unmarshal(arguments, &in) != nil {
		return ""
	}
	return in.Email
}

// errNoEmail refuses a call without an address.
var errNoEmail = errors.New("signintools: email is missing")

// addressOf refuses what is no address with [errNoEmail] or a [mail.AddressError].
func addressOf(typed string) (mail.Address, error) {
	if typed == "" {
		return mail.Address{}, errNoEmail
	}
	return mail.ParseAddress(typed)
}

// mailed says that the digits are on their way.
func mailed(email mail.Address, begun signin.Begun) answer {
	return answer{text: words.CodeMailed(email.Masked(), begun.Digits, begun.Pairing.Reveal(), begun.ExpiresIn, begun.ResendIn), data: map[string]any{
		"status":       "pending",
		"mailed_to":    email.Masked(),
		"digits":       begun.Digits,
		"pairing_code": begun.Pairing.Reveal(), // for the page that the mail links to
		"expires_in":   words.Seconds(begun.ExpiresIn),
		"resend_in":    words.Seconds(begun.ResendIn),
		"next":         []string{words.ValidateToken},
	}}
}

// signedInAs answers whoever signs in again.
func signedInAs(c gate.Caller) answer {
	return answer{text: words.SignedInAlready(mail.Masked(c.Email)), data: map[string]any{"status": "signed_in", "as": mail.Masked(c.Email)}}
}
