package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/foyer/internal/limit"
	"example.com/foyer/internal/secret"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// A Proven is a person whom the operator's own check has named.
type Proven struct {
	Email    mail.Address
	Level    string    // how the person was authenticated
	AuthTime time.Time // when
}

// Try counts a try of the operator's own check in the browser of v as wrong, before it
// is made; [SignIn.OpenOwn] takes that back. It refuses with [ErrOff] and [ErrBusy].
func (s *SignIn) Try(ctx context.Context, v Visitor) error {
	now := s.Now()
	if s.NoLimits {
		return nil
	}
	if err := s.flood.mayAnswer(Asker{Addr: v.Addr}, now); err != nil {
		return err
	}
	var refusal error
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		refusal = nil
		browser := failedIn(v.Session)
		if off, err := s.off(ctx, tx, browser, now, failuresPerBrowser); off || err != nil {
			refusal = ErrOff
			return err
		}
		return limit.Record(ctx, tx, browser, now, failuresPerBrowser...)
	})
	if err != nil {
		return fmt.Errorf("signin: try: %w", err)
	}
	return refusal
}

// Failed counts a try that the operator's own check has refused.
func (s *SignIn) Failed(v Visitor) {
	if !s.NoLimits {
		s.flood.failed(Asker{Addr: v.Addr, GrantID: nameOf(v.Session)}, s.Now())
	}
}

// OpenOwn signs in p in the browser of v, under a cookie that is new.
func (s *SignIn) OpenOwn(ctx context.Context, v Visitor, p Proven) (cookie secret.Text, there store.Session, u store.User, err error) {
	now := s.Now()
	cookie = secret.NewText()
	err = s.Store.Update(ctx, func(tx store.Tx) (err error) {
		there, u, err = s.openSession(ctx, tx, v.Session, cookie, p, now)
		return errors.Join(err, limit.Clear(ctx, tx, failedIn(v.Session), now))
	})
	if err != nil {
		return secret.Text{}, store.Session{}, store.User{}, fmt.Errorf("signin: open a session: %w", err)
	}
	return cookie, there, u, nil
}

// failedIn counts the wrong answers of a browser.
func failedIn(session store.Hash) string { return "failed:" + nameOf(session) }
