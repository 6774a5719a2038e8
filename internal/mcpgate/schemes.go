package mcpgate

import "example.com/foyer/gate"

// A scheme is how a tool may be called, for ChatGPT, which reads it in _meta under
// "securitySchemes" (Apps SDK reference, "Tool descriptor parameters"; MCP
// SEP-1488). It enforces nothing.
type scheme struct {
	Type   string   `json:"type"`             // "noauth" or "oauth2"
	Scopes []string `json:"scopes,omitempty"` // all that the tool needs
}

// schemes are those of a tool of rule r at e, the same for every caller: what it
// asks of a caller without a token.
func (e Endpoint) schemes(r gate.Rule) []scheme {
	d := gate.Rules{"": r.Unhidden()}.Show(gate.Caller{}, "")
	switch {
	case d.Outcome == gate.Challenge && len(d.Scopes) > 0:
		return []scheme{{"oauth2", d.Scopes}}
	case d.Outcome.Passes() && e.Lazy:
		return []scheme{{Type: "noauth"}}
	case len(e.Asks) > 0:
		return []scheme{{"oauth2", e.Asks}}
	}
	return []scheme{{"oauth2", guestScope}}
}
