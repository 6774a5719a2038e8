package grant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/foyer/store"
)

// An Introspection is what a resource server is told about a live access token
// (RFC 7662 section 2.2).
type Introspection struct {
	Subject  string // the user, or else the guest
	ClientID string
	Scopes   []string // that the token opens now
	Issued   time.Time
	Expires  time.Time
	AuthTime time.Time // zero for a guest
	Level    string    // empty for a guest
}

// Introspect returns what accessToken is at resource. That is a use of it, as
// [Grants.Check] is. It refuses with [ErrUnknown] or [ErrRevoked] what Check
// refuses: also tokens for another resource, and refresh tokens.
func (g *Grants) Introspect(ctx context.Context, accessToken, resource string) (Introspection, error) {
	b, err := g.Check(ctx, accessToken, resource)
	if err != nil {
		return Introspection{}, err
	}
	issued, err := g.issued(ctx, b)
	if err != nil {
		return Introspection{}, err
	}
	elevated, _ := Elevated(b.Token, b.Grant, g.now())
	in := Introspection{Subject: b.Grant.GuestID, ClientID: b.Grant.ClientID, Scopes: append(Scopes(b.Token, b.Grant), elevated...), Issued: issued,
		Expires: b.Token.Expires, AuthTime: b.Grant.AuthTime, Level: b.Grant.Level}
	if b.Grant.UserID != "" {
		in.Subject = b.Grant.UserID
	}
	return in, nil
}

// issued is when b's token was issued: with its grant, or when the refresh token
// before it was exchanged.
func (g *Grants) issued(ctx context.Context, b store.Bearer) (at time.Time, err error) {
	if b.Token.Generation == 1 {
		return b.Grant.Created, nil
	}
	err = g.store.View(ctx, func(tx store.Tx) error {
		exchanged, err := tx.TokenOf(ctx, b.Grant.ID, store.Refresh, b.Token.Generation-1)
		at = exchanged.UsedAt
		return err
	})
	if errors.Is(err, store.ErrNotFound) { // the grant expired meanwhile
		return time.Time{}, ErrUnknown
	} else if err != nil {
		return time.Time{}, fmt.Errorf("grant: introspect: %w", err)
	}
	return at, nil
}
