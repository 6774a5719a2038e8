package gate

import (
	"slices"
	"time"
)

// A Rule says what one item asks of a caller. Make one with [Anyone],
// [AnyGrant], [GuestsOnly], [SignedIn], [Scope] or [Role], and ask for more by
// its methods. The zero Rule refuses everyone.
type Rule struct {
	who     who
	scopes  []string // those of levels included
	roles   []string
	maxAge  time.Duration // zero for none
	when    func(Caller, map[string]any) bool
	hidden  bool
	confirm Confirmation
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

// Role lets users through who have all of roles. Others are told which they
// lack: a role is the application's to give, and no client can ask for one.
// Their lists do not show the item; a guest's show it locked, because who signs
// in may have the role.
func Role(roles ...string) Rule { return SignedIn().Role(roles...) }

// Scope asks for scopes, too.
func (r Rule) Scope(scopes ...string) Rule {
	r.scopes = slices.Concat(r.scopes, scopes)
	return r
}

// Role asks for roles, too.
func (r Rule) Role(roles ...string) Rule {
	r.roles = slices.Concat(r.roles, roles)
	return r
}

// Level asks for a user who was authenticated at least as well as level says:
// "chat" by a one-time code that went through the assistant, "email" by one in
// the browser, and what else the kit's levels are. Clients are asked for it as
// the scope "acr:" + level, and by acr_values (RFC 9470 section 3).
func (r Rule) Level(level string) Rule { return r.Scope(LevelScope(level)) }

// MaxAge asks for a user who was authenticated no longer than d ago (max_age of
// RFC 9470 section 3). Zero asks for nothing.
func (r Rule) MaxAge(d time.Duration) Rule { r.maxAge = d; return r }

// When asks ok about the arguments of a call that everything else allows: for
// what depends on the thing at hand, such as an amount. They are the decoded
// arguments with the defaults of the item's schema, which they fit; numbers are
// float64, or json.Number where that would lose digits. Not to be changed. A
// caller cannot get what ok refuses by signing in. Lists do not ask ok. Of
// several When, all must agree.
func (r Rule) When(ok func(c Caller, arguments map[string]any) bool) Rule {
	if before := r.when; before != nil {
		r.when = func(c Caller, arguments map[string]any) bool { return before(c, arguments) && ok(c, arguments) }
	} else {
		r.when = ok
	}
	return r
}

// Hidden keeps the item out of the lists of those who may not call it; for them
// it does not exist. Other items are listed as locked.
func (r Rule) Hidden() Rule { r.hidden = true; return r }

// Unhidden is the rule without [Rule.Hidden], for who may know what it decides: an
// operator.
func (r Rule) Unhidden() Rule { r.hidden = false; return r }

// IsOpen reports whether the rule asks for nothing: everybody may use the item
// with any arguments.
func (r Rule) IsOpen() bool {
	return r.who == anyone && len(r.scopes) == 0 && len(r.roles) == 0 && r.maxAge <= 0 && r.when == nil
}

// AsksArguments reports whether the rule has a [Rule.When].
func (r Rule) AsksArguments() bool { return r.when != nil }
