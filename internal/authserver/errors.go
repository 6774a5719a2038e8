package authserver

import (
	"errors"
	"net/http"

	"example.com/foyer/internal/client"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/oauth"
)

// refusals are the refusals of the rules in the words of the protocol.
var refusals = []struct {
	refusal error
	status  int
	words   oauth.Error
}{
	{client.ErrUnknown, 401, oauth.Error{Code: oauth.InvalidClient, Description: "the client is unknown or its registration has expired; register again"}},
	{client.ErrRedirectURIs, 400, oauth.Error{Code: oauth.InvalidRedirectURI, Description: "redirect_uris needs one to ten URIs, of which one is https, http on localhost, 127.0.0.1 or [::1], or of a private-use scheme; no fragment, no user, no dot segments"}},
	{client.ErrMetadata, 400, oauth.Error{Code: oauth.InvalidClientMetadata, Description: "client_name may have 200 bytes"}},
	{client.ErrDistrusted, 401, oauth.Error{Code: oauth.InvalidClient, Description: "this server does not take clients whose metadata document is at that host; register instead, or ask its operator"}},
	{client.ErrDocument, 401, oauth.Error{Code: oauth.InvalidClient, Description: "the metadata document cannot be accepted: its URL must be https with a path and no query, client_id must be that URL, client_name and redirect_uris must be there, and a shared secret must not"}},
	{client.ErrUnavailable, 503, oauth.Error{Code: oauth.TemporarilyUnavailable, Description: "the client's metadata document cannot be read now: it must come from a public address within 3 seconds, with status 200, as JSON of at most 64 KiB; wait as long as Retry-After says"}},
	{client.ErrAuthentication, 401, oauth.Error{Code: oauth.InvalidClient, Description: "the client offers no way to authenticate that this server takes: its metadata document must offer none"}},
	{grant.ErrCode, 400, oauth.Error{Code: oauth.InvalidGrant, Description: "the code is unknown or expired, or client_id, redirect_uri or code_verifier do not belong to it; begin again at the authorization endpoint"}},
	{grant.ErrCodeUsed, 400, oauth.Error{Code: oauth.InvalidGrant, Description: "the code was redeemed before; what it gave was revoked; begin again at the authorization endpoint"}},
	{grant.ErrResource, 400, oauth.Error{Code: oauth.InvalidTarget, Description: "resource is not the one that was authorized"}},
	{grant.ErrScope, 400, oauth.Error{Code: oauth.InvalidScope, Description: "a refresh cannot ask for more than was granted; begin again at the authorization endpoint"}},
	{grant.ErrAnswered, 400, oauth.Error{Code: oauth.InvalidScope, Description: "the refresh token was exchanged already, for other scopes; ask again as then, or without scope, or use the newer refresh token"}},
	{grant.ErrUnknown, 400, oauth.Error{Code: oauth.InvalidGrant, Description: "the refresh token is unknown, expired or outdated; begin again at the authorization endpoint"}},
	{grant.ErrRevoked, 400, oauth.Error{Code: oauth.InvalidGrant, Description: "the grant was revoked; begin again at the authorization endpoint"}},
	{grant.ErrReused, 400, oauth.Error{Code: oauth.InvalidGrant, Description: "the refresh token was used twice, so the grant was revoked; begin again at the authorization endpoint"}},
	{grant.ErrNotYours, 401, oauth.Error{Code: oauth.UnauthorizedClient, Description: "the token was issued to another client"}},
}

// refuse writes err, a refusal or a fault. A fault is logged and not shown.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	for _, row := range refusals {
		if errors.Is(err, row.refusal) {
			if row.status == http.StatusServiceUnavailable {
				w.Header().Set("Retry-After", "10")
			}
			respond(w, row.status, row.words)
			return
		}
	}
	s.fault(r, err)
	respond(w, http.StatusInternalServerError, oauth.Error{Code: oauth.ServerError, Description: "the server failed; try again in a moment"})
}

// fault logs what was nobody's mistake but ours. The path is logged without the
// query, which may hold a code.
func (s *Server) fault(r *http.Request, err error) {
	if r.Context().Err() == nil { // else the client has gone, and took the transaction along
		s.Log.ErrorContext(r.Context(), "fault", "method", r.Method, "path", r.URL.Path, "err", err)
	}
}
