// Package signintools are the kit's own tools: authenticate, validate_token,
// whoami, logout and switch_account. They are listed for every grant and answer by its state,
// so that a client which never lists again can use them.
package signintools

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/elicit"
	"example.com/foyer/gate"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/signin"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
)

// Names of the tools. An application cannot use them for its own.
var Names = []string{words.Authenticate, words.ValidateToken, words.Whoami, words.Logout, words.SwitchAccount}

// Rules of the tools: whoever has a grant may call them.
func Rules() gate.Rules {
	rules := gate.Rules{}
	for _, name := range Names {
		rules[name] = gate.AnyGrant()
	}
	return rules
}

// Tools are the tools over the rules.
type Tools struct {
	App     string
	SignIn  *signin.SignIn
	Grants  *grant.Grants
	Unlocks func(gate.Caller) []string                                // names of the tools that need a user, and that c may call
	Kept    func(ctx context.Context, guestID string) (string, error) // what the application keeps for a guest, in words; nil for nothing, ever
	Account string                                                    // URL of the page where users see what is theirs
	Wake    func()                                                    // says that a mail waits
	Asks    *elicit.Questions
	Log     *slog.Logger
}

// Add adds the tools to server, and the page that one of them shows.
func (t *Tools) Add(server *mcp.Server) {
	addDigits(server)
	for _, add := range []struct {
		tool *mcp.Tool
		call func(context.Context, json.RawMessage) (answer, error)
	}{
		{authenticateTool(t.App), t.authenticate},
		{validateTool(t.App), t.validate},
		{whoamiTool(t.App), t.whoami},
		{logoutTool(t.App), t.logout},
	} {
		server.AddTool(add.tool, func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			a, err := add.call(ctx, req.Params.Arguments)
			if err != nil {
				a = t.refusal(ctx, err)
			}
			return a.result(), nil
		})
	}
	elicit.AddRawTool(t.Asks, server, switchTool(t.App), t.switchAccount)
}

// An answer is what a tool says: text for the model, data for programs.
type answer struct {
	text    string
	data    map[string]any
	refused bool
}

func (a answer) result() *mcp.CallToolResult {
	res := &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: a.text}}, IsError: a.refused}
	if a.data != nil {
		res.StructuredContent = a.data
	}
	return res
}

func refused(text string) answer {
	return answer{text: text, data: map[string]any{"status": "refused"}, refused: true}
}

// refusal puts a refusal of the rules into words. A fault is logged and not
// shown.
func (t *Tools) refusal(ctx context.Context, err error) answer {
	var wrong signin.Wrong
	var tooMany signin.TooMany
	var problem *mail.AddressError
	switch {
	case errors.As(err, &problem):
		return refused(words.EmailRefused(problem.Reason))
	case errors.As(err, &wrong):
		a := refused(words.WrongCode(wrong.Left))
		a.data["tries_left"] = wrong.Left
		return a
	case errors.As(err, &tooMany):
		a := refused(words.TooManyMails(tooMany.Wait))
		a.data["retry_after"] = words.Seconds(tooMany.Wait)
		return a
	}
	for _, row := range refusals {
		if errors.Is(err, row.refusal) {
			return refused(strings.ReplaceAll(row.words, "{account}", t.Account))
		}
	}
	if ctx.Err() == nil { // else the client has gone
		t.Log.ErrorContext(ctx, "fault", "err", err)
	}
	return refused(words.Fault)
}

// refusals are the refusals of the rules in words for a model.
var refusals = []struct {
	refusal error
	words   string
}{
	{errNoEmail, words.EmailMissing},
	{signin.ErrSignedIn, words.AlreadySignedIn},
	{signin.ErrNone, words.NoCodeAsked},
	{signin.ErrExpired, words.CodeExpired},
	{signin.ErrExhausted, words.CodeUsedUp},
	{signin.ErrOff, words.CodesOff},
	{signin.ErrBusy, words.SignInBusy},
	{grant.ErrUnknown, words.BadToken},
	{grant.ErrRevoked, words.BadToken},
	{grant.ErrChanged, words.Changed},
	{grant.ErrLeaving, words.Leaving},
	{grant.ErrGuest, words.NobodySignedIn},
}

// kept returns what the guest behind c kept before signing in, in words. An
// offer is worth no failure: a fault is logged, and nothing is offered.
func (t *Tools) kept(ctx context.Context, c gate.Caller) string {
	if t.Kept == nil {
		return ""
	}
	kept, err := t.Kept(ctx, c.GuestID)
	if err != nil {
		t.Log.ErrorContext(ctx, "fault", "err", err)
		return ""
	}
	return kept
}

// offer adds to a the offer to take kept along, which only the user may accept:
// whoever signed in here may not be who kept it.
func (a answer) offer(kept string) answer {
	if kept != "" {
		a.text += words.MergeOffer(kept)
		a.data["kept_as_guest"] = kept
	}
	return a
}

// schema of an object with properties, all of them strings, of which none is
// required where there are several spellings of one.
func schema(properties map[string]any, required ...string) json.RawMessage {
	s := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // maps of strings are JSON
	}
	return text
}
