package mcpgate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	stdjson "encoding/json"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/segmentio/encoding/json"
	"github.com/yosida95/uritemplate/v3"

	"example.com/foyer/gate"
)

// A question is what the rules are asked about a message: may this item be used,
// with these arguments.
type question struct {
	kind      kind
	name      string             // as the client called it: of a resource, the URI
	arguments stdjson.RawMessage // of a call or a prompt
	open      bool               // that nobody knows the arguments yet
}

// ask returns what the rules are asked about m. A call asks about its item, a
// completion about what it completes for, a subscription about what it
// subscribes to. Messages that touch no item are the middleware's to know.
func ask(m message) (q question, ok bool) {
	switch m.Method {
	case "tools/call":
		return question{kind: tool, name: m.Params.Name, arguments: m.Params.Arguments}, true
	case "prompts/get":
		return question{kind: prompt, name: m.Params.Name, arguments: m.Params.Arguments}, true
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		return question{kind: resource, name: m.Params.URI}, true
	case "completion/complete":
		if m.Params.Ref.Type == "ref/prompt" {
			return question{kind: prompt, name: m.Params.Ref.Name, open: true}, true
		}
		return question{kind: resource, name: m.Params.Ref.URI, open: true}, true
	}
	return question{}, false
}

// A refusal is a decision about an item that is not Allow.
type refusal struct {
	kind     kind
	name     string // as the client called it
	decision gate.Decision
	misfit   error // why the arguments are none of the item's; nil where they were not the reason
}

// A ruling is what was decided about a message. The zero ruling is about one that
// touches no item.
type ruling struct {
	refusal
	item string // as registered, which decided; empty where there is none
}

// refused returns the refusal in r, or nil.
func (r *ruling) refused() *refusal {
	if r.kind == "" || r.decision.Outcome.Passes() {
		return nil
	}
	return &r.refusal
}

// rule returns what is decided about m.
func (g *Gate) rule(ctx context.Context, c carried, m message) ruling {
	q, ok := ask(m)
	if !ok {
		return ruling{}
	}
	return g.decide(ctx, c, q)
}

// mayRead reports whether c may read uri.
func (g *Gate) mayRead(ctx context.Context, c carried, uri string) bool {
	r := g.decide(ctx, c, question{kind: resource, name: uri})
	return r.decision.Outcome.Passes()
}

// decide asks about q: every rule that it comes under, and then the policy, if
// there is one. Each must allow.
func (g *Gate) decide(ctx context.Context, c carried, q question) ruling {
	if q.kind == resource {
		return g.decideURI(ctx, c, q)
	}
	r := ruling{refusal: refusal{kind: q.kind, name: q.name}}
	if _, ok := g.Items.table(q.kind)[q.name]; ok {
		r.item = q.name
	}
	r.decision, r.misfit = g.decideItem(ctx, c, q, item{name: q.name, input: g.Items.inputs[q.name]}, g.Items.table(q.kind))
	return r
}

// decideURI asks about a URI. One that nothing matches is an unknown name. Of
// several that allow, one decided that asks for something.
func (g *Gate) decideURI(ctx context.Context, c carried, q question) ruling {
	r := ruling{refusal: refusal{kind: q.kind, name: q.name, decision: gate.Decision{Outcome: gate.Deny, Reason: gate.Unknown}}}
	for i, it := range g.Items.matching(q.name) {
		next, misfit := g.decideItem(ctx, c, q, it, g.Items.resources)
		switch {
		case i == 0, next.Outcome < r.decision.Outcome:
			r.decision, r.misfit, r.item = next, misfit, it.name
		case r.decision.Outcome == gate.Allow && g.Items.resources[r.item].IsOpen():
			r.item = it.name
		}
	}
	return r
}

// matching returns what a URI comes under: the resource that is registered by it,
// or else every template that it names (as a completion does) or matches.
func (items *Items) matching(uri string) (found []item) {
	if _, ok := items.resources[uri]; ok && !items.isTemplate(uri) {
		return []item{{name: uri}}
	}
	for _, t := range items.templates {
		if t.name == uri || t.uri.Regexp().MatchString(uri) {
			found = append(found, item{name: t.name, template: t.uri})
		}
	}
	return found
}

// decideItem asks about one item, by the table rules.
func (g *Gate) decideItem(ctx context.Context, c carried, q question, it item, rules gate.Rules) (gate.Decision, error) {
	d := rules.Show(c.caller, it.name)
	if !d.Outcome.Passes() || !g.asksArguments(q.kind, it.name) {
		return d, nil
	}
	var arguments map[string]any
	var misfit error
	if !q.open {
		if arguments, misfit = it.arguments(q); misfit != nil {
			arguments = nil // the policy is asked as for a list: who is denied the item learns nothing of its schema
		} else {
			d = rules.Decide(c.caller, it.name, arguments)
		}
	}
	if d.Outcome.Passes() && g.asksPolicy(q.kind, it.name) {
		d = rules.Told(it.name, g.policy(ctx, c, gate.Request{Caller: c.caller, Kind: q.kind, Item: it.name, Name: q.name, Arguments: arguments}))
	}
	if d.Outcome.Passes() && misfit != nil {
		return gate.Decision{Outcome: gate.Deny, Reason: gate.NotThese}, misfit
	}
	return d, nil
}

