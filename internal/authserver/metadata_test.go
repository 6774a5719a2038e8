package authserver

import (
	"net/http"
	"strings"
	"testing"
)

const serverDocument = `{"issuer":"https://notes.example","authorization_endpoint":"https://notes.example/authorize",` +
	`"token_endpoint":"https://notes.example/token","registration_endpoint":"https://notes.example/register",` +
	`"revocation_endpoint":"https://notes.example/revoke","scopes_supported":["guest","offline_access"],"response_types_supported":["code"],` +
	`"response_modes_supported":["query"],"grant_types_supported":["authorization_code","refresh_token"],` +
	`"token_endpoint_auth_methods_supported":["none"],"revocation_endpoint_auth_methods_supported":["none"],` +
	`"code_challenge_methods_supported":["S256"],"authorization_response_iss_parameter_supported":true,` +
	`"client_id_metadata_document_supported":false}` + "\n"

func resourceDocument(resource string) string {
	return `{"resource":"` + resource + `","authorization_servers":["https://notes.example"],"scopes_supported":["guest"],` +
		`"bearer_methods_supported":["header"],"resource_name":"Notes"}` + "\n"
}

// documents are the paths of all metadata, and what stands there.
var documents = map[string]string{
	"/.well-known/oauth-authorization-server":     serverDocument,
	"/.well-known/openid-configuration":           serverDocument,
	"/.well-known/oauth-protected-resource":       resourceDocument(issuer + "/mcp"),
	"/.well-known/oauth-protected-resource/mcp":   resourceDocument(issuer + "/mcp"),
	"/.well-known/oauth-protected-resource/other": resourceDocument(issuer + "/other"),
}

// X35, X40, X66 and X67: the whole of
// each document, whatever host the request names and whoever asks.
func TestMetadataIsTheSameForEveryone(t *testing.T) {
	r := newRoom(t)
	for path, want := range documents {
		for name, headers := range map[string][]string{
			"a plain request":            nil,
			"another host":               {"Host: evil.example", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http", "Forwarded: host=evil.example"},
			"a page of another origin":   {"Origin: https://inspector.example"},
			"a token that means nothing": {"Authorization: Bearer x"},
		} {
			w := r.send(http.MethodGet, path, "", headers...)
			if w.Code != http.StatusOK || w.Body.String() != want {
				t.Errorf("%s, %s: %d\ngot  %swant %s", path, name, w.Code, w.Body, want)
			}
			for header, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "public, max-age=300", "Pragma": "",
				"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "", "X-Content-Type-Options": "nosniff", "Set-Cookie": ""} {
				if got := w.Header().Get(header); got != want {
					t.Errorf("%s, %s: %s: %q, want %q", path, name, header, got, want)
				}
			}
		}
	}
}

// and client rule (a): one string, byte for byte, wherever the issuer
// is named.
func TestTheIssuerIsOneString(t *testing.T) {
	for _, r := range []*room{newRoom(t), newRoom(t, onLoopback)} {
		server := object(t, r.send(http.MethodGet, "/.well-known/oauth-authorization-server", ""))
		prm := object(t, r.send(http.MethodGet, "/.well-known/oauth-protected-resource/mcp", ""))
		id := r.register("Test", loopback)
		location := r.authorize(good(id, loopback, "resource", "-")).Header().Get("Location")
		named := map[string]any{"the issuer's own document": server["issuer"], "the resource's": prm["authorization_servers"].([]any)[0],
			"an authorization response": parsed(t, location).Get("iss")}
		for where, got := range named {
			if got != r.Issuer || strings.HasSuffix(r.Issuer, "/") {
				t.Errorf("%s names %q, want %q", where, got, r.Issuer)
			}
		}
	}
}

// A document is read, and nothing else; the endpoints are posted to.
func TestOtherMethodsAreRefusedWithAllow(t *testing.T) {
	r := newRoom(t)
	allowed := map[string]string{"/register": "POST", "/token": "POST", "/revoke": "POST"}
	for path := range documents {
		allowed[path] = "GET"
	}
	for path, allow := range allowed {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
			if method == allow {
				continue
			}
			w := r.send(method, path, "")
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != allow || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s: %d %v", method, path, w.Code, w.Header())
			}
			if body := object(t, w); body["error"] != "invalid_request" {
				t.Errorf("%s %s: %v", method, path, body)
			}
		}
	}
	if w := r.send(http.MethodHead, "/.well-known/openid-configuration", ""); w.Code != http.StatusOK {
		t.Errorf("HEAD of a document: %d", w.Code)
	}
}

// R-14, T55 and client rule (g): a page of any origin may call what carries no
// cookie, and no page may call /authorize.
func TestPreflight(t *testing.T) {
	r := newRoom(t)
	for path, methods := range map[string]string{"/register": "POST", "/token": "POST", "/revoke": "POST",
		"/.well-known/oauth-authorization-server": "GET", "/.well-known/openid-configuration": "GET",
		"/.well-known/oauth-protected-resource": "GET", "/.well-known/oauth-protected-resource/mcp": "GET"} {
		w := r.send(http.MethodOptions, path, "", "Origin: https://inspector.example", "Access-Control-Request-Method: "+methods,
			"Access-Control-Request-Headers: content-type,mcp-protocol-version")
		if w.Code != http.StatusNoContent || w.Body.Len() != 0 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		for header, want := range map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": methods,
			"Access-Control-Allow-Headers": "Content-Type, Authorization, MCP-Protocol-Version", "Access-Control-Max-Age": "86400",
			"Access-Control-Allow-Credentials": ""} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s: %q, want %q", path, header, got, want)
			}
		}
	}
	id := r.register("Test", loopback)
	for _, method := range []string{http.MethodOptions, http.MethodGet} {
		w := r.send(method, "/authorize?"+good(id, loopback).Encode(), "", "Origin: https://evil.example")
		for header := range w.Header() {
			if strings.HasPrefix(header, "Access-Control-") {
				t.Errorf("%s /authorize lets pages in: %s", method, header)
			}
		}
	}
}

// X40: what is listed in a resource's document, clients ask for.
func TestAResourceListsNothingThatCostsAPage(t *testing.T) {
	r := newRoom(t)
	for path := range documents {
		if body := r.send(http.MethodGet, path, "").Body.String(); strings.Contains(body, "notes:") ||
			strings.Contains(path, "resource") && strings.Contains(body, "offline_access") {
			t.Errorf("%s lists what needs a person, or offline_access: %s", path, body)
		}
	}
}
