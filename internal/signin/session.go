package signin

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"example.com/foyer/internal/limit"
	"example.com/foyer/internal/secret"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// LevelBrowser is how strongly a one-time code in the browser authenticates: the
// digits went from the mail into a page of ours, and past every model.
const LevelBrowser = "email"

// MailBrowser is the kind of the mail that brings a one-time code for a browser. It
// is about the challenge of a session.
const MailBrowser = "browser"

const (
	sessionIdle     = time.Hour
	sessionAbsolute = 12 * time.Hour
	sessionNoted    = time.Minute // of use
)

// ErrNoSession refuses a cookie under which nobody is signed in, or not any more.
var ErrNoSession = errors.New("signin: nobody is signed in in this browser")

// A Visitor is a browser, somewhere.
type Visitor struct {
	Session  store.Hash // of its cookie
	Browser  store.Hash // of the cookie by which clients' grants are remembered; zero for none
	Addr     netip.Addr // zero where it is unknown
	Language string     // of its mails, as a tag; empty where it is unknown
}

// budgets of one browser.
var (
	sendsPerBrowser    = []limit.Budget{{Events: 5, Within: time.Hour}}
	failuresPerBrowser = []limit.Budget{{Events: 10, Within: 24 * time.Hour}}
)

// BeginSession mails a one-time code to email, with which whoever has the cookie of v
// can sign in. What was mailed to the same browser before dies. What is said of an
// address is the same as in [SignIn.Begin]. It refuses with [TooMany] and [ErrBusy].
func (s *SignIn) BeginSession(ctx context.Context, v Visitor, email mail.Address) (Begun, error) {
	now := s.Now()
	if !s.NoLimits {
		if err := s.flood.maySend(Asker{Addr: v.Addr}, now); err != nil {
			return Begun{}, err
		}
	}
	next := store.Session{Hash: v.Session, Challenge: rand.Text(), Email: email.String(), Digits: digits, KeyID: s.Keys.KeyID(), Asked: now, Language: v.Language, Expires: now.Add(keepChallenge)}
	if s.flood.underAttack(now) {
		next.Digits = digitsAttacked
	}
	var refusal error
	var good bool
	err := s.Store.Update(ctx, func(tx store.Tx) (err error) {
		good, refusal, err = s.beginSession(ctx, tx, v, email, next, now)
		return err
	})
	if err != nil {
		return Begun{}, fmt.Errorf("signin: begin in a browser: %w", err)
	}
	return Begun{Digits: next.Digits, ExpiresIn: s.TTL, ResendIn: sendsPerMail[0].Within, Before: good}, refusal
}

// beginSession reports also whether digits that were mailed to email before, in the
// same browser, are still good.
func (s *SignIn) beginSession(ctx context.Context, tx store.Tx, v Visitor, email mail.Address, next store.Session, now time.Time) (good bool, refusal, err error) {
	there, err := tx.Session(ctx, next.Hash)
	if refusal, err := s.spendOfBrowser(ctx, tx, nameOf(v.Session), s.mailbox(email), now); refusal != nil || err != nil {
		return there.Email == next.Email && s.nextSession(there, now) == nil, refusal, err
	}
	switch {
	case err == nil && there.UserID != "" && now.Before(there.Expires): // who is signed in stays so until the digits come
		next.UserID, next.Level, next.AuthTime, next.Created, next.Used, next.Expires = there.UserID, there.Level, there.AuthTime, there.Created, there.Used, there.Expires
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return false, nil, err
	}
	if next.KnownUserID, err = knownIn(ctx, tx, v.Browser, there, next.Email, now); err != nil {
		return false, nil, err
	}
	if next.Muted, err = s.mute(ctx, tx, next.KnownUserID, email, now); err != nil {
		return false, nil, err
	}
	event := store.NewEvent(ctx, store.EventSignInBegun, now)
	event.Whom, event.Outcome, event.Level = s.Keys.Whom(next.Email), store.OutcomeMailed, LevelBrowser
	if next.Muted {
		event.Outcome = store.OutcomeMuted
	}
	if err := errors.Join(tx.PutSession(ctx, next), tx.PutEvent(ctx, event)); err != nil || next.Muted {
		return false, nil, err
	}
	return false, nil, tx.PutOutgoing(ctx, store.Outgoing{ID: rand.Text(), Kind: MailBrowser, Subject: next.Challenge, Due: now, Created: now, Expires: now.Add(s.TTL)})
}

