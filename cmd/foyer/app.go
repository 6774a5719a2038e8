package main

import (
	"fmt"
	"path/filepath"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/examples/appointments"
	"example.com/foyer/examples/conformance"
	"example.com/foyer/examples/journal"
	"example.com/foyer/gate"
	"example.com/foyer/store"
)

// An app is what the demo serves.
type app struct {
	from                      string // of its mails
	server                    func(*foyer.Kit) *mcp.Server
	scopes                    gate.Scopes
	tools, resources, prompts gate.Rules
	guestData                 foyer.GuestData  // nil for none
	userData                  foyer.UserData   // likewise
	endpoints                 []foyer.Endpoint // empty means those of the demo
	close                     func() error
}

// Close closes what the app keeps open.
func (a app) Close() error { return a.close() }

// appNames are the apps that there are, the usual one first.
var appNames = []string{"journal", "appointments", "conformance"}

// appScopes are the scopes of each app, which are known without its data.
var appScopes = map[string]gate.Scopes{"journal": journal.Scopes, "appointments": appointments.Scopes}

// openApp opens the app of that name, with its data in the folder dir, or in db, which
// is that of the kit and stays the caller's to close.
func openApp(name, dir string, db store.Database) (app, error) {
	switch name {
	case "journal":
		j, err := journal.Open(filepath.Join(dir, "journal.db"))
		if err != nil {
			return app{}, err
		}
		return app{
			from: "Journal <journal@example.com>", server: func(k *foyer.Kit) *mcp.Server { return j.Server(k.Questions()) }, close: j.Close, scopes: appScopes[name],
			tools: journal.Tools, resources: journal.Resources, prompts: journal.Prompts, guestData: j, userData: j,
		}, nil
	case "appointments":
		c, err := appointments.Open(db)
		if err != nil {
			return app{}, err
		}
		return app{
			from: "Appointments <appointments@example.com>", close: func() error { return nil }, scopes: appScopes[name],
			server: func(k *foyer.Kit) *mcp.Server { return c.Server(k.Operations()) }, tools: appointments.Tools,
		}, nil
	case "conformance":
		return app{
			from: "Conformance <conformance@example.com>", close: func() error { return nil },
			server: func(*foyer.Kit) *mcp.Server { return conformance.Server() },
			tools:  conformance.Tools, resources: conformance.Resources, prompts: conformance.Prompts,
			endpoints: []foyer.Endpoint{{Path: "/mcp", Entry: gate.Lazy}}, // the suite has no token
		}, nil
	}
	return app{}, fmt.Errorf("there is no app %q", name)
}
