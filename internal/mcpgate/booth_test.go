package mcpgate_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"pgregory.net/rapid"

	"example.com/foyer/gate"
	"example.com/foyer/internal/mcpgate"
)

const (
	digits  = "44117733"      // no disguise changes them
	target  = "item" + digits // what a drawn rule is about
	twin    = "ITEM" + digits // another item, for everyone
	unheard = "88116622"      // in their place: an item that nobody has registered
)

// A run is a handler of an item that ran.
type run struct {
	item      string
	arguments map[string]any // nil where nobody knows them
	caller    gate.Caller
}

// An entrance is an endpoint, and what it would be without the gate in front of
// the middleware.
type entrance struct{ guarded, alone http.Handler }

// A booth is a server with one item of each kind under a rule, and two of each
// that are for everyone. It tells what ran, with what, and for whom.
type booth struct {
	strict, lazy entrance
	rule         gate.Rule

	mu   sync.Mutex
	runs []run
}

func (b *booth) note(ctx context.Context, item string, arguments map[string]any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.runs = append(b.runs, run{item, arguments, gate.CallerFrom(ctx)})
}

func newBooth(t *rapid.T, r *room, rule gate.Rule) *booth {
	b := &booth{rule: rule}
	server := mcp.NewServer(&mcp.Implementation{Name: "booth", Version: "1"}, &mcp.ServerOptions{
		CompletionHandler: func(ctx context.Context, req *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
			b.note(ctx, named(req.Params.Ref.Name+req.Params.Ref.URI), nil)
			return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: []string{}}}, nil
		},
		SubscribeHandler: func(ctx context.Context, req *mcp.SubscribeRequest) error {
			b.note(ctx, named(req.Params.URI), variables(req.Params.URI))
			return nil
		},
		UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
	})
	byName, byURI, templates := gate.Rules{}, gate.Rules{}, []string{}
	for name, rule := range map[string]gate.Rule{target: rule, twin: gate.Anyone(), "public": gate.Anyone()} {
		b.add(server, name)
		uri, template := "room://"+name, "room://"+name+"/{amount}"
		byName[name], byURI[uri], byURI[template], templates = rule, rule, rule, append(templates, template)
	}
	if err := byName.Check(scopes, gate.StandardLevels); err != nil {
		t.Fatal(err)
	}
	items, err := mcpgate.NewItems(byName, byURI, byName, templates, mcpgate.Schemas{})
	if err != nil {
		t.Fatal(err)
	}
	g := mcpgate.New(mcpgate.Config{Items: items, Scopes: scopes, Levels: gate.StandardLevels, Grants: r.grants, Now: r.now, Log: r.gate.Log}, server)
	e := mcpgate.Endpoint{Resource: resource, MetadataURL: metadata}
	b.strict = entrance{g.Handler(e), g.Unguarded(e)}
	e.Lazy = true
	b.lazy = entrance{g.Handler(e), g.Unguarded(e)}
	return b
}

// add adds one item of each kind.
func (b *booth) add(server *mcp.Server, name string) {
	server.AddTool(&mcp.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object"}`)}, func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		arguments := map[string]any{}
		_ = json.Unmarshal(req.Params.Arguments, &arguments) // what is no object has no amount
		b.note(ctx, name, arguments)
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "ran"}}}, nil
	})
	server.AddPrompt(&mcp.Prompt{Name: name}, func(ctx context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		arguments := map[string]any{}
		for key, value := range req.Params.Arguments {
			arguments[key] = value
		}
		b.note(ctx, name, arguments)
		return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{}}, nil
	})
	read := func(ctx context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		b.note(ctx, named(req.Params.URI), variables(req.Params.URI))
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: req.Params.URI, Text: "x"}}}, nil
	}
	server.AddResource(&mcp.Resource{Name: name, URI: "room://" + name}, read)
	server.AddResourceTemplate(&mcp.ResourceTemplate{Name: name, URITemplate: "room://" + name + "/{amount}"}, read)
}

// named is the item of the booth that a handler was called for.
func named(uri string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(uri, "room://"), "/")
	return name
}

// variables is what an application reads in the URI of a template.
func variables(uri string) map[string]any {
	_, amount, ok := strings.Cut(strings.TrimPrefix(uri, "room://"), "/")
	if !ok {
		return map[string]any{}
	}
	if plain, err := url.PathUnescape(amount); err == nil {
		amount = plain
	}
	return map[string]any{"amount": amount}
}

// entrance is where a caller with token, or without one, gets in.
func (b *booth) entrance(token string) entrance {
	if token == "" {
		return b.lazy
	}
	return b.strict
}

// ask sends a request, and returns the answer and what ran for it.
func (b *booth) ask(h http.Handler, r *http.Request) (*httptest.ResponseRecorder, []run) {
	b.runs = nil
	w := record(h, r)
	b.mu.Lock()
	defer b.mu.Unlock()
	return w, b.runs
}

// allows is the plain decision: the rule's, about these arguments.
func (b *booth) allows(c gate.Caller, arguments map[string]any) bool {
	rules := gate.Rules{target: b.rule}
	if arguments == nil {
		return rules.Show(c, target).Outcome == gate.Allow
	}
	return rules.Decide(c, target, arguments).Outcome == gate.Allow
}

// hides reports whether c is not to know of the item.
func (b *booth) hides(c gate.Caller) bool {
	return strings.HasSuffix(b.rule.String(), "hidden from others") && !b.allows(c, nil)
}

// caller is who stands behind token, by a plain request to what is public.
func (b *booth) caller(t *rapid.T, token string) gate.Caller {
	w, runs := b.ask(b.entrance(token).guarded, plain{method: "tools/call"}.forge(older, token, "small").request(target, "public"))
	if len(runs) != 1 {
		t.Fatalf("%d runs: %d %s", len(runs), w.Code, w.Body)
	}
	return runs[0].caller
}
