package main

import (
	"encoding/json"
	"html/template"
	"net/http"
)

// routes are the application's own, and behind them the kit. It is at the root
// of its host, because clients look for it there: besides its endpoints it
// answers /.well-known/…, /authorize, /token, /register and /revoke. Do not
// strip a prefix, and have no such routes of your own.
//
// An application whose own handler is at "/" gives the kit exactly those paths.
func routes(l *library, kit http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", l.servePage)
	mux.HandleFunc("GET /api/books", l.serveList)
	mux.Handle("/", kit)
	return mux
}

var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en"><title>Library</title>
<h1>Books to lend</h1>
<ul>{{range .}}<li>{{.Title}}{{if .Lent}} (lent){{end}}</li>{{end}}</ul>
<p>Borrow them by your assistant: connect it to <code>/mcp</code>.</p>
`))

func (l *library) servePage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, l.list()) // an error means that the client has gone
}

func (l *library) serveList(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(l.list())
}
