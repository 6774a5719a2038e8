// Package journal is a first journal as an MCP server: people write down their
// days, sort them with tags, and a model helps them to find the words and to
// find them again. It has the tools of Epic Me, by Kent C. Dodds.
//
// Its tools are plain SDK code and know nothing of signing in. They ask
// gate.CallerFrom(ctx).Owner() whose journal it is, and every query is bound to
// that owner. Who may call what is written in three tables, [Tools],
// [Resources] and [Prompts], and nowhere else.
//
//	item                                        asks for
//	writing_prompt, first_entry, credits        nothing
//	drafts                                      a connection, of a guest or a user
//	reading, searching, the other prompts       a user
//	writing, tagging, deleting                  journal:write
//	export_journal                              journal:export
//
// To read it, begin here, and go on with reading.go (tools that look things up),
// deleting.go (tools that ask before they delete), and entries.go (the queries).
package journal

import (
	"context"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/elicit"
	"example.com/foyer/gate"
)

// Scopes are what a client may be given beyond reading. Export is never given
// in the chat: a copy of a whole journal needs consent in the browser.
var Scopes = gate.Scopes{
	{Name: "journal:write", Words: "Write, change and delete your journal entries", Default: true},
	{Name: "journal:export", Words: "Take a copy of your whole journal"},
}

// Tools says who may call which tool.
var Tools = gate.Rules{
	"writing_prompt": gate.Anyone(),

	"save_draft":   gate.AnyGrant(), // what a guest keeps stays the guest's until the user takes it along
	"list_drafts":  gate.AnyGrant(),
	"delete_draft": gate.AnyGrant(),

	"list_entries":                      gate.SignedIn(),
	"get_entry":                         gate.SignedIn(),
	"view_journal":                      gate.SignedIn(),
	"view_entry":                        gate.SignedIn(),
	"list_tags":                         gate.SignedIn(),
	"get_tag":                           gate.SignedIn(),
	"get_tag_suggestions_instructions":  gate.SignedIn(),
	"get_journal_insights_instructions": gate.SignedIn(),

	"create_entry":     gate.Scope("journal:write"),
	"update_entry":     gate.Scope("journal:write"),
	"delete_entry":     gate.Scope("journal:write"),
	"create_tag":       gate.Scope("journal:write"),
	"update_tag":       gate.Scope("journal:write"),
	"delete_tag":       gate.Scope("journal:write"),
	"add_tag_to_entry": gate.Scope("journal:write"),

	"export_journal": gate.Scope("journal:export"),
}

// Resources says who may read which resource.
var Resources = gate.Rules{
	"journal://credits":      gate.Anyone(),
	"journal://user":         gate.SignedIn(),
	"journal://entries":      gate.SignedIn(),
	"journal://entries/{id}": gate.SignedIn(),
	"journal://tags":         gate.SignedIn(),
	"journal://tags/{id}":    gate.SignedIn(),
	"ui://journal/view":      gate.Anyone(), // an empty page
}

// Prompts says who may use which prompt.
var Prompts = gate.Rules{
	"first_entry":               gate.Anyone(),
	"reflect":                   gate.SignedIn(),
	"suggest_tags":              gate.SignedIn(),
	"summarize_journal_entries": gate.SignedIn(),
}

// Close closes the file. The servers of the journal answer with errors from
// then on.
func (j *Journal) Close() error { return j.db.Close() }

// Server returns a new MCP server over the journal. What cannot be undone it
// asks the person about, with questions. It does not ask who may do what: put
// the tables of this package in front of it.
func (j *Journal) Server(questions *elicit.Questions) *mcp.Server {
	server := mcp.NewServer(
		&mcp.Implementation{Name: "journal", Title: "Journal", Version: "1.0.0"},
		&mcp.ServerOptions{
			Instructions: "A private journal. Entries belong to one person: quote them only to that person, " +
				"write them in that person's own words, and delete one only when asked to.",
			Capabilities:       &mcp.ServerCapabilities{},
			CompletionHandler:  j.complete,
			SubscribeHandler:   j.subscribe,
			UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil }, // the SDK keeps the list
		},
	)
	addWriting(server, j)
	addReading(server, j)
	addExport(server, j)
	addInstructions(server, j)
	addChanging(server, j)
	addTagging(server, j)
	addDeleting(server, j, questions)
	addDrafting(server, j, questions)
	addResources(server, j)
	addView(server)
	addPrompts(server, j)
	return server
}
