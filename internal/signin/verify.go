package signin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"
	"unicode"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/limit"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// Verify claims the grant behind a with the one-time code that was mailed for
// it, and returns the user, who is new if the address was never seen before.
//
// Every wrong answer counts, for the challenge, the grant and the address. An
// address that had too many, or was mailed nothing, has no right answer, and
// nobody is told that. A right answer clears what is counted for the address.
//
// Verify refuses with [Wrong], [ErrNone], [ErrExpired], [ErrExhausted],
// [ErrSignedIn], [ErrOff], [ErrBusy], [grant.ErrUnknown], [grant.ErrRevoked],
// [grant.ErrChanged] and, to the right digits alone, [grant.ErrLeaving].
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
	if refusal == nil {
		s.Grants.Announce(a.GrantID)
	}
	if w := (Wrong{}); errors.As(refusal, &w) { // an answer that was compared: only those can shut everyone out
		s.flood.failed(a, now)
		if w.Left == 0 {
			return store.User{}, ErrExhausted
		}
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
	if off, err := s.off(ctx, tx, failedGrant(gr.ID), now, failuresPerGrant); off || err != nil {
		return store.User{}, ErrOff, err
	}
	_, failed, err := s.counters(ctx, tx, gr.KnownUserID, email)
	if err != nil {
		return store.User{}, nil, err
	}
	off, err := s.off(ctx, tx, failed, now, failuresPerMail)
	if err != nil {
		return store.User{}, nil, err
	}
	c.Attempts++ // before the digits are looked at
	code, ok := s.Keys.OneTimeCode(c.KeyID, c.ID, c.Digits)
	if right := code.Equal(normalise(answer, c.Digits)); !ok || !right || c.Muted || off {
		if off {
			failed = "" // no guess was possible, and the day must not begin anew
		}
		refusal, err := s.wrong(ctx, tx, gr, c, failed, now)
		return store.User{}, refusal, err
	}
	c.State = used
	if err := tx.PutChallenge(ctx, c); err != nil {
		return store.User{}, nil, err
	}
	return s.claim(ctx, tx, a, c, email, now)
}

// off asks a budget of wrong answers, and spends nothing.
func (s *SignIn) off(ctx context.Context, tx store.Tx, key string, now time.Time, budgets []limit.Budget) (bool, error) {
	if s.NoLimits {
		return false, nil
	}
	wait, err := limit.Peek(ctx, tx, key, now, budgets...)
	return wait > 0, err
}

// wrong counts a wrong answer to c, a challenge of gr, and for the address under
// failed, unless that is empty.
func (s *SignIn) wrong(ctx context.Context, tx store.Tx, gr store.Grant, c store.Challenge, failed string, now time.Time) (refusal, err error) {
	event := store.NewEvent(ctx, store.EventSignInFailed, now).Of(gr)
	event.Whom, event.Reason = s.Keys.Whom(c.Email), store.ReasonWrongCode
	if c.Attempts >= attempts {
		c.State, event.Reason = exhausted, store.ReasonExhausted
	}
	err = errors.Join(tx.PutChallenge(ctx, c), tx.PutEvent(ctx, event), limit.Record(ctx, tx, failedGrant(c.GrantID), now, failuresPerGrant...))
	if err == nil && failed != "" {
		err = limit.Record(ctx, tx, failed, now, failuresPerMail...)
	}
	return Wrong{Left: attempts - c.Attempts}, err
}

// claim finds or creates the user of c and gives them the grant.
func (s *SignIn) claim(ctx context.Context, tx store.Tx, a Asker, c store.Challenge, email mail.Address, now time.Time) (user store.User, refusal, err error) {
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
	case errors.Is(err, grant.ErrChanged), errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked), errors.Is(err, grant.ErrLeaving):
		return store.User{}, err, nil
	case err != nil:
		return store.User{}, nil, err
	}
	if isNew { // only now: an address is nobody's until a code for it was answered, and refused claims write no user
		err = tx.PutUser(ctx, user)
	}
	for _, counted := range []string{s.failedMail(email), failedKnown(user.ID), sentTo(c.GrantID, s.mailbox(email))} {
		err = errors.Join(err, limit.Clear(ctx, tx, counted, now))
	}
	return user, nil, err
}

// normalise reads digits as people and models write them: with spaces and
// dashes of any kind, in full width, and as a number that lost its leading
// zeros. What is not digits stays wrong.
func normalise(answer string, digits int) string {
	var b []byte
	for _, r := range answer {
		switch {
		case '0' <= r && r <= '9':
			b = append(b, byte(r))
		case '０' <= r && r <= '９':
			b = append(b, byte(r-'０'+'0'))
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r):
		default:
			return ""
		}
	}
	for len(b) > 0 && len(b) < digits {
		b = append([]byte{'0'}, b...)
	}
	return string(b)
}
