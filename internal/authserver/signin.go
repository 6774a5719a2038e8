package authserver

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/oauth"
)

// parseSignIn reads into req what a request asks of the sign-in itself, as a challenge
// has told the client (RFC 9470 section 4): max_age, and a level, by acr_values or as a
// scope. Whoever asks for either wants a person.
//
// Of acr_values one is enough; what is no level of this server's asks for nothing
// (OpenID Connect Core section 3.1.2.1). A level that no sign-in in the browser gives is
// refused at once: the client would come back with a token that is challenged again.
func (s *Server) parseSignIn(query url.Values, scopes []string, req *request) *oauth.Error {
	for _, scope := range scopes {
		if level, ok := gate.LevelOf(scope); ok && slices.Contains(s.Levels, level) {
			req.Person = true
			if !s.reaches(level) {
				return unmet
			}
		}
	}
	named := slices.DeleteFunc(strings.Fields(query.Get("acr_values")), func(l string) bool { return !slices.Contains(s.Levels, l) })
	if len(named) > 0 {
		req.Person = true
		if !slices.ContainsFunc(named, s.reaches) {
			return unmet
		}
	}
	text := query.Get("max_age")
	if text == "" {
		return nil
	}
	seconds, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return &oauth.Error{Code: oauth.InvalidRequest, Description: "max_age must be a number of seconds"}
	}
	req.Person = true
	req.SignedSince = s.Now().Add(-time.Duration(min(seconds, mostAge)) * time.Second)
	return nil
}

const mostAge = 100 * 365 * 24 * 60 * 60 // seconds; more is no age of a sign-in

var unmet = &oauth.Error{Code: oauth.UnmetAuthentication, Description: "no sign-in in the browser is that strong here"}

// reaches reports whether a sign-in in the browser is as strong as level.
func (s *Server) reaches(level string) bool {
	return slices.Index(s.Levels, level) <= slices.Index(s.Levels, s.Level)
}