// spendOfBrowser spends one mail of what a browser may have sent. What it asks for
// the same mailbox has the budgets of a mailbox: who asks again too soon is told, and
// the digits that are under way stay good.
func (s *SignIn) spendOfBrowser(ctx context.Context, tx store.Tx, key, mailbox string, now time.Time) (refusal, err error) {
	if s.NoLimits {
		return nil, nil
	}
	wait, err := limit.Peek(ctx, tx, "sent:"+key, now, sendsPerBrowser...) // a mail that is refused spends nothing
	if wait == 0 && err == nil {
		wait, err = limit.Spend(ctx, tx, sentTo(key, mailbox), now, sendsPerMail...)
	}
	if wait > 0 || err != nil {
		return TooMany{wait}, err
	}
	return nil, limit.Record(ctx, tx, "sent:"+key, now, sendsPerBrowser...)
}

// nameOf names a browser in counters.
func nameOf(session store.Hash) string {
	return "browser:" + base64.RawURLEncoding.EncodeToString(session[:16])
}

// VerifySession signs the user in whom the digits belong to, under a cookie that is
// new: who knew the old one has nothing. Every wrong answer counts, before it is
// compared. It refuses with [Wrong], [ErrNone], [ErrExpired], [ErrExhausted],
// [ErrOff] and [ErrBusy].
func (s *SignIn) VerifySession(ctx context.Context, v Visitor, answer string) (cookie secret.Text, u store.User, err error) {
	now := s.Now()
	asker := Asker{Addr: v.Addr}
	if !s.NoLimits {
		if err := s.flood.mayAnswer(asker, now); err != nil {
			return secret.Text{}, store.User{}, err
		}
	}
	cookie = secret.NewText()
	var refusal error
	err = s.Store.Update(ctx, func(tx store.Tx) (err error) {
		u, refusal, err = s.verifySession(ctx, tx, v, cookie, answer, now)
		return err // and nil for a refusal: what it counted must stay
	})
	if err != nil {
		return secret.Text{}, store.User{}, fmt.Errorf("signin: verify in a browser: %w", err)
	}
	if refusal = s.compared(asker, refusal, now); refusal != nil {
		return secret.Text{}, store.User{}, refusal
	}
	return cookie, u, nil
}

func (s *SignIn) verifySession(ctx context.Context, tx store.Tx, v Visitor, cookie secret.Text, answer string, now time.Time) (u store.User, refusal, err error) {
	there, err := tx.Session(ctx, v.Session)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.User{}, nil, err
	}
	if refusal := s.nextSession(there, now); refusal != nil {
		return store.User{}, refusal, nil
	}
	email, err := mail.ParseAddress(there.Email)
	if err != nil {
		return store.User{}, nil, err
	}
	browser := failedIn(v.Session)
	if off, err := s.off(ctx, tx, browser, now, failuresPerBrowser); off || err != nil {
		return store.User{}, ErrOff, err
	}
	_, failed, err := s.counters(ctx, tx, there.KnownUserID, email)
	if err != nil {
		return store.User{}, nil, err
	}
	off, err := s.off(ctx, tx, failed, now, failuresPerMail)
	if err != nil {
		return store.User{}, nil, err
	}
	there.Attempts++ // before the digits are looked at
	code, ok := s.Keys.OneTimeCode(there.KeyID, there.Challenge, there.Digits)
	if right := code.Equal(normalise(answer, there.Digits)); !ok || !right || there.Muted || off {
		event := store.NewEvent(ctx, store.EventSignInFailed, now)
		event.Whom, event.Reason, event.Level = s.Keys.Whom(there.Email), store.ReasonWrongCode, LevelBrowser
		err := errors.Join(tx.PutSession(ctx, there), tx.PutEvent(ctx, event), limit.Record(ctx, tx, browser, now, failuresPerBrowser...))
		if err == nil && !off { // where it is off no guess was possible, and the day must not begin anew
			err = limit.Record(ctx, tx, failed, now, failuresPerMail...)
		}
		return store.User{}, Wrong{Left: attempts - there.Attempts}, err
	}
	_, u, err = s.openSession(ctx, tx, there.Hash, cookie, Proven{Email: email, Level: LevelBrowser, AuthTime: now}, now)
	return u, nil, errors.Join(err, limit.Clear(ctx, tx, failed, now), limit.Clear(ctx, tx, failedKnown(u.ID), now))
}

