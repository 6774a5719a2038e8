package client

// An Authentication is how a client shows that it is the one that its ID names.
type Authentication struct {
	Methods []string // of none, client_secret_basic, client_secret_post, private_key_jwt; any of them will do. Empty means none
	Keys    []byte   // its public keys, a JWK Set (RFC 7517); empty where KeysURI or no keys
	KeysURI string   // where they are
}
