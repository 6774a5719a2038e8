package signin

import (
	"context"
	"errors"
	"time"

	"example.com/foyer/store"
)

// Waiting says that a one-time code is expected.
type Waiting struct {
	Email     string
	ExpiresIn time.Duration
}

// Pending returns what is expected of the guest behind grantID; ok is false
// where nothing is.
func (s *SignIn) Pending(ctx context.Context, grantID string) (w Waiting, ok bool, err error) {
	now := s.Now()
	err = s.Store.View(ctx, func(tx store.Tx) error {
		gr, err := tx.Grant(ctx, grantID)
		if err != nil {
			return err
		}
		c, err := tx.LatestChallenge(ctx, grantID)
		if err != nil {
			return err
		}
		ok = s.next(c, gr, now) == nil
		w = Waiting{Email: c.Email, ExpiresIn: c.Created.Add(s.TTL).Sub(now)}
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return Waiting{}, false, nil
	}
	return w, ok, err
}
