package sqlstore

import (
	"context"
	"errors"
	"testing"
)

func TestALineServesWhoComesFirst(t *testing.T) {
	var l line
	if w := l.enter(false); w != nil {
		t.Fatal("the turn was free, and has to be waited for")
	}
	a, b, c := l.enter(false), l.enter(true), l.enter(false)
	shared := &batch{}
	if !l.join(shared) || <-a.turn != shared {
		t.Error("the first does not join the batch")
	}
	if l.join(shared) {
		t.Error("one who runs alone, or the one after it, joins a batch")
	}
	l.pass()
	if <-b.turn != nil {
		t.Error("one who runs alone has a batch")
	}
	l.pass()
	if <-c.turn != nil {
		t.Error("a turn that was passed on brings a batch")
	}
	if l.join(shared) {
		t.Error("nobody waits, and somebody joins")
	}
	l.pass()
	if l.enter(false) != nil {
		t.Error("nobody has the turn, and it is not free")
	}
}

// An ending context ends at the moment when the one who waits under it gets the
// turn.
type ending struct {
	context.Context
	l *line
}

func (e ending) Done() <-chan struct{} {
	e.l.pass()
	done := make(chan struct{})
	close(done)
	return done
}

func (e ending) Err() error { return context.Canceled }

func TestATurnIsNotLostWhenItsContextEnds(t *testing.T) {
	var l line
	for range 50 { // select takes either
		l.enter(false)
		if b, err := l.wait(ending{t.Context(), &l}, false); b != nil || err != nil {
			t.Fatalf("wait = %v, %v; want the turn", b, err)
		}
		l.pass()
		if l.taken || len(l.waiting) > 0 {
			t.Fatal("nobody is there, and the turn is taken")
		}
	}
}

func TestOneWhoseContextEndsLeavesTheLine(t *testing.T) {
	var l line
	l.enter(false)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.wait(ended, false); !errors.Is(err, context.Canceled) {
		t.Errorf("wait = %v, want context.Canceled", err)
	}
	l.pass()
	if l.taken || len(l.waiting) > 0 {
		t.Error("nobody is there, and the turn is taken")
	}
}
