package foyer

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/store/sqlite"
)

// good is a config without problems, for a server without items.
func good(t testing.TB) Config {
	t.Helper()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "foyer.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return Config{Issuer: "https://notes.example.com", Secrets: []string{strings.Repeat("s", 32)}, Store: db, Mail: &postbox{}}
}

func TestEveryProblemOfAConfigIsListed(t *testing.T) {
	scopes := gate.Scopes{{Name: "w", Words: "Write"}}
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"nothing at all", func(c *Config) { *c = Config{} }, []string{`Issuer ""`, "Store: missing", "Mail: missing", "Secrets: none is given"}},
		{"an issuer on http", func(c *Config) { c.Issuer = "http://notes.example.com" }, []string{"must be https"}},
		{"an issuer with a path", func(c *Config) { c.Issuer = "https://notes.example.com/a" }, []string{"scheme and host alone"}},
		{"an issuer with a slash", func(c *Config) { c.Issuer = "https://notes.example.com/" }, []string{"scheme and host alone"}},
		{"an issuer in capitals", func(c *Config) { c.Issuer = "https://Notes.example.com" }, []string{"in lower case"}},
		{"an issuer with a query", func(c *Config) { c.Issuer = "https://notes.example.com?a" }, []string{"scheme and host alone"}},
		{"an issuer with a user", func(c *Config) { c.Issuer = "https://me@notes.example.com" }, []string{"scheme and host alone"}},
		{"an issuer without a host", func(c *Config) { c.Issuer = "https://" }, []string{"scheme and host alone"}},
		{"an issuer of another kind", func(c *Config) { c.Issuer = "ftp://notes.example.com" }, []string{"must be https"}},
		{"an issuer that only begins like this device", func(c *Config) { c.Issuer = "http://localhost.example.com" }, []string{"must be https"}},
		{"an issuer with the usual port", func(c *Config) { c.Issuer = "https://notes.example.com:443" }, []string{"without the port that is usual"}},
		{"an issuer with the usual port of http", func(c *Config) { c.Issuer = "http://localhost:80" }, []string{"without the port that is usual"}},
		{"an issuer that a shell reads otherwise (X10)", func(c *Config) { c.Issuer = "https://a$(id).example.com" }, []string{"a name or a plain address"}},
		{"an issuer with a dot at the end", func(c *Config) { c.Issuer = "https://notes.example.com." }, []string{"a name or a plain address"}},
		{"an issuer that is a number", func(c *Config) { c.Issuer = "https://2130706433" }, []string{"a name or a plain address"}},
		{"a short secret", func(c *Config) { c.Secrets = []string{strings.Repeat("s", 32), "short"} }, []string{"Secrets: number 2 has 5 bytes"}},
		{"an empty list of hosts", func(c *Config) { c.MetadataDocuments.Hosts = []string{} }, []string{"MetadataDocuments.Hosts: empty"}},
		{"hosts of documents", func(c *Config) {
			c.MetadataDocuments.Hosts = []string{"claude.ai", "", "Claude.ai", "https://claude.ai", "claude.ai/x", "claude.ai:443", "u@claude.ai", "*.claude.ai", "claude.ai.", "2130706433"}
		}, []string{`Hosts: ""`, `"Claude.ai"`, `"https://claude.ai"`, `"claude.ai/x"`, `"claude.ai:443"`, `"u@claude.ai"`, `"*.claude.ai"`, `"claude.ai."`, `"2130706433"`}},
		{"scopes", func(c *Config) {
			c.Scopes = gate.Scopes{{Name: "w", Words: "Write"}, {Name: "w", Words: "Again"}, {Name: "guest", Words: "x"}, {Name: "x"}}
		}, []string{`"w": declared twice`, `"guest": the name is taken`, `"x": Words are missing`}},
		{"rules with scopes that nobody knows", func(c *Config) {
			c.Scopes, c.Tools, c.Resources, c.Prompts = scopes, gate.Rules{"a": gate.Scope("wirte")}, gate.Rules{"b": gate.Scope("x")}, gate.Rules{"c": {}}
		}, []string{`Tools: a: scope "wirte"`, `Resources: b: scope "x"`, "Prompts: c: the rule is empty"}},
		{"the kit's own tools", func(c *Config) { c.Tools = gate.Rules{"whoami": gate.Anyone(), "logout": gate.SignedIn()} },
			[]string{"Tools: whoami is a tool of the kit's own", "Tools: logout is a tool of the kit's own"}},
		{"endpoints", func(c *Config) {
			c.Endpoints = []Endpoint{{Path: ""}, {Path: "mcp"}, {Path: "/"}, {Path: "/a/"}, {Path: "/a/../b"}, {Path: "/{x}"}, {Path: "/token"}, {Path: "/account/mcp"}, {Path: "/c"}, {Path: "/c"}, {Path: "/.well-known/x"}, {Path: "/[d"}, {Path: "/e|f"}, {Path: "/g h"}, {Path: "/ü"}, {Path: "/i#"}, {Path: "/j%41"}}
		}, []string{`path "/[d"`, `path "/e|f"`, `path "/g h"`, `path "/ü"`, `path "/i#"`, `path "/j%41"`, `path ""`, `path "mcp"`, `path "/" `, `path "/a/"`, `path "/a/../b"`, `path "/{x}"`, `path "/token" is taken`, `path "/account/mcp" is taken`, `path "/c" is taken`, `path "/.well-known/x"`}},
		{"clients", func(c *Config) {
			c.Clients = []Client{{ID: "client_a", RedirectURIs: []string{"https://a.example/cb"}}, {ID: "b", RedirectURIs: []string{"https://a.example/cb"}, Secrets: []string{"short"}}}
		}, []string{`Clients: "client_a": ID must not begin`, `Clients: "b": Secrets: number 1 has 5 bytes`}},
		{"registration", func(c *Config) {
			c.Registration = Registration{Max: -1, InitialAccessTokens: []string{strings.Repeat("t", 32), strings.Repeat("t", 31), strings.Repeat("t t", 32)}}
		}, []string{"Registration.Max: -1", "InitialAccessTokens: number 2", "InitialAccessTokens: number 3"}},
		{"registration that is off, and is not", func(c *Config) { c.Registration = Registration{Off: true, Max: 1} }, []string{"Registration: is Off"}},
		{"lifetimes", func(c *Config) { c.Lifetimes = Lifetimes{Access: -1, OneTimeCode: time.Hour, Browser: -time.Second} },
			[]string{"Lifetimes.Access", "Lifetimes.OneTimeCode: 1h0m0s is more than 10m0s", "Lifetimes.Browser"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := good(t)
			test.change(&cfg)
			kit, err := New(cfg)
			if err == nil || kit != nil {
				t.Fatal("accepted")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in\n%v", want, err)
				}
			}
			if lines := strings.Count(err.Error(), "\n"); lines != len(test.want) {
				t.Errorf("%d problems, want %d:\n%v", lines, len(test.want), err)
			}
			for _, secret := range cfg.Secrets {
				if strings.Contains(err.Error(), secret) {
					t.Error("the error shows a secret")
				}
			}
		})
	}
	for _, issuer := range []string{"https://notes.example.com", "https://notes.example.com:8443", "http://localhost:8080", "http://127.0.0.1", "http://[::1]:81"} {
		cfg := good(t)
		cfg.Issuer = issuer
		if kit, err := New(cfg); err != nil {
			t.Errorf("%s: %v", issuer, err)
		} else {
			kit.Close()
		}
	}
}

