package outbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/foyer/mail"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// An office is an outbox on a real file. Its sender remembers, and does what a
// test says.
type office struct {
	*Outbox
	t   testing.TB
	log syncBuffer

	mu   sync.Mutex
	hand time.Time
	sent []string // subjects
	send func(ctx context.Context, m mail.Message) error
}

// A syncBuffer takes the log of many goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newOffice(t testing.TB) *office {
	t.Helper()
	s, err := sqlite.Open(filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	o := &office{t: t, hand: time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC)}
	o.Outbox = New(s, o, o.write, o.logger(), o.clock)
	return o
}

func (o *office) logger() *slog.Logger { return slog.New(slog.NewTextHandler(&o.log, nil)) }

// numbered returns n subjects.
func numbered(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("mail %02d", i))
	}
	return all
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.hand
}

func (o *office) advance(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hand = o.hand.Add(d)
}

// write makes a mail about what its record is about, and none about "nothing".
func (o *office) write(_ context.Context, out store.Outgoing) (mail.Message, bool, error) {
	if out.Subject == "unwritable" {
		return mail.Message{}, false, errors.New("no words")
	}
	to, err := mail.ParseAddress("ann@example.com")
	return mail.Message{To: to, Subject: out.Subject, Text: "482913"}, out.Subject != "nothing", err
}

