package store

import (
	"context"
	"time"
)

// Kinds of token.
const (
	Access  = "access"
	Refresh = "refresh"
)

// A Token is an access or refresh token of a grant.
type Token struct {
	Hash       Hash
	Kind       string // Access or Refresh
	GrantID    string
	Epoch      int       // compared with Grant.Epoch
	Generation int       // compared with Grant.Generation
	UsedAt     time.Time // refresh: when it was exchanged, as the rules count it, or before that when the access token issued with it was first seen; access: when it was first seen, noted late
	Expires    time.Time // of an access token; a refresh token ends with its grant, and has none
	Scopes     []string  // access: what a refresh cut it to, and empty for all of its grant's; refresh: what the access token issued with it was cut to
}

// Tokens are looked up by hash, and by their place in the family: a grant has
// at most one token of each kind and generation.
type Tokens interface {
	Token(ctx context.Context, h Hash) (Token, error)
	TokenOf(ctx context.Context, grantID, kind string, generation int) (Token, error)
	PutToken(ctx context.Context, t Token) error
}

// A Redemption says that an authorization code was exchanged, and for which
// grant. It outlives the code, so that a second exchange is noticed.
type Redemption struct {
	CodeID  string
	GrantID string
	Expires time.Time
}

// Redemptions are looked up by the ID of the code.
type Redemptions interface {
	Redemption(ctx context.Context, codeID string) (Redemption, error)
	PutRedemption(ctx context.Context, r Redemption) error
}
