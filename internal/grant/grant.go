// Package grant holds the rules of grants and their tokens. It knows neither
// HTTP nor MCP. A grant goes through these states:
//
//	        Redeem             Claim            Revoke, reuse
//	(none) ───────▶ unclaimed ───────▶ claimed ──────────────▶ revoked
//	                   ▲  │   SignOut     │                       ▲
//	                   └──│───────────────┘                       │
//	                      └───────────────────────────────────────┘
//
// A token works only while its epoch is its grant's. A claim and a sign-out
// raise the epoch, and carry exactly two tokens over: the access token of the
// call, and the family's current refresh token. Revoked is final. An unclaimed
// grant that nobody refreshes for a day, and a claimed one that nobody
// refreshes for a month, expire.
package grant

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// Refusals that several rules of this package share.
var (
	ErrUnknown = errors.New("grant: unknown, expired or outdated token")
	ErrRevoked = errors.New("grant: grant is revoked")
)

// Guest is the scope of an unclaimed grant.
const Guest = "guest"

// Lifetimes of codes, tokens and grants.
type Lifetimes struct {
	Code      time.Duration // from /authorize to /token
	Access    time.Duration // of an access token
	Idle      time.Duration // of a claimed grant, from its last refresh
	Absolute  time.Duration // of any grant, from its start
	GuestIdle time.Duration // of an unclaimed grant, from its last refresh
	Overlap   time.Duration // in which a redeemed refresh token gets its successors again, whatever became of the access token
	Client    time.Duration // of a registration, from its last use
	Browser   time.Duration // of what a browser remembers, from the last grant
}

// Grants applies the rules to a store. It is safe for concurrent use.
type Grants struct {
	store store.Store
	keys  secret.Keys
	life  Lifetimes
	jwts  JWTs
	now   func() time.Time

	changes *changes

	mu    sync.Mutex
	notes map[store.Hash]struct{} // access tokens whose first use is being noted
	busy  sync.WaitGroup          // of the notes
}

// New returns the rules over s; jwts says which access tokens are JWTs. now is
// time.Now outside of tests.
func New(s store.Store, keys secret.Keys, life Lifetimes, jwts JWTs, now func() time.Time) *Grants {
	return &Grants{store: s, keys: keys, life: life, jwts: jwts, now: now, changes: newChanges(), notes: map[store.Hash]struct{}{}}
}

// Close waits until everything that goes on behind a request is written.
func (g *Grants) Close() { g.busy.Wait() }

// Issued is a pair of tokens, to be sent once.
type Issued struct {
	secret.Pair
	ExpiresIn time.Duration // of the access token
	Scopes    []string      // that the access token opens
}

// start makes an unclaimed grant of clientID for resource, with a guest of its
// own, at the beginning of its family.
func (g *Grants) start(clientID, redirectHost, resource string, now time.Time) store.Grant {
	gr := store.Grant{ID: rand.Text(), ClientID: clientID, RedirectHost: redirectHost, Resource: resource,
		GuestID: newGuestID(), Epoch: 1, Generation: 1, Scopes: []string{Guest}, Created: now}
	gr.Expires = g.expires(gr, now)
	return gr
}

func newGuestID() string { return "guest_" + rand.Text() }

// expires is when gr ends unless it is refreshed.
func (g *Grants) expires(gr store.Grant, now time.Time) time.Time {
	idle := g.life.GuestIdle
	if gr.UserID != "" {
		idle = g.life.Idle
	}
	return earlier(now.Add(idle), gr.Created.Add(g.life.Absolute))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// putPair stores pair as the tokens of the current generation of gr. The access
// token is cut to the scopes of cut; none cut nothing.
func (g *Grants) putPair(ctx context.Context, tx store.Tx, gr store.Grant, pair secret.Pair, cut []string, now time.Time) (Issued, error) {
	pair, access, err := g.sign(gr, g.access(gr, pair, cut, now), pair, now)
	if err != nil {
		return Issued{}, err
	}
	refresh := store.Token{Hash: pair.Refresh.Hash(), Kind: store.Refresh, GrantID: gr.ID, Epoch: gr.Epoch,
		Generation: gr.Generation, Scopes: cut}
	if err := errors.Join(tx.PutToken(ctx, access), tx.PutToken(ctx, refresh)); err != nil {
		return Issued{}, err
	}
	return issue(pair, access, gr, now), nil
}

// access is the record of the access token of pair, which works from now on and
// never longer than its grant.
func (g *Grants) access(gr store.Grant, pair secret.Pair, cut []string, now time.Time) store.Token {
	return store.Token{Hash: pair.Access.Hash(), Kind: store.Access, GrantID: gr.ID, Epoch: gr.Epoch,
		Generation: gr.Generation, Expires: earlier(now.Add(g.life.Access), gr.Expires), Scopes: cut}
}

func issue(pair secret.Pair, access store.Token, gr store.Grant, now time.Time) Issued {
	return Issued{Pair: pair, ExpiresIn: access.Expires.Sub(now), Scopes: Scopes(access, gr)}
}

// Scopes are what t opens: those of its grant, cut to t's own list if a refresh
// asked for less. So a scope that the grant loses is lost at once, and one that
// it gains opens nothing for a token that was cut.
func Scopes(t store.Token, gr store.Grant) []string {
	if len(t.Scopes) == 0 {
		return slices.Clone(gr.Scopes)
	}
	return slices.DeleteFunc(slices.Clone(gr.Scopes), func(name string) bool { return !slices.Contains(t.Scopes, name) })
}

// cross raises the epoch of gr, and takes the access token of the call and the
// family's current refresh token along. Whoever holds another token of gr,
// because a link or a configuration was shared, stays behind. The zero access token
// is none.
func cross(ctx context.Context, tx store.Tx, access store.Token, gr store.Grant) error {
	current, err := tx.TokenOf(ctx, gr.ID, store.Refresh, gr.Generation)
	if err != nil {
		return fmt.Errorf("current refresh token: %w", err)
	}
	gr.Epoch++
	access.Epoch, current.Epoch = gr.Epoch, gr.Epoch
	access.Expires = earlier(access.Expires, gr.Expires) // a guest's grant may end sooner than the user's would have
	err = errors.Join(tx.PutGrant(ctx, gr), tx.PutToken(ctx, current))
	if access.Kind != "" {
		err = errors.Join(err, tx.PutToken(ctx, access))
	}
	return err
}

// ByAccess returns the working access token with hash h and its grant. It
// refuses with [ErrUnknown] or [ErrRevoked].
func ByAccess(ctx context.Context, tx store.Tx, h store.Hash, now time.Time) (store.Token, store.Grant, error) {
	t, err := tx.Token(ctx, h)
	if errors.Is(err, store.ErrNotFound) {
		return store.Token{}, store.Grant{}, ErrUnknown
	} else if err != nil {
		return store.Token{}, store.Grant{}, err
	}
	gr, err := tx.Grant(ctx, t.GrantID)
	if err != nil {
		return store.Token{}, store.Grant{}, err
	}
	return t, gr, checkAccess(t, gr, now)
}
