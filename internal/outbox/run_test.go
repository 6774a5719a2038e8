package outbox

import (
	"context"
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

func TestRunFinishesTheMailInHandAndNoOther(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, start, stop func()) {
		o.send = func(ctx context.Context, m mail.Message) error {
			select {
			case <-time.After(3 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		o.post("one", "two", "three")
		start()
		began := time.Now()
		stop()
		o.wantSent("after the stop", "one")
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("the stop took %v", took)
		}
		if left := o.waiting(); len(left) != 2 || left[0].ID != "two" || left[0].Attempts != 0 {
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
		time.Sleep(sendTimeout)
		synctest.Wait()
		o.wantSent("after its half minute", "one")
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
