package journal

import (
	"context"
	"errors"
	"log/slog"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// A problem is an error that the model may read. It says what to do next.
type problem string

func (p problem) Error() string { return string(p) }

const (
	errNobody   = problem("This call has no owner, so there is no journal to open. Ask the person to sign in, then call again.")
	errMissing  = problem("This journal has no entry with that id. Call list_entries to see the ids.")
	errFull     = problem("The journal is full: it has 10000 entries. Ask the person which entries can be deleted, then call again.")
	errNoTag    = problem("This journal has no such tag. Call list_tags to see the ids.")
	errManyTags = problem("The journal has 500 tags, and more do not fit. Ask the person which tags can be deleted, then call again.")
	errFault    = problem("The journal does not answer at the moment. Call list_entries to see what was saved, and try again later.")
)

// shown returns what a tool may say about err: a problem as it is; a fault is
// logged, and only its existence is told.
func shown(ctx context.Context, item string, err error) error {
	if p, ok := errors.AsType[problem](err); ok {
		return p
	}
	slog.ErrorContext(ctx, "journal: fault", "item", item, "error", err)
	return errFault
}

// refused is shown for resources and prompts, which answer with JSON-RPC errors.
func refused(ctx context.Context, item string, err error) error {
	told := shown(ctx, item, err)
	if told == errFault {
		return &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: told.Error()}
	}
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: told.Error()}
}
