package gate

// A Rule says what one item asks of a caller. Make one with [Anyone],
// [AnyGrant], [GuestsOnly], [SignedIn] or [Scope]. The zero Rule refuses everyone.
type Rule struct {
	who    who
	scopes []string
	hidden bool
}

type who int

const (
	nobody who = iota
	anyone
	anyGrant
	guestsOnly
	signedIn
)

// Anyone lets every caller through, guests included.
func Anyone() Rule { return Rule{who: anyone} }

// AnyGrant lets every caller through who has a token, guests included: for items
// that keep something for their caller, whom [Caller.Owner] then names. Without
// a token the item is not listed, and a call is asked to get one.
func AnyGrant() Rule { return Rule{who: anyGrant} }

// GuestsOnly lets everyone through but users: for items about signing in. The
// item leaves the lists of users; a call from a list that is older than the
// sign-in is told why.
func GuestsOnly() Rule { return Rule{who: guestsOnly} }

// SignedIn lets users through. Others are asked to sign in.
func SignedIn() Rule { return Rule{who: signedIn} }

// Scope lets users through whose grant includes all of scopes. Others are asked
// to sign in, or to step up (RFC 6750 section 3.1, insufficient_scope).
func Scope(scopes ...string) Rule { return Rule{who: signedIn, scopes: scopes} }

// Hidden keeps the item out of the lists of those who may not call it; for them
// it does not exist. Other items are listed as locked.
func (r Rule) Hidden() Rule { r.hidden = true; return r }
