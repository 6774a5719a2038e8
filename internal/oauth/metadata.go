package oauth

// A ServerMetadata describes an authorization server (RFC 8414 section 2), in
// the fields that an MCP client reads. An empty list is left out, never null.
type ServerMetadata struct {
	Issuer                   string   `json:"issuer"` // no trailing slash: clients compare it exactly
	AuthorizationEndpoint    string   `json:"authorization_endpoint"`
	TokenEndpoint            string   `json:"token_endpoint"`
	RegistrationEndpoint     string   `json:"registration_endpoint,omitempty"` // empty where clients may not register
	RevocationEndpoint       string   `json:"revocation_endpoint,omitempty"`
	ScopesSupported          []string `json:"scopes_supported,omitempty"`
	ResponseTypesSupported   []string `json:"response_types_supported,omitempty"`
	ResponseModesSupported   []string `json:"response_modes_supported,omitempty"`
	GrantTypesSupported      []string `json:"grant_types_supported,omitempty"`
	TokenAuthMethods         []string `json:"token_endpoint_auth_methods_supported,omitempty"`
	TokenAuthAlgorithms      []string `json:"token_endpoint_auth_signing_alg_values_supported,omitempty"` // required with private_key_jwt
	RevocationAuthMethods    []string `json:"revocation_endpoint_auth_methods_supported,omitempty"`
	RevocationAuthAlgorithms []string `json:"revocation_endpoint_auth_signing_alg_values_supported,omitempty"`
	CodeChallengeMethods     []string `json:"code_challenge_methods_supported,omitempty"` // clients refuse a server without it
	IssParameterSupported    bool     `json:"authorization_response_iss_parameter_supported"`
	MetadataDocuments        bool     `json:"client_id_metadata_document_supported"` // a client_id may be a URL

	IntrospectionEndpoint    string   `json:"introspection_endpoint,omitempty"` // empty where nobody may ask
	IntrospectionAuthMethods []string `json:"introspection_endpoint_auth_methods_supported,omitempty"`
	JWKSURI                  string   `json:"jwks_uri,omitempty"` // empty where no access token is a JWT
}

// A ResourceMetadata describes a protected resource (RFC 9728 section 2). An
// empty list is left out, never null.
type ResourceMetadata struct {
	Resource               string   `json:"resource"` // exactly the URL that people type
	AuthorizationServers   []string `json:"authorization_servers,omitempty"`
	ScopesSupported        []string `json:"scopes_supported,omitempty"`
	BearerMethodsSupported []string `json:"bearer_methods_supported,omitempty"`
	ResourceName           string   `json:"resource_name,omitempty"`
}

// Tokens is the response of the token endpoint (RFC 6749 section 5.1).
type Tokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"` // in seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"` // what was granted; always stated
}

// A ClientMetadata is what a client says about itself (RFC 7591 section 2), in
// a registration or in its metadata document. Fields that are not listed here
// are skipped when it is read, and a null counts as absent: clients send both.
type ClientMetadata struct {
	RedirectURIs            []string `json:"redirect_uris,omitempty"`
	ClientName              string   `json:"client_name,omitempty"` // nobody has checked it
	GrantTypes              []string `json:"grant_types,omitempty"`
	ResponseTypes           []string `json:"response_types,omitempty"`
	Scope                   string   `json:"scope,omitempty"`
	TokenEndpointAuthMethod string   `json:"token_endpoint_auth_method,omitempty"`
	ApplicationType         string   `json:"application_type,omitempty"` // "native" or "web"; decides nothing
}

// A ClientInformation is the answer to a registration (RFC 7591 section
// 3.2.1). None of its fields is ever null: there are clients that refuse the
// whole answer for one.
type ClientInformation struct {
	ClientID string `json:"client_id"`
	IssuedAt int64  `json:"client_id_issued_at,omitempty"` // in seconds since 1970
	ClientMetadata
}
