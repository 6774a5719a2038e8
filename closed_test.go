package foyer

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/examples/journal"
	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// A faulty store fails while it is told to.
type faulty struct {
	store.Store
	off, commits atomic.Bool // fails at once; fails at the commit
}

var errFaulty = errors.New("disk I/O error at /var/lib/secret-place")

func (f *faulty) View(ctx context.Context, fn func(store.Tx) error) error {
	if f.off.Load() {
		return errFaulty
	}
	return f.Store.View(ctx, fn)
}

func (f *faulty) Update(ctx context.Context, fn func(store.Tx) error) error {
	if f.off.Load() {
		return errFaulty
	}
	return f.Store.Update(ctx, func(tx store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if f.commits.Load() {
			return errFaulty
		}
		return nil
	})
}

func (f *faulty) Bearer(ctx context.Context, h store.Hash) (store.Bearer, error) {
	if f.off.Load() {
		return store.Bearer{}, errFaulty
	}
	return f.Store.Bearer(ctx, h)
}

// What is added after Handler has no rule: nobody may use it, and nobody sees
// it, not even a user who may do everything else.
func TestWhatIsAddedLaterIsRefused(t *testing.T) {
	h := newHouse(t)
	visitor, user := h.guest(t), h.guest(t)
	user.signIn(t, "ann@example.com")
	addAll(h.server, "tardy")
	h.server.AddResourceTemplate(&mcp.ResourceTemplate{URITemplate: "tardy:{+all}", Name: "all"}, func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{Text: "open"}}}, nil
	})
	for name, g := range map[string]*guest{"a guest": visitor, "a user": user} {
		for _, message := range [][2]string{
			{"tools/call", `{"name":"tardy","arguments":{}}`},
			{"resources/read", `{"uri":"tardy://one"}`},
			{"resources/read", `{"uri":"tardy://many/x"}`},
			{"resources/read", `{"uri":"tardy:x"}`},
			{"resources/read", `{"uri":"tardy://many/{id}"}`},
			{"prompts/get", `{"name":"tardy"}`},
			{"completion/complete", `{"ref":{"type":"ref/prompt","name":"tardy"},"argument":{"name":"x","value":""}}`},
		} {
			status, body := g.post(t, message[0], message[1])
			if status != http.StatusBadRequest || !strings.Contains(body, `"error":`) || strings.Contains(body, "open") {
				t.Errorf("%s: %s %s: %d %s", name, message[0], message[1], status, body)
			}
		}
		for _, method := range []string{"tools/list", "resources/list", "resources/templates/list", "prompts/list"} {
			if status, body := g.post(t, method, ""); status != http.StatusOK || strings.Contains(body, "tardy") {
				t.Errorf("%s: %s: %d %s", name, method, status, body)
			}
		}
	}
}

// The tables are read once: a line that is changed under the running server, or
// taken away, opens nothing.
func TestARuleThatIsChangedLaterOpensNothing(t *testing.T) {
	tools, resources, prompts := maps.Clone(journal.Tools), maps.Clone(journal.Resources), maps.Clone(journal.Prompts)
	h := newHouse(t, func(cfg *Config) { cfg.Tools, cfg.Resources, cfg.Prompts = tools, resources, prompts })
	g := h.guest(t)
	tools["list_entries"], resources["journal://entries"], prompts["reflect"] = gate.Anyone(), gate.Anyone(), gate.Anyone()
	delete(resources, "journal://entries/{id}")
	for _, message := range [][2]string{
		{"tools/call", `{"name":"list_entries","arguments":{}}`},
		{"resources/read", `{"uri":"journal://entries"}`},
		{"resources/read", `{"uri":"journal://entries/x"}`},
		{"prompts/get", `{"name":"reflect"}`},
	} {
		if status, body := g.post(t, message[0], message[1]); !strings.Contains(body, "call authenticate") {
			t.Errorf("%s %s: %d %s", message[0], message[1], status, body)
		}
	}
}

// everyDoor asks for something at every door, and calls check with each answer.
func (g *guest) everyDoor(t *testing.T, digits string, check func(door string, status int, body string)) {
	t.Helper()
	b := g.browser(t)
	door := func(name string, r response) { check(name, r.status, r.body) }
	post := func(path, media, body string) response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.issuer+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", media)
		return b.do(t, r)
	}
	door("/authorize", b.authorize(t, g.client))
	door("/register", post("/register", inJSON, `{"client_name":"Another","redirect_uris":["`+redirectURI+`"]}`))
	door("/token", post("/token", form, url.Values{"grant_type": {"refresh_token"}, "client_id": {g.client}, "refresh_token": {g.refresh}}.Encode()))
	door("/revoke", post("/revoke", form, url.Values{"client_id": {g.client}, "token": {g.refresh}}.Encode()))
	for _, tool := range [][2]string{{"list_entries", "{}"}, {"whoami", "{}"}, {"authenticate", `{"email":"bob@example.com"}`}, {"validate_token", `{"code":"` + digits + `"}`}, {"logout", "{}"}} {
		a := g.call(t, tool[0], tool[1])
		check(tool[0], a.status, a.raw)
	}
	status, body := g.post(t, "tools/list", "")
	check("tools/list", status, body)
}

