package foyer

import (
	"context"
	"errors"
	"strings"

	"example.com/foyer/gate"
)

// An Explanation tells an operator what a rule decides about a call, and what
// would change it.
type Explanation struct {
	Kind     gate.Kind
	Item     string        // as the table names it
	Rule     gate.Rule     // its String is the rule in words
	Decision gate.Decision // also where the caller is told that there is no such item
	Listed   bool          // whether a list shows the item to the caller, open or locked
	Change   string        // what would change the decision; empty where it allows
}

var errNoServer = errors.New("foyer: there is no server yet: call Handler first")

// Explain tells what would be decided about r, by the way by which calls are
// decided: one explanation for each rule that r comes under, of which every one
// must allow. A resource may come under several templates, an unknown name comes
// under none. Without arguments (nil) rules that ask about them are not asked,
// as for a list. Nothing is called.
func (k *Kit) Explain(ctx context.Context, r gate.Request) ([]Explanation, error) {
	if k.gate == nil {
		return nil, errNoServer
	}
	if r.Caller.At.IsZero() {
		r.Caller.At = k.now()
	}
	verdicts, err := k.gate.Explain(ctx, r)
	if err != nil {
		return nil, err
	}
	var all []Explanation
	for _, v := range verdicts {
		e := Explanation{Kind: r.Kind, Item: v.Item, Rule: v.Rule, Decision: v.Decision, Listed: v.Listed, Change: k.change(r.Caller, v.Decision)}
		if v.Misfit != nil {
			e.Change = "arguments that fit the schema: " + v.Misfit.Error()
		}
		all = append(all, e)
	}
	return all, nil
}

// ExplainAll is [Kit.Explain] about every item that c may or may not use.
func (k *Kit) ExplainAll(ctx context.Context, c gate.Caller) ([]Explanation, error) {
	if k.gate == nil {
		return nil, errNoServer
	}
	var all []Explanation
	for _, kind := range []gate.Kind{gate.Tool, gate.Resource, gate.Prompt} {
		for _, name := range k.gate.Items.Names(kind) {
			found, err := k.Explain(ctx, gate.Request{Caller: c, Kind: kind, Name: name})
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
	return all, nil
}

// change says what would have to be otherwise for d to allow c.
func (k *Kit) change(c gate.Caller, d gate.Decision) string {
	byChat := k.gate.ByChat(d.Scopes)
	switch d.Reason {
	case gate.Unknown:
		return "a rule: this one refuses everyone"
	case gate.ForGuests:
		return "a sign-out"
	case gate.NotThese:
		return "other arguments"
	case gate.NeedsRole:
		return "the roles " + strings.Join(d.Roles, ", ") + ", which the application gives"
	case gate.Policy:
		return "another policy"
	case gate.NeedsGrant:
		return "a token, which every client gets"
	case gate.NeedsSignIn, gate.NeedsScope:
		if !c.SignedIn() && byChat {
			return "a sign-in, in the chat or in the browser"
		}
		return "consent in the browser to " + strings.Join(d.Scopes, ", ")
	case gate.NeedsLevel:
		return "a stronger sign-in in the browser, for " + strings.Join(d.Scopes, ", ")
	case gate.NeedsFresh:
		return "a sign-in no longer than " + d.MaxAge.String() + " ago"
	}
	return ""
}
