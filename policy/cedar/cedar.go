// Package cedar is a [gate.Decider] of policies in the language Cedar
// (https://docs.cedarpolicy.com).
//
// Policies speak of these entities:
//
//	principal  User::"its ID", Guest::"its ID", or Nobody::"" without a token; each
//	           with signedIn, level, roles and scopes, as gate.Caller has them
//	action     Action::"call" of a tool, Action::"read" of a resource, Action::"get" of a prompt
//	resource   Tool::"name", Prompt::"name", Resource::"URI", or Resource::"URI template"
//	context    arguments: a record of those of the call, or the variables of the template;
//	           args_unrepresentable: whether a number of them is none of Cedar's
//
// What no policy permits is denied, so a text of prohibitions begins with
// "permit(principal, action, resource);".
//
// # Arguments
//
// An integer of the input schema is a Long, a number a decimal, an array a Set,
// an object a record; null is absent. A number that Cedar cannot hold (more than
// four digits behind the point, or too large) is a string, so that a comparison
// of it is a fault, which denies. A property without one type cannot be named by a
// policy.
//
// # Lists
//
// Nobody knows the arguments yet when a list is made, or a completion. A part of
// a condition that speaks of context then counts as fulfilled in a permit, and as
// not fulfilled in a forbid: an item is listed if some arguments might be
// allowed. Parts are what stands between the outermost && of a when, or the
// outermost || of an unless.
//
// # Challenges
//
// A policy with the annotation @scopes("a b") says what opens a denial. The
// denial becomes a challenge for the scopes of the forbids that apply, or, where
// none applies, for those of the first permit that would help. The promise is
// tried before it is given: with the scopes, as a user, the caller must be allowed
// the same request. Otherwise it stays a denial.
package cedar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"example.com/foyer/gate"
)

// A Config is policies, and what they speak of. Items that it does not name, as
// the kit's own tools, are decided by the policies that name no item.
type Config struct {
	// Policies are the text, in Cedar.
	Policies string

	// Tools are the tools that policies may name, each with its input schema: a
	// json.RawMessage, a *jsonschema.Schema, or anything else that is one in JSON.
	// Nil is one that says nothing, so policies cannot name arguments.
	Tools map[string]any

	// Resources are the URIs of resources, and URI templates, that policies may
	// name. Optional.
	Resources []string

	// Prompts are the prompts that policies may name, each with the names of its
	// arguments. Optional.
	Prompts map[string][]string

	// Scopes are those of the kit. Optional without the annotation @scopes.
	Scopes gate.Scopes

	// Levels are those of the kit. Optional; empty means gate.StandardLevels.
	Levels gate.Levels
}

// A Decider decides by policies.
type Decider struct {
	scopes gate.Scopes
	levels gate.Levels
	byID   map[cedar.PolicyID]*policy
	items  map[types.EntityUID]*item
	others *item // stands for every item that Config does not name
}

var _ gate.ListDecider = (*Decider)(nil)

// New reads policies and checks them against the items: names that nothing has,
// types that do not fit, and policies that can never apply are errors, all of
// them listed with the line at which their policy begins.
func New(cfg Config) (*Decider, error) {
	if len(cfg.Levels) == 0 {
		cfg.Levels = gate.StandardLevels
	}
	list, err := cedar.NewPolicyListFromBytes("", []byte(cfg.Policies))
	if err != nil {
		return nil, fmt.Errorf("cedar: the policies cannot be read: %w", err)
	}
	if len(list) == 0 {
		return nil, errors.New(`cedar: there is no policy, so everything would be denied; begin with permit(principal, action, resource);`)
	}
	d := &Decider{scopes: cfg.Scopes, levels: cfg.Levels, byID: map[cedar.PolicyID]*policy{}, others: &item{}}
	if d.items, err = cfg.items(); err != nil {
		return nil, fmt.Errorf("cedar: %w", err)
	}
	var problems []error
	for i, parsed := range list {
		p, err := cfg.policy(cedar.PolicyID(strconv.Itoa(i)), parsed)
		if err == nil {
			err = p.check(d.items)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("cedar: the policy in line %d: %w", parsed.Position().Line, err))
			continue
		}
		d.add(p)
	}
	return d, errors.Join(problems...)
}

// add gives p to the items that it can apply to.
func (d *Decider) add(p *policy) {
	d.byID[p.id] = p
	d.others.add(p)
	for _, it := range d.items {
		if p.isAbout(it) {
			it.add(p)
		}
	}
}

// Decide answers r. A policy that cannot be evaluated is an error, as are
// arguments that are not of the types that the item declares.
func (d *Decider) Decide(_ context.Context, r gate.Request) (gate.Decision, error) {
	return d.decide(r, newPrincipal(r.Caller))
}

// DecideAll answers each of rs as [Decider.Decide] does.
func (d *Decider) DecideAll(_ context.Context, rs []gate.Request) ([]gate.Decision, error) {
	decisions := make([]gate.Decision, len(rs))
	var who principal
	for i, r := range rs {
		if i == 0 || !same(r.Caller, rs[i-1].Caller) {
			who = newPrincipal(r.Caller)
		}
		var err error
		if decisions[i], err = d.decide(r, who); err != nil {
			return nil, err
		}
	}
	return decisions, nil
}

func (d *Decider) decide(r gate.Request, who principal) (gate.Decision, error) {
	it, err := d.item(r.Kind, r.Item)
	if err != nil {
		return gate.Decision{}, err
	}
	q := question{item: it, policies: it.called}
	if r.Arguments == nil {
		q.policies = it.listed
	} else if it.looks {
		if q.context, err = it.context(r.Arguments); err != nil {
			return gate.Decision{}, fmt.Errorf("cedar: %s: %w", it.uid, err)
		}
	}
	diagnosis, allowed, err := d.ask(q, who)
	switch {
	case err != nil:
		return gate.Decision{}, err
	case allowed:
		return gate.Decision{Outcome: gate.Allow}, nil
	}
	return d.challenge(q, r.Caller, diagnosis), nil
}

// A question is what policies are asked about an item.
type question struct {
	item     *item
	policies policies
	context  types.Record
}

// ask evaluates the policies. One that cannot be evaluated is none to Cedar, which
// would open what it forbids. What it was about stays out of the error: that may
// be an argument.
func (d *Decider) ask(q question, who principal) (cedar.Diagnostic, bool, error) {
	decision, diagnosis := cedar.Authorize(q.policies, who, cedar.Request{
		Principal: who.UID, Action: q.item.action, Resource: q.item.uid, Context: q.context})
	if len(diagnosis.Errors) > 0 {
		return diagnosis, false, fmt.Errorf("cedar: the policy in line %d cannot be evaluated for %s with these arguments, so the call is denied: ask with has, and unless { context.args_unrepresentable }",
			diagnosis.Errors[0].Position.Line, q.item.uid)
	}
	return diagnosis, decision == cedar.Allow, nil
}

func same(a, b gate.Caller) bool {
	return a.GrantID == b.GrantID && a.GuestID == b.GuestID && a.UserID == b.UserID && a.Level == b.Level &&
		slices.Equal(a.Scopes, b.Scopes) && slices.Equal(a.Roles, b.Roles)
}