// addAll adds one item of each kind.
func addAll(server *mcp.Server, name string) {
	mcp.AddTool(server, &mcp.Tool{Name: name}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "open " + name}}}, nil, nil
	})
	read := func(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: req.Params.URI, Text: "open " + name}}}, nil
	}
	server.AddResource(&mcp.Resource{URI: name + "://one", Name: name}, read)
	server.AddResourceTemplate(&mcp.ResourceTemplate{URITemplate: name + "://many/{id}", Name: name}, read)
	server.AddPrompt(&mcp.Prompt{Name: name}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{{Role: "user", Content: &mcp.TextContent{Text: "open " + name}}}}, nil
	})
}

func TestEveryItemThatDoesNotFitItsRulesIsListed(t *testing.T) {
	cfg := good(t)
	cfg.Tools = gate.Rules{"gone": gate.Anyone()}
	cfg.Resources = gate.Rules{"gone://one": gate.Anyone(), "gone://many/{id}": gate.Anyone()}
	cfg.Prompts = gate.Rules{"gone": gate.Anyone()}
	kit, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer kit.Close()
	server := mcp.NewServer(&mcp.Implementation{Name: "x", Version: "1"}, nil)
	addAll(server, "new")
	addAll(server, "whoami")
	handler, err := kit.Handler(server)
	if err == nil || handler != nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{`tool "new" has no rule`, `resource "new://one" has no rule`, `resource "new://many/{id}" has no rule`, `prompt "new" has no rule`,
		`rule "gone" has no tool`, `rule "gone://one" has no resource`, `rule "gone://many/{id}" has no resource`, `rule "gone" has no prompt`,
		`tool "whoami": the name is taken by the kit`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %s in\n%v", want, err)
		}
	}
	if _, err := kit.Handler(mcp.NewServer(&mcp.Implementation{Name: "x", Version: "1"}, nil)); err == nil || !strings.Contains(err.Error(), "called before") {
		t.Errorf("a second call: %v", err)
	}
}

