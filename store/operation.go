package store

import (
	"context"
	"time"
)

// An Operation is a thing that a tool is to do once it is confirmed, and what
// became of it. Its ID is no secret: who may confirm it is looked at each time.
type Operation struct {
	ID      string
	GrantID string
	Epoch   int    // of the grant, when the thing was shown
	UserID  string // whose it was then; empty for a guest
	GuestID string
	Tool    string

	// What was shown, and what Digest stands for.
	Arguments []byte // of the call, canonical JSON
	Summary   string // for people
	Data      []byte // JSON that will be acted on
	World     string // version of what the preview looked at; empty for none
	Digest    Hash

	State     string    // see internal/operation
	Confirmed int       // how strongly, as gate.Confirmation counts
	Key       string    // stands for the idempotency key of who confirmed it; empty for none
	Fence     int       // counts runs: only the newest may record what came of it
	Tries     int       // of a delivery
	Due       time.Time // when somebody has to look at it; zero for never
	Result    []byte    // what the tool answered, JSON

	Created time.Time
	Ended   time.Time // zero until it has an outcome
	Expires time.Time
}

// Operations are looked up by ID. PutOperation needs no grant to be there: what was
// done outlives it.
type Operations interface {
	Operation(ctx context.Context, id string) (Operation, error)

	// OperationByKey returns the newest of a grant that was confirmed with key.
	OperationByKey(ctx context.Context, grantID, key string) (Operation, error)

	// OperationsOfGrant returns those of a grant that were created at the moment
	// since or later, the newest first, at most limit: without Arguments, Data and
	// Result, which may be large.
	OperationsOfGrant(ctx context.Context, grantID string, since time.Time, limit int) ([]Operation, error)

	// OperationsDue returns those that are due at the moment now, the longest due
	// first, at most limit.
	OperationsDue(ctx context.Context, now time.Time, limit int) ([]Operation, error)

	PutOperation(ctx context.Context, o Operation) error
}
