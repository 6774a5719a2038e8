package elicit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/foyer/gate"
	"example.com/foyer/internal/grant"
	"example.com/foyer/store"
)

// look returns the grant of c as it stands now, or errChanged.
func (q *Questions) look(ctx context.Context, c gate.Caller) (gr store.Grant, err error) {
	if c.GrantID == "" {
		return store.Grant{}, nil // nobody: there is nothing to look at
	}
	err = q.store.View(ctx, func(tx store.Tx) error {
		gr, err = stands(ctx, tx, c, q.now())
		return err
	})
	if err != nil && !errors.Is(err, errChanged) {
		err = fmt.Errorf("%w: look at the grant: %w", errFault, err)
	}
	return gr, err
}

// stands returns the grant of c, if it works and is still of the guest or the
// user that the gate saw. It is the zero Grant for nobody.
func stands(ctx context.Context, tx store.Tx, c gate.Caller, now time.Time) (store.Grant, error) {
	if c.GrantID == "" {
		return store.Grant{}, nil
	}
	gr, err := grant.Live(ctx, tx, c.GrantID, now)
	switch {
	case errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked), err == nil && (gr.UserID != c.UserID || gr.GuestID != c.GuestID):
		return store.Grant{}, errChanged
	}
	return gr, err
}
