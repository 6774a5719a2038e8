package grant

import (
	"bytes"
	"context"
	"errors"
	"time"

	"example.com/foyer/store"
)

// touchClient notes that the client of gr is in use, so that it is remembered
// for as long as gr lives, and what the metadata document of asker says: who
// signed in is not to be signed out because the host of a document is down.
//
// It writes at most once a day, unless something else is new, so that clients
// which many people share are no hot record.
func (g *Grants) touchClient(ctx context.Context, tx store.Tx, gr store.Grant, asker store.Client, now time.Time) error {
	if asker.ID != gr.ClientID {
		asker = store.Client{}
	}
	c, err := tx.Client(ctx, gr.ClientID)
	switch {
	case errors.Is(err, store.ErrNotFound) && asker.Document == nil:
		return nil // it expired just now: its next request is told
	case errors.Is(err, store.ErrNotFound):
		c = asker
		c.Created = now
	case err != nil:
		return err
	}
	said := c.Document
	if asker.Document != nil {
		c.Name, c.RedirectURIs, c.Document, c.Fresh = asker.Name, asker.RedirectURIs, asker.Document, asker.Fresh
		if c.Fresh.IsZero() {
			c.Document = nil // its host does not let us keep it
		}
	}
	if now.Sub(c.LastUsed) < 24*time.Hour && !c.Expires.Before(gr.Expires) && bytes.Equal(c.Document, said) {
		return nil
	}
	c.LastUsed, c.Expires = now, later(now.Add(g.life.Client), gr.Expires)
	return tx.PutClient(ctx, c)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
