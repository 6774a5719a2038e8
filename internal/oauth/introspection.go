package oauth

// An Introspection is what a resource server is told about a token (RFC 7662
// section 2.2). The zero Introspection is {"active":false} and nothing more: it
// stands for every token that the server may not use, whatever the reason.
type Introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Audience  string `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	Expires   int64  `json:"exp,omitempty"` // in seconds since 1970, as all times
	Issued    int64  `json:"iat,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	AuthTime  int64  `json:"auth_time,omitempty"` // RFC 9470 section 6.2
	Level     string `json:"acr,omitempty"`
}
