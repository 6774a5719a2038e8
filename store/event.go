package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"
)

// Kinds of event.
const (
	EventClientRegistered = "client_registered"
	EventGrantStarted     = "grant_started"    // a code was redeemed
	EventGrantRefreshed   = "grant_refreshed"  // and not: a refresh was answered again
	EventGrantClaimed     = "grant_claimed"    // Scopes are what the claim added
	EventGrantSignedOut   = "grant_signed_out" // UserID is who was signed in, GuestID the new guest
	EventGrantRevoked     = "grant_revoked"    // Reason says why, By who asked
	EventGrantElevated    = "grant_elevated"   // Whom approved it
	EventGrantLowered     = "grant_lowered"    // Scopes and Roles are of the elevations that ended
	EventGrantWidened     = "grant_widened"    // Scopes are what its user gave it besides, on the account page
	EventGrantNarrowed    = "grant_narrowed"   // Scopes are what its user took back there
	EventRolesSet         = "roles_set"        // Roles are all that the user has now
	EventUserLeaves       = "user_leaves"      // and is deleted at Until, unless that is taken back
	EventUserKept         = "user_kept"        // it was taken back
	EventUserDeleted      = "user_deleted"     // for good
	EventUserExported     = "user_exported"    // a copy of what is kept was asked for
	EventSignInBegun      = "sign_in_begun"    // Whom is to be mailed; Outcome says whether a mail goes out
	EventSignInFailed     = "sign_in_failed"
	EventSessionOpened    = "session_opened" // in a browser
	EventSessionEnded     = "session_ended"

	EventOperationShown     = "operation_shown"     // nothing was done yet
	EventOperationConfirmed = "operation_confirmed" // by its user on a page; it runs when the model comes back. Reason says how strongly
	EventOperationBegun     = "operation_begun"     // a run; Reason says how strongly it was confirmed
	EventOperationEnded     = "operation_ended"     // Outcome is its state, Reason as above; By says that its user has denied it on a page

	EventDecided = "decided" // whether an item may be used
	EventLost    = "lost"    // Count decisions came faster than they could be written
)

// Reasons of events. Decisions have those of package gate.
const (
	ReasonCodeReplayed  = "code_replayed"
	ReasonRefreshReused = "refresh_reused"
	ReasonContinued     = "continued" // by another grant of the client
	ReasonWrongCode     = "wrong_code"
	ReasonExhausted     = "exhausted" // and wrong
)

// Who did what the caller did not do.
const (
	ByApp    = "app"    // the application, through the kit
	ByClient = "client" // by RFC 7009
	ByUser   = "user"   // in the browser, on a page
)

// Outcomes.
const (
	OutcomeMailed = "mailed" // of [EventSignInBegun]
	OutcomeMuted  = "muted"  // likewise: the address gets no more mail for now

	OutcomeAllow     = "allow"   // of [EventDecided]
	OutcomeConfirm   = "confirm" // the call shows what it would do
	OutcomeChallenge = "challenge"
	OutcomeDeny      = "deny"
)

// An Event is one thing that happened, for those who have to know later. It
// holds IDs and words of the program alone: no address, no name of a person, no
// argument, no token, and nothing that a caller has written.
type Event struct {
	ID        string    // begins with At, so that IDs are in the order of time
	At        time.Time // the first time, if Count is more than 1
	Until     time.Time // of an elevation: its end; of repeats: the last one; else zero
	Kind      string
	Request   string // names the HTTP request, so that its events are found together; empty where there was none
	GrantID   string
	ClientID  string
	UserID    string
	GuestID   string
	Level     string // how the user was authenticated
	Item      string // kind and name as registered, such as "tool list_notes"; the kind alone where there is no such item
	Method    string // of MCP, for a decision
	Outcome   string
	Reason    string
	Scopes    []string // of a decision: what the item asks for; else what was given
	Roles     []string // likewise
	Operation string   // the ID of an operation that asks to be confirmed
	By        string   // who did it, unless it was the caller
	Whom      string   // a pseudonym: of the address, or of the person who approved
	Count     int      // how many that were alike this stands for
	Place     int      // in the chain, from 1; 0 until the event is sealed
	KeyID     string   // names the key of MAC
	MAC       []byte   // of the event and its predecessor
}

// NewEvent returns an event of that kind, in the request that ctx belongs to.
func NewEvent(ctx context.Context, kind string, at time.Time) Event {
	return Event{ID: NewEventID(at), At: at, Kind: kind, Request: RequestOf(ctx), Count: 1}
}

// NewEventID returns an ID for an event of that moment.
func NewEventID(at time.Time) string { return fmt.Sprintf("%014x", at.UnixMicro()) + rand.Text()[:13] }

// Of returns e as an event of gr.
func (e Event) Of(gr Grant) Event {
	e.GrantID, e.ClientID, e.UserID, e.GuestID, e.Level = gr.ID, gr.ClientID, gr.UserID, gr.GuestID, gr.Level
	return e
}

type requestKey struct{}

// WithRequest returns ctx with the name of its HTTP request.
func WithRequest(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, requestKey{}, name)
}

// RequestOf returns the name of the HTTP request that ctx belongs to, or "".
func RequestOf(ctx context.Context) string {
	name, _ := ctx.Value(requestKey{}).(string)
	return name
}

// A Chain is what is known of a chain of events besides the events: where it
// begins and ends. Whoever seals the events seals the head.
type Chain struct {
	ID   string
	Head []byte
}

// Events are put without a place by whoever changes something, and once more,
// with a place, by whoever seals them. They are read in the order of their IDs
// until then, and of their places after.
type Events interface {
	PutEvent(ctx context.Context, e Event) error
	// UnsealedEvents returns events without a place, at most limit.
	UnsealedEvents(ctx context.Context, limit int) ([]Event, error)
	// SealedEvents returns events whose place is greater than after, at most limit.
	SealedEvents(ctx context.Context, after, limit int) ([]Event, error)
	// EventsOfUser returns events of a user, at most limit, those with the greatest
	// IDs first. It leaves out decisions and refreshes, of which there are many.
	EventsOfUser(ctx context.Context, userID string, limit int) ([]Event, error)
	// DeleteEvents deletes the events at the places from 1 to last.
	DeleteEvents(ctx context.Context, last int) error

	// Chain looks a chain up by its ID.
	Chain(ctx context.Context, id string) (Chain, error)
	PutChain(ctx context.Context, c Chain) error
}
