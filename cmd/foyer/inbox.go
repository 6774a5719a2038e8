package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"time"
)

// Content security policies of the inbox. The HTML part of a mail is a page of
// its own without scripts, forms and outside pictures, and with an origin that
// it shares with nothing.
var (
	inboxPolicy = "default-src 'none'; style-src '" + hashSource(inboxStyle) + "'; frame-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	partPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; " +
		"sandbox allow-popups allow-popups-to-escape-sandbox; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

// hashSource lets one style sheet in, by its contents (CSP 3 section 2.3.1).
func hashSource(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// inbox serves the mails that a mail.Folder has written to dir: GET /dev/mail
// lists them, the newest first, and GET /dev/mail/{address}/{number} shows one.
//
// Everyone who can reach it can sign in as everyone: it is for demos.
func inbox(dir string) http.Handler {
	box := mailbox{dir: dir}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dev/mail", box.serveList)
	mux.HandleFunc("GET /dev/mail/{address}/{number}", box.serveMail)
	mux.HandleFunc("GET /dev/mail/{address}/{number}/html", box.serveHTML)
	mux.HandleFunc("GET /dev/mail/", serveNoMail)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", inboxPolicy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})
}

type listPage struct {
	Mails []listedMail
	Hold  bool // does not refresh by itself
}

type listedMail struct {
	letter
	Code string // the one-time code, if the text has a line of one
	Age  string
}

func (box mailbox) serveList(w http.ResponseWriter, r *http.Request) {
	letters, err := box.newest(100)
	if err != nil {
		http.Error(w, "The mail folder cannot be read.", http.StatusInternalServerError)
		return
	}
	page := listPage{Hold: r.URL.Query().Has("hold")}
	for _, l := range letters {
		page.Mails = append(page.Mails, listedMail{l, codeIn(l.Text), letterAge(time.Since(l.Arrived))})
	}
	renderInbox(w, http.StatusOK, "list", page)
}

func (box mailbox) serveMail(w http.ResponseWriter, r *http.Request) {
	l, err := box.find(r.PathValue("address"), r.PathValue("number"))
	if err != nil {
		serveNoMail(w, r)
		return
	}
	renderInbox(w, http.StatusOK, "mail", listedMail{l, codeIn(l.Text), letterAge(time.Since(l.Arrived))})
}

func (box mailbox) serveHTML(w http.ResponseWriter, r *http.Request) {
	l, err := box.find(r.PathValue("address"), r.PathValue("number"))
	if err != nil || l.HTML == "" {
		serveNoMail(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", partPolicy)
	w.Header().Del("Cross-Origin-Opener-Policy") // browsers refuse to show a sandboxed page with one
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(l.HTML)) // as it came: the policy takes its powers away
}

func serveNoMail(w http.ResponseWriter, _ *http.Request) {
	renderInbox(w, http.StatusNotFound, "missing", nil)
}

func renderInbox(w http.ResponseWriter, status int, name string, data any) {
	var page bytes.Buffer
	if err := inboxPages.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w)
}

var letterCode = regexp.MustCompile(`(?m)^([0-9]{6}|[0-9]{8})\r?$`)

// codeIn returns the first line of text that is exactly six or eight digits.
func codeIn(text string) string {
	if found := letterCode.FindStringSubmatch(text); found != nil {
		return found[1]
	}
	return ""
}

// letterAge says how old a new letter is, and nothing after an hour.
func letterAge(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	}
	return ""
}

var inboxPages = template.Must(template.New("inbox").Funcs(template.FuncMap{
	"style": func() template.CSS { return inboxStyle },
}).Parse(inboxTemplates))
