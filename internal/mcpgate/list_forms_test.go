package mcpgate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/mcpgate"
)

var listMethods = []string{"tools/list", "prompts/list", "resources/list", "resources/templates/list"}

// What goes round the SDK is what would go through it, to the byte: in every
// version, for every caller, whatever the pages. Behind /inside the gate does
// not write the answer, and the SDK encodes the list.
func TestAListThatIsEncodedOnceIsTheSameBytes(t *testing.T) {
	for _, size := range []int{2, 1000} {
		r := newRoom(t, func(o *mcp.ServerOptions) { o.PageSize = size })
		tokens := map[string]string{"guest": r.guest(), "user": r.user(), "writer": r.user("write"), "exporter": r.user("write", "export")}
		for _, version := range mcp.SupportedProtocolVersions() {
			for _, method := range listMethods {
				for who, token := range tokens {
					ours := r.ask(t, version, token, method, `{}`)
					sdks := r.do(t, r.request(t, "/inside", version, token, method, `{}`))
					if ours.body != sdks.body || ours.header.Get("Content-Type") != sdks.header.Get("Content-Type") {
						t.Errorf("%s, %s's %s by %d:\nours %s\nSDK  %s", version, who, method, size, ours.body, sdks.body)
					}
					if locks := strings.Count(ours.body, `"foyer/access"`); (locks > 0) != (who != "exporter") || len(ours.rpc.Result) == 0 {
						t.Errorf("%s, %s's %s: %d locks: %s", version, who, method, locks, ours.body)
					}
				}
			}
		}
	}
}

// A server of its own, to which the test adds what it needs before the gate.
func (r *room) serveAnew(t *testing.T, rules gate.Rules, add func(*mcp.Server)) (*mcp.Server, http.Handler) {
	t.Helper()
	items, err := mcpgate.NewItems(rules, nil, nil, nil, mcpgate.Schemas{})
	if err != nil {
		t.Fatal(err)
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "room", Version: "1"}, nil)
	add(server)
	g := mcpgate.New(mcpgate.Config{Items: items, Scopes: scopes, Levels: gate.StandardLevels, Grants: r.grants, Now: r.now, Log: slog.Default()}, server)
	return server, g.Handler(mcpgate.Endpoint{Resource: resource, MetadataURL: metadata})
}

func tool(name, description string) *mcp.Tool {
	return &mcp.Tool{Name: name, Description: description, InputSchema: json.RawMessage(`{"type":"object"}`)}
}

// descriptions lists tools as "name: description", and "locked" where they are.
func (r *room) descriptions(t *testing.T, h http.Handler, token string) []string {
	t.Helper()
	w := record(h, r.request(t, "/mcp", modern, token, "tools/list", `{}`))
	var a struct{ Result mcp.ListToolsResult }
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || a.Result.Tools == nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	var all []string
	for _, tool := range a.Result.Tools {
		text := tool.Name + ": " + tool.Description
		if access, _ := tool.Meta["foyer/access"].(map[string]any); access["state"] == "locked" {
			text += ", locked"
		}
		all = append(all, text)
	}
	return all
}

