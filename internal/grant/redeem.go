package grant

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/foyer/internal/oauth"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// Refusals of Redeem.
var (
	ErrCode     = errors.New("grant: unknown or expired code, or one that was not issued for this request")
	ErrCodeUsed = errors.New("grant: code redeemed twice; grant revoked")
	ErrResource = errors.New("grant: issued for another resource")
)

// An Authorization is a request that may have its code: everything that the
// code is bound to. It is carried by the client, sealed, and never a record, so
// that whoever asks for a code without redeeming it costs the store nothing.
type Authorization struct {
	ID            string
	Issued        time.Time
	ClientID      string
	RedirectURI   string
	Resource      string
	CodeChallenge string
	Browser       []byte // hash of the cookie of the browser that the request came by, or empty
	Language      string // of that browser, or empty

	// Who has approved it, in the browser; empty for a guest.
	UserID   string
	Level    string // how the user was authenticated there
	AuthTime time.Time
	Scopes   []string // that the user has approved
	Recalled bool     // before, and was not asked again: good while that consent stands
	Tell     bool     // the user is mailed that the client is connected, unless it was before
}

const sealedCode = "authorization code"

// redemptionSlack is how much longer than a code its redemption is remembered:
// another server's clock, or a transaction that waited, may be late.
const redemptionSlack = time.Hour

// Code seals a as the authorization code that stands for it, and stamps it.
func (g *Grants) Code(a Authorization) (secret.Text, error) {
	a.ID, a.Issued = rand.Text(), g.now()
	return g.keys.Seal(sealedCode, a)
}

// An Exchange is what a client sends to redeem a code (RFC 6749 section 4.1.3).
type Exchange struct {
	Code        secret.Text
	ClientID    string
	Client      store.Client // of that ID, to be remembered if it is known by a metadata document; may be zero
	RedirectURI string
	Verifier    secret.Text // RFC 7636
	Resource    string      // canonical; empty means the one of the authorization
}

