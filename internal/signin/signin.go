// Package signin lets the person behind a guest say who they are: an address is
// mailed a one-time code, and who gives the code back in the same chat claims
// the guest's grant. A challenge goes through these states:
//
//	        Begin                       right digits
//	(none) ───────▶ pending ───────────────────────────▶ used
//	                   │  5 wrong digits
//	                   ├──────────────────▶ exhausted
//	                   │  time, a newer challenge, another epoch of the grant
//	                   └──────────────────▶ dead, though nothing is written
//
// An answer is counted before it is compared, in a transaction that commits when
// it refuses too. Only the newest challenge of a grant can be answered.
package signin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/limit"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// Level is how strongly a one-time code in the chat authenticates: the digits
// have passed through a model.
const Level = "chat"

// States of a challenge.
const (
	pending   = "pending"
	used      = "used"
	exhausted = "exhausted"
)

const (
	attempts       = 5
	attemptsByLink = 3 // of those: the pairing code is short, and stands in the chat to be copied
	digits         = 6
	digitsAttacked = 8              // while wrong answers come from everywhere
	keepChallenge  = 24 * time.Hour // after its end, for those who ask what happened
	lifeOfGrant    = 90 * 24 * time.Hour
)

// Refusals.
var (
	ErrSignedIn  = errors.New("signin: somebody is signed in already")
	ErrNone      = errors.New("signin: no one-time code was asked for")
	ErrExpired   = errors.New("signin: the one-time code has expired or was used")
	ErrExhausted = errors.New("signin: too many wrong one-time codes")
	ErrOff       = errors.New("signin: one-time codes are off for this grant")
	ErrBusy      = errors.New("signin: too many sign-ins at the moment")
)

// Wrong refuses wrong digits.
type Wrong struct{ Left int } // how many tries are left

func (w Wrong) Error() string {
	return fmt.Sprintf("signin: wrong one-time code, %d tries left", w.Left)
}

// TooMany refuses another mail for now.
type TooMany struct{ Wait time.Duration }

func (t TooMany) Error() string { return fmt.Sprintf("signin: too many mails; wait %v", t.Wait) }

// Budgets, all kept in the store, exact.
var (
	sendsPerMail     = []limit.Budget{{Events: 1, Within: time.Minute}, {Events: 3, Within: 15 * time.Minute}, {Events: 5, Within: time.Hour}, {Events: 10, Within: 24 * time.Hour}}
	sendsPerGrant    = []limit.Budget{{Events: 5, Within: time.Hour}}
	addressesPer     = limit.Budget{Events: 3, Within: 24 * time.Hour} // different ones, for a grant
	failuresPerGrant = []limit.Budget{{Events: 10, Within: 24 * time.Hour}, {Events: 30, Within: lifeOfGrant, Total: true}}
	failuresPerMail  = []limit.Budget{{Events: 20, Within: 24 * time.Hour}, {Events: 100, Total: true}} // without a right one between (NIST SP 800-63B-4 section 3.2.2)
)

// Config is what a [SignIn] needs.
type Config struct {
	Store  store.Store
	Keys   secret.Keys
	Grants *grant.Grants
	Scopes []string      // given at a claim
	TTL    time.Duration // of a one-time code
	Now    func() time.Time
	Floods Floods
	// NoLimits lifts every budget but the five attempts of a challenge.
	NoLimits bool
}

// SignIn applies the rules. It is safe for concurrent use.
type SignIn struct {
	Config
	flood *flood
}

// New returns the rules of cfg.
func New(cfg Config) *SignIn { return &SignIn{cfg, newFlood(cfg.Floods)} }

// An Asker is who asks to sign in: the bearer of an access token, somewhere. A
// browser has an address alone.
type Asker struct {
	Access   store.Hash // of the access token of the call
	GrantID  string
	ClientID string
	Addr     netip.Addr // of the client; the zero Addr where it is unknown
}

// next is the only place that decides what becomes of an answer to c, a
// challenge of gr.
func (s *SignIn) next(c store.Challenge, gr store.Grant, now time.Time) error {
	switch {
	case gr.UserID != "":
		return ErrSignedIn
	case c.ID == "", c.Epoch != gr.Epoch: // a sign-out ends what was asked before it
		return ErrNone
	case c.State == exhausted, c.Attempts >= attempts:
		return ErrExhausted
	case c.State != pending, !now.Before(c.Created.Add(s.TTL)):
		return ErrExpired
	}
	return nil
}

type askerKey struct{}

// WithAsker returns ctx with a in it, for [AskerFrom].
func WithAsker(ctx context.Context, a Asker) context.Context {
	return context.WithValue(ctx, askerKey{}, a)
}

// AskerFrom returns who makes the call that ctx belongs to. Outside of a call it
// returns the zero Asker, whom every rule refuses.
func AskerFrom(ctx context.Context) Asker {
	a, _ := ctx.Value(askerKey{}).(Asker)
	return a
}
