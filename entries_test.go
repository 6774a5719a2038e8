package foyer

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/foyer/gate"
	"example.com/foyer/internal/oauth"
)

// An eager endpoint asks everybody for a token with the default scopes, and gives
// no guest one: not silently, not by a button, not for the scope guest.
func TestAnEagerEndpointLetsNoGuestIn(t *testing.T) {
	h := newHouse(t, func(cfg *Config) {
		cfg.Endpoints = []Endpoint{{Path: "/mcp"}, {Path: "/eager/mcp", Entry: gate.Eager}}
	})
	resource := h.issuer + "/eager/mcp"
	g := h.guest(t)
	for _, request := range []struct{ method, token, tool string }{
		{"tools/list", "", ""}, {"tools/call", "", "writing_prompt"}, {"server/discover", "", ""}, {"tools/call", g.access, "writing_prompt"}, {"tools/list", "forged", ""},
	} {
		params := "{}"
		if request.tool != "" {
			params = `{"name":"` + request.tool + `","arguments":{}}`
		}
		res := h.send(t, mcpRequest(t, resource, request.token, 1, request.method, params))
		res.Body.Close()
		header := res.Header.Get("WWW-Authenticate")
		if res.StatusCode != http.StatusUnauthorized || !strings.Contains(header, `scope="journal:write"`) || !strings.Contains(header, `resource_metadata="`+h.issuer+`/.well-known/oauth-protected-resource/eager/mcp"`) {
			t.Errorf("%+v: %d %s", request, res.StatusCode, header)
		}
	}
	var doc oauth.ResourceMetadata
	if err := json.NewDecoder(h.get(t, "/.well-known/oauth-protected-resource/eager/mcp").Body).Decode(&doc); err != nil || doc.Resource != resource || strings.Join(doc.ScopesSupported, " ") != "journal:write" {
		t.Errorf("the document: %+v, %v", doc, err)
	}
	for _, scope := range []string{"", "guest", "offline_access", "journal:write", "guest claudeai"} {
		query := url.Values{"response_type": {"code"}, "client_id": {g.client}, "redirect_uri": {redirectURI}, "code_challenge": {challenge},
			"code_challenge_method": {"S256"}, "resource": {resource}, "scope": {scope}}
		res := h.get(t, "/authorize?"+query.Encode())
		asks := res.Header.Get("Location")
		res.Body.Close()
		if res.StatusCode != http.StatusFound || !strings.HasPrefix(asks, "/consent?request=") {
			t.Fatalf("scope %q: %d %s", scope, res.StatusCode, asks)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.issuer+asks, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range res.Cookies() {
			r.AddCookie(c)
		}
		res = h.send(t, r)
		var page strings.Builder
		if err := res.Write(&page); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusOK || strings.Contains(page.String(), "code=") || !strings.Contains(page.String(), "Mail me a code") || strings.Contains(page.String(), "as a guest") {
			t.Errorf("scope %q: %d\n%s", scope, res.StatusCode, page.String())
		}
	}
	if status, told := h.token(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {g.client}, "code": {h.code(t, g.client)}, "redirect_uri": {redirectURI},
		"code_verifier": {verifier}, "resource": {resource}}); status != http.StatusBadRequest || told["error"] != oauth.InvalidTarget {
		t.Errorf("a guest's code for it: %d %v", status, told)
	}
}
