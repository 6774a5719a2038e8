package gate

import "slices"

// Decide answers whether c may use the item called name.
func (rs Rules) Decide(c Caller, name string) Decision {
	r := rs[name]
	d := r.decide(c)
	if d.Outcome != Allow && r.hidden {
		return Decision{Outcome: Deny, Reason: Unknown} // exactly what an unknown name gets
	}
	return d
}

// Listed reports whether a list shows the item that d was decided about: as it
// is for Allow, locked for Challenge. A list asks the very decision that a call
// gets, so the two never disagree.
func (d Decision) Listed() bool {
	return d.Outcome == Allow || d.Outcome == Challenge && d.Reason != NeedsGrant
}

var guestScope = []string{Guest}

func (r Rule) decide(c Caller) Decision {
	switch {
	case r.who == nobody:
		return Decision{Outcome: Deny, Reason: Unknown}
	case r.who == anyGrant && c.GrantID == "":
		return Decision{Outcome: Challenge, Reason: NeedsGrant, Scopes: guestScope}
	case r.who == guestsOnly && c.SignedIn():
		return Decision{Outcome: Deny, Reason: ForGuests}
	case r.who == signedIn && !c.SignedIn():
		return Decision{Outcome: Challenge, Reason: NeedsSignIn, Scopes: r.scopes}
	case !containsAll(c.Scopes, r.scopes):
		return Decision{Outcome: Challenge, Reason: NeedsScope, Scopes: r.scopes}
	}
	return Decision{Outcome: Allow}
}

func containsAll(have, want []string) bool {
	return !slices.ContainsFunc(want, func(s string) bool { return !slices.Contains(have, s) })
}
