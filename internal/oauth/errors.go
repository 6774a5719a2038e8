// Package oauth is the vocabulary of the protocol, as the RFCs spell it: error
// codes, metadata, scopes, redirect URIs, resources and code challenges. It
// does no I/O and keeps no state.
package oauth

// Error codes of the authorization endpoint (RFC 6749 section 4.1.2.1) and of
// the token endpoint (section 5.2).
const (
	InvalidRequest          = "invalid_request"
	InvalidClient           = "invalid_client"
	InvalidGrant            = "invalid_grant"
	InvalidScope            = "invalid_scope"
	UnauthorizedClient      = "unauthorized_client"
	UnsupportedGrantType    = "unsupported_grant_type"
	UnsupportedResponseType = "unsupported_response_type"
	AccessDenied            = "access_denied"
	ServerError             = "server_error"
	TemporarilyUnavailable  = "temporarily_unavailable"
)

// Error codes of client registration (RFC 7591 section 3.2.2).
const (
	InvalidRedirectURI    = "invalid_redirect_uri"
	InvalidClientMetadata = "invalid_client_metadata"
)

// Error codes of resources (RFC 8707 section 2, RFC 6750 section 3.1).
const (
	InvalidTarget     = "invalid_target"
	InvalidToken      = "invalid_token"
	InsufficientScope = "insufficient_scope"
)

// UnmetAuthentication is the error code for a sign-in that the authorization server
// does not have (OpenID Connect Core Unmet Authentication Requirements 1.0 section 2,
// RFC 9470 section 4).
const UnmetAuthentication = "unmet_authentication_requirements"

// An Error is a refusal in the words of the protocol, as it is sent.
type Error struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"` // for developers of the client; no user data
}

// Error returns the code and the description.
func (e *Error) Error() string {
	if e.Description == "" {
		return e.Code
	}
	return e.Code + ": " + e.Description
}
