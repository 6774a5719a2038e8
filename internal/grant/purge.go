package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/foyer/store"
)

const (
	purgeLease = 5 * time.Minute // so long waits a deletion whose process died
	firstRetry = time.Minute     // doubled for each failure
	lastRetry  = 6 * time.Hour
)

// A Purge is a deletion that this process has in hand.
type Purge struct {
	store.Deletion
	Owners []string // of data: the user, and the guests that the user was
}

// BeginPurge takes the deletion in hand that is due for the longest time, for so
// long that no other process begins it, too. From then on it cannot be taken back. It
// reports false where none is due.
func (g *Grants) BeginPurge(ctx context.Context) (p Purge, ok bool, err error) {
	now := g.now()
	err = g.store.Update(ctx, func(tx store.Tx) error {
		p, ok = Purge{}, false // Update may run this again
		due, err := tx.DeletionsDue(ctx, now, 1)
		if err != nil || len(due) == 0 {
			return err
		}
		p, ok = Purge{Deletion: due[0], Owners: []string{due[0].UserID}}, true
		grants, err := tx.GrantsOfUser(ctx, p.UserID)
		for _, gr := range grants {
			if gr.GuestID != "" && !slices.Contains(p.Owners, gr.GuestID) {
				p.Owners = append(p.Owners, gr.GuestID)
			}
		}
		p.Tries++
		p.Due = now.Add(purgeLease)
		return errors.Join(err, tx.PutDeletion(ctx, p.Deletion))
	})
	if err != nil {
		return Purge{}, false, fmt.Errorf("grant: begin to delete a user: %w", err)
	}
	return p, ok, nil
}

// EndPurge deletes every record of the user of p, once the application's are gone.
// Where another process was faster there is nothing left to do.
func (g *Grants) EndPurge(ctx context.Context, p Purge) error {
	now := g.now()
	err := g.store.Update(ctx, func(tx store.Tx) error {
		d, err := tx.Deletion(ctx, p.UserID)
		if errors.Is(err, store.ErrNotFound) || err == nil && d.Tries == 0 {
			return nil
		} else if err != nil {
			return err
		}
		event := store.NewEvent(ctx, store.EventUserDeleted, now)
		event.UserID = p.UserID
		return errors.Join(tx.DeleteUser(ctx, p.UserID), tx.PutEvent(ctx, event))
	})
	if err != nil {
		return fmt.Errorf("grant: delete a user: %w", err)
	}
	return nil
}

// PutOffPurge has p tried again, the later the more often it has failed.
func (g *Grants) PutOffPurge(ctx context.Context, p Purge) error {
	now := g.now()
	err := g.store.Update(ctx, func(tx store.Tx) error {
		d, err := tx.Deletion(ctx, p.UserID)
		if errors.Is(err, store.ErrNotFound) || err == nil && d.Tries != p.Tries {
			return nil // another process has it
		} else if err != nil {
			return err
		}
		d.Due = now.Add(min(firstRetry<<min(d.Tries-1, 10), lastRetry))
		return tx.PutDeletion(ctx, d)
	})
	if err != nil {
		return fmt.Errorf("grant: put the deletion of a user off: %w", err)
	}
	return nil
}
