package authserver

import (
	"errors"
	"net/http"
	"strings"

	"example.com/foyer/internal/client"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/oauth"
)

var deadClient = oauth.Error{Code: oauth.InvalidClient, Description: "the client is unknown or its registration has expired; register again where this server lets clients register, else ask whoever runs it for a client_id"}

// refusals are the refusals of the rules in the words of the protocol.
var refusals = []struct {
	refusal error
	status  int
	words   oauth.Error
}{
	{client.ErrUnknown, 401, deadClient},
	{client.ErrPublic, 401, oauth.Error{Code: oauth.InvalidClient, Description: "this client has no secret and no keys: send client_id in the form, and nothing else to authenticate"}},
	{client.ErrCredentials, 401, oauth.Error{Code: oauth.InvalidClient, Description: "the client has to authenticate by one method that it is registered for, and only one: a secret in the Authorization header (client_secret_basic) or in the form (client_secret_post), or a client_assertion (private_key_jwt); compare client_id and secret with those that the operator has configured"}},
	{client.ErrAssertion, 401, oauth.Error{Code: oauth.InvalidClient, Description: "client_assertion has to be a JWT (RFC 7523) that was never sent before: signed by ES256, EdDSA, RS256 or PS256 with a key of the client's; iss and sub the client_id; aud the issuer alone; exp at most 5 minutes ahead; a jti of its own; make a new one for each request"}},
	{client.ErrKeys, 503, oauth.Error{Code: oauth.TemporarilyUnavailable, Description: "the keys of the client cannot be read from where they are; wait as long as Retry-After says, and send a new client_assertion"}},
	{client.ErrRedirectURIs, 400, oauth.Error{Code: oauth.InvalidRedirectURI, Description: "redirect_uris needs one to ten URIs, of which one is https, http on localhost, 127.0.0.1 or [::1], or of a private-use scheme; no fragment, no user, no dot segments"}},
	{client.ErrMetadata, 400, oauth.Error{Code: oauth.InvalidClientMetadata, Description: "client_name may have 200 bytes"}},
	{client.ErrDistrusted, 401, oauth.Error{Code: oauth.InvalidClient, Description: "this server does not take clients whose metadata document is at that host; register instead, or ask its operator"}},
	{client.ErrDocument, 401, oauth.Error{Code: oauth.InvalidClient, Description: "the metadata document cannot be accepted: its URL must be https with a path and no query, client_id must be that URL, client_name and redirect_uris must be there, and a shared secret must not"}},
	{client.ErrUnavailable, 503, oauth.Error{Code: oauth.TemporarilyUnavailable, Description: "the client's metadata document cannot be read now: it must come from a public address within 3 seconds, with status 200, as JSON of at most 64 KiB; wait as long as Retry-After says"}},
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

// forgotten tells a person what to do in the app that sent them with the ID of a
// client that is unknown here. Programs that look first, before they open a
// browser, ask for JSON and get what the token endpoint would say.
func (s *Server) forgotten(w http.ResponseWriter, r *http.Request) {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	switch {
	case strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html"):
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		respond(w, http.StatusBadRequest, deadClient)
	case s.Registration.Off:
		s.page(w, r, http.StatusBadRequest, unlistedClient(s.App))
	default:
		s.page(w, r, http.StatusBadRequest, unknownClient(s.App))
	}
}

// fault logs what was nobody's mistake but ours. The path is logged without the
// query, which may hold a code.
func (s *Server) fault(r *http.Request, err error) {
	if r.Context().Err() == nil { // else the client has gone, and took the transaction along
		s.Log.ErrorContext(r.Context(), "fault", "method", r.Method, "path", r.URL.Path, "err", err)
	}
}
