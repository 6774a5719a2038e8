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
	"example.com/foyer/internal/secret"
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
	return user, s.compared(a, refusal, now)
}

// compared counts an answer that was compared and wrong for everybody: only those can
// shut everyone out. It returns the refusal to be told.
func (s *SignIn) compared(a Asker, refusal error, now time.Time) error {
	if w := (Wrong{}); errors.As(refusal, &w) {
		s.flood.failed(a, now)
		if w.Left == 0 {
			return ErrExhausted
		}
	}
	return refusal
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
	code, _ := s.Keys.OneTimeCode(c.KeyID, c.ID, c.Digits)
	return s.answer(ctx, tx, gr, c, given{right: code, answer: normalise(answer, c.Digits), tries: attempts, access: a.Access}, now)
}

// given is an answer to a challenge.
type given struct {
	right  secret.Text // what it ought to be; the zero Text, of a key that is gone, is nothing
	answer string
	tries  int        // that it may have
	access store.Hash // of the access token of the call; the zero Hash where it came by the link of the mail
}

// answer counts an answer to c, a challenge of gr that expects one, and then compares
// it. The right one claims gr.
func (s *SignIn) answer(ctx context.Context, tx store.Tx, gr store.Grant, c store.Challenge, by given, now time.Time) (user store.User, refusal, err error) {
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
	c.Attempts++ // before the answer is looked at
	if right := by.right.Equal(by.answer); !right || c.Muted || off {
		if off {
			failed = "" // no guess was possible, and the day must not begin anew
		}
		refusal, err := s.wrong(ctx, tx, gr, c, by.tries, failed, now)
		return store.User{}, refusal, err
	}
	c.State = used
	if err := tx.PutChallenge(ctx, c); err != nil {
		return store.User{}, nil, err
	}
	return s.claim(ctx, tx, by, c, email, now)
}

// off asks a budget of wrong answers, and spends nothing.
func (s *SignIn) off(ctx context.Context, tx store.Tx, key string, now time.Time, budgets []limit.Budget) (bool, error) {
	if s.NoLimits {
		return false, nil
	}
	wait, err := limit.Peek(ctx, tx, key, now, budgets...)
	return wait > 0, err
}

// wrong counts a wrong answer to c, a challenge of gr that may have so many tries, and
// for the address under failed, unless that is empty.
func (s *SignIn) wrong(ctx context.Context, tx store.Tx, gr store.Grant, c store.Challenge, tries int, failed string, now time.Time) (refusal, err error) {
	event := store.NewEvent(ctx, store.EventSignInFailed, now).Of(gr)
	event.Whom, event.Reason = s.Keys.Whom(c.Email), store.ReasonWrongCode
	if c.Attempts >= tries {
		c.State, event.Reason = exhausted, store.ReasonExhausted
	}
	err = errors.Join(tx.PutChallenge(ctx, c), tx.PutEvent(ctx, event), limit.Record(ctx, tx, failedGrant(c.GrantID), now, failuresPerGrant...))
	if err == nil && failed != "" {
		err = limit.Record(ctx, tx, failed, now, failuresPerMail...)
	}
	return Wrong{Left: max(tries-c.Attempts, 0)}, err
}

// claim finds or creates the user of c and gives them the grant.
func (s *SignIn) claim(ctx context.Context, tx store.Tx, by given, c store.Challenge, email mail.Address, now time.Time) (user store.User, refusal, err error) {
	user, err = tx.UserByEmail(ctx, c.Email)
	isNew := errors.Is(err, store.ErrNotFound)
	if isNew {
		user, err = store.User{ID: "user_" + rand.Text(), Email: c.Email, Created: now}, nil
	}
	if err != nil {
		return store.User{}, nil, err
	}
	gr, err := s.grant(ctx, tx, by, c, grant.Proof{UserID: user.ID, Level: Level, Scopes: s.Scopes, Epoch: c.Epoch}, now)
	switch {
	case errors.Is(err, grant.ErrChanged), errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked), errors.Is(err, grant.ErrLeaving):
		return store.User{}, err, nil
	case err != nil:
		return store.User{}, nil, err
	}
	if isNew { // only now: an address is nobody's until a code for it was answered, and refused claims write no user
		err = tx.PutUser(ctx, user)
	}
	err = errors.Join(err, grant.Tell(ctx, tx, gr, now))
	for _, counted := range []string{s.failedMail(email), failedKnown(user.ID), sentTo(c.GrantID, s.mailbox(email))} {
		err = errors.Join(err, limit.Clear(ctx, tx, counted, now))
	}
	return user, nil, err
}

// grant gives the grant of c to who is proven by p, under the access token of the
// call, or by the link under the one that asked.
func (s *SignIn) grant(ctx context.Context, tx store.Tx, by given, c store.Challenge, p grant.Proof, now time.Time) (store.Grant, error) {
	if by.access == (store.Hash{}) {
		p.ApprovedBy = grant.ApprovedByLink
		return s.Grants.ClaimAside(ctx, tx, c.GrantID, c.Asker, p, now)
	}
	p.ApprovedBy = grant.ApprovedByMail
	return s.Grants.Claim(ctx, tx, by.access, p, now)
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