// asksArguments reports whether somebody minds the arguments of an item.
func (g *Gate) asksArguments(k kind, name string) bool {
	return g.asksPolicy(k, name) || g.Items.table(k)[name].AsksArguments()
}

// asksPolicy reports whether the decider is asked about an item. About the kit's
// own it is not: they are how a caller signs in, which no policy is to stand in
// the way of, and their arguments are an address and digits, which none is to see.
func (g *Gate) asksPolicy(k kind, name string) bool {
	return g.Decider != nil && !slices.Contains(g.Own, name)
}

// policy asks the decider, once for each request of HTTP: in front of the SDK
// and behind it the question is the same. A fault is a denial.
func (g *Gate) policy(ctx context.Context, c carried, r gate.Request) gate.Decision {
	key, err := stdjson.Marshal([]any{r.Kind, r.Item, r.Name, r.Arguments})
	if err == nil && c.decided != nil {
		if d, ok := c.decided.Load(string(key)); ok {
			return d.(gate.Decision)
		}
	}
	d, err := g.Decider.Decide(ctx, r)
	if err != nil {
		g.policyFault(ctx, err)
		return gate.Decision{Outcome: gate.Deny, Reason: gate.Policy}
	}
	d = g.obtainable(ctx, d)
	if c.decided != nil {
		c.decided.Store(string(key), d)
	}
	return d
}

// obtainable is d, unless it asks for what nobody can get: that would send a client
// to the authorization server for nothing. It is a fault of the policy.
func (g *Gate) obtainable(ctx context.Context, d gate.Decision) gate.Decision {
	for _, scope := range d.Scopes {
		if level, ok := gate.LevelOf(scope); ok && slices.Contains(g.Levels, level) || !ok && g.Scopes.Known(scope) {
			continue
		}
		g.policyFault(ctx, fmt.Errorf("it asks for the scope %q, which there is not", scope))
		return gate.Decision{Outcome: gate.Deny, Reason: gate.Policy}
	}
	return d
}

// policyOfAll asks the decider about many items, by name. A fault denies all.
func (g *Gate) policyOfAll(ctx context.Context, c carried, rs []gate.Request) map[string]gate.Decision {
	said := make(map[string]gate.Decision, len(rs))
	all, ok := g.Decider.(gate.ListDecider)
	if !ok {
		for _, r := range rs {
			said[r.Item] = g.policy(ctx, c, r)
		}
		return said
	}
	decisions, err := all.DecideAll(ctx, rs)
	if err == nil && len(decisions) != len(rs) {
		err = fmt.Errorf("a decider answered %d of %d questions", len(decisions), len(rs))
	}
	if err != nil {
		g.policyFault(ctx, err)
		return said
	}
	for i, r := range rs {
		said[r.Item] = g.obtainable(ctx, decisions[i])
	}
	return said
}

func (g *Gate) policyFault(ctx context.Context, err error) {
	if ctx.Err() == nil { // else the client has gone
		g.Log.ErrorContext(ctx, "fault", "about", "a policy decision", "err", err)
	}
}

// An item is one that a question comes under.
type item struct {
	name     string               // in its table
	input    *jsonschema.Resolved // of a tool; or nil
	template *uritemplate.Template
}

// arguments returns what a rule is asked about: of a resource the variables of
// its template, of a call the arguments as they fit the schema, with its
// defaults.
func (it item) arguments(q question) (map[string]any, error) {
	if q.kind == resource {
		return it.variables(q.name), nil
	}
	values := map[string]any{}
	if len(q.arguments) > 0 {
		if _, err := json.Parse(q.arguments, &values, json.DontMatchCaseInsensitiveStructFields); err != nil {
			return nil, errors.New("arguments must be an object")
		}
	}
	if values == nil { // null
		values = map[string]any{}
	}
	if it.input == nil {
		return values, nil
	}
	if err := it.input.ApplyDefaults(&values); err != nil {
		return nil, err
	}
	return values, it.input.Validate(values)
}

func (it item) variables(uri string) map[string]any {
	values := map[string]any{}
	if it.template == nil {
		return values
	}
	for name, v := range it.template.Match(uri) {
		if v.T == uritemplate.ValueTypeString {
			values[name] = v.String()
		} else {
			values[name] = v.List()
		}
	}
	return values
}