// A tool that comes later has no rule; one that went is gone; one that took the
// place of another is shown as it is now.
func TestAListFollowsTheServer(t *testing.T) {
	r := newRoom(t)
	rules := gate.Rules{"a": gate.Anyone(), "b": gate.SignedIn(), "c": gate.Anyone()}
	server, h := r.serveAnew(t, rules, func(s *mcp.Server) {
		for name := range rules {
			s.AddTool(tool(name, "old"), nil)
		}
	})
	token := r.guest()
	want := func(what string, want ...string) {
		t.Helper()
		if got := r.descriptions(t, h, token); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	want("at first", "a: old", "b: old, locked", "c: old")
	server.AddTool(tool("d", "without a rule"), nil)
	want("after one without a rule", "a: old", "b: old, locked", "c: old")
	server.RemoveTools("a")
	want("after one went", "b: old, locked", "c: old")
	for i := range 5 {
		now := fmt.Sprint("new ", i)
		server.AddTool(tool("b", now), nil)
		want("after one was replaced", "b: "+now+", locked", "c: old")
	}
	server.RemoveTools("b", "c")
	want("after all went")
}

// An application may make a list for each caller in a middleware of its own: none
// is shown another's.
func TestAListMadeForOneCallerIsNotShownToAnother(t *testing.T) {
	r := newRoom(t)
	_, h := r.serveAnew(t, gate.Rules{"a": gate.Anyone(), "b": gate.SignedIn()}, func(s *mcp.Server) {
		s.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
			return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
				whose := gate.CallerFrom(ctx).Owner()
				return &mcp.ListToolsResult{Tools: []*mcp.Tool{tool("a", whose), tool("b", whose), tool("z", whose)}}, nil
			}
		})
	})
	for range 3 {
		for _, token := range []string{r.guest(), r.user()} {
			bearer, err := r.grants.Check(t.Context(), token, resource)
			if err != nil {
				t.Fatal(err)
			}
			whose, lock := bearer.Grant.GuestID, ", locked"
			if bearer.Grant.UserID != "" {
				whose, lock = bearer.Grant.UserID, ""
			}
			if got, want := r.descriptions(t, h, token), []string{"a: " + whose, "b: " + whose + lock}; !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}

// An unsteady value is other JSON each time.
type unsteady struct{ n atomic.Int64 }

func (u *unsteady) MarshalJSON() ([]byte, error) { return fmt.Append(nil, u.n.Add(1)%10), nil }

// An item that cannot be encoded once is encoded each time, and locked all the
// same.
func TestAnItemThatIsNeverTheSameJSON(t *testing.T) {
	r := newRoom(t)
	_, h := r.serveAnew(t, gate.Rules{"a": gate.Anyone(), "b": gate.SignedIn()}, func(s *mcp.Server) {
		s.AddTool(tool("a", "steady"), nil)
		b := tool("b", "unsteady")
		b.Meta = mcp.Meta{"count": &unsteady{}}
		s.AddTool(b, nil)
	})
	for range 3 {
		if got := r.descriptions(t, h, r.guest()); !slices.Equal(got, []string{"a: steady", "b: unsteady, locked"}) {
			t.Errorf("got %q", got)
		}
	}
}

// A schemaOnce counts how often it is encoded.
type schemaOnce struct{ n atomic.Int64 }

func (s *schemaOnce) MarshalJSON() ([]byte, error) {
	s.n.Add(1)
	return []byte(`{"type":"object"}`), nil
}

// The SDK, which encodes each list anew, gets none.
func TestAListGoesRoundTheSDK(t *testing.T) {
	r := newRoom(t)
	schema := &schemaOnce{}
	_, h := r.serveAnew(t, gate.Rules{"a": gate.Anyone()}, func(s *mcp.Server) {
		s.AddTool(&mcp.Tool{Name: "a", Description: "counts", InputSchema: schema}, nil)
	})
	r.descriptions(t, h, r.guest())
	before := schema.n.Load()
	for range 3 {
		if got := r.descriptions(t, h, r.user()); !slices.Equal(got, []string{"a: counts"}) {
			t.Errorf("got %q", got)
		}
	}
	if after := schema.n.Load(); before == 0 || after != before {
		t.Errorf("the schema was encoded %d times for the first list, and %d times for the next", before, after-before)
	}
}

// What an item says is not taken for the list's end.
func TestAnItemThatLooksLikeTheEndOfAList(t *testing.T) {
	r := newRoom(t)
	_, h := r.serveAnew(t, gate.Rules{"a": gate.Anyone(), "b": gate.SignedIn()}, func(s *mcp.Server) {
		s.AddTool(tool("a", `ends with "tools":[]}}`), nil)
		s.AddTool(tool("b", "x"), nil)
	})
	if got := r.descriptions(t, h, r.guest()); !slices.Equal(got, []string{`a: ends with "tools":[]}}`, "b: x, locked"}) {
		t.Errorf("got %q", got)
	}
}
