package elicit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// What [Form] and [URL] return when there is no answer.
var (
	ErrPending     = errors.New("elicit: the question is on its way to the user; return this error")
	ErrDeclined    = errors.New("elicit: the user declined, or did not answer")
	ErrCancelled   = fmt.Errorf("elicit: the user closed the question, or did not answer: %w", ErrDeclined)
	ErrUnsupported = errors.New("elicit: the client cannot ask its user")
)

// Refusals that the handler only passes on.
var (
	errForged    = errors.New("elicit: requestState is not of this call")
	errUnasked   = errors.New("elicit: an answer to no question")
	errShape     = errors.New("elicit: an answer of another kind")
	errExpired   = errors.New("elicit: the question has expired")
	errUsed      = errors.New("elicit: the answer was used before")
	errChanged   = errors.New("elicit: the grant is not what it was")
	errTooMany   = errors.New("elicit: too many questions")
	errUnreached = errors.New("elicit: the client did not put the question")
)

// Faults: of the handler, and of the store.
var (
	errQuestion = errors.New("elicit: question")
	errIgnored  = errors.New("elicit: the handler went on without an answer: it has to return the error of every question")
	errFault    = errors.New("elicit")
)

// A misfit tells the user why an answer is none.
type misfit string

func (m misfit) Error() string { return string(m) }

// refusals are the refusals in words for a model; %[1]s is the tool. Those of the
// protocol are told by a JSON-RPC error (MCP 2026-07-28, MRTR: a state that fails
// verification is rejected); what can happen to anyone is told in the result,
// which models are shown.
var refusals = []struct {
	refusal  error
	protocol bool
	words    string
}{
	{errForged, true, "requestState was not made by this server for this call. Call %[1]s again without requestState and inputResponses."},
	{errUnasked, true, "inputResponses came without requestState: nothing was asked yet. Call %[1]s again without inputResponses."},
	{errShape, true, "The response is not that of an elicitation: it needs action accept, decline or cancel. Call %[1]s again without requestState and inputResponses."},
	{errExpired, false, "%[1]s was not run: the question was not answered within five minutes. Call it again, without requestState, and the user is asked anew."},
	{errUsed, false, "%[1]s was not run again: this answer was used before. If its result was lost, find out whether the work was done; only then call it again, without requestState."},
	{errChanged, false, "%[1]s was not run: who is signed in, or what they allow, changed while the user was asked. Call it again, without requestState."},
	{errTooMany, false, "%[1]s was not run: it asked the user too many times without an answer that fits. Ask the user in the chat what they want, then call it again."},
	{errUnreached, false, "%[1]s was not run: the client did not put the question to the user. Tell the user, and call it again when they want it."},
	{ErrDeclined, false, "%[1]s was not run: the user declined, or did not answer. Do not call it again unless the user asks for it."},
	{ErrUnsupported, false, "%[1]s was not run: it has to ask the user, and this client cannot put questions (MCP elicitation). Tell the user that it needs another client."},
}

// told is what the client is told about err. Faults are logged; an error of the
// application is its own words.
func (q *Questions) told(ctx context.Context, tool string, err error) error {
	for _, row := range refusals {
		if !errors.Is(err, row.refusal) {
			continue
		}
		text := fmt.Sprintf(row.words, tool)
		if row.protocol {
			return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: text}
		}
		return errors.New(text)
	}
	switch {
	case ctx.Err() != nil: // the client has gone
		return ctx.Err()
	case errors.Is(err, errQuestion), errors.Is(err, errIgnored):
		q.log.ErrorContext(ctx, "bad question", "tool", tool, "err", err)
		return fmt.Errorf("%s is broken: its developer finds the reason in the server's log", tool)
	case errors.Is(err, errFault):
		q.log.ErrorContext(ctx, "fault", "tool", tool, "err", err)
		return errors.New("the server failed; try again in a moment")
	}
	return err
}

// missing says what the client would need (MCP 2026-07-28, basic, error codes).
func missing(needs *mcp.ElicitationCapabilities) error {
	// Not the SDK's struct for it: that one always asks for the capability roots, too.
	data, err := json.Marshal(map[string]any{"requiredCapabilities": map[string]any{"elicitation": needs}})
	if err != nil {
		return err
	}
	return &jsonrpc.Error{Code: mcp.CodeMissingRequiredClientCapabilities, Data: data,
		Message: "This tool asks the user, and the client did not declare that it can put such questions (capability elicitation). Tell the user that it needs another client."}
}
