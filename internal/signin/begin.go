package signin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/limit"
	"example.com/foyer/internal/secret"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// MailCode is the kind of the mail that brings a one-time code. It is about a
// challenge.
const MailCode = "code"

// Begun is what is said to whoever asked: the same for every address, known or
// not, and whether a mail goes out or not.
type Begun struct {
	Digits    int
	ExpiresIn time.Duration // of the one-time code
	ResendIn  time.Duration // when another may be asked for
	Before    bool          // of a refusal in a browser: the digits of before are good
	Pairing   secret.Text   // what the page asks for that the mail links to; of a chat
}

// Begin mails a one-time code to email, with which the guest behind a can claim
// its grant. What was mailed to the same grant before dies.
//
// An address that gets too many mails, or too many wrong answers, is not mailed,
// and nobody is told: that would tell who else signs in. The budgets of the
// caller's own grant are told, as [TooMany]. It refuses also with [ErrSignedIn],
// [ErrOff], [ErrBusy], [grant.ErrUnknown] and [grant.ErrRevoked].
func (s *SignIn) Begin(ctx context.Context, a Asker, email mail.Address) (Begun, error) {
	return s.start(ctx, a, email, false)
}

// Switch signs out the user behind a, as [grant.Grants.SignOut] does, and begins
// with email, in one transaction: where no mail may be asked for, nobody is
// signed out. It refuses as Begin does, but with [grant.ErrGuest] and not with
// ErrSignedIn.
func (s *SignIn) Switch(ctx context.Context, a Asker, email mail.Address) (Begun, error) {
	return s.start(ctx, a, email, true)
}

// start begins for a guest, or instead of a user.
func (s *SignIn) start(ctx context.Context, a Asker, email mail.Address, instead bool) (Begun, error) {
	now := s.Now()
	if !s.NoLimits {
		if err := s.flood.maySend(a, now); err != nil {
			return Begun{}, err
		}
	}
	c := store.Challenge{ID: rand.Text(), Email: email.String(), Digits: digits, KeyID: s.Keys.KeyID(), State: pending,
		Created: now, Expires: now.Add(s.TTL + keepChallenge)}
	if s.flood.underAttack(now) {
		c.Digits = digitsAttacked
	}
	var refusal error
	err := s.Store.Update(ctx, func(tx store.Tx) (err error) {
		refusal, err = s.begin(ctx, tx, a, email, c, instead, now)
		return err
	})
	if err != nil {
		return Begun{}, fmt.Errorf("signin: begin: %w", err)
	}
	if instead && refusal == nil {
		s.Grants.Announce(a.GrantID)
	}
	pairing, _ := s.Keys.PairingCode(c.KeyID, c.ID) // under the first key, which is there
	return Begun{Digits: c.Digits, ExpiresIn: s.TTL, ResendIn: sendsPerMail[0].Within, Pairing: pairing}, refusal
}

func (s *SignIn) begin(ctx context.Context, tx store.Tx, a Asker, email mail.Address, c store.Challenge, instead bool, now time.Time) (refusal, err error) {
	t, gr, err := grant.ByAccess(ctx, tx, a.Access, now)
	switch {
	case errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked):
		return err, nil
	case err != nil:
		return nil, err
	case gr.UserID != "" && !instead:
		return ErrSignedIn, nil
	case gr.UserID == "" && instead:
		return grant.ErrGuest, nil
	}
	if refusal, err := s.spendOfGrant(ctx, tx, gr.ID, s.mailbox(email), now); refusal != nil || err != nil {
		return refusal, err
	}
	if instead {
		if gr, err = s.Grants.Leave(ctx, tx, t, gr, now); err != nil {
			return nil, err
		}
	}
	if c.Muted, err = s.mute(ctx, tx, gr.KnownUserID, email, now); err != nil {
		return nil, err
	}
	c.GrantID, c.Epoch, c.Asker = gr.ID, gr.Epoch, t.Generation
	begun := store.NewEvent(ctx, store.EventSignInBegun, now).Of(gr)
	begun.Whom, begun.Outcome = s.Keys.Whom(email.String()), store.OutcomeMailed
	if c.Muted {
		begun.Outcome = store.OutcomeMuted
	}
	if err := errors.Join(tx.PutChallenge(ctx, c), tx.PutEvent(ctx, begun)); err != nil || c.Muted {
		return nil, err
	}
	return nil, tx.PutOutgoing(ctx, store.Outgoing{ID: rand.Text(), Kind: MailCode, Subject: c.ID, Due: now, Created: now,
		Expires: now.Add(s.TTL)})
}

