package confirm

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/elicit"
	"example.com/foyer/gate"
	"example.com/foyer/internal/operation"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// A confirmation is the arguments of confirm_request.
type confirmation struct {
	Token string `json:"confirmationToken"`
	Key   string `json:"idempotencyKey"`
}

const maxKey = 255 // bytes of an idempotency key

// A yes is the user's answer in a form.
type yes struct {
	Confirm bool `json:"confirm" title:"Confirm" jsonschema:"Yes, do just this"`
}

// confirm does what an operation says, where everything that is asked for is there,
// or tells again what came of it.
func (o *Operations) confirm(ctx context.Context, ask *elicit.Ask, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	var in confirmation
	switch {
	case json.Unmarshal(req.Params.Arguments, &in) != nil || in.Token == "":
		return refused(words.TokenMissing), nil
	case len(in.Key) > maxKey:
		return refused(words.KeyTooLong), nil
	}
	c := gate.CallerFrom(ctx)
	op, err := o.rules.Find(ctx, in.Token, operation.WhoIs(c))
	if err != nil {
		return o.told(ctx, words.ConfirmRequest, err), nil
	}
	turn := operation.Confirmation{ID: op.ID, Who: operation.WhoIs(c), Key: in.Key, By: gate.ByModel, Need: gate.ByModel, Terms: o.cfg.Terms(op.Tool)}
	if op.State == operation.Previewed {
		res, err := o.ready(ctx, ask, req, op, &turn)
		if res != nil || err != nil {
			return res, err
		}
	}
	return o.do(ctx, req, op, turn), nil
}

// ready decides again, and has the user asked where that is needed. A result means
// that nothing is to be done now.
func (o *Operations) ready(ctx context.Context, ask *elicit.Ask, req *mcp.CallToolRequest, op store.Operation, turn *operation.Confirmation) (*mcp.CallToolResult, error) {
	res, err := o.passes(ctx, req, op, turn)
	if res != nil || err != nil {
		return res, err
	}
	if done := gate.Confirmation(op.Confirmed); done >= turn.Need {
		turn.By = done
		return nil, nil
	}
	switch {
	case turn.Need < gate.ByClient:
		return nil, nil
	case turn.Need == gate.ByClient:
		turn.By = gate.ByClient
		res, err = o.asked(ctx, ask, op)
	case !gate.CallerFrom(ctx).SignedIn():
		return refused(words.GuestsHaveNoPage(op.Tool)), nil
	case o.cfg.Link == nil:
		return refused(words.NoPage(op.Tool)), nil
	default:
		res, err = o.sent(ctx, ask, op, turn)
	}
	if res != nil || err != nil {
		return res, err
	}
	return o.passes(ctx, req, op, turn) // again: a user may have taken minutes
}

// passes decides about what op says as it is now, and how strongly it has to be
// confirmed. A result means that it does not pass, or is another thing by now.
func (o *Operations) passes(ctx context.Context, req *mcp.CallToolRequest, op store.Operation, turn *operation.Confirmation) (*mcp.CallToolResult, error) {
	d, refusal := o.cfg.Decide(ctx, req, op.Tool, op.Arguments)
	if refusal != nil {
		return refusal, nil
	}
	turn.Need = max(d.Confirm, gate.ByModel)
	if o.hides(op.Tool, op.Arguments, turn.Need) {
		return refused(words.TooLongToShow(op.Tool)), nil
	}
	return o.outdated(ctx, op, turn.Need)
}

// sent sends the user to the page: by their client where it can open one, and by the
// model where it cannot. It is nil where the page knows of a yes after that.
func (o *Operations) sent(ctx context.Context, ask *elicit.Ask, op store.Operation, turn *operation.Confirmation) (*mcp.CallToolResult, error) {
	c := gate.CallerFrom(ctx)
	err := elicit.URL(ask, "confirm", words.PageQuestion(op.Summary, o.cfg.App()), o.cfg.Link(op.ID))
	switch {
	case errors.Is(err, elicit.ErrUnsupported), errors.Is(err, elicit.ErrDeclined): // a no is said on the page
	case err != nil:
		return nil, err
	}
	now, err := o.rules.Find(ctx, op.ID, operation.WhoIs(c))
	switch {
	case err != nil:
		return o.told(ctx, op.Tool, err), nil
	case now.State != operation.Previewed:
		return o.outcome(now), nil
	case gate.Confirmation(now.Confirmed) >= turn.Need:
		turn.By = gate.Confirmation(now.Confirmed)
		return nil, nil
	}
	return o.show(now, c, turn.Need, "needs_page"), nil
}

// outdated shows what would be done now, where that is something else than what was
// shown. It is nil where it is the same.
func (o *Operations) outdated(ctx context.Context, op store.Operation, need gate.Confirmation) (*mcp.CallToolResult, error) {
	t := o.known(op.Tool)
	if op.World == "" || t == nil {
		return nil, nil
	}
	s, err := t.show(ctx, op.Arguments)
	if err == nil && s.world == op.World {
		return nil, nil
	}
	return o.outdate(ctx, op, s, err, need), nil
}

// outdate ends op, and shows s instead, or why the preview refuses now. What has an
// outcome by then, because another confirmation was faster, is told as it came out.
func (o *Operations) outdate(ctx context.Context, op store.Operation, s shown, refusal error, need gate.Confirmation) *mcp.CallToolResult {
	if isFault(refusal) {
		return o.told(ctx, op.Tool, refusal)
	}
	ended, err := o.rules.Outdate(ctx, op.ID, operation.WhoIs(gate.CallerFrom(ctx)))
	switch {
	case err != nil:
		return o.told(ctx, op.Tool, err)
	case ended.State != operation.Stale:
		return o.outcome(ended)
	case refusal != nil:
		return answer{Status: operation.Stale, Tool: op.Tool, Summary: op.Summary}.result(words.NotPossibleNow(op.Summary, refusal.Error()), true)
	}
	return o.remember(ctx, op.Tool, op.Arguments, s, need, operation.Stale)
}

// asked asks the user in their client. It is nil after a yes.
func (o *Operations) asked(ctx context.Context, ask *elicit.Ask, op store.Operation) (*mcp.CallToolResult, error) {
	c := gate.CallerFrom(ctx)
	answer, err := elicit.Form[yes](ask, "confirm", words.ConfirmQuestion(op.Summary, account(c), o.cfg.App()))
	switch {
	case errors.Is(err, elicit.ErrUnsupported):
		return refused(words.ClientCannotConfirm(op.Tool)), nil
	case errors.Is(err, elicit.ErrCancelled):
		return refused(words.NotAnswered(op.Tool)), nil
	case err == nil && answer.Confirm:
		return nil, nil
	case err != nil && !errors.Is(err, elicit.ErrDeclined):
		return nil, err
	}
	op, err = o.rules.Decline(ctx, op.ID, operation.WhoIs(c))
	if err != nil {
		return o.told(ctx, op.Tool, err), nil
	}
	return o.outcome(op), nil
}

// account is whose c is, as texts name it.
func account(c gate.Caller) string {
	if !c.SignedIn() {
		return ""
	}
	return mail.Masked(c.Email)
}
