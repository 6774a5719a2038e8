package confirm

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/operation"
	"example.com/foyer/internal/words"
	"example.com/foyer/store"
)

// An answer is what the tools say to a program, beside the text that tells the
// model.
type answer struct {
	Status       string          `json:"status" jsonschema:"preview, stale and needs_page: nothing was done yet; succeeded; failed, declined and cancelled: nothing was done; in_progress; unknown: it may have been done; refused"`
	Tool         string          `json:"tool,omitempty"`
	Summary      string          `json:"summary,omitempty" jsonschema:"what would be done, or was"`
	Token        string          `json:"confirmationToken,omitempty" jsonschema:"pass it to confirm_request"`
	Account      string          `json:"account,omitempty" jsonschema:"whose account it is for"`
	Confirmation string          `json:"confirmation,omitempty" jsonschema:"who has to confirm: model, client, page or fresh_page"`
	ExpiresIn    int64           `json:"expires_in,omitempty" jsonschema:"seconds in which it can be confirmed"`
	RetryAfter   int64           `json:"retry_after,omitempty" jsonschema:"seconds to wait before asking again"`
	Link         string          `json:"link,omitempty" jsonschema:"the page on which the user confirms"`
	Result       json.RawMessage `json:"result,omitempty" jsonschema:"what the tool answers"`
	Open         []answer        `json:"open,omitempty" jsonschema:"what waits for a confirmation"`
}

// answerSchema is the output schema of every tool that answers so.
var answerSchema = json.RawMessage(`{"type":"object","required":["status"],"properties":{` +
	`"status":{"type":"string","description":"preview, stale, needs_page: nothing was done yet; succeeded; failed, declined, cancelled: nothing was done; in_progress; unknown: it may have been done; refused"},` +
	`"tool":{"type":"string"},` +
	`"summary":{"type":"string","description":"what would be done, or was"},` +
	`"confirmationToken":{"type":"string","description":"pass it to confirm_request"},` +
	`"account":{"type":"string","description":"whose account it is for"},` +
	`"confirmation":{"type":"string","description":"who has to confirm: model, client, page, fresh_page"},` +
	`"expires_in":{"type":"integer","description":"seconds in which it can be confirmed"},` +
	`"retry_after":{"type":"integer","description":"seconds to wait before asking again"},` +
	`"link":{"type":"string","description":"the page on which the user confirms"},` +
	`"result":{"description":"what the tool answers"},` +
	`"open":{"type":"array","items":{"type":"object"},"description":"what waits for a confirmation"}}}`)

// result is a with text, as a tool returns it.
func (a answer) result(text string, isError bool) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}, StructuredContent: a, IsError: isError}
}

func refused(text string) *mcp.CallToolResult { return answer{Status: "refused"}.result(text, true) }

// encoded is a result as it is remembered, to be told the same each time.
func encoded(a answer, text string, isError bool) []byte {
	raw, err := json.Marshal(a.result(text, isError))
	if err != nil { // of what the tool answers: what was done is told all the same
		a.Result = nil
		raw, _ = json.Marshal(a.result(text, isError)) // strings and numbers are JSON
	}
	return raw
}

// show shows what waits for a confirmation.
func (o *Operations) show(op store.Operation, c gate.Caller, need gate.Confirmation, status string) *mcp.CallToolResult {
	left := o.rules.Left(op)
	a := answer{Status: status, Tool: op.Tool, Summary: op.Summary, Token: op.ID, Account: account(c), Confirmation: need.String(), ExpiresIn: words.Seconds(left)}
	switch {
	case need >= gate.ByPage && o.cfg.Link != nil:
		a.Link = o.cfg.Link(op.ID)
		return a.result(words.ShownForPage(status, op.Summary, a.Account, op.ID, a.Link, left), false)
	case need >= gate.ByClient:
		return a.result(words.ShownForClient(status, op.Summary, a.Account, op.ID, left), false)
	}
	return a.result(words.Shown(status, op.Summary, a.Account, op.ID, left), false)
}

// outcome tells what came of op, the same to whoever asks.
func (o *Operations) outcome(op store.Operation) *mcp.CallToolResult {
	a := answer{Status: op.State, Tool: op.Tool, Summary: op.Summary}
	switch op.State {
	case operation.Succeeded, operation.Failed:
		if res := new(mcp.CallToolResult); len(op.Result) > 0 && json.Unmarshal(op.Result, res) == nil {
			return res
		}
		if op.State == operation.Failed {
			return a.result(words.Undone(op.Summary, ""), true)
		}
		return a.result(words.Done(op.Summary, ""), false)
	case operation.Declined:
		return a.result(words.SaidNo(op.Summary), true)
	case operation.Cancelled:
		return a.result(words.CancelledBefore(op.Summary), true)
	case operation.Stale:
		return a.result(words.Outdated(op.Summary, op.Tool), true)
	case operation.Executing:
		return o.busyFor(op, max(time.Second, op.Due.Sub(o.cfg.Now())))
	}
	a.Status = operation.Unknown
	return a.result(words.NobodyKnows(op.Summary), true)
}

// busyFor tells that op is being done.
func (o *Operations) busyFor(op store.Operation, wait time.Duration) *mcp.CallToolResult {
	wait = min(wait, 10*time.Second) // it is rarely the whole lease
	return answer{Status: "in_progress", Tool: op.Tool, Summary: op.Summary, Token: op.ID, RetryAfter: words.Seconds(wait)}.result(words.BeingDone(op.Summary, wait), false)
}

// told puts an error into words. Faults are logged and not shown.
func (o *Operations) told(ctx context.Context, tool string, err error) *mcp.CallToolResult {
	for _, row := range refusals {
		if errors.Is(err, row.refusal) {
			return refused(row.words)
		}
	}
	p, often := new(panicked), operation.TooOften{}
	switch {
	case errors.As(err, &often):
		return answer{Status: "refused", Tool: tool, RetryAfter: words.Seconds(often.Wait)}.result(words.TooManyPreviews(tool, often.Wait), true)
	case errors.As(err, &p):
		o.cfg.Log.ErrorContext(ctx, "panic", "tool", tool, "type", p.of, "stack", p.stack)
		return refused(words.ConfirmFault)
	case isFault(err), isStore(err):
		o.fault(ctx, tool, err)
		return refused(words.ConfirmFault)
	}
	return refused(err.Error())
}

// isStore reports whether err is one of the rules, and no refusal: a fault.
func isStore(err error) bool {
	var f operation.Fault
	return errors.As(err, &f)
}

// inWords is an error of an application, or that it has none of its own.
func inWords(err error) string {
	if p := new(panicked); errors.As(err, &p) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return ""
	}
	return err.Error()
}

// refusals are the refusals of the rules in words for a model. A stranger's, and what
// has expired, are one.
var refusals = []struct {
	refusal error
	words   string
}{
	{operation.ErrGone, words.TokenGone},
	{operation.ErrUnconfirmed, words.TokenGone}, // cannot happen: what is needed was asked for
	{operation.ErrRekeyed, words.Rekeyed},
	{operation.ErrKeyUsed, words.KeyUsed},
	{operation.ErrTooMany, words.TooManyOpen},
	{operation.ErrDeclined, words.JustDeclined},
	{operation.ErrRunning, words.Running},
}
