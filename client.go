package foyer

import (
	"errors"
	"fmt"
	"strings"

	"example.com/foyer/internal/client"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// A Client is an application that does not register by itself, because you
// have told it its ID, and perhaps a secret. It lives in the configuration alone:
// to take it away ends what it got, at its next refresh.
//
// Without secrets and keys it is public (RFC 6749 section 2.1). With them it has
// to authenticate at /token and /revoke by one of them, in each request.
type Client struct {
	// ID is its client_id: up to 200 letters, digits and -._~, which do not begin
	// with "client_", as those of registered clients do.
	ID string

	// Name is what people read on pages and in mails. Optional; at most 200
	// bytes.
	Name string

	// RedirectURIs are where browsers may be sent with a code: https, http on
	// this device (where any port will do), or a private-use scheme.
	RedirectURIs []string

	// Secrets are passwords of the client (client_secret_basic and
	// client_secret_post), each of at least 32 letters, digits and -._~; only
	// their hashes are kept. All are good: to change one, add another, and take
	// the old one away when the client has the new one. Optional.
	Secrets []string

	// Keys is a JWK Set (RFC 7517) of public keys, with which the client signs
	// assertions (private_key_jwt, RFC 7523): RSA, EC on P-256, or Ed25519.
	// Optional.
	Keys []byte

	// KeysURI is where the client keeps its key set, instead of Keys: https.
	// Optional.
	KeysURI string
}

// A Registration says which clients may register by themselves (RFC 7591). The
// zero value lets anybody, within limits. They are public, whatever they ask
// for.
type Registration struct {
	// Off lets nobody. Those who are registered stay so until they expire.
	Off bool

	// InitialAccessTokens let those register who send one as a Bearer token, and
	// nobody else. Each has at least 32 letters, digits and -._~; only their
	// hashes are kept. Optional.
	InitialAccessTokens []string

	// Max is how many registrations are remembered that were never used. The one
	// that would expire first makes room for a new one; one that was used is
	// never among them. Optional; 0 means 10,000.
	Max int
}

const minToken = 32 // bytes

func (r Registration) check() error {
	var problems []error
	if r.Max < 0 {
		problems = append(problems, fmt.Errorf("Registration.Max: %d is negative", r.Max))
	}
	if r.Off && (len(r.InitialAccessTokens) > 0 || r.Max > 0) {
		problems = append(problems, errors.New("Registration: is Off, so neither InitialAccessTokens nor Max mean anything"))
	}
	for i, token := range r.InitialAccessTokens { // no error shows one
		if len(token) < minToken || strings.Trim(token, unreserved) != "" {
			problems = append(problems, fmt.Errorf("Registration.InitialAccessTokens: number %d must have at least %d letters, digits and -._~; make one with: openssl rand -hex 32", i+1, minToken))
		}
	}
	return errors.Join(problems...)
}

const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" // RFC 3986 section 2.3

// hashes returns the hashes of the initial access tokens.
func (r Registration) hashes() []store.Hash {
	var all []store.Hash
	for _, token := range r.InitialAccessTokens {
		all = append(all, secret.HashOf(token))
	}
	return all
}

func preregistered(clients []Client) []client.Preregistered {
	var all []client.Preregistered
	for _, c := range clients {
		all = append(all, client.Preregistered(c))
	}
	return all
}
