package signin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/limit"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// Verify claims the grant behind a with the one-time code that was mailed for
// it, and returns the user, who is new if the address was never seen before.
//
// Every wrong answer counts, for the challenge, the grant and the address. It
// refuses with [Wrong], [ErrNone], [ErrExpired], [ErrExhausted], [ErrSignedIn],
// [ErrOff], [ErrBusy], [grant.ErrUnknown], [grant.ErrRevoked] and
// [grant.ErrChanged].
func (s *SignIn) Verify(ctx context.Context, a Asker, answer string) (store.User, error) {
	now := s.Now()
	if !s.NoLimits {
		if err := s.flood.mayAnswer(a, now); err != nil {
			return store.User{}, err
		}
	}
	var user store.User
	var refusal error
	err := s.Store.Update(ctx, func(tx store.Tx) (err error) {
		user, refusal, err = s.verify(ctx, tx, a, answer, now)
		return err // and nil for a refusal: what it counted must stay
	})
	if err != nil {
		return store.User{}, fmt.Errorf("signin: verify: %w", err)
	}
	if errors.As(refusal, new(Wrong)) || errors.Is(refusal, ErrExhausted) {
		s.flood.failed(a, now)
	}
	return user, refusal
}

func (s *SignIn) verify(ctx context.Context, tx store.Tx, a Asker, answer string, now time.Time) (user store.User, refusal, err error) {
	_, gr, err := grant.ByAccess(ctx, tx, a.Access, now)
	switch {
	case errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked):
		return store.User{}, err, nil
	case err != nil:
		return store.User{}, nil, err
	}
	c, err := tx.LatestChallenge(ctx, gr.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.User{}, nil, err
	}
	if refusal := s.next(c, gr, now); refusal != nil {
		return store.User{}, refusal, nil
	}
	email, err := mail.ParseAddress(c.Email)
	if err != nil {
		return store.User{}, nil, err
	}
	if refusal, err := s.mayAnswer(ctx, tx, gr, email, now); refusal != nil || err != nil {
		return store.User{}, refusal, err
	}
	c.Attempts++ // before the digits are looked at
	code, ok := s.Keys.OneTimeCode(c.KeyID, c.ID, c.Digits)
	if right := code.Equal(normalise(answer, c.Digits)); !ok || !right || c.Muted {
		refusal, err := s.wrong(ctx, tx, c, s.mailKey(email), now)
		return store.User{}, refusal, err
	}
	c.State = used
	if err := tx.PutChallenge(ctx, c); err != nil {
		return store.User{}, nil, err
	}
	return s.claim(ctx, tx, a, c, s.mailKey(email), now)
}

// mayAnswer asks the budgets of wrong answers, and spends nothing.
func (s *SignIn) mayAnswer(ctx context.Context, tx store.Tx, gr store.Grant, email mail.Address, now time.Time) (refusal, err error) {
	if s.NoLimits {
		return nil, nil
	}
	if wait, err := limit.Peek(ctx, tx, failedGrant(gr.ID), now, failuresPerGrant...); wait > 0 || err != nil {
		return ErrOff, err
	}
	known, err := s.known(ctx, tx, gr, email.String())
	if known || err != nil {
		return nil, err
	}
	if off, err := s.offForMail(ctx, tx, s.mailKey(email), now); off || err != nil {
		return ErrExhausted, err // the same as for a used-up code: whose budget it is stays unsaid
	}
	return nil, nil
}

func (s *SignIn) wrong(ctx context.Context, tx store.Tx, c store.Challenge, mailKey string, now time.Time) (refusal, err error) {
	if c.Attempts >= attempts {
		c.State = exhausted
	}
	err = errors.Join(tx.PutChallenge(ctx, c),
		limit.Record(ctx, tx, failedGrant(c.GrantID), now, failuresPerGrant...),
		limit.Record(ctx, tx, failedMail(mailKey), now, failuresPerMail...))
	if c.State == exhausted {
		return ErrExhausted, err
	}
	return Wrong{Left: attempts - c.Attempts}, err
}

// claim finds or creates the user of c and gives them the grant.
func (s *SignIn) claim(ctx context.Context, tx store.Tx, a Asker, c store.Challenge, mailKey string, now time.Time) (user store.User, refusal, err error) {
	user, err = tx.UserByEmail(ctx, c.Email)
	isNew := errors.Is(err, store.ErrNotFound)
	if isNew {
		user, err = store.User{ID: "user_" + rand.Text(), Email: c.Email, Created: now}, nil
	}
	if err != nil {
		return store.User{}, nil, err
	}
	_, err = s.Grants.Claim(ctx, tx, a.Access, grant.Proof{UserID: user.ID, Level: Level, ApprovedBy: "mail", Scopes: s.Scopes, Epoch: c.Epoch}, now)
	switch {
	case errors.Is(err, grant.ErrChanged), errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked):
		return store.User{}, err, nil
	case err != nil:
		return store.User{}, nil, err
	}
	if isNew { // only now: an address is nobody's until a code for it was answered, and refused claims write no user
		err = tx.PutUser(ctx, user)
	}
	return user, nil, errors.Join(err, limit.Clear(ctx, tx, failedMail(mailKey), now))
}

// normalise reads digits as people and models write them: with spaces and
// dashes, in full width, and as a number that lost its leading zeros. What is
// not digits stays wrong.
func normalise(answer string, digits int) string {
	var b []byte
	for _, r := range answer {
		switch {
		case '0' <= r && r <= '9':
			b = append(b, byte(r))
		case '０' <= r && r <= '９':
			b = append(b, byte(r-'０'+'0'))
		case r == ' ', r == '-', r == '\u00a0', r == '\u2009', r == '\u2011', r == '\u2013', r == '\t', r == '\n', r == '\r':
		default:
			return ""
		}
	}
	for len(b) > 0 && len(b) < digits {
		b = append([]byte{'0'}, b...)
	}
	return string(b)
}
