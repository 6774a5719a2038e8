package mcpgate

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/words"
)

// challenge writes an answer that sends the client to the authorization server
// (RFC 6750 section 3, RFC 9728 section 5.1). A request that brought no token is
// told no error. The body is a JSON-RPC error, because clients give up the whole
// connection for any other.
func (e Endpoint) challenge(w http.ResponseWriter, status int, code string, d gate.Decision, id json.RawMessage, text string) {
	description := "the access token is unknown, expired or revoked"
	if code == oauth.InsufficientScope {
		description = "more consent is needed for this operation"
	}
	w.Header().Set("WWW-Authenticate", e.header(code, description, d))
	writeError(w, status, id, status, text, nil)
}

// header is a challenge as a header says it. What asks for a sign-in alone asks
// for the least scope there is. Levels are scopes, which clients know how to ask
// for, and beside them what RFC 9470 section 3 has for them.
func (e Endpoint) header(code, description string, d gate.Decision) string {
	params := `resource_metadata="` + e.MetadataURL + `"`
	if code != "" {
		params = `error="` + code + `", error_description="` + description + `", ` + params
	}
	scopes := d.Scopes
	if len(scopes) == 0 {
		scopes = guestScope
	}
	params += `, scope="` + strings.Join(scopes, " ") + `"`
	for _, s := range scopes {
		if level, ok := gate.LevelOf(s); ok {
			params += `, acr_values="` + level + `"`
			break // a rule names one
		}
	}
	if d.MaxAge > 0 {
		params += `, max_age="` + strconv.Itoa(int(d.MaxAge/time.Second)) + `"`
	}
	return "Bearer " + params
}

var guestScope = []string{gate.Guest}

// noToken tells a caller who has none what to do.
func (e Endpoint) noToken() string {
	if len(e.Asks) > 0 && !slices.Contains(e.Asks, gate.Guest) {
		return words.NoGuests
	}
	return words.NoToken
}

// asks is what a caller is challenged for who has no token that works.
func (e Endpoint) asks() gate.Decision { return gate.Decision{Outcome: gate.Challenge, Scopes: e.Asks} }

// refuse answers a refusal in the dress of HTTP.
func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, m message, c carried, ref refusal) {
	switch {
	case ref.decision.Outcome == gate.Challenge && c.caller.GrantID == "":
		c.endpoint.challenge(w, http.StatusUnauthorized, "", ref.decision, m.ID, words.NoToken)
		return
	case ref.decision.Outcome == gate.Challenge:
		c.endpoint.challenge(w, http.StatusForbidden, oauth.InsufficientScope, ref.decision, m.ID, g.text(c.caller, ref))
		return
	}
	err := unknown(ref)
	writeError(w, since2026(r, http.StatusBadRequest), m.ID, int(err.Code), err.Message, err.Data)
}

// unheardOf answers a call of a method that nobody has said a rule for.
func unheardOf(w http.ResponseWriter, r *http.Request, m message) {
	writeError(w, since2026(r, http.StatusNotFound), m.ID, methodNotFound, "this server has no such method", nil)
}

// since2026 returns the status of a JSON-RPC error. Versions before 2026-07-28
// have none for it.
func since2026(r *http.Request, status int) int {
	if isModern(r) {
		return status
	}
	return http.StatusOK
}

// writeError writes a JSON-RPC error with the id of the request, where it had
// one that can be told. Codes of our own lie outside of the reserved range (MCP
// 2026-07-28, basic, "Error Codes"): the HTTP status stands for itself.
func writeError(w http.ResponseWriter, status int, id json.RawMessage, code int, message string, data json.RawMessage) {
	type rpcError struct {
		Code    int             `json:"code"`
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data,omitempty"`
	}
	if len(id) == 0 || id[0] != '"' && (id[0] < '0' || id[0] > '9') && id[0] != '-' {
		id = json.RawMessage("null")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(struct { // an error means that the client has gone
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   rpcError        `json:"error"`
	}{"2.0", id, rpcError{code, message, data}})
}