// Send implements mail.Sender.
func (o *office) Send(ctx context.Context, m mail.Message) error {
	if o.send != nil {
		if err := o.send(ctx, m); err != nil {
			return err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = append(o.sent, m.Subject)
	return nil
}

// post puts mails about subjects into the store, due one after the other.
func (o *office) post(subjects ...string) {
	o.t.Helper()
	now := o.now()
	err := o.store.Update(context.Background(), func(tx store.Tx) error {
		for i, s := range subjects {
			due := now.Add(time.Duration(i-len(subjects)) * time.Microsecond)
			if err := tx.PutOutgoing(context.Background(), store.Outgoing{ID: s, Kind: "code", Subject: s, Due: due, Created: now, Expires: now.Add(10 * time.Minute)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) waiting() (all []store.Outgoing) {
	o.t.Helper()
	err := o.store.View(context.Background(), func(tx store.Tx) (err error) {
		all, err = tx.DueOutgoing(context.Background(), o.now().Add(1000*time.Hour), 1000)
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return all
}

func (o *office) wantSent(when string, want ...string) {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	slices.Sort(o.sent) // several go out at once
	slices.Sort(want)
	if !slices.Equal(o.sent, want) {
		o.t.Errorf("%s: sent are %q, want %q", when, o.sent, want)
	}
}

func TestMailsGoOutOnce(t *testing.T) {
	o := newOffice(t)
	if wait := o.Flush(t.Context()); wait != idle {
		t.Errorf("with nothing to send the next look is in %v", wait)
	}
	all := numbered(3*hands + 1)
	o.post(all...)
	o.Flush(t.Context())
	o.Flush(t.Context())
	o.wantSent("after two rounds", all...)
	if left := o.waiting(); len(left) != 0 {
		t.Errorf("%d are still there", len(left))
	}
}

func TestAMailThatIsNotDueWaits(t *testing.T) {
	o := newOffice(t)
	o.post("later")
	o.advance(-30 * time.Second)
	if wait := o.Flush(t.Context()); wait != 30*time.Second-time.Microsecond {
		t.Errorf("the next look is in %v", wait)
	}
	o.advance(-time.Hour)
	if wait := o.Flush(t.Context()); wait != idle {
		t.Errorf("the next look is in %v", wait)
	}
	o.wantSent("before it is due")
}

func TestAFailedMailIsTriedAgainLaterAndLater(t *testing.T) {
	o := newOffice(t)
	down := true
	o.send = func(context.Context, mail.Message) error {
		if down {
			return errors.New("connection refused")
		}
		return nil
	}
	o.post("mail")
	for i, wait := range []time.Duration{5, 10, 20, 40, 80} {
		wait *= time.Second
		if got := o.Flush(t.Context()); got != min(wait, idle) {
			t.Errorf("after %d failures the next look is in %v, want %v", i+1, got, wait)
		}
		left := o.waiting()
		if len(left) != 1 || left[0].Attempts != i+1 || !left[0].Due.Equal(o.now().Add(wait)) {
			t.Fatalf("after %d failures: %+v", i+1, left)
		}
		o.advance(wait - time.Microsecond)
		o.Flush(t.Context())
		if left := o.waiting(); left[0].Attempts != i+1 {
			t.Errorf("an instant too early it was tried again")
		}
		o.advance(time.Microsecond)
	}
	down = false
	o.Flush(t.Context())
	o.wantSent("when the server is back", "mail")
	if len(o.waiting()) != 0 {
		t.Error("it is still there")
	}
}

func TestTheWaitDoublesUpToFiveMinutes(t *testing.T) {
	for attempts, want := range map[int]time.Duration{1: 5 * time.Second, 2: 10 * time.Second, 6: 160 * time.Second, 7: 5 * time.Minute, 60: 5 * time.Minute, 1_000_000: 5 * time.Minute} {
		if got := backoff(attempts); got != want {
			t.Errorf("after %d failures: %v, want %v", attempts, got, want)
		}
	}
}

func TestAMailThatIsTooLateIsGivenUp(t *testing.T) {
	o := newOffice(t)
	o.send = func(context.Context, mail.Message) error { return errors.New("connection refused") }
	o.post("mail")
	o.Flush(t.Context())
	o.advance(10*time.Minute - time.Microsecond)
	o.Flush(t.Context())
	if left := o.waiting(); len(left) != 1 || left[0].Attempts != 2 {
		t.Errorf("an instant before its end: %+v", left)
	}
	o.send = nil
	o.advance(time.Hour)
	o.Flush(t.Context())
	o.wantSent("after its end")
	if len(o.waiting()) != 0 || !strings.Contains(o.log.String(), "given up") {
		t.Errorf("it is still there, or nobody was told: %s", o.log.String())
	}
}

func TestAMailThatNobodyNeedsIsDropped(t *testing.T) {
	o := newOffice(t)
	o.post("one", "nothing", "two")
	o.Flush(t.Context())
	o.wantSent("after a round", "one", "two")
	if len(o.waiting()) != 0 || o.log.String() != "" {
		t.Errorf("%v wait, log %s", o.waiting(), o.log.String())
	}
}

func TestAFailingMailHoldsUpNoOther(t *testing.T) {
	o := newOffice(t)
	o.send = func(_ context.Context, m mail.Message) error {
		if m.Subject == "bad" {
			return errors.New("mailbox unavailable")
		}
		return nil
	}
	o.post("bad", "one", "unwritable", "two")
	o.Flush(t.Context())
	o.wantSent("after a round", "one", "two")
	if left := o.waiting(); len(left) != 2 || left[0].Attempts != 1 || left[1].Attempts != 1 {
		t.Errorf("%+v", left)
	}
}

func TestAMailThatCanNeverBeSentIsDroppedAndLogged(t *testing.T) {
	o := newOffice(t)
	tries := 0
	o.send = func(_ context.Context, m mail.Message) error {
		if m.Subject == "bad" {
			tries++
			return fmt.Errorf("smtp: %w: subject over 255 bytes", mail.ErrMessage)
		}
		return nil
	}
	o.post("bad", "one")
	o.Flush(t.Context())
	o.advance(time.Hour)
	o.Flush(t.Context())
	o.wantSent("after two rounds", "one")
	if len(o.waiting()) != 0 || tries != 1 {
		t.Errorf("%v wait, %d tries", o.waiting(), tries)
	}
	if log := o.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "mail=bad") || !strings.Contains(log, "subject over 255 bytes") {
		t.Errorf("the log: %s", log)
	}
}

func TestAMailThatWaitsForTheOperatorIsKeptAndLogged(t *testing.T) {
	o := newOffice(t)
	o.send = func(context.Context, mail.Message) error {
		return fmt.Errorf("%w: 535 5.7.8", mail.ErrSetup)
	}
	o.post("mail")
	o.Flush(t.Context())
	if left := o.waiting(); len(left) != 1 || left[0].Attempts != 1 {
		t.Errorf("%+v", left)
	}
	if log := o.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "535 5.7.8") {
		t.Errorf("the log: %s", log)
	}
	o.send = nil
	o.advance(firstRetry)
	o.Flush(t.Context())
	o.wantSent("after the operator", "mail")
}

func TestAMailKeepsItsIDFromTryToTry(t *testing.T) {
	o := newOffice(t)
	var ids []string
	o.send = func(_ context.Context, m mail.Message) error {
		if ids = append(ids, m.ID); len(ids) < 3 {
			return errors.New("connection lost after the mail")
		}
		return nil
	}
	o.post("mail")
	for range 3 {
		o.Flush(t.Context())
		o.advance(time.Minute)
	}
	if !slices.Equal(ids, []string{"mail", "mail", "mail"}) {
		t.Errorf("the tries were called %q", ids)
	}
}

func TestWhichMailsTakeAHand(t *testing.T) {
	parse := func(text string) (all []store.Outgoing) {
		for _, id := range strings.Fields(text) {
			attempts := 0
			if strings.HasPrefix(id, "r") { // a retry
				attempts = 1
			}
			all = append(all, store.Outgoing{ID: id, Attempts: attempts})
		}
		return all
	}
	for _, c := range []struct{ sentence, inHand, due, want string }{
		{"nothing is due", "f1", "", ""},
		{"all hands are free", "", "f1 r1 f2", "f1 r1 f2"},
		{"the longest wait comes first", "", "f1 f2 f3 f4 f5 f6 f7 f8 f9", "f1 f2 f3 f4 f5 f6 f7 f8"},
		{"one hand is free", "f1 f2 f3 f4 f5 f6 f7", "f8 f9", "f8"},
		{"no hand is free", "f1 f2 f3 f4 f5 f6 f7 f8", "f9 r1", ""},
		{"retries get half of the hands", "", "r1 r2 r3 r4 r5 r6 f1", "r1 r2 r3 r4 f1"},
		{"retries have their half already", "r1 r2 r3 r4", "r5 f1 r6 f2", "f1 f2"},
		{"retries have some of it", "r1 r2 r3", "r4 r5 f1", "r4 f1"},
		{"what is in hand is due again", "f1 r1", "f1 r1 f2", "f2"},
	} {
		o := New(nil, nil, nil, nil, nil)
		for _, out := range parse(c.inHand) {
			o.inHand[out.ID] = out
		}
		var got []string
		for _, out := range o.choose(parse(c.due)) {
			got = append(got, out.ID)
		}
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %v, want %v", c.sentence, got, c.want)
		}
	}
}

func TestT60TheLogHasNoAddress(t *testing.T) {
	o := newOffice(t)
	o.send = func(_ context.Context, m mail.Message) error {
		if m.Subject == "never" {
			return fmt.Errorf("%w: <%s>", mail.ErrMessage, m.To)
		}
		return fmt.Errorf("550 <%s>: no such user, %s", m.To, m.To)
	}
	o.post("bad", "never", "unwritable")
	o.Flush(t.Context())
	// A folder says which file it could not make.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ann@example.com"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o.send = mail.Folder{Dir: dir, From: "notes@example.com"}.Send
	o.post("to-a-folder")
	o.Flush(t.Context())
	log := o.log.String()
	if strings.Contains(log, "ann@") || strings.Contains(log, "482913") {
		t.Errorf("the log has an address or digits:\n%s", log)
	}
	if strings.Count(log, "a***@example.com") < 3 || !strings.Contains(log, "no such user") {
		t.Errorf("the log does not say what is wrong:\n%s", log)
	}
}

func TestFlushesAtOnceSendOnce(t *testing.T) {
	o := newOffice(t)
	all := numbered(30)
	o.post(all...)
	var flushes sync.WaitGroup
	for range 8 {
		flushes.Go(func() { o.Flush(t.Context()) })
	}
	flushes.Wait()
	o.wantSent("after eight rounds at once", all...)
}
