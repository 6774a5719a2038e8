package foyer

import (
	"context"
	"time"

	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// A User is a person who has proven to own an address.
type User struct {
	ID      string    // [gate.Caller.UserID]
	Email   string    // normalised
	Created time.Time // at the first sign-in
	Roles   []string
	Leaves  time.Time // when all that is kept of the user is deleted; zero for never
}

// A Grant is what a user has allowed one client, and what [Kit.Revoke] ends.
type Grant struct {
	ID           string // [gate.Caller.GrantID]
	ClientID     string
	RedirectHost string   // where its code was sent
	Level        string   // how the user was authenticated
	Scopes       []string // without those of elevations
	Created      time.Time
	Expires      time.Time // moves on with every refresh
	Elevations   []Elevated
}

// An Elevated is an [Elevation] that a grant has now.
type Elevated struct {
	Scope    string // or empty
	Role     string // or empty
	Until    time.Time
	Reason   string
	Approver string
}

// UserByEmail returns the user with an address, however that is written. It
// refuses with [ErrNoUser] what nobody has signed in with, and with a
// [*mail.AddressError] what is no address.
func (k *Kit) UserByEmail(ctx context.Context, email string) (User, error) {
	address, err := mail.ParseAddress(email)
	if err != nil {
		return User{}, err
	}
	u, err := k.grants.UserByEmail(ctx, address.String())
	if err != nil {
		return User{}, refusalOf(err)
	}
	d, _, err := k.grants.Deletion(ctx, u.ID)
	return User{ID: u.ID, Email: u.Email, Created: u.Created, Roles: u.Roles, Leaves: d.Until}, err
}

// GrantsOf returns the grants of a user that work, the newest first. The user is
// [User.ID]. It refuses with [ErrNoUser].
func (k *Kit) GrantsOf(ctx context.Context, userID string) ([]Grant, error) {
	found, err := k.grants.OfUser(ctx, userID)
	var all []Grant
	for _, g := range found {
		all = append(all, Grant{ID: g.ID, ClientID: g.ClientID, RedirectHost: g.RedirectHost, Level: g.Level, Scopes: g.Scopes,
			Created: g.Created, Expires: g.Expires, Elevations: elevated(g.Elevations)})
	}
	return all, refusalOf(err)
}

func elevated(elevations []store.Elevation) []Elevated {
	var all []Elevated
	for _, e := range elevations {
		all = append(all, Elevated{Scope: e.Scope, Role: e.Role, Until: e.Until, Reason: e.Reason, Approver: e.By})
	}
	return all
}

// Revoke ends a grant for good, a guest's or a user's, from the next request on:
// its client has to connect anew. Its streams end at once in this process, and in
// others within ten seconds. It refuses with [ErrNoGrant].
func (k *Kit) Revoke(ctx context.Context, grantID string) error {
	return refusalOf(k.grants.End(ctx, grantID))
}
