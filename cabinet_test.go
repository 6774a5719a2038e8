package foyer

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/examples/journal"
	"example.com/foyer/gate"
	"example.com/foyer/policy/authzen"
	"example.com/foyer/policy/cedar"
)

// A cabinet is a server of files. Who may do what with them is written three
// times: in the table alone, in Cedar, and in a policy decision point. All three
// say the same:
//
//	list_files   everybody
//	create_file  who has files:write; below /etc admins alone
//	share_file   who has files:write and files:share
//	empty_bin    admins; the table says so for all three, because a policy names no roles
type cabinet struct {
	decider gate.Decider // nil for the table alone
	tools   gate.Rules
	down    atomic.Bool // the policy decision point

	mu    sync.Mutex
	paths []string
}

var cabinetScopes = gate.Scopes{
	{Name: "files:write", Words: "Write files", Default: true},
	{Name: "files:share", Words: "Show files to others"},
}

func newCabinet(t *testing.T, decider string) *cabinet {
	t.Helper()
	c := &cabinet{tools: gate.Rules{"list_files": gate.Anyone(), "create_file": gate.AnyGrant(), "share_file": gate.AnyGrant(), "empty_bin": gate.Role("admin")}}
	var err error
	switch decider {
	case "native":
		c.tools["create_file"] = gate.Scope("files:write").When(func(by gate.Caller, arguments map[string]any) bool {
			path, ok := arguments["path"].(string)
			return ok && (!strings.HasPrefix(path, "/etc/") || slices.Contains(by.Roles, "admin"))
		})
		c.tools["share_file"] = gate.Scope("files:write", "files:share")
	case "cedar":
		c.decider, err = cedar.New(cedar.Config{Policies: cabinetPolicies, Scopes: cabinetScopes,
			Tools: map[string]any{"create_file": json.RawMessage(pathSchema), "share_file": json.RawMessage(pathSchema)}})
	case "authzen":
		server := httptest.NewServer(http.HandlerFunc(c.decide))
		t.Cleanup(server.Close)
		c.decider, err = authzen.New(authzen.Config{URL: server.URL})
	default:
		t.Fatalf("no decider is called %q", decider)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const cabinetPolicies = `permit(principal, action, resource);

@scopes("files:write")
forbid(principal, action, resource == Tool::"create_file")
unless { principal.scopes.contains("files:write") };

forbid(principal, action, resource == Tool::"create_file")
when { context.arguments.path like "/etc/*" }
unless { principal.roles.contains("admin") };

@scopes("files:write files:share")
forbid(principal, action, resource == Tool::"share_file")
unless { principal.scopes.containsAll(["files:write", "files:share"]) };
`

// An evaluation is a question of AuthZEN 1.0, as far as the policy decision point
// of the cabinet reads it.
type evaluation struct {
	Subject struct {
		Properties struct{ Scopes, Roles []string }
	}
	Resource struct{ ID string }
	Context  struct{ Arguments map[string]any }
}

// decide is the policy decision point.
func (c *cabinet) decide(w http.ResponseWriter, r *http.Request) {
	var q struct {
		evaluation
		Evaluations []json.RawMessage
	}
	var raw json.RawMessage
	if c.down.Load() || json.NewDecoder(r.Body).Decode(&raw) != nil || json.Unmarshal(raw, &q) != nil {
		http.Error(w, "out of order", http.StatusServiceUnavailable)
		return
	}
	answer := q.decision()
	if strings.HasSuffix(r.URL.Path, "/evaluations") {
		answers := []any{}
		for _, part := range q.Evaluations {
			one := q.evaluation // what a part leaves out is as at the top
			if json.Unmarshal(part, &one) != nil {
				http.Error(w, "what?", http.StatusBadRequest)
				return
			}
			answers = append(answers, one.decision())
		}
		answer = map[string]any{"evaluations": answers}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Request-ID", r.Header.Get("X-Request-ID"))
	json.NewEncoder(w).Encode(answer) // an error means that the server has gone
}

func (e evaluation) decision() map[string]any {
	needs := map[string][]string{"create_file": {"files:write"}, "share_file": {"files:write", "files:share"}}[e.Resource.ID]
	for _, scope := range needs {
		if !slices.Contains(e.Subject.Properties.Scopes, scope) {
			return map[string]any{"decision": false, "context": map[string]any{"scopes": needs}}
		}
	}
	path, _ := e.Context.Arguments["path"].(string)
	forbidden := e.Resource.ID == "create_file" && strings.HasPrefix(path, "/etc/") && !slices.Contains(e.Subject.Properties.Roles, "admin")
	return map[string]any{"decision": !forbidden}
}

// configure puts the rules of the cabinet in the place of the journal's.
func (c *cabinet) configure(cfg *Config) {
	cfg.Scopes, cfg.Tools, cfg.Decider, cfg.GuestData = cabinetScopes, c.tools, c.decider, nil
}

const pathSchema = `{"type":"object","required":["path"],"properties":{"path":{"type":"string"}}}`

// fill puts the tools of the cabinet in the place of the journal's.
func (c *cabinet) fill(h *house) {
	h.server.RemoveTools(slices.Collect(maps.Keys(journal.Tools))...)
	type file struct {
		Path string `json:"path"`
	}
	add := func(name, schema string, handle func(path string) (said string)) {
		mcp.AddTool(h.server, &mcp.Tool{Name: name, InputSchema: json.RawMessage(schema)}, func(_ context.Context, _ *mcp.CallToolRequest, in file) (*mcp.CallToolResult, any, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: handle(in.Path)}}}, nil, nil
		})
	}
	add("list_files", `{"type":"object"}`, func(string) string { return "Files: " + strings.Join(c.paths, ", ") })
	add("create_file", pathSchema, func(path string) string {
		c.paths = append(c.paths, path)
		return "Created " + path
	})
	add("share_file", pathSchema, func(path string) string {
		c.paths = append(c.paths, path+" (shared)")
		return "Shared " + path
	})
	add("empty_bin", `{"type":"object"}`, func(string) string { return "Emptied" })
}
