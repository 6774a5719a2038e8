package store

import (
	"context"
	"time"
)

// A Grant is what one subject allowed one client to do. It is what the
// connected-apps page lists and what revocation ends: every token hangs off a
// grant, and the refresh tokens of a grant are its family.
type Grant struct {
	ID           string
	ClientID     string
	RedirectHost string // where its code was sent; what mails and pages call the client by
	Resource     string // the audience of its tokens (RFC 8707)
	GuestID      string // owns what was stored before the claim; new after each sign-out
	UserID       string // empty while the grant is unclaimed
	KnownUserID  string // who signed in here before, or in the browser it came from; opens nothing
	Epoch        int    // a token works only while its epoch is its grant's
	Level        string // how the user was authenticated; empty while unclaimed
	AuthTime     time.Time
	Scopes       []string
	ApprovedBy   string // how Scopes were approved: "mail", "link" or "browser", or empty while unclaimed
	Generation   int    // of the refresh token that may be used next
	Created      time.Time
	RevokedAt    time.Time // zero while the grant stands
	Expires      time.Time // moves on with every refresh
	Elevations   []Elevation
	Continues    string    // the grant in whose place this one came, and which it ended; or empty
	Refreshed    time.Time // when its client was last given new tokens for a refresh token; zero for never
	Language     string    // of the browser that it came by, as a tag (BCP 47): that of mails about it; or empty
}

// An Elevation is a scope or a role that a grant has until a moment.
type Elevation struct {
	Scope  string // or empty
	Role   string // or empty
	Until  time.Time
	Reason string
	By     string // who approved it
}

// Grants are looked up by ID, and by the user whom they belong to now: the newest
// first, revoked and expired ones among them.
type Grants interface {
	Grant(ctx context.Context, id string) (Grant, error)
	GrantsOfUser(ctx context.Context, userID string) ([]Grant, error)
	PutGrant(ctx context.Context, g Grant) error
}
