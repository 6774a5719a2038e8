package authserver

import (
	"html/template"
	"net/http"
	"net/url"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/layout"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/words"
	"example.com/foyer/store"
)

type page = layout.Page

// page writes p.
func (s *Server) page(w http.ResponseWriter, r *http.Request, status int, p page) {
	p.App = s.App
	s.Look.Write(w, r, status, p)
}

// button is a form with one button, which [Server.ask] completes.
func button(text words.Text) *layout.Form {
	return &layout.Form{Action: "/authorize", Buttons: []layout.Button{{Text: text}}}
}

// ask shows p with a button, and hands req through it. The form leads to this
// server alone, and its answer to the client. A redirect would not do: browsers
// hold the whole chain of redirects behind a form against form-action (CSP level
// 3), wherever the client leads on to, and its grammar has no IPv6 addresses.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, req request, browser store.Hash, p page) {
	sealed, err := s.Grants.Ask(s.asked(r, req, browser, true))
	if err != nil {
		s.fault(r, err)
		s.page(w, r, http.StatusInternalServerError, failed)
		return
	}
	p.Form.Hidden = []layout.Hidden{{Name: "request", Value: sealed.Reveal()}}
	if !p.BackText.IsZero() { // another way
		p.Back = template.URL(s.Consent + "?request=" + url.QueryEscape(sealed.Reveal()))
	}
	s.page(w, r, http.StatusOK, p)
}

// askPerson sends the browser to the page of consent.
func (s *Server) askPerson(w http.ResponseWriter, r *http.Request, req request, browser store.Hash, guests bool) {
	sealed, err := s.Grants.Ask(s.asked(r, req, browser, guests))
	if err != nil {
		s.fault(r, err)
		s.page(w, r, http.StatusInternalServerError, failed)
		return
	}
	leave(w, s.Consent+"?request="+url.QueryEscape(sealed.Reveal()))
}

func (s *Server) asked(r *http.Request, req request, browser store.Hash, guests bool) grant.Asked {
	return grant.Asked{ClientID: req.Client.ID, RedirectURI: req.RedirectURI, State: []byte(req.State), Resource: req.Resource,
		CodeChallenge: req.CodeChallenge, Browser: browser[:], Scopes: req.Scopes, SignedSince: req.SignedSince, Guests: guests, Language: s.Look.Language(r).Tag}
}

// destination is what a page calls the place to which a redirect URI leads.
func destination(redirectURI string) words.Text {
	return words.Destination(oauth.RedirectHost(redirectURI), oauth.IsLoopback(redirectURI))
}
