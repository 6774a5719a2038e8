package foyer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/confirm"
	"example.com/foyer/gate"
	"example.com/foyer/internal/mcpgate"
	"example.com/foyer/internal/signintools"
	"example.com/foyer/internal/words"
)

// ownTools are the names that the kit's own tools take.
var ownTools = slices.Concat(signintools.Names, confirm.Names, []string{words.Merge})

// An inventory is what a server has, before the kit adds its own.
type inventory struct {
	title                                string // what people call the server
	info                                 *mcp.Implementation
	tools, resources, templates, prompts []string
	schemas                              mcpgate.Schemas
	terms, outputs                       map[string]string // schemas of each tool, as JSON
}

// takeInventory asks server, as a client would, what it has.
func takeInventory(ctx context.Context, server *mcp.Server) (inventory, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	inv := inventory{schemas: mcpgate.Schemas{Inputs: map[string]*jsonschema.Resolved{}, Outputs: map[string]bool{}}, terms: map[string]string{}, outputs: map[string]string{}}
	near, far := mcp.NewInMemoryTransports()
	there, err := server.Connect(ctx, far, nil)
	if err != nil {
		return inv, err
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "foyer", Version: "1"}, nil).Connect(ctx, near, nil)
	if err != nil {
		return inv, err
	}
	defer func() {
		session.Close()
		there.Wait() // else the kit's tools, added next, would be news to this session, sent later to whoever is there
	}()
	init := session.InitializeResult()
	inv.info = init.ServerInfo
	if inv.title = init.ServerInfo.Title; inv.title == "" {
		inv.title = init.ServerInfo.Name
	}
	caps := init.Capabilities
	if caps.Tools != nil {
		for t, err := range session.Tools(ctx, nil) {
			if err != nil {
				return inv, err
			}
			inv.tools = append(inv.tools, t.Name)
			inv.schemas.Outputs[t.Name] = t.OutputSchema != nil
			inv.terms[t.Name], inv.outputs[t.Name] = schemaText(t.InputSchema), schemaText(t.OutputSchema)
			if inv.schemas.Inputs[t.Name], err = resolved(t.InputSchema); err != nil {
				return inv, fmt.Errorf("tool %q: input schema: %w", t.Name, err)
			}
		}
	}
	if caps.Resources != nil {
		for r, err := range session.Resources(ctx, nil) {
			if err != nil {
				return inv, err
			}
			inv.resources = append(inv.resources, r.URI)
		}
		for t, err := range session.ResourceTemplates(ctx, nil) {
			if err != nil {
				return inv, err
			}
			inv.templates = append(inv.templates, t.URITemplate)
		}
	}
	if caps.Prompts != nil {
		for p, err := range session.Prompts(ctx, nil) {
			if err != nil {
				return inv, err
			}
			inv.prompts = append(inv.prompts, p.Name)
		}
	}
	return inv, nil
}

// schemaText is a schema as a client was told it.
func schemaText(told any) string {
	text, err := json.Marshal(told)
	if err != nil {
		return "" // then resolved refuses it
	}
	return string(text)
}

// resolved returns the schema that a client was told, as arguments are checked
// against it.
func resolved(told any) (*jsonschema.Resolved, error) {
	text, err := json.Marshal(told)
	if err != nil {
		return nil, err
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(text, &schema); err != nil {
		return nil, err
	}
	return schema.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
}

// check returns every item without a rule, every rule without an item, and every
// item that takes a name of the kit's own.
func (inv inventory) check(cfg Config) error {
	var problems []error
	for _, table := range []struct {
		item  string
		rules gate.Rules
		names []string
	}{
		{"tool", cfg.Tools, inv.tools},
		{"resource", cfg.Resources, slices.Concat(inv.resources, inv.templates)},
		{"prompt", cfg.Prompts, inv.prompts},
	} {
		unruled, unregistered := mcpgate.Unruled(table.rules, table.names)
		for _, name := range unruled {
			problems = append(problems, fmt.Errorf("%s %q has no rule", table.item, name))
		}
		for _, name := range unregistered {
			problems = append(problems, fmt.Errorf("rule %q has no %s", name, table.item))
		}
	}
	for _, name := range ownTools {
		if slices.Contains(inv.tools, name) {
			problems = append(problems, fmt.Errorf("tool %q: the name is taken by the kit", name))
		}
	}
	if slices.Contains(inv.resources, signintools.DigitsURI) {
		problems = append(problems, fmt.Errorf("resource %q: the URI is taken by the kit", signintools.DigitsURI))
	}
	return errors.Join(problems...)
}

// items puts the kit's own items beside the application's.
func (inv inventory) items(cfg Config) (*mcpgate.Items, error) {
	tools := signintools.Rules()
	maps.Copy(tools, cfg.Tools)
	if cfg.confirms() {
		maps.Copy(tools, confirm.Rules())
	}
	schemas := mcpgate.Schemas{Inputs: inv.schemas.Inputs, Outputs: maps.Clone(inv.schemas.Outputs)}
	if cfg.GuestData != nil {
		tools[words.Merge], schemas.Outputs[words.Merge] = gate.AnyGrant(), true
	}
	resources := gate.Rules{signintools.DigitsURI: gate.AnyGrant()}
	maps.Copy(resources, cfg.Resources)
	return mcpgate.NewItems(tools, resources, maps.Clone(cfg.Prompts), inv.templates, schemas)
}

// unlocks tells which tools a user may call that a guest may not.
func (inv inventory) unlocks(rules gate.Rules) func(gate.Caller) []string {
	return func(c gate.Caller) []string {
		guest := gate.Caller{GrantID: c.GrantID, GuestID: c.GuestID, Scopes: []string{gate.Guest}}
		return slices.DeleteFunc(slices.Clone(inv.tools), func(name string) bool {
			return !rules.Show(c, name).Outcome.Passes() || rules.Show(guest, name).Outcome.Passes()
		})
	}
}
