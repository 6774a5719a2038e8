package grant

import (
	"time"

	"example.com/foyer/internal/secret"
)

// An Asked is an authorization request that a person has to decide about, on its way
// from the page that it came to, to the page that asks. It is carried by the browser,
// sealed, and never a record.
type Asked struct {
	ClientID, RedirectURI, Resource, CodeChallenge string

	State   []byte   // as it came: JSON would mend a string that is not UTF-8
	Browser []byte   // hash of the cookie of the browser that it came by
	Scopes  []string // of a person's, that were asked for; none means the default ones
	Guests  bool     // a guest may come in, too
	Issued  time.Time

	Language string // of the browser; empty where it is unknown

	// SignedSince is the earliest sign-in that will do for the request; zero for any. It
	// is an instant, not an age: who takes their time over the page is not asked again.
	SignedSince time.Time
}

const (
	sealedAsked = "authorization request"
	askedLives  = 10 * time.Minute
)

// Ask seals a, and stamps it.
func (g *Grants) Ask(a Asked) (secret.Text, error) {
	a.Issued = g.now()
	return g.keys.Seal(sealedAsked, a)
}

// Asked opens what [Grants.Ask] has sealed, for ten minutes, and in the browser that it
// came by. It reports false for anything else.
func (g *Grants) Asked(sealed string, browser [32]byte) (a Asked, ok bool) {
	err := g.keys.Open(sealedAsked, sealed, &a)
	return a, err == nil && string(a.Browser) == string(browser[:]) && g.now().Before(a.Issued.Add(askedLives))
}

// TooOld reports whether the request asks for a later sign-in than one of that moment.
func (a Asked) TooOld(signedIn time.Time) bool { return signedIn.Before(a.SignedSince) }

// Authorization is a without anybody behind it: for a guest.
func (a Asked) Authorization() Authorization {
	return Authorization{ClientID: a.ClientID, RedirectURI: a.RedirectURI, Resource: a.Resource, CodeChallenge: a.CodeChallenge, Browser: a.Browser, Language: a.Language}
}
