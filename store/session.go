package store

import (
	"context"
	"time"
)

// A Session is what a browser's cookie stands for: somebody who is signed in there,
// or who is about to be.
type Session struct {
	Hash     Hash   // of the value of the cookie
	UserID   string // empty while nobody is signed in
	Level    string // how the user was authenticated
	AuthTime time.Time
	Created  time.Time // of the sign-in
	Used     time.Time // noted now and then

	// The sign-in that is under way: what was mailed, and how often it was guessed.
	Challenge string // its ID, of which the digits are derived; empty for none
	Email     string // normalised
	Digits    int
	KeyID     string // names the secret that derives them
	Muted     bool   // no mail was sent, and no digits answer it
	Attempts  int
	Asked     time.Time
	Language  string // of the browser, as a tag (BCP 47): that of the mail; or empty

	// KnownUserID is who was signed in in that browser before the sign-in that is under
	// way, as far as that is known: empty for nobody. It signs nobody in.
	KnownUserID string

	Expires time.Time
}

// Sessions are looked up by cookie, by the challenge that is under way, and by the
// user who is signed in.
type Sessions interface {
	Session(ctx context.Context, h Hash) (Session, error)
	SessionByChallenge(ctx context.Context, id string) (Session, error)
	SessionsOfUser(ctx context.Context, userID string) ([]Session, error)
	PutSession(ctx context.Context, s Session) error
	DeleteSession(ctx context.Context, h Hash) error
}
