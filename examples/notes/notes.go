package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"strings"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"example.com/foyer/gate"
)

// almanac is what everybody may search.
var almanac = []string{
	"Broad beans: sow in February, as soon as the soil can be worked; they stand light frost.",
	"Garlic: plant in October, one clove every fifteen centimetres; harvest when the lower leaves are yellow.",
	"Pumpkins: sow indoors in April, plant out after the last frost, and give each one square metre.",
	"Rhubarb: divide in autumn; leave the stems of the first year to the plant.",
	"Tomatoes: sow indoors in March, plant out after the last frost; water the soil and not the leaves.",
}

// A notebook keeps the notes of all owners in one SQLite file.
type notebook struct{ db *sql.DB }

const (
	longest  = 1000 // characters of a note
	mostKept = 100  // notes of one owner
)

func openNotebook(path string) (notebook, error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return notebook{}, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer at a time; this way others wait
	_, err = db.Exec(`CREATE TABLE IF NOT EXISTS notes (
		id    INTEGER PRIMARY KEY,
		owner TEXT NOT NULL CHECK (owner <> ''),
		text  TEXT NOT NULL) STRICT`)
	return notebook{db}, err
}

type (
	query struct {
		Words string `json:"words" jsonschema:"what to look for, such as: frost"`
	}
	note struct {
		Text string `json:"text" jsonschema:"the note, at most 1000 characters"`
	}
	notes struct {
		Notes []string `json:"notes"`
	}
	nothing struct{}
)

// server has plain SDK tools. Who may call them is not their business: the table
// in main.go says it.
func (n notebook) server() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "notes", Title: "Garden notes", Version: "1"}, nil)
	reads := &mcp.ToolAnnotations{ReadOnlyHint: true}
	mcp.AddTool(server, &mcp.Tool{Name: "search", Description: "Search the garden almanac.", Annotations: reads}, search)
	mcp.AddTool(server, &mcp.Tool{Name: "save_note", Description: "Keep a note in the user's own notebook."}, n.save)
	mcp.AddTool(server, &mcp.Tool{Name: "list_notes", Description: "List the notes in the user's own notebook.", Annotations: reads}, n.list)
	return server
}

func search(_ context.Context, _ *mcp.CallToolRequest, in query) (*mcp.CallToolResult, notes, error) {
	found := notes{Notes: []string{}}
	for _, line := range almanac {
		if strings.Contains(strings.ToLower(line), strings.ToLower(strings.TrimSpace(in.Words))) {
			found.Notes = append(found.Notes, line)
		}
	}
	return nil, found, nil
}

func (n notebook) save(ctx context.Context, _ *mcp.CallToolRequest, in note) (*mcp.CallToolResult, any, error) {
	if count := utf8.RuneCountInString(in.Text); count == 0 || count > longest {
		return nil, nil, fmt.Errorf("A note has 1 to %d characters, and this has %d. Change it and call again.", longest, count)
	}
	done, err := n.db.ExecContext(ctx, `INSERT INTO notes (owner, text) SELECT ?1, ?2 WHERE (SELECT count(*) FROM notes WHERE owner = ?1) < ?3`,
		gate.CallerFrom(ctx).Owner(), in.Text, mostKept)
	if err != nil {
		return nil, nil, fault(err)
	}
	switch kept, err := done.RowsAffected(); {
	case err != nil:
		return nil, nil, fault(err)
	case kept == 0:
		return nil, nil, fmt.Errorf("The notebook is full: it has %d notes. Tell the user.", mostKept)
	}
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "The note is kept."}}}, nil, nil
}

func (n notebook) list(ctx context.Context, _ *mcp.CallToolRequest, _ nothing) (*mcp.CallToolResult, notes, error) {
	rows, err := n.db.QueryContext(ctx, `SELECT text FROM notes WHERE owner = ? ORDER BY id`, gate.CallerFrom(ctx).Owner())
	if err != nil {
		return nil, notes{}, fault(err)
	}
	defer rows.Close()
	all := notes{Notes: []string{}}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, notes{}, fault(err)
		}
		all.Notes = append(all.Notes, text)
	}
	if err := rows.Err(); err != nil {
		return nil, notes{}, fault(err)
	}
	return nil, all, nil
}

// fault logs what the model has no use for: the SDK shows it the error that a
// handler returns.
func fault(err error) error {
	log.Print("notes: ", err)
	return errors.New("The notebook does not answer at the moment. Try again later.")
}