// nextSession is the only place that decides what becomes of an answer.
func (s *SignIn) nextSession(there store.Session, now time.Time) error {
	switch {
	case there.Challenge == "":
		return ErrNone
	case there.Attempts >= attempts:
		return ErrExhausted
	case !now.Before(there.Asked.Add(s.TTL)):
		return ErrExpired
	}
	return nil
}

// openSession finds or makes the user whom p names, and puts a new session in the place
// of the one under before.
func (s *SignIn) openSession(ctx context.Context, tx store.Tx, before store.Hash, cookie secret.Text, p Proven, now time.Time) (open store.Session, u store.User, err error) {
	u, err = tx.UserByEmail(ctx, p.Email.String())
	if errors.Is(err, store.ErrNotFound) {
		u = store.User{ID: "user_" + rand.Text(), Email: p.Email.String(), Created: now}
		err = tx.PutUser(ctx, u)
	}
	if err != nil {
		return store.Session{}, store.User{}, err
	}
	open = store.Session{Hash: cookie.Hash(), UserID: u.ID, Level: p.Level, AuthTime: p.AuthTime, Created: now, Used: now, Expires: now.Add(sessionIdle)}
	event := store.NewEvent(ctx, store.EventSessionOpened, now)
	event.UserID, event.Level = u.ID, p.Level
	return open, u, errors.Join(tx.DeleteSession(ctx, before), tx.PutSession(ctx, open), tx.PutEvent(ctx, event))
}

// Session returns who is signed in under a cookie: for an hour after it was used
// last, and for twelve in all. It refuses with [ErrNoSession].
func (s *SignIn) Session(ctx context.Context, cookie store.Hash) (there store.Session, u store.User, err error) {
	now := s.Now()
	err = s.Store.View(ctx, func(tx store.Tx) error {
		if there, err = tx.Session(ctx, cookie); err != nil {
			return err
		}
		if there.UserID == "" || !now.Before(there.Expires) {
			return store.ErrNotFound
		}
		u, err = tx.User(ctx, there.UserID)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.Session{}, store.User{}, ErrNoSession
	case err != nil:
		return store.Session{}, store.User{}, fmt.Errorf("signin: session: %w", err)
	case now.Sub(there.Used) >= sessionNoted:
		s.use(ctx, cookie, now)
	}
	return there, u, nil
}

// use notes that a session is used. One that cannot be noted ends a little sooner.
func (s *SignIn) use(ctx context.Context, cookie store.Hash, now time.Time) {
	_ = s.Store.Update(ctx, func(tx store.Tx) error {
		there, err := tx.Session(ctx, cookie)
		if err != nil || there.UserID == "" {
			return err
		}
		there.Used, there.Expires = now, now.Add(sessionIdle)
		if end := there.Created.Add(sessionAbsolute); end.Before(there.Expires) {
			there.Expires = end
		}
		return tx.PutSession(ctx, there)
	})
}

// EndSession signs out whoever is signed in under a cookie.
func (s *SignIn) EndSession(ctx context.Context, cookie store.Hash) error {
	now := s.Now()
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		there, err := tx.Session(ctx, cookie)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		event := store.NewEvent(ctx, store.EventSessionEnded, now)
		event.UserID, event.Level = there.UserID, there.Level
		return errors.Join(tx.DeleteSession(ctx, cookie), tx.PutEvent(ctx, event))
	})
	if err != nil {
		return fmt.Errorf("signin: end a session: %w", err)
	}
	return nil
}
