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
	App   string // whose page it is
	Title string
	Lines []string
	Steps []string // a list below the lines
	After []string // lines below the list
	Code  string   // the word that a developer looks for, or empty

	Button  string // what the button of the form says; empty for no form
	Request string // that the form carries

	Back     template.URL // where the link leads, or empty; a redirect URI that was proven
	BackText string
}

// page writes p. No script runs on it, nothing is loaded, nobody may frame it.
func (s *Server) page(w http.ResponseWriter, status int, p page) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+styleHash+"; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	w.WriteHeader(status)
	p.App = s.App
	pageHTML.Execute(w, p) // an error means that the browser has gone
}

// ask shows p with a button, and hands req through it. The form leads to this
// server alone, and its answer to the client. A redirect would not do: browsers
// hold the whole chain of redirects behind a form against form-action (CSP level
// 3), wherever the client leads on to, and its grammar has no IPv6 addresses.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, req request, browser store.Hash, p page) {
	sealed, err := s.Keys.Seal(requestPurpose, sealedRequest{ClientID: req.Client.ID, RedirectURI: req.RedirectURI, State: []byte(req.State),
		Resource: req.Resource, CodeChallenge: req.CodeChallenge, Browser: browser[:], Issued: s.Now()})
	if err != nil {
		s.fault(r, err)
		s.page(w, http.StatusInternalServerError, failed)
		return
	}
	p.Request = sealed.Reveal()
	s.page(w, http.StatusOK, p)
}

// destination is what a page calls the place to which a redirect URI leads.
func destination(redirectURI string) string {
	host := oauth.RedirectHost(redirectURI)
	scheme, private := strings.CutSuffix(host, ":")
	if private || oauth.IsLoopback(redirectURI) {
		return scheme + " (an app on this device)"
	}
	return host
}

func (s *Server) needsPerson(req request) page {
	const description = "this needs the consent of a person in the browser, which this server cannot ask for yet"
	back := s.response(req, url.Values{"error": {oauth.AccessDenied}, "error_description": {description}})
	if len(req.Scopes) == 0 {
		return peopleOnly(s.App, called(req.Client), destination(req.RedirectURI), back)
	}
	return notGiven(s.App, called(req.Client), destination(req.RedirectURI), s.wordsOf(req.Scopes), back)
}

// wordsOf returns the scopes in the operator's words.
func (s *Server) wordsOf(scopes []string) []string {
	var all []string
	for _, known := range s.Scopes {
		if slices.Contains(scopes, known.Name) {
			all = append(all, known.Words)
		}
	}
	return all
}
