package outbox

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/foyer/mail"
)

// inBubble runs fn with a clock that moves when everybody waits, and the
// outbox's Run beside it. stop ends Run, and returns when Run has returned.
func inBubble(t *testing.T, fn func(t *testing.T, o *office, start func(), stop func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.now = time.Now
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		fn(t, o, func() {
			go func() { o.Run(ctx); close(done) }()
			synctest.Wait()
		}, func() { cancel(); <-done })
	})
}

func TestRunSendsWhatWaitedBeforeIt(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, start, stop func()) {
		o.post("one", "two")
		start()
		o.wantSent("at the start", "one", "two")
		stop()
	})
}

func TestAWakeUpSendsAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, start, stop func()) {
		start()
		o.post("one")
		synctest.Wait()
		o.wantSent("before the wake-up")
		for range 100 { // nobody waits
			o.Wake()
		}
		synctest.Wait()
		o.wantSent("after it", "one")
		stop()
	})
}

func TestAMailOfAnotherProcessGoesOutWithinAMinute(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, start, stop func()) {
		start()
		o.post("one")
		time.Sleep(idle)
		synctest.Wait()
		o.wantSent("after a minute", "one")
		stop()
	})
}

func TestRunFinishesTheMailsInHandAndNoOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, start, stop func()) {
		o.send = func(ctx context.Context, m mail.Message) error {
			select {
			case <-time.After(3 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		first := numbered(hands)
		o.post(append(slices.Clone(first), "second to last", "last")...)
		start()
		began := time.Now()
		stop()
		o.wantSent("after the stop", first...)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("the stop took %v", took)
		}
		if left := o.waiting(); len(left) != 2 || left[0].ID != "second to last" || left[0].Attempts != 0 || left[0].Due.After(began) {
			t.Errorf("%+v", left)
		}
	})
}

// A server that accepts the connection and then says nothing.
func TestAMailThatHangsIsPutOff(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, start, stop func()) {
		o.send = func(ctx context.Context, m mail.Message) error {
			if m.Subject == "hangs" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		o.post("hangs", "one")
		start()
		o.wantSent("at once", "one")
		time.Sleep(sendTimeout)
		synctest.Wait()
		if left := o.waiting(); len(left) != 1 || left[0].Attempts != 1 {
			t.Errorf("%+v", left)
		}
		if log := o.log.String(); strings.Contains(log, "ERROR") {
			t.Errorf("log: %s", log)
		}
		stop()
	})
}

func TestRunGoesOnWhenTheStoreFails(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, start, stop func()) {
		if err := o.store.Close(); err != nil {
			t.Fatal(err)
		}
		start()
		time.Sleep(12 * time.Second)
		synctest.Wait()
		if n := strings.Count(o.log.String(), "outbox: read"); n != 3 {
			t.Errorf("%d records after twelve seconds, want 3", n)
		}
		stop()
	})
}

// Somebody has mails sent to many mailboxes that hang. Their next tries take some
// of the hands, and never all.
func TestTriesThatHangDelayNoFirstTry(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, start, stop func()) {
		o.send = func(ctx context.Context, m mail.Message) error {
			if m.Subject != "good" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		o.post(numbered(3 * hands)...)
		start()
		time.Sleep(3*sendTimeout + 50*time.Millisecond) // each has hung once
		synctest.Wait()
		o.post("good")
		o.Wake()
		synctest.Wait()
		o.wantSent("at once", "good")
		stop()
	})
}

func TestFlushWaitsForWhatIsInHand(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, start, stop func()) {
		o.send = func(context.Context, mail.Message) error {
			time.Sleep(3 * time.Second)
			return nil
		}
		o.post("one")
		start()
		began := time.Now()
		if wait := o.Flush(t.Context()); wait != idle || time.Since(began) != 3*time.Second {
			t.Errorf("Flush took %v, and the next look is in %v", time.Since(began), wait)
		}
		o.wantSent("after Flush", "one")
		stop()
	})
}

// Two processes on one store.
func TestTwoOutboxesSendEachMailOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, start, stop func()) {
		o.send = func(context.Context, mail.Message) error {
			time.Sleep(sendTimeout - time.Second)
			return nil
		}
		other := New(o.store, o, o.write, o.logger(), time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		all := numbered(5 * hands)
		o.post(all...)
		go func() { other.Run(ctx); close(done) }()
		start()
		time.Sleep(5 * time.Minute)
		cancel()
		<-done
		stop()
		o.wantSent("after both", all...)
	})
}

func TestAMailOfAProcessThatDiedIsSentWhenItsLeaseEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, start, stop func()) {
		o.post("one")
		if mails, _, err := o.take(t.Context()); err != nil || len(mails) != 1 { // and it dies
			t.Fatal(mails, err)
		}
		start()
		time.Sleep(lease - time.Second)
		synctest.Wait()
		o.wantSent("before the end")
		time.Sleep(time.Second)
		synctest.Wait()
		o.wantSent("at the end", "one")
		stop()
	})
}

// A try that takes longer than the lease keeps it, and the next try comes when it
// should.
func TestALeaseIsRenewedWhileItsMailIsInHand(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, start, stop func()) {
		o.send = func(context.Context, mail.Message) error {
			time.Sleep(2 * lease)
			return nil
		}
		o.post("one")
		start()
		other := New(o.store, o, o.write, o.logger(), time.Now)
		for range 20 {
			time.Sleep(time.Second)
			synctest.Wait()
			if mails, _, err := other.take(t.Context()); err != nil || len(mails) > 0 {
				t.Fatalf("another process takes %v, %v", mails, err)
			}
		}
		time.Sleep(lease)
		stop()
		o.wantSent("once", "one")
	})
}

func TestT72AClockThatJumpsSendsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		begun := 0
		o.send = func(context.Context, mail.Message) error {
			begun++
			time.Sleep(time.Second)
			return nil
		}
		o.post("one")
		o.start(t.Context())
		synctest.Wait()
		o.advance(lease + time.Second)
		o.start(t.Context())
		o.settle()
		synctest.Wait()
		if begun != 1 {
			t.Errorf("it was sent %d times", begun)
		}
	})
}
