package authserver

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/oauth"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// A request is an authorization request (RFC 6749 section 4.1.1) whose client
// and redirect URI are proven.
type request struct {
	Client        store.Client
	RedirectURI   string
	State         string
	Resource      string
	CodeChallenge string
	Scopes        []string // of those asked for, the ones that open something of a person's

	Person      bool      // it asks for somebody who has signed in, whatever the scopes
	SignedSince time.Time // no earlier than this; zero for whenever
}

// authorize handles "GET /authorize". It writes nothing: what it decided is
// sealed into the code, and becomes a record when that is redeemed.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		s.page(w, r, http.StatusBadRequest, broken)
		return
	}
	req, ok := s.prove(w, r, query)
	if !ok {
		return
	}
	if problem := s.parse(query, &req); problem != nil {
		s.refuseRedirect(w, r, req, problem)
		return
	}
	browser := s.browser(w, r)
	user, remembered, err := s.Grants.Remembered(r.Context(), browser, req.Client.ID)
	if err != nil {
		s.fault(r, err)
		s.page(w, r, http.StatusInternalServerError, failed)
		return
	}
	_, people := s.People[req.Resource]
	switch next(req, remembered, people) {
	case askPerson:
		s.askPerson(w, r, req, browser, !people)
	case askGuest:
		s.ask(w, r, req, browser, asGuest(s.App, called(req.Client), mail.Masked(user.Email), destination(req.RedirectURI)))
	case askRedirect:
		s.ask(w, r, req, browser, leaving(s.App, called(req.Client), destination(req.RedirectURI)))
	default:
		if to, ok := s.answer(w, r, req, browser); ok {
			leave(w, to)
		}
	}
}

// prove proves client and redirect URI. Until both are, nothing is ever sent
// to the redirect URI, errors included: a page tells the person (RFC 6749
// section 4.1.2.1).
func (s *Server) prove(w http.ResponseWriter, r *http.Request, query url.Values) (request, bool) {
	if len(query["client_id"]) != 1 || len(query["redirect_uri"]) != 1 {
		s.page(w, r, http.StatusBadRequest, incomplete)
		return request{}, false
	}
	if _, ok := s.MayLookUp(r, query.Get("client_id")); !ok {
		s.page(w, r, http.StatusTooManyRequests, crowded)
		return request{}, false
	}
	c, err := s.Clients.Lookup(r.Context(), query.Get("client_id"))
	if err != nil {
		s.unproven(w, r, query.Get("client_id"), err)
		return request{}, false
	}
	if !oauth.MatchRedirectURI(c.RedirectURIs, query.Get("redirect_uri")) {
		s.page(w, r, http.StatusBadRequest, wrongRedirect(s.App, called(c)))
		return request{}, false
	}
	if foretells(query.Get("redirect_uri")) {
		s.page(w, r, http.StatusBadRequest, foretold(called(c)))
		return request{}, false
	}
	return request{Client: c, RedirectURI: query.Get("redirect_uri"), State: query.Get("state")}, true
}

// foretells reports whether redirectURI holds a parameter of the response
// already. A client that reads the first of two would take an issuer of the
// registrant's choice for ours (RFC 9207 section 2.4).
func foretells(redirectURI string) bool {
	_, query, _ := strings.Cut(redirectURI, "?")
	params, err := url.ParseQuery(query)
	return err != nil || slices.ContainsFunc([]string{"code", "error", "error_description", "iss", "state"}, params.Has)
}

