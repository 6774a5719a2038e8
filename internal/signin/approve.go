package signin

import (
	"context"
	"fmt"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/limit"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// noticesPerUser are the mails which tell users what they have connected in a browser.
// Those about a chat need no budget: each follows one mail of a code.
var noticesPerUser = []limit.Budget{{Events: 5, Within: time.Hour}, {Events: 10, Within: 24 * time.Hour}}

// Approve returns the code for a, which its user has approved in a browser. The user
// is mailed that the client is connected when the code is redeemed, but for so many
// within a day that it would be a flood.
func (s *SignIn) Approve(ctx context.Context, a grant.Authorization) (secret.Text, error) {
	a.Tell = true
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		if s.NoLimits {
			return nil
		}
		wait, err := limit.Spend(ctx, tx, "told:"+a.UserID, s.Now(), noticesPerUser...)
		a.Tell = wait == 0
		return err
	})
	if err != nil {
		return secret.Text{}, fmt.Errorf("signin: approve: %w", err)
	}
	return s.Grants.Code(a)
}
