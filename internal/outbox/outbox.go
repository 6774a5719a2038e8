// Package outbox sends the mails that rules have put into the store. A mail is
// in the store before anybody is told that it is under way, and leaves it only
// when a sender has taken it, so a crash loses none; a crash between sending and
// forgetting sends one twice, with the same Message-ID.
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

// An Outbox sends waiting mails through a sender, several at once. Outboxes of
// several processes may share a store: each leases the mails that it has in
// hand.
type Outbox struct {
	store  store.Store
	sender mail.Sender
	render Render
	log    *slog.Logger
	now    func() time.Time
	wake   chan struct{}

	mu     sync.Mutex
	inHand map[string]store.Outgoing // by ID
	done   *sync.Cond                // a mail has left inHand
}

// New returns an outbox, which sends nothing before [Outbox.Run].
func New(s store.Store, sender mail.Sender, render Render, log *slog.Logger, now func() time.Time) *Outbox {
	o := &Outbox{store: s, sender: sender, render: render, log: log, now: now, wake: make(chan struct{}, 1), inHand: make(map[string]store.Outgoing)}
	o.done = sync.NewCond(&o.mu)
	return o
}

// Wake says that a mail may be due. It never waits.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default: // it is awake already
	}
}

const (
	hands       = 8                // mails that are sent at once
	handsAgain  = 4                // of them at most, for mails that failed before: where one mail hangs, its next try must not delay another's first
	window      = 256              // mails that wait, among which the next are chosen
	idle        = time.Minute      // looks for mails that another process left, at least so often
	sendTimeout = 30 * time.Second // for one mail
	noteTimeout = 10 * time.Second // for what the store is told about it
	lease       = 10 * time.Second // so long waits a mail whose process died
	renewal     = 3 * time.Second  // of the lease, while the mail is in hand
	firstRetry  = 5 * time.Second  // doubled for each failure
	lastRetry   = 5 * time.Minute
)

// Run sends mails until ctx ends, and then finishes those that it has in hand.
func (o *Outbox) Run(ctx context.Context) {
	defer o.settle()
	for ctx.Err() == nil {
		timer := time.NewTimer(o.start(ctx))
		select {
		case <-ctx.Done():
		case <-o.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Flush sends what is due now, waits for it and for what is in hand already,
// and returns how long to wait for the next mail.
func (o *Outbox) Flush(ctx context.Context) time.Duration {
	for {
		if wait := o.start(ctx); !o.settle() {
			return wait
		}
	}
}

// settle waits until no mail is in hand, and reports whether one was.
func (o *Outbox) settle() (was bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.inHand) > 0 {
		was = true
		o.done.Wait()
	}
	return was
}

// start begins to send what is due, as far as hands are free, and returns when
// to look again: each mail that leaves a hand wakes Run besides.
func (o *Outbox) start(ctx context.Context) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if ctx.Err() != nil || len(o.inHand) == hands {
		return idle
	}
	ctx = context.WithoutCancel(ctx) // what is leased now is sent, and not left for the next process to wait for
	mails, wait, err := o.take(ctx)
	if err != nil {
		o.log.ErrorContext(ctx, "outbox: read", "err", err)
		return firstRetry
	}
	for _, out := range mails {
		o.inHand[out.ID] = out
		go o.send(ctx, out)
	}
	return wait
}

// take leases the mails that are to be sent now: it puts them off, so that
// nobody else takes them before this process has had its time.
func (o *Outbox) take(ctx context.Context) (mails []store.Outgoing, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	err = o.store.Update(ctx, func(tx store.Tx) error {
		now := o.now()
		due, err := tx.DueOutgoing(ctx, now, window)
		if err != nil {
			return err
		}
		mails = o.choose(due)
		for _, out := range mails {
			out.Due = now.Add(lease)
			if err := tx.PutOutgoing(ctx, out); err != nil {
				return err
			}
		}
		if wait = idle; len(mails) < len(due) { // the rest waits for a hand
			return nil
		}
		next, err := tx.NextDue(ctx)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		wait = min(max(next.Sub(now), 0), idle)
		return err
	})
	return mails, wait, err
}

// choose returns the mails for which there is a hand, the ones that wait
// longest first. A mail in hand is due again when the clock has jumped.
func (o *Outbox) choose(due []store.Outgoing) (mails []store.Outgoing) {
	free, again := hands-len(o.inHand), handsAgain
	for _, out := range o.inHand {
		if out.Attempts > 0 {
			again--
		}
	}
	for _, out := range due {
		_, busy := o.inHand[out.ID]
		if busy || free == 0 || out.Attempts > 0 && again == 0 {
			continue
		}
		if free--; out.Attempts > 0 {
			again--
		}
		mails = append(mails, out)
	}
	return mails
}

// send sends one mail, records what became of it, and frees the hand. What it
// records has time of its own, or a mail that used up all of it would be lost
// to its lease.
func (o *Outbox) send(ctx context.Context, out store.Outgoing) {
	release := o.keep(ctx, out)
	failure := o.deliver(ctx, out)
	release()
	ctx, cancel := context.WithTimeout(ctx, noteTimeout)
	defer cancel()
	err := o.store.Update(ctx, func(tx store.Tx) error {
		if failure == nil {
			return tx.DeleteOutgoing(ctx, out.ID)
		}
		later := out
		later.Attempts++
		later.Due = o.now().Add(backoff(later.Attempts))
		return tx.PutOutgoing(ctx, later)
	})
	if err != nil { // it comes again when its lease ends
		o.log.ErrorContext(ctx, "outbox: record", "mail", out.ID, "err", err)
	}
	o.mu.Lock()
	delete(o.inHand, out.ID)
	o.mu.Unlock()
	o.done.Broadcast()
	o.Wake()
}

// keep renews the lease of a mail in hand until it is released. A lease that
// ends all the same, because the store takes too long, sends the mail twice.
func (o *Outbox) keep(ctx context.Context, out store.Outgoing) (release func()) {
	ctx, cancel := context.WithCancel(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() {
		tick := time.NewTicker(renewal)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			err := o.store.Update(ctx, func(tx store.Tx) error {
				out.Due = o.now().Add(lease)
				return tx.PutOutgoing(ctx, out)
			})
			if err != nil && ctx.Err() == nil {
				o.log.ErrorContext(ctx, "outbox: renew", "mail", out.ID, "err", err)
			}
		}
	})
	return func() {
		cancel()
		renewing.Wait()
	}
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
		m.ID = out.ID // the same for every try
		err = o.sender.Send(ctx, m)
	}
	switch {
	case errors.Is(err, mail.ErrMessage):
		o.log.ErrorContext(ctx, "outbox: can never be sent, dropped", "mail", out.ID, "kind", out.Kind, "err", masked(err, m.To))
		return nil
	case errors.Is(err, mail.ErrSetup):
		o.log.ErrorContext(ctx, "outbox: no mail can be sent until the operator acts", "mail", out.ID, "kind", out.Kind, "attempts", out.Attempts+1, "err", masked(err, m.To))
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
