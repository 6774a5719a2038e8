// Command notes is a garden almanac that everybody may search, and a notebook
// that asks who you are. Start it, and connect any MCP client to the URL it prints:
//
//	go run ./examples/notes
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"example.com/foyer"
	"example.com/foyer/gate"
	"example.com/foyer/mail"
	"example.com/foyer/store/sqlite"
)

// rules say who may call which tool.
var rules = gate.Rules{"search": gate.Anyone(), "save_note": gate.SignedIn(), "list_notes": gate.SignedIn()}

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	home, err := os.UserConfigDir()
	check(err)
	data := flag.String("data", filepath.Join(home, "foyer-notes"), "folder to keep everything in")
	flag.Parse()
	secret, err := secretIn(*data) // $NOTES_SECRET, else a file that this makes
	check(err)
	notes, err := openNotebook(filepath.Join(*data, "notes.db"))
	check(err)
	db, err := sqlite.Open(filepath.Join(*data, "foyer.db"))
	check(err)
	listener, err := net.Listen("tcp", *addr)
	check(err)
	kit, err := foyer.New(foyer.Config{
		Issuer:  "http://" + listener.Addr().String(), // in public: "https://notes.example.com"
		Secrets: []string{secret},
		Store:   db,
		Mail:    mail.Folder{Dir: filepath.Join(*data, "mail"), From: "notes@example.com"}, // in public: mail.SMTP
		Tools:   rules,
	})
	check(err)
	handler, err := kit.Handler(notes.server())
	check(err)
	fmt.Printf("MCP server  http://%s/mcp\nMails       %s\n", listener.Addr(), filepath.Join(*data, "mail"))
	check((&http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}).Serve(listener))
}

func check(err error) {
	if err != nil {
		log.Fatal("notes: ", err)
	}
}
