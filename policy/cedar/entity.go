package cedar

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"

	"example.com/foyer/gate"
)

// Types of entities.
const (
	user   types.EntityType = "User"
	guest  types.EntityType = "Guest"
	nobody types.EntityType = "Nobody"
	action types.EntityType = "Action"
)

var principals = []types.EntityType{user, guest, nobody}

// kinds are the kinds of item, and what is done with them.
var kinds = map[gate.Kind]struct {
	entity types.EntityType
	action types.EntityUID
}{
	gate.Tool:     {"Tool", types.NewEntityUID(action, "call")},
	gate.Resource: {"Resource", types.NewEntityUID(action, "read")},
	gate.Prompt:   {"Prompt", types.NewEntityUID(action, "get")},
}

// caller is what every principal has.
var caller = resolved.RecordType{
	"signedIn": {Type: resolved.BoolType{}},
	"level":    {Type: resolved.StringType{}},
	"roles":    {Type: resolved.SetType{Element: resolved.StringType{}}},
	"scopes":   {Type: resolved.SetType{Element: resolved.StringType{}}},
}

// A principal is the one entity that policies can ask for attributes.
type principal struct{ types.Entity }

// Get makes a principal all entities that there are.
func (p principal) Get(uid types.EntityUID) (types.Entity, bool) { return p.Entity, uid == p.UID }

func newPrincipal(c gate.Caller) principal {
	uid := types.NewEntityUID(nobody, "")
	switch {
	case c.SignedIn():
		uid = types.NewEntityUID(user, types.String(c.UserID))
	case c.GrantID != "":
		uid = types.NewEntityUID(guest, types.String(c.GuestID))
	}
	return principal{types.Entity{UID: uid, Attributes: types.NewRecord(types.RecordMap{
		"signedIn": types.Boolean(c.SignedIn()),
		"level":    types.String(c.Level),
		"roles":    set(c.Roles),
		"scopes":   set(c.Scopes),
	})}}
}

func set(names []string) types.Set {
	values := make([]types.Value, len(names))
	for i, name := range names {
		values[i] = types.String(name)
	}
	return types.NewSet(values...)
}

// An item is a resource in the sense of Cedar, and what is asked about it.
type item struct {
	uid       types.EntityUID
	action    types.EntityUID
	arguments *shape

	called, listed policies // for a call, and for a list
	looks          bool     // that one of the policies looks at the context
}

func (it *item) add(p *policy) {
	it.called = append(it.called, p)
	it.looks = it.looks || p.looks()
	if listed := p.listed(); listed != nil {
		it.listed = append(it.listed, listed)
	}
}

// item returns the item of a table. No two share an entity: the kind is the type
// and the whole name the ID.
func (d *Decider) item(k gate.Kind, name string) (*item, error) {
	of, ok := kinds[k]
	if !ok || name == "" {
		return nil, fmt.Errorf("cedar: no policy knows an item of the kind %q without a name", k)
	}
	uid := types.NewEntityUID(of.entity, types.String(name))
	if it, ok := d.items[uid]; ok {
		return it, nil
	}
	it := *d.others
	it.uid, it.action = uid, of.action
	return &it, nil
}

// items returns those that cfg names.
func (cfg Config) items() (map[types.EntityUID]*item, error) {
	items := map[types.EntityUID]*item{}
	var problems []error
	add := func(k gate.Kind, name string, arguments *shape) {
		it := &item{uid: types.NewEntityUID(kinds[k].entity, types.String(name)), action: kinds[k].action, arguments: arguments}
		if _, twice := items[it.uid]; twice || name == "" {
			problems = append(problems, fmt.Errorf("%s %q is named twice, or is no name", k, name))
		}
		items[it.uid] = it
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Tools)) {
		text, err := json.Marshal(cfg.Tools[name])
		if err != nil {
			problems = append(problems, fmt.Errorf("tool %q: input schema: %w", name, err))
		}
		add(gate.Tool, name, readShape(text))
	}
	for _, name := range cfg.Resources {
		add(gate.Resource, name, variables(name))
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Prompts)) {
		fields := map[string]field{}
		for _, argument := range cfg.Prompts[name] {
			fields[argument] = field{shape: &shape{is: text}}
		}
		add(gate.Prompt, name, &shape{is: record, fields: fields})
	}
	return items, errors.Join(problems...)
}

var expression = regexp.MustCompile(`\{[+#./;?&]?([^{}]*)\}`) // RFC 6570 section 2

// variables are those of a URI template. Of one that explodes nobody knows the
// type.
func variables(template string) *shape {
	fields := map[string]field{}
	for _, found := range expression.FindAllStringSubmatch(template, -1) {
		for name := range strings.SplitSeq(found[1], ",") {
			name, _, _ = strings.Cut(name, ":")
			if !strings.HasSuffix(name, "*") {
				fields[name] = field{shape: &shape{is: text}}
			}
		}
	}
	return &shape{is: record, fields: fields}
}