func TestAStoreThatFailsAllowsNothingAndTellsNothing(t *testing.T) {
	for name, fail := range map[string]func(*testing.T, *house, *faulty){
		"closed":  func(_ *testing.T, h *house, _ *faulty) { h.store.Close() },
		"failing": func(_ *testing.T, _ *house, f *faulty) { f.off.Store(true) },
		"a store that is gone": func(t *testing.T, h *house, _ *faulty) {
			h.store.Close()
			for _, file := range []string{"foyer.db", "foyer.db-wal", "foyer.db-shm"} {
				if err := os.Remove(filepath.Join(h.dir, file)); err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Error(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &faulty{}
			h := newHouse(t, func(cfg *Config) { f.Store, cfg.Store = cfg.Store, f })
			g := h.guest(t)
			digits := g.digits(t, "ann@example.com")
			fail(t, h, f)
			begun := time.Now()
			g.everyDoor(t, digits, func(door string, status int, body string) {
				if status != http.StatusInternalServerError && status != http.StatusServiceUnavailable {
					t.Errorf("%s: %d %s", door, status, body)
				}
				switch {
				case door == "/authorize" && !strings.HasPrefix(body, "<!doctype html>"),
					strings.HasPrefix(door, "/") && door != "/authorize" && !strings.Contains(body, `"error":"server_error"`),
					!strings.HasPrefix(door, "/") && !strings.Contains(body, `"jsonrpc":"2.0"`):
					t.Errorf("%s: %s", door, body)
				}
				for _, detail := range []string{"sqlstore", "sqlite", "closed", "disk", "secret-place", "foyer.db", h.dir, "fya_", "fyr_", "goroutine"} {
					if strings.Contains(body, detail) {
						t.Errorf("%s tells %q: %s", door, detail, body)
					}
				}
			})
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// Reads work and commits do not: nothing is said to have happened that has not.
func TestACommitThatFailsHappenedForNobody(t *testing.T) {
	f := &faulty{}
	h := newHouse(t, func(cfg *Config) { f.Store, cfg.Store = cfg.Store, f })
	g := h.guest(t)
	digits := g.digits(t, "ann@example.com")
	f.commits.Store(true)
	g.everyDoor(t, digits, func(door string, status int, body string) {
		switch door {
		case "/authorize", "whoami", "tools/list": // which write nothing
			if status >= 400 {
				t.Errorf("%s: %d %s", door, status, body)
			}
		case "/register", "/token", "/revoke":
			if status != http.StatusInternalServerError || !strings.Contains(body, `"error":"server_error"`) {
				t.Errorf("%s: %d %s", door, status, body)
			}
		default:
			if status != http.StatusOK || !strings.Contains(body, `"isError":true`) {
				t.Errorf("%s: %d %s", door, status, body)
			}
		}
		if strings.Contains(body, "disk") || strings.Contains(body, "fya_") {
			t.Errorf("%s tells %s", door, body)
		}
	})
	f.commits.Store(false)
	if a := g.call(t, "list_entries", ""); !a.isError {
		t.Errorf("a claim that never happened: %s", a.raw)
	}
	if a := g.call(t, "validate_token", `{"code":"`+digits+`"}`); a.isError {
		t.Errorf("the digits, once the store works: %s", a.raw)
	}
	g.renew(t)
	g.works(t, "once the store works")
}

// The file is removed under a server that has it open. What still works must be
// right, and what does not must say so.
func TestAFileThatIsRemovedUnderTheServerOpensNothing(t *testing.T) {
	h := newHouse(t)
	g := h.guest(t)
	for _, file := range []string{"foyer.db", "foyer.db-wal", "foyer.db-shm"} {
		if err := os.Remove(filepath.Join(h.dir, file)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		atOnce(8, func(int) {
			a := g.call(t, "list_entries", "")
			if a.status != http.StatusOK && a.status != http.StatusServiceUnavailable || a.status == http.StatusOK && !a.isError || strings.Contains(a.raw, "sqlite") {
				t.Errorf("a guest: %d %s", a.status, a.raw)
			}
			if a := h.callAs(t, "fya_unknown", "writing_prompt", ""); a.status != http.StatusUnauthorized && a.status != http.StatusServiceUnavailable {
				t.Errorf("an unknown token: %d %s", a.status, a.raw)
			}
		})
		status, body := g.refreshed(t, g.refresh)
		if status != http.StatusOK && (status != http.StatusInternalServerError || body["error"] != "server_error") {
			t.Errorf("a refresh: %d %v", status, body)
		}
	}
}
