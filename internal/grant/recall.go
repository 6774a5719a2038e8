package grant

import (
	"context"
	"errors"
	"fmt"

	"example.com/foyer/internal/oauth"
	"example.com/foyer/store"
)

// Recalls reports whether the user of a needs not be asked about it, because the grant
// that the one for a will continue has their consent to all of it. There is no other
// memory of a consent: it ends with that grant, and with a scope that is taken back.
//
// Who asks in asked to have a person in front of the page, or has signed in since, is
// asked. A code for a, sealed with Recalled, is good while the consent stands.
func (g *Grants) Recalls(ctx context.Context, asked Asked, a Authorization) (ok bool, err error) {
	if asked.Anew || !a.AuthTime.Before(asked.Issued) {
		return false, nil
	}
	err = g.store.View(ctx, func(tx store.Tx) (err error) {
		ok, err = g.recalls(ctx, tx, a)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("grant: recalls: %w", err)
	}
	return ok, nil
}

func (g *Grants) recalls(ctx context.Context, tx store.Tx, a Authorization) (bool, error) {
	if len(a.Browser) != len(store.Hash{}) {
		return false, nil
	}
	now := g.now()
	before, err := remembered(ctx, tx, store.Hash(a.Browser), a.ClientID, now)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && continues(before, a.UserID, a.Resource, now) && consents(before, a), err
}

// consents reports whether the consent behind before is one to a, at the same host and
// by the same user. What ends on the user's device has no name that could be known
// again: any app there may come by it. Nor was anybody asked in the browser for a grant
// that was claimed in the chat.
func consents(before store.Grant, a Authorization) bool {
	return oauth.HostedRedirect(a.RedirectURI) && before.RedirectHost == oauth.RedirectHost(a.RedirectURI) &&
		before.UserID == a.UserID && before.ApprovedBy == ApprovedInBrowser && within(a.Scopes, before.Scopes)
}
