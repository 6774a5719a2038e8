package foyer

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/audit"
	"example.com/foyer/confirm"
	"example.com/foyer/gate"
	"example.com/foyer/internal/authserver"
	"example.com/foyer/internal/operation"
	"example.com/foyer/internal/pages"
	"example.com/foyer/store"
)

// Operations returns what tools that change things are added with; see
// [confirm.AddTool].
func (k *Kit) Operations() *confirm.Operations { return k.operations }

// confirmsOnPage reports whether a rule has its user confirm on a page.
func (cfg *Config) confirmsOnPage() bool {
	for _, rule := range cfg.Tools {
		if rule.Confirms() >= gate.ByPage {
			return true
		}
	}
	return false
}

// confirmLink makes the link of the page, or is nil where there is none.
func (k *Kit) confirmLink() func(id string) string {
	if !k.cfg.confirmsOnPage() {
		return nil
	}
	return func(id string) string { return k.cfg.Issuer + pages.ConfirmPath(id) }
}

// mountPages serves the pages that people meet.
func (k *Kit) mountPages(mux *http.ServeMux, authorization *authserver.Server) {
	pages.New(pages.Config{App: k.title, Look: k.look, Issuer: k.cfg.Issuer, Store: k.cfg.Store, Keys: k.keys, SignIn: k.signin, Identity: k.identity(), Consent: k.consent(), Clients: k.clients,
		Grants: k.grants, Scopes: k.cfg.Scopes, Browser: authorization.KnownBrowser, MayLookUp: authorization.MayLookUp,
		Operations: &operation.Rules{Store: k.cfg.Store, Now: k.now}, Levels: k.cfg.levels(), GuestData: k.cfg.GuestData, Export: k.export, AppData: k.cfg.UserData != nil, Wake: k.mail.Wake, Now: k.now, Log: k.cfg.Log,
		Confirms: func(tool string) gate.Confirmation { return k.cfg.Tools[tool].Confirms() }}).Mount(mux)
}

// newOperations asks the gate, which is there once the kit has its handler, and
// before there is a call.
func (k *Kit) newOperations() *confirm.Operations {
	return confirm.New(confirm.Config{
		App: func() string { return k.title }, Store: k.cfg.Store, Questions: k.Questions(), Now: k.now, Log: k.cfg.Log, NoLimits: k.cfg.DangerouslyNoLimits,
		Decide: func(ctx context.Context, req mcp.Request, tool string, arguments json.RawMessage) (gate.Decision, *mcp.CallToolResult) {
			return k.gate.DecideAgain(ctx, req, tool, arguments)
		},
		Arguments: func(tool string, raw json.RawMessage) (json.RawMessage, error) { return k.gate.Arguments(tool, raw) },
		Run: func(ctx context.Context, req *mcp.CallToolRequest, tool string, arguments json.RawMessage) (mcp.Result, error) {
			return k.gate.RunTool(ctx, req, tool, arguments)
		},
		Done: func(ctx context.Context, o store.Operation) {
			k.trail.Mutation(ctx, audit.Mutation{UserID: o.UserID, Tool: o.Tool, Summary: o.Summary, Operation: o.ID})
		},
		Link:  k.confirmLink(),
		Terms: func(tool string) string { return k.terms[tool] + " " + k.cfg.Tools[tool].String() },
	})
}
