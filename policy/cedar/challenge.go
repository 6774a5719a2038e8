package cedar

import (
	"slices"

	"github.com/cedar-policy/cedar-go"

	"example.com/foyer/gate"
)

var denied = gate.Decision{Outcome: gate.Deny, Reason: gate.Policy}

// challenge returns what c gets who is denied q: a challenge if what the policies
// name would open it.
func (d *Decider) challenge(q question, c gate.Caller, diagnosis cedar.Diagnostic) gate.Decision {
	for _, scopes := range d.offers(q, diagnosis) {
		if !d.opens(q, c, scopes) {
			continue
		}
		return gate.Decision{Outcome: gate.Challenge, Reason: reason(c, scopes), Scopes: scopes}
	}
	return denied
}

// offers are the scopes that the policies name, each of which may be enough:
// where something forbids, all that the forbids name together.
func (d *Decider) offers(q question, diagnosis cedar.Diagnostic) (offers [][]string) {
	if len(diagnosis.Reasons) == 0 {
		for _, p := range q.policies {
			if p.Effect() == cedar.Permit {
				offers = append(offers, p.scopes)
			}
		}
		return offers
	}
	var all []string
	for _, r := range diagnosis.Reasons {
		for _, s := range d.byID[r.PolicyID].scopes {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return [][]string{all}
}

// opens reports whether c lacks some of scopes, and with all of them would be
// allowed.
func (d *Decider) opens(q question, c gate.Caller, scopes []string) bool {
	if !slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(c.Scopes, s) }) {
		return false
	}
	_, allowed, err := d.ask(q, newPrincipal(d.raised(c, scopes)))
	return err == nil && allowed
}

// raised is c after a trip to the authorization server: scopes are users', so a
// guest has become one, whom nobody knows yet.
func (d *Decider) raised(c gate.Caller, scopes []string) gate.Caller {
	if !c.SignedIn() {
		c.UserID, c.GuestID, c.GrantID, c.Level = "?", "", "?", d.levels[0]
	}
	for _, s := range scopes {
		if level, ok := gate.LevelOf(s); ok && slices.Index(d.levels, level) > slices.Index(d.levels, c.Level) {
			c.Level = level
		}
	}
	c.Scopes = slices.Concat(d.scopes.With(slices.Concat(c.Scopes, scopes)), d.levels.Scopes(c.Level))
	return c
}

// reason tells what c lacks, as the tables do.
func reason(c gate.Caller, scopes []string) gate.Reason {
	if !c.SignedIn() {
		return gate.NeedsSignIn
	}
	for _, s := range scopes {
		if _, level := gate.LevelOf(s); !level && !slices.Contains(c.Scopes, s) {
			return gate.NeedsScope
		}
	}
	return gate.NeedsLevel
}