func TestT44ATokenOfOneEndpointOpensNoOther(t *testing.T) {
	h := newHouse(t, func(cfg *Config) { cfg.Endpoints = []Endpoint{{Path: "/a"}, {Path: "/b"}, {Path: "/a/mcp"}} })
	client := h.client(t, "Two doors")
	tokenFor := func(resource string) string {
		query := url.Values{"response_type": {"code"}, "client_id": {client}, "redirect_uri": {redirectURI}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}}
		if resource != "" {
			query.Set("resource", resource)
		}
		res := h.get(t, "/authorize?"+query.Encode())
		defer res.Body.Close()
		access, _ := h.redeem(t, client, codeIn(t, res.Header.Get("Location")))
		return access
	}
	for resource, opens := range map[string]string{h.issuer + "/a": "/a", h.issuer + "/b": "/b", h.issuer + "/a/mcp": "/a/mcp", h.issuer + "/b/": "/b", "": "/a"} {
		token := tokenFor(resource)
		for _, path := range []string{"/a", "/b", "/a/mcp", "/a/", "/b/"} {
			res := h.send(t, mcpRequest(t, h.issuer+path, token, 1, "tools/list", ""))
			res.Body.Close()
			want := http.StatusUnauthorized
			if strings.TrimSuffix(path, "/") == opens {
				want = http.StatusOK
			}
			if res.StatusCode != want {
				t.Errorf("a token for %q at %s: %d, want %d", resource, path, res.StatusCode, want)
			}
			if doc := h.issuer + "/.well-known/oauth-protected-resource" + strings.TrimSuffix(path, "/"); want == http.StatusUnauthorized &&
				!strings.Contains(res.Header.Get("WWW-Authenticate"), `resource_metadata="`+doc+`"`) {
				t.Errorf("%s: %s, want %s", path, res.Header.Get("WWW-Authenticate"), doc)
			}
		}
	}
	for path, resource := range map[string]string{"": "/a", "/a": "/a", "/b": "/b", "/a/mcp": "/a/mcp"} {
		res := h.get(t, "/.well-known/oauth-protected-resource"+path)
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if want := `"resource":"` + h.issuer + resource + `"`; err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("the document at %q: %d %s, want %s", path, res.StatusCode, body, want)
		}
	}
	for _, path := range []string{"/mcp", "/c"} {
		if res := h.get(t, path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}

func TestWhatHasExpiredIsClearedAwayAndNothingElse(t *testing.T) {
	h := newHouse(t, func(cfg *Config) { cfg.GuestData = nil })
	gone, stays := h.browser(t).guest(t, h.client(t, "Gone")), h.browser(t).guest(t, h.client(t, "Stays"))
	gone.digits(t, "bob@example.com")
	stays.signIn(t, "ann@example.com")
	stays.call(t, "create_entry", `{"title":"Kept","content":"for later"}`)
	counts := func() map[string]int {
		all := map[string]int{}
		for _, table := range []string{"clients", "users", "grants", "tokens", "redemptions", "challenges", "counters", "browsers", "outgoing"} {
			all[table] = h.count(t, "SELECT count(*) FROM foyer_"+table)
		}
		return all
	}
	before := counts()
	h.kit.collectOnce(t.Context())
	if after := counts(); !maps.Equal(before, after) {
		t.Errorf("before anything has expired: %v, was %v", after, before)
	}
	h.advance(25 * time.Hour)
	stays.renew(t)
	h.kit.collectOnce(t.Context())
	want := map[string]int{"clients": 2, "users": 1, "grants": 1, "tokens": 3, "redemptions": 0, "challenges": 0, "counters": 1, "browsers": 2, "outgoing": 0}
	if after := counts(); !maps.Equal(after, want) { // of the tokens, the old access token is gone; the counter is that of registrations
		t.Errorf("after a day: %v, want %v", after, want)
	}
	if a := gone.call(t, "whoami", ""); a.status != http.StatusUnauthorized {
		t.Errorf("a guest of yesterday: %d %s", a.status, a.raw)
	}
	stays.works(t, "a user")
	h.advance(91 * day)
	h.kit.collectOnce(t.Context())
	want = map[string]int{"clients": 0, "users": 1, "grants": 0, "tokens": 0, "redemptions": 0, "challenges": 0, "counters": 1, "browsers": 0, "outgoing": 0}
	if after := counts(); !maps.Equal(after, want) {
		t.Errorf("after 92 days: %v, want %v", after, want)
	}
	if log := h.log.String(); strings.Contains(log, "ERROR") {
		t.Error(log)
	}
}

// More than one batch goes, and a context that has ended stops it.
func TestManyExpiredThingsAreClearedAwayInBatches(t *testing.T) {
	h := newHouse(t, func(cfg *Config) { cfg.Lifetimes.GuestIdle = time.Minute })
	client := h.guest(t).client
	atOnce(4, func(int) {
		for range collectBatch/4 + 10 {
			h.redeem(t, client, h.code(t, client))
		}
	})
	h.advance(time.Hour)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	h.kit.collectOnce(ended)
	if n := h.count(t, "SELECT count(*) FROM foyer_grants"); n <= collectBatch {
		t.Errorf("%d grants, want more than %d", n, collectBatch)
	}
	h.kit.collectOnce(t.Context())
	if n := h.count(t, "SELECT count(*) FROM foyer_grants"); n != 0 {
		t.Errorf("%d grants are left", n)
	}
}

// ours are the goroutines in which code of the kit or of the SDK runs.
func ours() (all []string) {
	stacks := make([]byte, 4<<20)
	for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		if (strings.Contains(stack, "example.com/foyer") || strings.Contains(stack, "modelcontextprotocol")) && !strings.Contains(stack, "foyer.ours") {
			all = append(all, stack)
		}
	}
	return all
}

