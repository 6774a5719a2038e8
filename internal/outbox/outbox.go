// Package outbox sends the mails that rules have put into the store. A mail is
// in the store before anybody is told that it is under way, so a crash between
// the two loses none; a crash between sending and forgetting sends one twice.
package outbox

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// A Render makes the words of a mail when it is sent. It answers false for a
// mail that nobody needs any more.
type Render func(context.Context, store.Outgoing) (m mail.Message, wanted bool, err error)

// An Outbox sends waiting mails through a sender.
type Outbox struct {
	store  store.Store
	sender mail.Sender
	render Render
	log    *slog.Logger
	now    func() time.Time
	wake   chan struct{}
	mu     sync.Mutex // one Flush at a time, so that no mail goes out twice
}

// New returns an outbox, which sends nothing before [Outbox.Run].
func New(s store.Store, sender mail.Sender, render Render, log *slog.Logger, now func() time.Time) *Outbox {
	return &Outbox{store: s, sender: sender, render: render, log: log, now: now, wake: make(chan struct{}, 1)}
}

// Wake says that a mail may be due. It never waits.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default: // it is awake already
	}
}

const (
	batch       = 20
	idle        = time.Minute      // looks for mails that another process left, at least so often
	sendTimeout = 30 * time.Second // for one mail
	firstRetry  = 5 * time.Second  // doubled for each failure
	lastRetry   = 5 * time.Minute
)

// Run sends mails until ctx ends, and then finishes the one that it is at.
func (o *Outbox) Run(ctx context.Context) {
	for {
		wait := o.Flush(ctx)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-o.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// Flush sends what is due now, and returns how long to wait for the next mail.
func (o *Outbox) Flush(ctx context.Context) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	for ctx.Err() == nil {
		var due []store.Outgoing
		var next time.Time
		err := o.store.View(ctx, func(tx store.Tx) (err error) {
			if due, err = tx.DueOutgoing(ctx, o.now(), batch); err != nil || len(due) > 0 {
				return err
			}
			if next, err = tx.NextDue(ctx); errors.Is(err, store.ErrNotFound) {
				next, err = o.now().Add(idle), nil
			}
			return err
		})
		if err != nil {
			if ctx.Err() == nil {
				o.log.ErrorContext(ctx, "outbox: read", "err", err)
			}
			return firstRetry
		}
		if len(due) == 0 {
			return min(max(next.Sub(o.now()), 0), idle)
		}
		for _, out := range due {
			if ctx.Err() != nil {
				return idle
			}
			if err := o.send(ctx, out); err != nil {
				o.log.ErrorContext(ctx, "outbox: record", "mail", out.ID, "err", err)
				return firstRetry
			}
		}
	}
	return idle
}

// send sends one mail and records what became of it. It goes on when ctx ends:
// a mail half sent is worse than a stop that takes a moment. What it records has
// time of its own, or a mail that used up all of it would come first for ever.
func (o *Outbox) send(ctx context.Context, out store.Outgoing) error {
	err := o.deliver(context.WithoutCancel(ctx), out)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	return o.store.Update(ctx, func(tx store.Tx) error {
		if err == nil {
			return tx.DeleteOutgoing(ctx, out.ID)
		}
		later := out
		later.Attempts++
		later.Due = o.now().Add(backoff(later.Attempts))
		return tx.PutOutgoing(ctx, later)
	})
}

// deliver returns an error for a mail that is to be tried again.
func (o *Outbox) deliver(ctx context.Context, out store.Outgoing) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if !o.now().Before(out.Expires) {
		o.log.WarnContext(ctx, "outbox: given up", "mail", out.ID, "kind", out.Kind, "attempts", out.Attempts)
		return nil
	}
	m, wanted, err := o.render(ctx, out)
	if err == nil && wanted {
		err = o.sender.Send(ctx, m)
	}
	switch {
	case errors.Is(err, mail.ErrMessage):
		o.log.ErrorContext(ctx, "outbox: can never be sent, dropped", "mail", out.ID, "kind", out.Kind, "err", masked(err, m.To))
		return nil
	case err != nil:
		o.log.WarnContext(ctx, "outbox: not sent, will be tried again", "mail", out.ID, "kind", out.Kind, "attempts", out.Attempts+1, "err", masked(err, m.To))
	}
	return err
}

// masked returns what err says without the address, which mail servers like to
// repeat.
func masked(err error, to mail.Address) string {
	if to == (mail.Address{}) {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), to.String(), to.Masked())
}

func backoff(attempts int) time.Duration {
	return min(firstRetry<<min(attempts-1, 10), lastRetry)
}
