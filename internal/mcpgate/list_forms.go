package mcpgate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
)

// A list is what the gate knows of the lists of one kind of item.
type list[T any] struct {
	kind  kind
	key   string // of the items in a result
	rules gate.Rules
	name  func(*T) string // that its rule is under
	meta  func(*T) *mcp.Meta

	forms sync.Map // resource of an endpoint → *atomic.Pointer[map[*T]form], of items that were listed there
}

func newList[T any](k kind, key string, rules gate.Rules, name func(*T) string, meta func(*T) *mcp.Meta) *list[T] {
	return &list[T]{kind: k, key: key, rules: rules, name: name, meta: meta}
}

// formsAt are those of the items that were listed at e.
func (l *list[T]) formsAt(e Endpoint) *atomic.Pointer[map[*T]form] {
	forms, ok := l.forms.Load(e.Resource)
	if !ok {
		none := &atomic.Pointer[map[*T]form]{}
		none.Store(&map[*T]form{})
		forms, _ = l.forms.LoadOrStore(e.Resource, none)
	}
	return forms.(*atomic.Pointer[map[*T]form])
}

// A form is an item in JSON, with a comma in front of it. Items do not change
// after they were added to a server, which replaces them by others instead.
type form struct {
	open          []byte
	before, after []byte // of what a locked copy says it needs
}

// shown are those of all items that a list shows to c, with the decision that a
// call of them gets whose arguments nobody minds.
func (l *list[T]) shown(ctx context.Context, g *Gate, c carried, all []*T) iter.Seq2[*T, gate.Decision] {
	allowed := l.policy(ctx, g, c, all)
	return func(yield func(*T, gate.Decision) bool) {
		for _, item := range all {
			d := l.rules.Show(c.caller, l.name(item))
			if d.Outcome.Passes() && g.asksPolicy(l.kind, l.name(item)) {
				d = l.rules.Told(l.name(item), allowed[l.name(item)])
			}
			if d.Listed() && !yield(item, d) {
				return
			}
		}
	}
}

// policy returns what the decider says of the items that the rules allow, or nil
// where there is none. What it says nothing of is denied.
func (l *list[T]) policy(ctx context.Context, g *Gate, c carried, all []*T) map[string]gate.Decision {
	if g.Decider == nil {
		return nil
	}
	var asked []gate.Request
	for _, item := range all {
		if name := l.name(item); g.asksPolicy(l.kind, name) && l.rules.Show(c.caller, name).Outcome.Passes() {
			asked = append(asked, gate.Request{Caller: c.caller, Kind: l.kind, Item: name, Name: name})
		}
	}
	return g.policyOfAll(ctx, c, asked)
}

// typed returns the items that c is shown: copies that say what they need where
// that is to be said, because all callers share the items themselves.
func (l *list[T]) typed(ctx context.Context, g *Gate, c carried, all []*T) []*T {
	items := make([]*T, 0, len(all)) // never null
	for item, d := range l.shown(ctx, g, c, all) {
		if !d.Outcome.Passes() {
			item = l.locked(item, c.endpoint, g.access(c.caller, d))
		} else {
			item = l.open(item, c.endpoint)
		}
		items = append(items, item)
	}
	return items
}

// encoded returns the same in JSON, in pieces.
func (l *list[T]) encoded(ctx context.Context, g *Gate, c carried, all []*T) ([][]byte, error) {
	forms := l.formsAt(c.endpoint)
	known := *forms.Load()
	fresh := map[*T]form{}
	needs := map[need][]byte{}
	pieces := make([][]byte, 0, 2*len(all))
	for item, d := range l.shown(ctx, g, c, all) {
		f, ok := known[item]
		if !ok {
			var err error
			if f, err = l.form(item, c.endpoint); err != nil {
				return nil, err
			}
			fresh[item] = f
		}
		if d.Outcome.Passes() {
			pieces = append(pieces, f.open)
			continue
		}
		n := need{d.Reason, d.MaxAge, strings.Join(d.Scopes, " "), strings.Join(d.Roles, "\x00")}
		if _, ok := needs[n]; !ok {
			var err error
			if needs[n], err = encode(g.access(c.caller, d)); err != nil {
				return nil, err
			}
		}
		pieces = append(pieces, f.before, needs[n], f.after)
	}
	if l.merge(known, fresh) {
		forms.Store(&fresh)
	}
	return pieces, nil
}

// A need is what items of one caller's list may have in common that are locked.
type need struct {
	reason gate.Reason
	maxAge time.Duration
	scopes string
	roles  string
}

// merge adds those that are known to fresh forms, and reports whether those are
// to be kept. No more are kept than there are rules: an application that makes
// its items anew for each list has no use of them, and those that a server has
// replaced are forgotten.
func (l *list[T]) merge(known, fresh map[*T]form) bool {
	if len(fresh) == 0 || len(fresh) > len(l.rules) {
		return false
	}
	if len(known)+len(fresh) <= len(l.rules) {
		maps.Copy(fresh, known)
	}
	return true
}

var errUnsteady = errors.New("mcpgate: an item is not the same JSON twice")

// form encodes an item as it is listed at e. What a locked copy needs stands where
// two copies differ that need 0 and 1.
func (l *list[T]) form(item *T, e Endpoint) (form, error) {
	open, err := encode(l.open(item, e))
	zero, err0 := encode(l.locked(item, e, 0))
	one, err1 := encode(l.locked(item, e, 1))
	if err := errors.Join(err, err0, err1); err != nil {
		return form{}, err
	}
	at := 0
	for at < min(len(zero), len(one))-1 && zero[at] == one[at] {
		at++
	}
	if zero[at] != '0' || one[at] != '1' || !bytes.Equal(zero[at+1:], one[at+1:]) {
		return form{}, errUnsteady
	}
	return form{open: behindComma(open), before: behindComma(zero[:at]), after: zero[at+1:]}, nil
}

func behindComma(text []byte) []byte { return append([]byte{','}, text...) }

// locked returns a copy of item that says what it needs.
func (l *list[T]) locked(item *T, e Endpoint, needs any) *T {
	return l.with(item, l.declared(item, e, mcp.Meta{"foyer/access": needs}))
}

// open returns item, or a copy of it that says what it asks for.
func (l *list[T]) open(item *T, e Endpoint) *T {
	return l.with(item, l.declared(item, e, mcp.Meta{}))
}

// declared adds to more what a tool declares, which is the same for every caller.
func (l *list[T]) declared(item *T, e Endpoint, more mcp.Meta) mcp.Meta {
	if l.kind == tool {
		more["securitySchemes"] = e.schemes(l.rules[l.name(item)])
	}
	return more
}

// with returns a copy of item with more metadata, or item where there is none.
func (l *list[T]) with(item *T, more mcp.Meta) *T {
	if len(more) == 0 {
		return item
	}
	copied := *item
	meta := l.meta(&copied)
	if *meta != nil {
		own := maps.Clone(*meta)
		maps.Copy(own, more)
		more = own
	}
	*meta = more
	return &copied
}

// encode returns v in JSON as the SDK writes it.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