// spendOfGrant spends one mail of what the caller's own grant may have sent. What
// it asks for the same mailbox has the budgets of a mailbox: who asks again too
// soon is told, and the digits that are under way stay good.
func (s *SignIn) spendOfGrant(ctx context.Context, tx store.Tx, grantID, mailbox string, now time.Time) (refusal, err error) {
	if s.NoLimits {
		return nil, nil
	}
	switch wait, err := limit.Peek(ctx, tx, failedGrant(grantID), now, failuresPerGrant...); {
	case err != nil:
		return nil, err
	case wait == limit.Never:
		return ErrOff, nil
	case wait > 0:
		return TooMany{wait}, nil
	}
	sent := "sent:" + grantID
	wait, err := limit.Peek(ctx, tx, sent, now, sendsPerGrant...) // a mail that is refused spends nothing
	if wait == 0 && err == nil {
		wait, err = limit.SpendLabel(ctx, tx, "addresses:"+grantID, mailbox, now, addressesPer)
	}
	if wait == 0 && err == nil {
		wait, err = limit.Spend(ctx, tx, sentTo(grantID, mailbox), now, sendsPerMail...)
	}
	if wait > 0 || err != nil {
		return TooMany{wait}, err
	}
	return nil, limit.Record(ctx, tx, sent, now, sendsPerGrant...)
}

// mute spends one mail of what email may be sent, and reports whether it is to
// get none. Who signed in on this grant or in its browser before, the user known,
// has a budget of their own: nobody else can use it up, and lock them out.
func (s *SignIn) mute(ctx context.Context, tx store.Tx, known string, email mail.Address, now time.Time) (bool, error) {
	if s.NoLimits {
		return false, nil
	}
	sent, failed, err := s.counters(ctx, tx, known, email)
	if err != nil {
		return false, err
	}
	wait, err := limit.Peek(ctx, tx, failed, now, failuresPerMail...)
	if wait == 0 && err == nil {
		wait, err = limit.Spend(ctx, tx, sent, now, sendsPerMail...)
	}
	return wait > 0, err
}

// counters names what counts the mails to email, and the wrong answers for it,
// where the user known signed in before. Mails are counted for the mailbox. Answers are counted for the
// address itself: another of the same mailbox may be another person, who must not
// clear the count with a right answer of their own.
func (s *SignIn) counters(ctx context.Context, tx store.Tx, known string, email mail.Address) (sent, failed string, err error) {
	is, err := isOf(ctx, tx, known, email.String())
	if is {
		return "sent-known:" + known, failedKnown(known), err
	}
	return "sent-to:" + s.mailbox(email), s.failedMail(email), err
}

// mailbox names the mailbox of email in counters, where no address is to be read.
func (s *SignIn) mailbox(email mail.Address) string {
	return s.Keys.Pseudonym("mail", email.RateKey())
}

func (s *SignIn) failedMail(email mail.Address) string {
	return "failed-for:" + s.Keys.Pseudonym("address", email.String())
}

func sentTo(grantID, mailbox string) string { return "sent:" + grantID + ":" + mailbox }
func failedGrant(grantID string) string     { return "failed:" + grantID }
func failedKnown(userID string) string      { return "failed-known:" + userID }
