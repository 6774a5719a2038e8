package mcpgate

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/gate"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/words"
)

// inResult reports whether a refusal is told inside of a result, with 200, and
// not by HTTP. That is for what the model can mend in the chat: a guest's call
// of something that a sign-in by one-time code opens; and for what no browser can
// mend: clients take a bare 403 for a fault of the connection. The choice never
// changes what is refused.
func (g *Gate) inResult(c gate.Caller, d gate.Decision) bool {
	if d.Outcome == gate.Challenge {
		return g.inChat(c, d)
	}
	return d.Reason != gate.Unknown
}

// inChat reports whether a claim in the chat gives c what d asks for.
func (g *Gate) inChat(c gate.Caller, d gate.Decision) bool {
	return d.Outcome == gate.Challenge && c.GrantID != "" && !c.SignedIn() && g.ByChat(d.Scopes)
}

// ByChat reports whether a claim in the chat gives all of scopes.
func (g *Gate) ByChat(scopes []string) bool {
	for _, name := range scopes {
		if !slices.Contains(g.chatGives, name) {
			return false
		}
	}
	return true
}

// An access tells a client what an item needs; it stands in _meta under
// "foyer/access".
type access struct {
	Version int         `json:"v"`
	State   string      `json:"state"` // "locked", or "denied" for what nobody can get
	Reason  gate.Reason `json:"reason"`
	Scopes  []string    `json:"scopes"`            // all that the item needs
	MaxAge  int         `json:"max_age,omitempty"` // seconds that the sign-in may be old
	Roles   []string    `json:"roles,omitempty"`   // that the application would have to give to the user
	Acquire []string    `json:"acquire,omitempty"` // ways to get it: "authenticate" for the tool, "oauth" for the browser
}

func (g *Gate) access(c gate.Caller, d gate.Decision) access {
	a := access{Version: 1, State: "locked", Reason: d.Reason, Scopes: append([]string{}, d.Scopes...), MaxAge: int(d.MaxAge / time.Second), Roles: d.Roles}
	switch {
	case g.inChat(c, d):
		a.Acquire = []string{words.Authenticate}
	case d.Outcome == gate.Challenge:
		a.Acquire = []string{"oauth"}
	default:
		a.State = "denied"
	}
	return a
}

// A denial tells a program what a refused call needs, beside the text that tells
// the model.
type denial struct {
	access
	Status string `json:"status"`
	Next   []step `json:"next,omitempty"`
	Retry  string `json:"retry,omitempty"` // the item to call again, with the same arguments
}

type step struct {
	Tool string `json:"tool"`
}

// text tells the model what to do about ref.
func (g *Gate) text(c gate.Caller, ref refusal) string {
	switch d := ref.decision; {
	case d.Reason == gate.ForGuests:
		return words.GuestsOnly(ref.name)
	case d.Reason == gate.NeedsRole:
		return words.RoleNeeded(ref.name, d.Roles)
	case ref.misfit != nil:
		return words.Misfit(ref.name, ref.misfit)
	case d.Outcome == gate.Deny:
		return words.NotAllowed(ref.name)
	case g.inChat(c, d):
		return words.SignInNeeded(ref.name)
	case d.Reason == gate.NeedsLevel, d.Reason == gate.NeedsFresh:
		return words.StrongerSignInNeeded(ref.name)
	}
	return words.ConsentNeeded(ref.name, ref.decision.Scopes, g.account(c, ref.decision))
}

// account returns where c's user can give what d asks for to the grant that there is,
// or "" where that would not help: a guest has no such page, and a level comes by new
// tokens alone.
func (g *Gate) account(c gate.Caller, d gate.Decision) string {
	for _, name := range d.Scopes {
		if !g.Scopes.Known(name) {
			return ""
		}
	}
	if !c.SignedIn() {
		return ""
	}
	return g.Account
}

// result is the refusal of a tool call.
func (g *Gate) result(c carried, ref refusal) *mcp.CallToolResult {
	f := g.findings(c, ref)
	res := &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: f.text}}}
	res.Meta = mcp.Meta{"foyer/denial": f.denial}
	if f.challenge != "" {
		res.Meta["mcp/www_authenticate"] = []string{f.challenge}
	}
	if f.structured {
		res.StructuredContent = map[string]any{"auth": f.denial}
	}
	return res
}

// findings are what the refusal of a tool call says.
type findings struct {
	text       string
	denial     denial
	challenge  string // empty for none
	structured bool   // the denial stands in the structured content, too
}

func (g *Gate) findings(c carried, ref refusal) findings {
	f := findings{text: g.text(c.caller, ref), denial: g.denial(c.caller, ref)}
	if ref.decision.Outcome == gate.Challenge {
		f.challenge = c.endpoint.header(oauth.InsufficientScope, "sign-in needed", ref.decision)
	}
	f.structured = !g.Items.outputs[ref.name] // else clients would check it against the schema of what the tool answers, errors included
	return f
}

// complete marks a result of ours as complete, which 2026-07-28 demands of every
// result (basic, "Result"). The SDK marks only those that its own handlers
// return, and lets nobody else, but by reading the mark.
func complete(res *mcp.CallToolResult) (*mcp.CallToolResult, error) {
	marked := &mcp.CallToolResult{}
	if err := json.Unmarshal([]byte(`{"resultType":"complete","content":[]}`), marked); err != nil {
		return nil, err
	}
	marked.Meta, marked.Content, marked.StructuredContent, marked.IsError = res.Meta, res.Content, res.StructuredContent, res.IsError
	return marked, nil
}

func (g *Gate) denial(c gate.Caller, ref refusal) denial {
	d := denial{access: g.access(c, ref.decision), Status: "denied"}
	if ref.decision.Outcome == gate.Challenge {
		d.Status, d.Retry = "sign_in_required", ref.name
		if c.SignedIn() {
			d.Status = "consent_required"
		}
	}
	if g.inChat(c, ref.decision) {
		d.Next = []step{{words.Authenticate}, {words.ValidateToken}}
	}
	return d
}

// rpcError is the refusal of a request whose result has no place for one.
func (g *Gate) rpcError(c gate.Caller, ref refusal) error {
	if ref.decision.Reason == gate.Unknown {
		return unknown(ref)
	}
	data, err := json.Marshal(map[string]any{"auth": g.denial(c, ref)})
	if err != nil {
		return err
	}
	return &jsonrpc.Error{Code: http.StatusForbidden, Message: g.text(c, ref), Data: data}
}

// unknown is the answer to the name of an item that does not exist, for all this
// caller may know. The words are the SDK's.
func unknown(ref refusal) *jsonrpc.Error {
	if ref.kind == resource {
		data, err := json.Marshal(map[string]string{"uri": ref.name})
		if err != nil {
			data = nil // cannot happen: a string is JSON
		}
		return &jsonrpc.Error{Code: invalidParams, Message: "Resource not found", Data: data}
	}
	return &jsonrpc.Error{Code: invalidParams, Message: fmt.Sprintf("unknown %s %q", ref.kind, ref.name)}
}
