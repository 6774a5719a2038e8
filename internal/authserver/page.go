package authserver

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/foyer/internal/oauth"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

//go:embed page.html page.css
var files embed.FS

var (
	style, _  = files.ReadFile("page.css")
	styleHash = "'sha256-" + base64.StdEncoding.EncodeToString(hashOf(style)) + "'"
	pageHTML  = template.Must(template.New("page.html").Funcs(template.FuncMap{
		"style": func() template.CSS { return template.CSS(style) },
	}).ParseFS(files, "page.html"))
)

func hashOf(b []byte) []byte { sum := sha256.Sum256(b); return sum[:] }

// A page says one thing to a person, and may offer one step.
type page struct {
	Title string
	Lines []string
	Code  string // the word that a developer looks for, or empty

	Button  string // what the button of the form says; empty for no form
	Request string // that the form carries
	Target  string // origin or scheme that the form may lead to

	Back     template.URL // where the link leads, or empty; a redirect URI that was proven
	BackText string
}

// page writes p. No script runs on it, nothing is loaded, nobody may frame it.
func (s *Server) page(w http.ResponseWriter, status int, p page) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+styleHash+"; form-action 'self'"+p.Target+"; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	w.WriteHeader(status)
	pageHTML.Execute(w, p) // an error means that the browser has gone
}

// ask shows p with a button, and hands req through it. The form may lead to the
// client and nowhere else: browsers check the whole chain of redirects (CSP
// level 3, form-action).
func (s *Server) ask(w http.ResponseWriter, req request, browser store.Hash, p page) {
	sealed, err := s.Keys.Seal(requestPurpose, sealedRequest{ClientID: req.Client.ID, RedirectURI: req.RedirectURI, State: req.State,
		Resource: req.Resource, CodeChallenge: req.CodeChallenge, Browser: browser[:], Issued: s.Now()})
	if err != nil {
		s.page(w, http.StatusInternalServerError, failed)
		return
	}
	p.Request, p.Target = sealed.Reveal(), " "+origin(req.RedirectURI)
	s.page(w, http.StatusOK, p)
}

// origin is the source expression (CSP level 3 section 2.3.1) of a redirect
// URI that was proven.
func origin(redirectURI string) string {
	u, err := url.Parse(redirectURI)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		scheme, _, _ := strings.Cut(redirectURI, ":")
		return scheme + ":"
	}
	return u.Scheme + "://" + u.Host
}

func (s *Server) needsPerson(req request) page {
	const words = "This needs your consent in the browser, which this server cannot ask for yet."
	back := s.response(req, url.Values{"error": {oauth.AccessDenied}, "error_description": {words}})
	return page{
		Title: "Not given",
		Lines: []string{
			"The app asked for: " + strings.Join(s.wordsOf(req.Scopes), "; ") + ".",
			words,
			"You can go on without it: connect the app again as a guest, and sign in in the chat. Whatever else the app asks for then works.",
		},
		Code:     oauth.AccessDenied,
		Back:     template.URL(back),
		BackText: "Back to " + oauth.RedirectHost(req.RedirectURI),
	}
}

// wordsOf returns the scopes in the operator's words.
func (s *Server) wordsOf(scopes []string) []string {
	var words []string
	for _, known := range s.Scopes {
		if slices.Contains(scopes, known.Name) {
			words = append(words, known.Words)
		}
	}
	return words
}

// masked shows enough of an address to the person who has it.
func masked(email string) string {
	address, err := mail.ParseAddress(email)
	if err != nil {
		return "a user"
	}
	return address.Masked()
}
