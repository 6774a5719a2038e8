//go:build unix

package mcpgate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/mcpgate"
)

// wide are the rules of the items of a long list, in turn: a guest is shown half
// of it locked, and nobody is spared an item.
var wide = []gate.Rule{gate.Anyone(), gate.SignedIn(), gate.Anyone(), gate.Scope("write")}

// A long is a server of many items, or a part of one.
type long struct {
	method string
	add    func(s *mcp.Server, i int) (name string)
}

type longInput struct {
	Query string   `json:"query" jsonschema:"What to look for, in plain words"`
	Limit int      `json:"limit,omitempty" jsonschema:"How many to return at most"`
	Tags  []string `json:"tags,omitempty"`
}

const aboutItem = "Finds what somebody looks for, and says where it was last seen, by whom, and when."

var longs = map[string]long{
	"tools": {"tools/list", func(s *mcp.Server, i int) string { // as most are made
		name := fmt.Sprintf("tool_%04d", i)
		mcp.AddTool(s, &mcp.Tool{Name: name, Description: aboutItem},
			func(context.Context, *mcp.CallToolRequest, longInput) (*mcp.CallToolResult, any, error) {
				return nil, nil, nil
			})
		return name
	}},
	"raw": {"tools/list", func(s *mcp.Server, i int) string { // as the quickest are
		name := fmt.Sprintf("tool_%04d", i)
		s.AddTool(&mcp.Tool{Name: name, Description: aboutItem, InputSchema: json.RawMessage(
			`{"type":"object","required":["query"],"properties":{"query":{"type":"string","description":"What to look for, in plain words"},` +
				`"limit":{"type":"integer","description":"How many to return at most"},"tags":{"type":["null","array"],"items":{"type":"string"}}},"additionalProperties":false}`)}, nil)
		return name
	}},
	"prompts": {"prompts/list", func(s *mcp.Server, i int) string {
		name := fmt.Sprintf("prompt_%04d", i)
		s.AddPrompt(&mcp.Prompt{Name: name, Description: aboutItem, Arguments: []*mcp.PromptArgument{{Name: "topic", Description: "What it is about", Required: true}}}, nil)
		return name
	}},
	"resources": {"resources/list", func(s *mcp.Server, i int) string {
		uri := fmt.Sprintf("long://%04d", i)
		s.AddResource(&mcp.Resource{Name: uri, URI: uri, Description: aboutItem, MIMEType: "text/plain"}, nil)
		return uri
	}},
	"templates": {"resources/templates/list", func(s *mcp.Server, i int) string {
		uri := fmt.Sprintf("long://%04d/{id}", i)
		s.AddResourceTemplate(&mcp.ResourceTemplate{Name: uri, URITemplate: uri, Description: aboutItem, MIMEType: "text/plain"}, nil)
		return uri
	}},
}

// serveLong returns the SDK's handler of n items, and the same behind the gate.
func (r *room) serveLong(t testing.TB, l long, n int) (bare, gated http.Handler) {
	t.Helper()
	options := &mcp.ServerOptions{PageSize: 2 * n}
	plain, guarded := mcp.NewServer(&mcp.Implementation{Name: "room", Version: "1"}, options), mcp.NewServer(&mcp.Implementation{Name: "room", Version: "1"}, options)
	rules := gate.Rules{}
	for i := range n {
		l.add(plain, i)
		rules[l.add(guarded, i)] = wide[i%len(wide)]
	}
	items, err := mcpgate.NewItems(rules, rules, rules, nil, mcpgate.Schemas{})
	if err != nil {
		t.Fatal(err)
	}
	g := mcpgate.New(mcpgate.Config{Items: items, Scopes: scopes, Levels: gate.StandardLevels, Grants: r.gate.Grants, Now: r.now, Log: slog.Default()}, guarded)
	return stateless(plain), g.Handler(mcpgate.Endpoint{Resource: resource, MetadataURL: metadata})
}

func stateless(s *mcp.Server) http.Handler {
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s },
		&mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true, PropagateRequestCancellation: true, DisableLocalhostProtection: true})
}

// A list behind the gate is no dearer than the SDK's own of the same items, though
// half of what a guest is shown is locked, and longer. A list of ten is about as
// dear as a call, and may cost what a call may.
func BenchmarkListRatio(b *testing.B) {
	for _, kind := range []string{"tools", "raw", "prompts", "resources", "templates"} {
		for _, n := range []int{10, 100, 1000} {
			for _, who := range []string{"guest", "user"} {
				b.Run(fmt.Sprintf("%s/%d/%s", kind, n, who), func(b *testing.B) {
					r := newRoom(b)
					token := r.guest()
					if who == "user" {
						token = r.user("write")
					}
					r.remember(b, token)
					ask := func(h http.Handler) contender {
						return contend(b, h, r.request(b, "/mcp", modern, token, longs[kind].method, `{}`), http.StatusOK)
					}
					limit := 1.0
					if n == 10 {
						limit = callLimit
					}
					race(b, limit, func() (ours, yardstick contender) {
						bare, gated := r.serveLong(b, longs[kind], n)
						return ask(gated), ask(bare)
					})
				})
			}
		}
	}
}