func TestCloseEndsEveryGoroutine(t *testing.T) {
	before := len(ours())
	t.Run("a server that was busy", func(t *testing.T) {
		h := newHouse(t)
		if len(ours()) <= before {
			t.Error("nothing runs behind the requests")
		}
		g := h.guest(t)
		g.signIn(t, "ann@example.com")
		g.renew(t)
		g.works(t, "before the end") // which is noted behind the request
		h.guest(t).call(t, "authenticate", `{"email":"bob@example.com"}`)
	})
	t.Run("a server that never served", func(t *testing.T) { newHouse(t) })
	t.Run("a kit that has no server", func(t *testing.T) {
		kit, err := New(good(t))
		if err != nil {
			t.Fatal(err)
		}
		server := mcp.NewServer(&mcp.Implementation{Name: "x", Version: "1"}, nil)
		addAll(server, "new")
		if _, err := kit.Handler(server); err == nil {
			t.Error("accepted")
		}
		if err := kit.Close(); err != nil {
			t.Error(err)
		}
	})
	end := time.Now().Add(5 * time.Second)
	for len(ours()) > before && time.Now().Before(end) {
		runtime.Gosched() // those that have finished are about to leave
	}
	if left := ours(); len(left) > before {
		t.Errorf("%d goroutines are left:\n%s", len(left)-before, strings.Join(left, "\n\n"))
	}
}
