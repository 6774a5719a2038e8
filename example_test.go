package foyer_test

import (
	"log"
	"net/http"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer"
	"example.com/foyer/gate"
	"example.com/foyer/mail"
	"example.com/foyer/store/sqlite"
)

// A notebook with one public tool, three that need a user, and one that stays
// locked until the user consents in the browser. The README shows this very code.
func Example() {
	db, err := sqlite.Open("notes.db")
	if err != nil {
		log.Fatal(err)
	}
	kit, err := foyer.New(foyer.Config{
		Issuer:  "https://notes.example.com",
		Secrets: []string{os.Getenv("NOTES_SECRET")}, // the first signs, all verify; kept outside the database
		Store:   db,
		Mail:    mail.SMTP{Addr: "smtp.example.com:587", From: "notes@example.com", Username: "notes", Password: os.Getenv("SMTP_PASSWORD")},
		Scopes: gate.Scopes{
			{Name: "notes:write", Words: "Write and delete your notes", Default: true}, // given with the mailed code, which names it
			{Name: "notes:export", Words: "Take a copy of all your notes"},             // never by the chat
		},
		Tools: gate.Rules{
			"search":       gate.Anyone(),
			"list_notes":   gate.SignedIn(),
			"save_note":    gate.Scope("notes:write"),
			"delete_note":  gate.Scope("notes:write"),
			"export_notes": gate.Scope("notes:export"),
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "notes", Title: "Notes", Version: "1"}, nil)
	addTools(server)                    // plain SDK code; handlers ask gate.CallerFrom(ctx)
	handler, err := kit.Handler(server) // a tool without a rule, or a rule without a tool: error
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(":8080", handler))
}

func addTools(*mcp.Server) {}
