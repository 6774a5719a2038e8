package gate

import "time"

// An Outcome is what becomes of a call.
type Outcome int

// Outcomes. The zero Outcome denies.
const (
	Deny      Outcome = iota // the caller cannot change that by signing in
	Challenge                // the caller may get what is missing
	Confirm                  // the call shows what it would do, and does it once that is confirmed
	Allow
)

// Passes reports whether the rule has nothing against the call: it runs, at once
// or after a confirmation.
func (o Outcome) Passes() bool { return o >= Confirm }

// A Reason says why a call is not simply allowed. Programs may compare it.
type Reason string

// Reasons.
const (
	Unknown     Reason = "unknown"      // no such item, as far as this caller may know
	ForGuests   Reason = "guests_only"  // and the caller is a user
	NotThese    Reason = "arguments"    // with others it might be allowed
	NeedsRole   Reason = "needs_roles"  // which the application has not given to the user
	Policy      Reason = "policy"       // a [Decider] says so
	NeedsGrant  Reason = "needs_grant"  // the caller has no token
	NeedsSignIn Reason = "sign_in"      // the caller is a guest
	NeedsScope  Reason = "needs_scopes" // the grant lacks some of the scopes
	NeedsLevel  Reason = "needs_level"  // the user was not authenticated well enough
	NeedsFresh  Reason = "needs_fresh"  // or too long ago
)

// A Decision answers a call. What a challenge names is all that the item needs,
// not only what is missing, so that one trip to the authorization server is
// enough (MCP 2026-07-28, authorization, "Runtime Insufficient Scope Errors").
type Decision struct {
	Outcome Outcome
	Reason  Reason        // empty for Allow
	Scopes  []string      // of a Challenge, levels as scopes; shared, not to be changed
	MaxAge  time.Duration // of a Challenge: how fresh the sign-in must be; zero for any
	Confirm Confirmation  // of a Confirm: at least so
	Roles   []string      // for NeedsRole, and of a Challenge, which the user must have besides; shared, not to be changed
}
