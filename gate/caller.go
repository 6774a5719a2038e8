package gate

import (
	"context"
	"time"
)

// A Caller is who stands behind a call. The zero Caller is a guest without a
// token.
type Caller struct {
	GrantID string // empty without a token
	GuestID string // empty without a token
	UserID  string // empty for a guest
	Email   string // of the user, normalised; empty for a guest
	Level   string // how the user was authenticated, "chat" for a one-time code given to the assistant; empty for a guest

	// Scopes are those of the grant, what they imply, and those of the level
	// ("acr:chat").
	Scopes []string

	Roles    []string  // that the application gave to the user
	AuthTime time.Time // when the user was authenticated; zero for a guest
	At       time.Time // when the call came
}

// SignedIn reports whether c is a user.
func (c Caller) SignedIn() bool { return c.UserID != "" }

// Owner returns the key of the caller's data in the application: the user ID,
// else the guest ID, else "", under which nothing can be kept. A guest ID does
// not become a user's data by itself when its guest signs in.
func (c Caller) Owner() string {
	if c.UserID != "" {
		return c.UserID
	}
	return c.GuestID
}

type callerKey struct{}

// WithCaller returns ctx with c in it, for [CallerFrom].
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller of the call that ctx belongs to. Outside of a
// call it returns the zero Caller.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
