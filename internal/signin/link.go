package signin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"example.com/foyer/internal/grant"
	"example.com/foyer/store"
)

// Linked returns the challenge that the link of a mail is about, and its grant, which
// is what a page says of them before it asks for the pairing code. It changes nothing,
// however often it is asked: mail scanners open links, and so do those to whom one was
// forwarded.
//
// It refuses as [SignIn.Verify] does: with [ErrNone] also a link that is not of this
// server, and with [ErrExpired] also one that a newer mail has replaced.
func (s *SignIn) Linked(ctx context.Context, link string) (c store.Challenge, gr store.Grant, err error) {
	var refusal error
	err = s.Store.View(ctx, func(tx store.Tx) error {
		c, gr, refusal, err = s.linked(ctx, tx, link, s.Now())
		return err
	})
	if err != nil {
		return store.Challenge{}, store.Grant{}, fmt.Errorf("signin: read a link: %w", err)
	}
	return c, gr, refusal
}

func (s *SignIn) linked(ctx context.Context, tx store.Tx, link string, now time.Time) (c store.Challenge, gr store.Grant, refusal, err error) {
	id, _, _ := strings.Cut(link, ".")
	if c, err = tx.Challenge(ctx, id); errors.Is(err, store.ErrNotFound) {
		return c, gr, ErrNone, nil
	} else if err != nil {
		return c, gr, nil, err
	}
	if token, _ := s.Keys.LinkToken(c.KeyID, c.ID); !token.Equal(link) {
		return store.Challenge{}, gr, ErrNone, nil
	}
	switch gr, err = grant.Live(ctx, tx, c.GrantID, now); {
	case errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked):
		return c, gr, ErrExpired, nil
	case err != nil:
		return c, gr, nil, err
	}
	newest, err := tx.LatestChallenge(ctx, c.GrantID)
	if refusal = s.next(c, gr, now); refusal == nil && newest.ID != c.ID {
		refusal = ErrExpired
	}
	if refusal == nil && c.Attempts >= attemptsByLink {
		refusal = ErrExhausted
	}
	return c, gr, refusal, err
}

// VerifyLink claims the grant that the link of a mail is about, as [SignIn.Verify]
// does with the digits, for who types the pairing code that the chat shows: the mail
// alone proves the mailbox, and not that the chat is its owner's. A challenge may have
// three answers by its link; they count as all others do, and where the third is wrong
// the digits are dead, too.
//
// It refuses as [SignIn.Linked] does, and with [Wrong], [ErrOff] and [ErrBusy];
// to the right pairing code also with [grant.ErrLeaving].
func (s *SignIn) VerifyLink(ctx context.Context, addr netip.Addr, link, pairing string) (store.User, error) {
	now := s.Now()
	if !s.NoLimits {
		if err := s.flood.mayAnswer(Asker{Addr: addr}, now); err != nil {
			return store.User{}, err
		}
	}
	var user store.User
	var refusal error
	var id string
	err := s.Store.Update(ctx, func(tx store.Tx) (err error) {
		user, id = store.User{}, ""
		c, gr, refused, err := s.linked(ctx, tx, link, now)
		if refusal = refused; refusal != nil || err != nil {
			return err
		}
		id = gr.ID
		code, _ := s.Keys.PairingCode(c.KeyID, c.ID)
		user, refusal, err = s.answer(ctx, tx, gr, c, given{right: code, answer: normalisePairing(pairing), tries: attemptsByLink}, now)
		return err // and nil for a refusal: what it counted must stay
	})
	if err != nil {
		return store.User{}, fmt.Errorf("signin: verify by a link: %w", err)
	}
	if refusal == nil {
		s.Grants.Announce(id)
	}
	return user, s.compared(Asker{Addr: addr, GrantID: id}, refusal, now)
}

// normalisePairing reads a pairing code as people write it: in small letters, in full
// width, with spaces and dashes.
func normalisePairing(answer string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		switch {
		case '！' <= r && r <= '～':
			return r - '！' + '!'
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r):
			return -1
		}
		return r
	}, answer))
}
