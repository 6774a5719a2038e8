// Package elicit is for tools that ask the person behind the chat something
// while they run (MCP elicitation).
//
// The handler of such a tool reads from top to bottom, and each question is a
// call that returns the answer. How the question travels depends on the
// version of the protocol, and the handler does not see it:
//
//	2026-07-28                a question ends the run; its answer comes with the next request, which runs the
//	                          handler again from the top (multi round-trip requests, "MRTR")
//	2025-11-25, 2025-06-18    the server sends elicitation/create on the MCP session, and the call waits
//	older, and without        [ErrUnsupported]: the client cannot ask
//	the capability
//
// A handler therefore has no effects before the answer to its last question,
// and asks the same questions in the same order when it is given the same
// answers. An answer counts only for the very question that was put: where
// message, form or URL have become others since, because a price moved, the
// question is asked again.
//
// # What may be asked
//
// A form travels through the client and may be read by the model. Never ask for
// passwords, one-time codes or any other secret by a form (MCP 2026-07-28 and
// 2025-11-25, elicitation); [Form] refuses fields that are named so. Nobody is
// signed in by elicitation, and an address given in a form proves nothing. An
// answer is what the client says that the user said: a client can answer by
// itself.
//
// # Requests that carry answers
//
// Between two requests of 2026-07-28 the answers so far travel in requestState,
// sealed (AES-256-GCM) and bound to the tool, its arguments, the grant with its
// guest or user, and the grant's epoch. A state lives five minutes and opens
// once: its ID is recorded, in the transaction that looks at the grant, before
// the handler sees the answer. Of two requests with one state, one runs. So a
// request that is repeated because its response was lost is refused, and the
// model is told to look whether the work was done: at most once is certain, and
// a result that can be repeated needs a record of the application's own
// ([Ask.ID] is a good key for one).
//
// A caller without a token is nobody, and so is the next one: what they carry is
// bound to the call, the five minutes and the single use, and to no person. Ask
// nobody for what only one person may answer.
//
// In versions with sessions the grant is looked at again after each answer: a
// grant that was revoked, signed in or out, or lost a scope while the user
// typed ends the call. The end of the session ends it, too; who does not answer
// within five minutes has declined.
package elicit

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

const (
	patience   = 5 * time.Minute // for one answer
	maxRounds  = 9               // questions of one call; SDK clients give up at ten
	maxName    = 64              // bytes of a question's name
	maxMessage = 4 << 10         // bytes
	maxAnswer  = 4 << 10         // bytes of JSON
	maxState   = 64 << 10        // bytes, sealed: maxRounds answers in base64, and what they are bound to
)

const modern = "2026-07-28" // the first version without MCP sessions

// Questions are what tools ask with. They hold no state of a call, and are safe
// for concurrent use.
type Questions struct {
	store store.Store
	keys  secret.Keys
	now   func() time.Time
	log   *slog.Logger

	patience time.Duration // for one answer
}

// New returns questions that are sealed by keys and recorded in s. now is
// time.Now outside of tests. Applications get theirs from their kit.
func New(s store.Store, keys secret.Keys, now func() time.Time, log *slog.Logger) *Questions {
	return &Questions{store: s, keys: keys, now: now, log: log, patience: patience}
}

// AddTool is [mcp.AddTool] for a handler that asks. Like it, AddTool panics when
// tool is no valid tool.
//
// The handler returns the error of [Form] and [URL], wrapped or not, unless it
// has another way for [ErrDeclined] or [ErrUnsupported]. AddTool turns what it
// returns into what the client understands; an error of the application is shown
// to the model as it is.
func AddTool[In, Out any](q *Questions, server *mcp.Server, tool *mcp.Tool, handler func(context.Context, *Ask, In) (Out, error)) {
	mcp.AddTool(server, tool, func(ctx context.Context, req *mcp.CallToolRequest, in In) (*mcp.CallToolResult, Out, error) {
		var out, none Out
		res, err := q.run(ctx, req, func(ask *Ask) (err error) {
			out, err = handler(ctx, ask, in)
			return err
		})
		if res != nil || err != nil {
			return res, none, err
		}
		return nil, out, nil
	})
}

// AddRawTool is [mcp.Server.AddTool] for a handler that asks: it reads its own
// arguments, and makes its own result.
func AddRawTool(q *Questions, server *mcp.Server, tool *mcp.Tool, handler func(context.Context, *Ask, *mcp.CallToolRequest) (*mcp.CallToolResult, error)) {
	server.AddTool(tool, func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		var out *mcp.CallToolResult
		res, err := q.run(ctx, req, func(ask *Ask) (err error) {
			out, err = handler(ctx, ask, req)
			return err
		})
		if refusal := new(jsonrpc.Error); err != nil && !errors.As(err, &refusal) {
			return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: err.Error()}}}, nil
		}
		if res != nil || err != nil {
			return res, err
		}
		return out, nil
	})
}

// run runs a handler. What it returns goes to the client; without either, the
// handler's own result does.
func (q *Questions) run(ctx context.Context, req *mcp.CallToolRequest, handler func(*Ask) error) (*mcp.CallToolResult, error) {
	tool := req.Params.Name
	ask, err := q.begin(ctx, req)
	if err != nil {
		return nil, q.told(ctx, tool, err)
	}
	err = handler(ask)
	switch r := ask.rounds; {
	case r != nil && r.pending != nil && err == nil:
		return nil, q.told(ctx, tool, errIgnored)
	case r != nil && r.pending != nil:
		res, err := r.result()
		if err != nil {
			return nil, q.told(ctx, tool, err)
		}
		return res, nil
	case r != nil && ask.needs != nil && errors.Is(err, ErrUnsupported):
		return nil, missing(ask.needs)
	case err != nil:
		return nil, q.told(ctx, tool, err)
	}
	return nil, nil
}
