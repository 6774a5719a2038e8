package foyer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"example.com/foyer/internal/grant"
)

const (
	purgePatience = time.Minute     // for one call of the application
	purgeGrace    = 5 * time.Second // for one that was told to stop
)

var (
	errHangs = errors.New("foyer: UserData.Delete takes too long")
	errPanic = errors.New("foyer: UserData.Delete panicked")
)

// A purger deletes for good the users whose time is over: what the application keeps
// of them first, then what the kit does. The store says which of several processes.
type purger struct {
	kit      *Kit
	patience time.Duration
	grace    time.Duration

	mu      sync.Mutex
	running map[string]bool // owners whose data a call of the application deletes, or hangs over
}

func newPurger(k *Kit) *purger {
	return &purger{kit: k, patience: purgePatience, grace: purgeGrace, running: map[string]bool{}}
}

// run looks for users to delete, from time to time, until ctx ends.
func (p *purger) run(ctx context.Context) {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for {
		p.once(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// once deletes the users that are due, one after the other. One that fails is put off.
func (p *purger) once(ctx context.Context) {
	for ctx.Err() == nil {
		due, ok, err := p.kit.grants.BeginPurge(ctx)
		if err != nil {
			p.log(ctx, "purge", "", 0, err)
			return
		}
		if !ok {
			return
		}
		p.purge(ctx, due)
	}
}

func (p *purger) purge(ctx context.Context, due grant.Purge) {
	if err := p.deleteData(ctx, due.Owners); err != nil {
		p.log(ctx, "purge: what the application keeps is not deleted, and will be tried again", due.UserID, due.Tries, err)
		if err := p.kit.grants.PutOffPurge(ctx, due); err != nil {
			p.log(ctx, "purge", due.UserID, due.Tries, err)
		}
		return
	}
	if err := p.kit.grants.EndPurge(ctx, due); err != nil { // it comes again when its lease ends
		p.log(ctx, "purge", due.UserID, due.Tries, err)
	}
}

func (p *purger) log(ctx context.Context, what, userID string, tries int, err error) {
	if ctx.Err() == nil {
		p.kit.cfg.Log.ErrorContext(ctx, what, "user", userID, "tries", tries, "err", err)
	}
}

// deleteData has the application delete what it keeps of all owners.
func (p *purger) deleteData(ctx context.Context, owners []string) error {
	if p.kit.cfg.UserData == nil {
		return nil
	}
	for _, owner := range owners {
		if err := p.deleteOf(ctx, owner); err != nil {
			return err
		}
	}
	return nil
}

// deleteOf makes one call, and waits for it no longer than it may take. One that hangs
// is left alone, and no second one is made beside it.
func (p *purger) deleteOf(ctx context.Context, owner string) error {
	if !p.begin(owner) {
		return errHangs
	}
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		err := errPanic // also of a goroutine that ends itself
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("%w: %T", errPanic, v)
			}
			p.end(owner)
			done <- err
		}()
		if err = p.kit.cfg.UserData.Delete(ctx, owner); err != nil {
			err = fmt.Errorf("foyer: UserData.Delete: %w", err)
		}
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(p.grace):
		return errHangs
	}
}

func (p *purger) begin(owner string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running[owner] {
		return false
	}
	p.running[owner] = true
	return true
}

func (p *purger) end(owner string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, owner)
}
