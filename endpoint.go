package foyer

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"example.com/foyer/gate"
	"example.com/foyer/internal/mcpgate"
)

// An Endpoint is a path at which the server is. It is a protected resource of
// its own: a token for one endpoint is none for another.
type Endpoint struct {
	Path string // such as "/mcp"

	// Entry is how a request without a token is greeted: [gate.Guest], with 401,
	// upon which any client gets a guest's token without a page; [gate.Lazy], as a
	// caller without a grant, and with 401 only where a rule asks for more; or
	// [gate.Eager], with 401 that asks for the default scopes, which only a person
	// can give, in the browser. Optional; empty means gate.Guest.
	Entry gate.Entry
}

var defaultEndpoints = []Endpoint{{Path: "/mcp"}}

// checkEndpoints returns everything that is wrong with the endpoints.
func (cfg *Config) checkEndpoints() error {
	var problems []error
	for i, e := range cfg.Endpoints {
		if e.Path == "" || e.Path == "/" || path.Clean(e.Path) != e.Path || e.Path[0] != '/' || strings.ContainsAny(e.Path, "{}?%") || !isCanonical("https://host"+e.Path) || strings.HasPrefix(e.Path, "/.well-known") {
			problems = append(problems, fmt.Errorf("Endpoints: path %q must be like /mcp", e.Path))
		}
		if e.Entry != "" && e.Entry != gate.Guest && e.Entry != gate.Lazy && e.Entry != gate.Eager {
			problems = append(problems, fmt.Errorf("Endpoints: %s: entry %q is unknown; there are %q, %q and %q", e.Path, e.Entry, gate.Guest, gate.Lazy, gate.Eager))
		}
		if slices.ContainsFunc(cfg.Endpoints[:i], func(other Endpoint) bool { return other.Path == e.Path }) || slices.Contains([]string{"/authorize", "/token", "/register", "/revoke", "/introspect", "/jwks", "/consent", "/sign-in", "/sign-out"}, e.Path) || strings.HasPrefix(e.Path+"/", "/confirm/") || strings.HasPrefix(e.Path+"/", "/account/") {
			problems = append(problems, fmt.Errorf("Endpoints: path %q is taken", e.Path))
		}
	}
	return errors.Join(problems...)
}

func (cfg *Config) endpointURLs() (urls []string) {
	endpoints := cfg.Endpoints
	if len(endpoints) == 0 {
		endpoints = defaultEndpoints
	}
	for _, e := range endpoints {
		urls = append(urls, cfg.Issuer+e.Path)
	}
	return urls
}

func paths(endpoints []Endpoint) []string {
	var all []string
	for _, e := range endpoints {
		all = append(all, e.Path)
	}
	return all
}

// asks are the scopes that e asks a caller without a token for: what every guest
// gets, or at an eager endpoint the default ones, if there are any.
func (k *Kit) asks(e Endpoint) []string {
	if defaults := k.cfg.Scopes.Defaults().Names(); e.Entry == gate.Eager && len(defaults) > 0 {
		return defaults
	}
	return []string{gate.Guest}
}

// people are the endpoints that no guest gets into, with the scopes that they ask
// for.
func (k *Kit) people() map[string][]string {
	all := map[string][]string{}
	for _, e := range k.cfg.Endpoints {
		if e.Entry == gate.Eager {
			all[k.cfg.Issuer+e.Path] = k.asks(e)
		}
	}
	return all
}

// mount serves every endpoint, with and without a slash at the end: a
// redirect would lose the body.
func (k *Kit) mount(mux *http.ServeMux) {
	for _, e := range k.cfg.Endpoints {
		h := k.front.Pages(k.gate.Handler(mcpgate.Endpoint{
			Resource:    k.cfg.Issuer + e.Path,
			MetadataURL: k.cfg.Issuer + "/.well-known/oauth-protected-resource" + e.Path,
			Lazy:        e.Entry == gate.Lazy,
			Asks:        k.asks(e),
		}))
		mux.Handle(e.Path, h)
		mux.Handle(e.Path+"/{$}", h)
	}
}
