package operation

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/limit"
	"example.com/foyer/store"
)

// A Draft is a thing that is to be done.
type Draft struct {
	Who       Who
	Tool      string
	Terms     string // under which it is shown: the tool's schema and rule
	Arguments []byte // of the call, canonical JSON
	Summary   string // for people
	Data      []byte // JSON that will be acted on
	World     string // version of what the preview looked at; empty for none
}

// Preview remembers what was shown, for five minutes. It refuses with [ErrGone]
// where the grant is over or another's by now, [ErrTooMany], [ErrDeclined], and
// [TooOften]. What is refused spends nothing.
func (r *Rules) Preview(ctx context.Context, d Draft) (store.Operation, error) {
	now := r.Now()
	o := store.Operation{ID: rand.Text(), GrantID: d.Who.GrantID, UserID: d.Who.UserID, GuestID: d.Who.GuestID, Tool: d.Tool,
		Arguments: d.Arguments, Summary: d.Summary, Data: d.Data, World: d.World, State: Previewed, Created: now, Expires: now.Add(keptShown)}
	err := r.update(ctx, "preview", func(tx store.Tx) error {
		gr, err := standing(ctx, tx, d.Who, now)
		if err != nil {
			return err
		}
		o.Epoch = gr.Epoch
		o.Digest = digest(o, d.Terms)
		if err := r.room(ctx, tx, o, now); err != nil {
			return err
		}
		if err := r.spend(ctx, tx, o.GrantID, now); err != nil {
			return err
		}
		return put(ctx, tx, o, store.EventOperationShown, now)
	})
	return o, err
}

// room refuses what would be too much to ask.
func (r *Rules) room(ctx context.Context, tx store.Tx, o store.Operation, now time.Time) error {
	before, err := tx.OperationsOfGrant(ctx, o.GrantID, now.Add(-previewTTL-remembered), 2*previewsPerGrant.Events) // a no comes within five minutes; there are no more in twenty
	if err != nil {
		return err
	}
	open := 0
	for _, b := range before {
		switch {
		case b.State == Declined && b.Digest == o.Digest && now.Before(b.Ended.Add(remembered)):
			return ErrDeclined
		case next(b, false, now) == run && b.Epoch == o.Epoch:
			open++
		}
	}
	if open >= maxOpen {
		return ErrTooMany
	}
	return nil
}

// spend spends one preview of what a grant may have shown. A guest has one, too.
func (r *Rules) spend(ctx context.Context, tx store.Tx, grantID string, now time.Time) error {
	if r.NoLimits {
		return nil
	}
	wait, err := limit.Spend(ctx, tx, "previews:"+grantID, now, previewsPerGrant)
	if wait > 0 && err == nil {
		return TooOften{wait}
	}
	return err
}

// digest stands for everything that somebody confirms.
func digest(o store.Operation, terms string) store.Hash {
	text, err := json.Marshal([]any{"foyer operation 1", o.GrantID, o.Epoch, o.UserID, o.GuestID, o.Tool, terms, o.Arguments, o.Summary, o.Data, o.World})
	if err != nil {
		panic(err) // strings, bytes and numbers are JSON
	}
	return sha256.Sum256(text)
}

// standing returns the grant of who, if it works and is still theirs.
func standing(ctx context.Context, tx store.Tx, who Who, now time.Time) (store.Grant, error) {
	gr, err := grant.Live(ctx, tx, who.GrantID, now)
	switch {
	case errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrRevoked), err == nil && (gr.UserID != who.UserID || gr.GuestID != who.GuestID):
		return store.Grant{}, ErrGone
	}
	return gr, err
}

// find returns the operation id for who, whose grant works. To others there is
// none, and they change nothing.
func find(ctx context.Context, tx store.Tx, id string, who Who, now time.Time) (store.Operation, error) {
	o, err := tx.Operation(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.Operation{}, ErrGone
	} else if err != nil {
		return store.Operation{}, err
	}
	gr, err := standing(ctx, tx, who, now)
	if err != nil {
		return store.Operation{}, err
	}
	if o.GrantID != gr.ID || o.Epoch != gr.Epoch || o.UserID != gr.UserID || o.GuestID != gr.GuestID {
		return store.Operation{}, ErrGone
	}
	return o, nil
}

// update runs fn, whose refusals change nothing. Faults are wrapped.
func (r *Rules) update(ctx context.Context, act string, fn func(store.Tx) error) error {
	return told(act, r.Store.Update(ctx, fn))
}

func told(act string, err error) error {
	for _, refusal := range []error{ErrGone, ErrUnconfirmed, ErrRekeyed, ErrKeyUsed, ErrTooMany, ErrDeclined, ErrRunning, ErrFenced} {
		if errors.Is(err, refusal) {
			return refusal
		}
	}
	if often := (TooOften{}); errors.As(err, &often) {
		return often
	}
	if err != nil {
		return Fault{act, err}
	}
	return nil
}

// A Fault is an error that is no refusal.
type Fault struct {
	act string
	err error
}

func (f Fault) Error() string { return fmt.Sprintf("operation: %s: %v", f.act, f.err) }

// Unwrap returns the cause.
func (f Fault) Unwrap() error { return f.err }

// Left is how long o may still be confirmed.
func (r *Rules) Left(o store.Operation) time.Duration {
	return max(0, o.Created.Add(previewTTL).Sub(r.Now()))
}
