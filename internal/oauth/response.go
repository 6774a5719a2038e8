package oauth

import (
	"net/url"
	"strings"
)

// Response is redirectURI with the parameters of an authorization response (RFC 6749
// section 4.1.2), of which one is the issuer (RFC 9207 section 2).
func Response(redirectURI, issuer, state string, params url.Values) string {
	params.Set("iss", issuer)
	if state != "" {
		params.Set("state", state)
	}
	u, query, found := strings.Cut(redirectURI, "?")
	if found && query != "" {
		query += "&"
	}
	return u + "?" + query + params.Encode()
}
