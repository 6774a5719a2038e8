package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/gate"
	"example.com/foyer/mail"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// What the model reads says what to do next.
var (
	errNobody  = errors.New("This call has no owner. Ask the user to sign in, then call again.")
	errUnknown = errors.New("There is no such book. Call list_books for the titles.")
	errLent    = errors.New("A neighbour has that book. Call list_books for those that are here.")
)

// A guarded is the library as an MCP server, behind the kit.
type guarded struct {
	handler http.Handler
	kit     *foyer.Kit
	store   store.Store
}

func guard(l *library, issuer, data, secret string, log *slog.Logger) (g guarded, err error) {
	if g.store, err = sqlite.Open(filepath.Join(data, "foyer.db")); err != nil {
		return g, err
	}
	g.kit, err = foyer.New(foyer.Config{
		Issuer:  issuer,
		Secrets: []string{secret},
		Store:   g.store,
		Mail:    mail.Folder{Dir: filepath.Join(data, "mail"), From: "library@example.com"},
		Tools:   gate.Rules{"list_books": gate.Anyone(), "borrow_book": gate.SignedIn(), "list_loans": gate.SignedIn()},
		Endpoints: []foyer.Endpoint{
			{Path: "/mcp"}, // 401 without a token, upon which every client gets a guest's
			{Path: "/public/mcp", Entry: gate.Lazy},
		},
		Log: log,
	})
	if err != nil {
		return g, errors.Join(err, g.store.Close())
	}
	if g.handler, err = g.kit.Handler(l.server()); err != nil {
		return g, errors.Join(err, g.kit.Close(), g.store.Close())
	}
	return g, nil
}

type (
	choice struct {
		Title string `json:"title" jsonschema:"as list_books gives it"`
	}
	books struct {
		Books []book `json:"books"`
	}
	loans struct {
		Loans []string `json:"loans"`
	}
)

func (l *library) server() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "library", Title: "Library", Version: "1"}, nil)
	reads := &mcp.ToolAnnotations{ReadOnlyHint: true}
	mcp.AddTool(server, &mcp.Tool{Name: "list_books", Description: "List the books of the library, and which are lent.", Annotations: reads},
		func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, books, error) {
			return nil, books{l.list()}, nil
		})
	mcp.AddTool(server, &mcp.Tool{Name: "borrow_book", Description: "Borrow a book for the user."},
		func(ctx context.Context, _ *mcp.CallToolRequest, in choice) (*mcp.CallToolResult, loans, error) {
			owner := gate.CallerFrom(ctx).Owner()
			if err := l.borrow(owner, in.Title); err != nil {
				return nil, loans{}, err
			}
			return nil, loans{l.loans(owner)}, nil
		})
	mcp.AddTool(server, &mcp.Tool{Name: "list_loans", Description: "List the books that the user has.", Annotations: reads},
		func(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, loans, error) {
			return nil, loans{l.loans(gate.CallerFrom(ctx).Owner())}, nil
		})
	return server
}
