package store

import (
	"context"
	"time"
)

// A Browser remembers which grant a client got from one browser. It signs
// nobody in.
type Browser struct {
	Hash     Hash // of the value of the cookie
	ClientID string
	GrantID  string
	Expires  time.Time
}

// Browsers are looked up by cookie and client together.
//
// UsersOfBrowser returns the IDs of the users whom the grants of a browser know, of
// all clients together, each once, at most limit; what expires by then is left out.
type Browsers interface {
	Browser(ctx context.Context, h Hash, clientID string) (Browser, error)
	UsersOfBrowser(ctx context.Context, h Hash, then time.Time, limit int) ([]string, error)
	PutBrowser(ctx context.Context, b Browser) error

	// ForgetGrant deletes what browsers remember of a grant.
	ForgetGrant(ctx context.Context, grantID string) error
}