// parse reads the rest of the request into req.
func (s *Server) parse(query url.Values, req *request) *oauth.Error {
	if len(query["state"]) > 1 {
		req.State = ""
	}
	if twice(query) {
		return &oauth.Error{Code: oauth.InvalidRequest, Description: "a parameter is given twice"}
	}
	if len(req.State) > 4096 {
		req.State = ""
		return &oauth.Error{Code: oauth.InvalidRequest, Description: "state may have 4096 bytes"}
	}
	switch query.Get("response_type") {
	case "code":
	case "":
		return &oauth.Error{Code: oauth.InvalidRequest, Description: "missing: response_type"}
	default:
		return &oauth.Error{Code: oauth.UnsupportedResponseType, Description: "response_type must be code"}
	}
	if mode := query.Get("response_mode"); mode != "" && mode != "query" {
		return &oauth.Error{Code: oauth.InvalidRequest, Description: "response_mode must be query"}
	}
	var problem *oauth.Error
	if err := oauth.CheckCodeChallenge(query.Get("code_challenge_method"), query.Get("code_challenge")); errors.As(err, &problem) {
		return problem
	}
	scopes, err := oauth.ParseScope(query.Get("scope"))
	if errors.As(err, &problem) {
		return problem
	}
	resource, ok := s.resource(query["resource"], s.Resources[0])
	if !ok {
		return &oauth.Error{Code: oauth.InvalidTarget, Description: "resource is none of this server's"}
	}
	req.CodeChallenge, req.Resource = query.Get("code_challenge"), resource
	if problem := s.parseSignIn(query, scopes, req); problem != nil {
		return problem
	}
	req.Scopes = s.ofPerson(scopes)
	return nil
}

// A step is what becomes of an authorization request.
type step int

const (
	give        step = iota // a code at once, for an unclaimed grant
	askGuest                // the browser knows a user of this client: never make them a guest in silence
	askRedirect             // nobody vouches for the redirect URI: a person presses a button first
	askPerson               // a scope, the resource, or what is asked of the sign-in needs a person
)

// next is the only place that decides which.
func next(req request, remembered, people bool) step {
	switch {
	case len(req.Scopes) > 0, req.Person, people:
		return askPerson
	case remembered:
		return askGuest
	case !req.trusted():
		return askRedirect
	}
	return give
}

// answer is where the browser finds the client, with a code. Where there is
// none, it writes a page instead.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, req request, browser store.Hash) (to string, ok bool) {
	code, err := s.Grants.Code(grant.Authorization{ClientID: req.Client.ID, RedirectURI: req.RedirectURI, Resource: req.Resource,
		CodeChallenge: req.CodeChallenge, Browser: browser[:], Language: s.Look.Language(r).Tag})
	if err != nil {
		s.fault(r, err)
		s.page(w, r, http.StatusInternalServerError, failed)
		return "", false
	}
	return s.response(req, url.Values{"code": {code.Reveal()}}), true
}

// refuseRedirect tells the client about a mistake, by way of the browser. One
// that nobody vouches for gets a page in between, else this server would send
// browsers wherever a registration says.
func (s *Server) refuseRedirect(w http.ResponseWriter, r *http.Request, req request, problem *oauth.Error) {
	back := s.response(req, url.Values{"error": {problem.Code}, "error_description": {problem.Description}})
	if req.trusted() {
		leave(w, back)
		return
	}
	told := mistake
	if problem.Code == oauth.UnmetAuthentication {
		told = beyond
	}
	s.page(w, r, http.StatusBadRequest, told(called(req.Client), destination(req.RedirectURI), problem, back))
}

// response is where the browser takes an authorization response.
func (s *Server) response(req request, params url.Values) string {
	return oauth.Response(req.RedirectURI, s.Issuer, req.State, params)
}

func leave(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusFound)
}

// approve handles "POST /authorize": a person has pressed the button of a page
// of ours, in the browser that got the page.
//
// It sets no cookie. Browsers post the form of a foreign page without ours, and
// a new one would make this browser forget which user it knows.
func (s *Server) approve(w http.ResponseWriter, r *http.Request) {
	form, unread := readForm(w, r)
	if unread != nil {
		s.page(w, r, unread.status, garbled)
		return
	}
	var crossOrigin http.CrossOriginProtection
	browser, known := s.KnownBrowser(r)
	sealed, ok := s.Grants.Asked(form.Get("request"), browser)
	if crossOrigin.Check(r) != nil || !known || !ok || !sealed.Guests {
		s.page(w, r, http.StatusForbidden, stale)
		return
	}
	to, ok := s.answer(w, r, request{Client: store.Client{ID: sealed.ClientID}, RedirectURI: sealed.RedirectURI, State: string(sealed.State),
		Resource: sealed.Resource, CodeChallenge: sealed.CodeChallenge}, browser)
	if ok {
		w.Header().Set("Refresh", "0; url="+to)
		s.page(w, r, http.StatusOK, onTheWay(destination(sealed.RedirectURI), to))
	}
}
