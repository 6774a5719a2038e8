package foyer

import (
	"context"
	"errors"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/elicit"
	"example.com/foyer/gate"
	"example.com/foyer/internal/pages"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
)

// GuestData is what an application keeps for its guests, under the guest's
// [gate.Caller.Owner]. When a guest signs in it stays apart, because the one who
// signs in may not be the one who kept it. The kit offers to take it along, by
// the tool merge_guest_data, which asks the user for an explicit yes through
// their client; where that cannot ask, the page about the connection does, below
// /account, in the browser by which the client was connected.
type GuestData interface {
	// Kept says in words what the guest has kept, such as "3 drafts"; empty
	// means nothing. The words stand in "Move 3 drafts … to the account of …?".
	Kept(ctx context.Context, guestID string) (string, error)

	// Move makes all that the guest has kept the user's, in one transaction of
	// the application's, and overwrites nothing of the user's. It may be called
	// again, also at once, and then finds nothing left to move.
	Move(ctx context.Context, guestID, userID string) error
}

// A merge is the tool merge_guest_data.
type merge struct {
	kit  *Kit
	data GuestData
	app  string
}

// A moved is its output.
type moved struct {
	Text  string `json:"text" jsonschema:"what was done, and what to do next"`
	Moved string `json:"moved,omitempty" jsonschema:"what was moved; absent for nothing"`
}

// A yes is the user's answer.
type yes struct {
	Move bool `json:"move" title:"Move it" jsonschema:"Yes, it is mine; move it to this account"`
}

// errMerge is what a model is told of a fault.
var errMerge = errors.New(words.Fault)

// addMerge adds the tool to server, for whoever has a token: like the other
// tools of the kit it stays listed, and answers by the state of the grant.
func (k *Kit) addMerge(server *mcp.Server, app string) {
	m := merge{k, k.cfg.GuestData, app}
	elicit.AddTool(k.Questions(), server, &mcp.Tool{
		Name:        words.Merge,
		Title:       "Take along what was kept before signing in",
		Description: words.MergeDescription(app),
		Annotations: &mcp.ToolAnnotations{IdempotentHint: true, DestructiveHint: new(true), OpenWorldHint: new(false)}, // so that clients ask
	}, m.call)
}

// call moves what the guest of the grant has kept to its user, after a yes. The
// guest of a grant changes at each sign-out: who signs in next is offered
// nothing of it.
func (m merge) call(ctx context.Context, ask *elicit.Ask, _ struct{}) (moved, error) {
	c := gate.CallerFrom(ctx)
	if !c.SignedIn() {
		return moved{}, errors.New(words.MergeGuest)
	}
	kept, err := m.data.Kept(ctx, c.GuestID)
	if err != nil {
		return moved{}, m.fault(ctx, err)
	}
	if kept == "" {
		return moved{Text: words.MergeNothing}, nil
	}
	account := mail.Masked(c.Email)
	answer, err := elicit.Form[yes](ask, "merge", words.MergeQuestion(kept, account, m.app))
	if errors.Is(err, elicit.ErrUnsupported) {
		return moved{}, errors.New(words.MergeOnPage(m.kit.cfg.Issuer + pages.GrantPath(c.GrantID)))
	} else if err != nil {
		return moved{}, err
	}
	if !answer.Move {
		return moved{}, elicit.ErrDeclined
	}
	if err := m.data.Move(ctx, c.GuestID, c.UserID); err != nil {
		return moved{}, m.fault(ctx, err)
	}
	return moved{Text: words.Merged(kept, account), Moved: kept}, nil
}

// fault logs err and tells nobody.
func (m merge) fault(ctx context.Context, err error) error {
	m.kit.cfg.Log.ErrorContext(ctx, "fault", "tool", words.Merge, "err", err)
	return errMerge
}
