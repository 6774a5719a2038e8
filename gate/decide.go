package gate

import "slices"

// Decide answers whether c may use the item called name with arguments; nil
// means that there are none.
func (rs Rules) Decide(c Caller, name string, arguments map[string]any) Decision {
	r := rs[name]
	d := r.decide(c)
	if d.Outcome.Passes() && r.when != nil && !r.when(c, arguments) {
		d = Decision{Outcome: Deny, Reason: NotThese}
	}
	return r.seen(d)
}

// Show answers what a list shows c of the item called name: as [Rules.Decide]
// does about a call whose arguments nobody minds.
func (rs Rules) Show(c Caller, name string) Decision {
	r := rs[name]
	return r.seen(r.decide(c))
}

// Told is d, what a [Decider] says about the item called name, as the caller is
// told: a challenge asks for what the rule needs, too, so that one step-up is
// enough; a confirmation is as strong as both ask for; and of a hidden item nothing
// is told that does not pass.
func (rs Rules) Told(name string, d Decision) Decision {
	r := rs[name]
	if d.Outcome == Challenge {
		more := slices.DeleteFunc(slices.Clone(d.Scopes), func(s string) bool { return slices.Contains(r.scopes, s) })
		d.Scopes, d.Roles = slices.Concat(r.scopes, more), r.roles
	}
	if d.Outcome.Passes() {
		d = passing(max(r.confirm, d.Confirm))
	}
	return r.seen(d)
}

func (r *Rule) seen(d Decision) Decision {
	if !d.Outcome.Passes() && r.hidden {
		return Decision{Outcome: Deny, Reason: Unknown} // exactly what an unknown name gets
	}
	return d
}

// Listed reports whether a list shows the item that d was decided about: as it
// is where d passes, locked for Challenge.
func (d Decision) Listed() bool {
	return d.Outcome.Passes() || d.Outcome == Challenge && d.Reason != NeedsGrant
}

var guestScope = []string{Guest}

func (r *Rule) decide(c Caller) Decision {
	switch {
	case r.who == nobody:
		return Decision{Outcome: Deny, Reason: Unknown}
	case r.who == anyGrant && c.GrantID == "":
		return Decision{Outcome: Challenge, Reason: NeedsGrant, Scopes: guestScope}
	case r.who == guestsOnly && c.SignedIn():
		return Decision{Outcome: Deny, Reason: ForGuests}
	case r.who == signedIn && !c.SignedIn():
		return r.challenge(NeedsSignIn)
	case !containsAll(c.Roles, r.roles):
		return Decision{Outcome: Deny, Reason: NeedsRole, Roles: r.roles}
	case !containsAll(c.Scopes, r.scopes):
		return r.challenge(r.missing(c))
	case r.maxAge > 0 && c.At.Sub(c.AuthTime) > r.maxAge:
		return r.challenge(NeedsFresh)
	}
	return passing(r.confirm)
}

func passing(c Confirmation) Decision {
	if c > NotConfirmed {
		return Decision{Outcome: Confirm, Confirm: c}
	}
	return Decision{Outcome: Allow}
}

func (r *Rule) challenge(why Reason) Decision {
	return Decision{Outcome: Challenge, Reason: why, Scopes: r.scopes, MaxAge: r.maxAge, Roles: r.roles}
}

// missing tells a scope that nobody has consented to from a level.
func (r *Rule) missing(c Caller) Reason {
	for _, s := range r.scopes {
		if _, level := LevelOf(s); !level && !slices.Contains(c.Scopes, s) {
			return NeedsScope
		}
	}
	return NeedsLevel
}

func containsAll(have, want []string) bool {
	return !slices.ContainsFunc(want, func(s string) bool { return !slices.Contains(have, s) })
}
