// Package journal is a first journal as an MCP server: people write down their
// days, and a model helps them to find the words and to find them again.
//
// Its tools are plain SDK code and know nothing of signing in. They ask
// gate.CallerFrom(ctx).Owner() whose journal it is, and every query is bound to
// that owner. Who may call what is written in three tables, [Tools],
// [Resources] and [Prompts], and nowhere else.
//
//	item                                   asks for
//	writing_prompt, first_entry, credits   nothing
//	reading and searching, reflect         a user
//	writing, changing, deleting            journal:write
//	export_journal                         journal:export
package journal

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	_ "modernc.org/sqlite" // the driver "sqlite"

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
	"list_entries":   gate.SignedIn(),
	"get_entry":      gate.SignedIn(),
	"create_entry":   gate.Scope("journal:write"),
	"update_entry":   gate.Scope("journal:write"),
	"delete_entry":   gate.Scope("journal:write"),
	"export_journal": gate.Scope("journal:export"),
}

// Resources says who may read which resource.
var Resources = gate.Rules{
	"journal://credits":      gate.Anyone(),
	"journal://entries":      gate.SignedIn(),
	"journal://entries/{id}": gate.SignedIn(),
}

// Prompts says who may use which prompt.
var Prompts = gate.Rules{
	"first_entry": gate.Anyone(),
	"reflect":     gate.SignedIn(),
}

// A Journal keeps the entries of all owners in one SQLite file. Its methods may
// be called at once.
type Journal struct {
	db  *sql.DB
	now func() time.Time
}

const schema = `
CREATE TABLE IF NOT EXISTS entries (
	seq      INTEGER PRIMARY KEY, -- never shown
	owner    TEXT    NOT NULL CHECK (owner <> ''),
	id       TEXT    NOT NULL,
	title    TEXT    NOT NULL,
	content  TEXT    NOT NULL,
	mood     TEXT    NOT NULL,
	location TEXT    NOT NULL,
	weather  TEXT    NOT NULL,
	private  INTEGER NOT NULL,
	favorite INTEGER NOT NULL,
	words    TEXT    NOT NULL, -- title and content in lower case, for searching
	created  INTEGER NOT NULL, -- seconds since 1970
	updated  INTEGER NOT NULL,
	UNIQUE (owner, id)
) STRICT;
CREATE INDEX IF NOT EXISTS entries_by_age ON entries (owner, created, seq);
`

// Open opens the journal in the SQLite file at path, and makes the file if it
// does not exist. The file is readable and writable by its owner alone.
func Open(path string) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	defer f.Close()
	if err := f.Chmod(0o600); err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	options := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"},
		"_txlock": {"immediate"},
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+options.Encode())
	if err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	if _, err := db.Exec(schema); err != nil {
		db.Close()
		return nil, fmt.Errorf("journal: make tables: %w", err)
	}
	return &Journal{db: db, now: time.Now}, nil
}

// Close closes the file. The servers of the journal answer with errors from
// then on.
func (j *Journal) Close() error { return j.db.Close() }

// Server returns a new MCP server over the journal. It does not ask who may do
// what: put the tables of this package in front of it.
func (j *Journal) Server() *mcp.Server {
	server := mcp.NewServer(
		&mcp.Implementation{Name: "journal", Title: "Journal", Version: "1.0.0"},
		&mcp.ServerOptions{
			Instructions: "A private journal. Entries belong to one person: quote them only to that person, " +
				"write them in that person's own words, and delete one only when asked to.",
			Capabilities:      &mcp.ServerCapabilities{},
			CompletionHandler: j.complete,
		},
	)
	addWriting(server, j)
	addReading(server, j)
	addExport(server, j)
	addChanging(server, j)
	addResources(server, j)
	addPrompts(server, j)
	return server
}
