package signin

import (
	"cmp"
	"context"
	"errors"
	"time"

	"example.com/foyer/store"
)

const maxKnown = 20 // users whom clients' grants of one browser may have had

// knownIn returns who was signed in before in a browser: the user of email, if it was
// them, else the last one. Its session there says so, also one that is over, or the
// grants that clients got under the cookie browser. What is looked at is the browser's,
// the same for every address.
func knownIn(ctx context.Context, tx store.Tx, browser store.Hash, there store.Session, email string, now time.Time) (userID string, err error) {
	users, err := tx.UsersOfBrowser(ctx, browser, now, maxKnown)
	if err != nil {
		return "", err
	}
	for _, id := range append(users, there.UserID, there.KnownUserID) {
		if is, err := isOf(ctx, tx, id, email); is || err != nil {
			return id, err
		}
	}
	return cmp.Or(there.UserID, there.KnownUserID), nil
}

// isOf reports whether email is of the user with that ID, which may be empty.
func isOf(ctx context.Context, tx store.Tx, userID, email string) (bool, error) {
	if userID == "" {
		return false, nil
	}
	u, err := tx.User(ctx, userID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return u.Email == email, err
}
