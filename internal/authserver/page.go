package authserver

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/store"
)

type page = layout.Page

// page writes p.
func (s *Server) page(w http.ResponseWriter, status int, p page) {
	p.App = s.App
	layout.Write(w, status, p)
}

// button is a form with one button, which [Server.ask] completes.
func button(text string) *layout.Form {
	return &layout.Form{Action: "/authorize", Buttons: []layout.Button{{Text: text}}}
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
	p.Form.Hidden = []layout.Hidden{{Name: "request", Value: sealed.Reveal()}}
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