// Redeem exchanges a code for the first tokens of a new grant: a guest's, or that of
// the user who has approved it. A user's continues the grant that the client got in
// that browser before, where it is a guest's or the same user's: the new one has the
// guest and the scopes of the old, which ends.
//
// Whatever does not fit is refused with [ErrCode] or [ErrResource] and consumes
// nothing, so that a leaked code lets nobody harm its owner. The right request
// made twice means that someone else has made it too: the grant of the first is
// revoked, and Redeem returns [ErrCodeUsed] (RFC 6749 section 4.1.2).
func (g *Grants) Redeem(ctx context.Context, e Exchange) (Issued, error) {
	var a Authorization
	if err := g.keys.Open(sealedCode, e.Code.Reveal(), &a); err != nil {
		return Issued{}, ErrCode
	}
	now := g.now()
	switch {
	case !now.Before(a.Issued.Add(g.life.Code)), e.ClientID != a.ClientID, e.RedirectURI != a.RedirectURI,
		!oauth.VerifierMatches(a.CodeChallenge, e.Verifier.Reveal()):
		return Issued{}, ErrCode
	case e.Resource != "" && e.Resource != a.Resource:
		return Issued{}, ErrResource
	}
	var issued Issued
	var refusal error
	var ended string
	err := g.store.Update(ctx, func(tx store.Tx) (err error) {
		issued, refusal, ended = Issued{}, nil, "" // Update may run this again
		switch first, err := tx.Redemption(ctx, a.ID); {
		case err == nil:
			refusal, ended = ErrCodeUsed, first.GrantID
			return revokeByID(ctx, tx, first.GrantID, store.ReasonCodeReplayed, now) // and no error for ErrCodeUsed: the revocation must stay
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		if err := stays(ctx, tx, a.UserID); errors.Is(err, ErrLeaving) {
			refusal = ErrCode
			return nil
		} else if err != nil {
			return err
		}
		if a.Recalled {
			if ok, err := g.recalls(ctx, tx, a); !ok || err != nil {
				refusal = ErrCode
				return err
			}
		}
		issued, ended, err = g.redeem(ctx, tx, a, e.Client, now)
		return err
	})
	if err != nil {
		return Issued{}, fmt.Errorf("grant: redeem: %w", err)
	}
	if ended != "" {
		g.Announce(ended)
	}
	return issued, refusal
}

// redeem makes the grant of a, and its tokens. It returns the ID of the grant that
// this one continues, or "".
func (g *Grants) redeem(ctx context.Context, tx store.Tx, a Authorization, asker store.Client, now time.Time) (issued Issued, ended string, err error) {
	gr := g.start(a.ClientID, oauth.RedirectHost(a.RedirectURI), a.Resource, now)
	gr.Language = a.Language
	if a.UserID != "" {
		gr.UserID, gr.KnownUserID, gr.Level, gr.AuthTime, gr.ApprovedBy = a.UserID, a.UserID, a.Level, a.AuthTime, ApprovedInBrowser
		gr.Scopes = union(gr.Scopes, a.Scopes)
		gr.Expires = g.expires(gr, now)
	}
	if err := g.touchClient(ctx, tx, gr, asker, now); err != nil {
		return Issued{}, "", err
	}
	own := false // it goes on with a grant of the same user
	if len(a.Browser) == len(store.Hash{}) {
		if own, err = g.remember(ctx, tx, store.Hash(a.Browser), &gr, now); err != nil {
			return Issued{}, "", err
		}
	}
	if gr.UserID != "" && a.Tell && !own {
		if err := Tell(ctx, tx, gr, now); err != nil {
			return Issued{}, "", err
		}
	}
	used := store.Redemption{CodeID: a.ID, GrantID: gr.ID, Expires: a.Issued.Add(g.life.Code + redemptionSlack)}
	started := store.NewEvent(ctx, store.EventGrantStarted, now).Of(gr)
	if gr.UserID != "" {
		started.Scopes = a.Scopes
	}
	if err := errors.Join(tx.PutGrant(ctx, gr), tx.PutRedemption(ctx, used), tx.PutEvent(ctx, started)); err != nil {
		return Issued{}, "", err
	}
	issued, err = g.putPair(ctx, tx, gr, secret.NewPair(), nil, now)
	return issued, gr.Continues, err
}

// How the scopes of a grant were approved.
const (
	ApprovedByMail    = "mail"    // by the one-time code of a mail, given in the chat
	ApprovedByLink    = "link"    // by the link of that mail, and the pairing code of the chat
	ApprovedInBrowser = "browser" // on the consent page
)

// carryOn puts gr in the place of before, where that works for the same client and
// resource, and is a guest's or the user's own; it reports whether it was their own.
func carryOn(ctx context.Context, tx store.Tx, gr *store.Grant, before store.Grant, now time.Time) (own bool, err error) {
	if !continues(before, gr.UserID, gr.Resource, now) {
		return false, nil
	}
	gr.Continues, gr.GuestID = before.ID, before.GuestID
	own = before.UserID == gr.UserID
	if own {
		gr.Scopes = union(gr.Scopes, before.Scopes)
	}
	return own, end(ctx, tx, before, store.ReasonContinued, "", now)
}

// continues reports whether a grant of a user for resource continues before.
func continues(before store.Grant, userID, resource string, now time.Time) bool {
	return userID != "" && before.ID != "" && before.Resource == resource && before.RevokedAt.IsZero() && now.Before(before.Expires) &&
		(before.UserID == "" || before.UserID == userID)
}

// Keeps returns the scopes of a person's that a grant for a has from the one that it
// continues, where userID approves it: they have to be shown to who approves.
func (g *Grants) Keeps(ctx context.Context, a Asked, userID string) (scopes []string, err error) {
	err = g.store.View(ctx, func(tx store.Tx) error {
		before, err := remembered(ctx, tx, store.Hash(a.Browser), a.ClientID, g.now())
		scopes = nil // View may run this again
		if err == nil && continues(before, userID, a.Resource, g.now()) && before.UserID == userID {
			scopes = slices.DeleteFunc(slices.Clone(before.Scopes), func(s string) bool { return s == Guest })
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("grant: keeps: %w", err)
	}
	return scopes, nil
}

// remember makes gr what the browser with cookie h remembers of its client, and
// gr know who was signed in there before, and carry that on. It reports whether gr
// goes on with a grant of the same user.
func (g *Grants) remember(ctx context.Context, tx store.Tx, h store.Hash, gr *store.Grant, now time.Time) (own bool, err error) {
	before, err := remembered(ctx, tx, h, gr.ClientID, now)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	if gr.UserID == "" {
		gr.KnownUserID = before.KnownUserID
	}
	if own, err = carryOn(ctx, tx, gr, before, now); err != nil {
		return false, err
	}
	return own, tx.PutBrowser(ctx, store.Browser{Hash: h, ClientID: gr.ClientID, GrantID: gr.ID, Expires: now.Add(g.life.Browser)})
}

func remembered(ctx context.Context, tx store.Tx, h store.Hash, clientID string, now time.Time) (store.Grant, error) {
	b, err := tx.Browser(ctx, h, clientID)
	if err != nil {
		return store.Grant{}, err
	}
	if !now.Before(b.Expires) {
		return store.Grant{}, store.ErrNotFound
	}
	return tx.Grant(ctx, b.GrantID)
}

// Remembered returns the user of the live claimed grant that the browser with
// cookie h got for clientID; ok is false where there is none. It proves nothing
// about who sits at the browser.
func (g *Grants) Remembered(ctx context.Context, h store.Hash, clientID string) (u store.User, ok bool, err error) {
	err = g.store.View(ctx, func(tx store.Tx) error {
		u, ok = store.User{}, false // View may run this again
		now := g.now()
		gr, err := remembered(ctx, tx, h, clientID, now)
		if err != nil || gr.UserID == "" || !gr.RevokedAt.IsZero() || !now.Before(gr.Expires) {
			return err
		}
		u, err = tx.User(ctx, gr.UserID)
		ok = err == nil
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, false, nil
	}
	return u, ok, err
}
