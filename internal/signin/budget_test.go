package signin

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"example.com/foyer/store"
)

// Each step asks for one mail to the same address from a grant of its own.
func TestAMailboxGetsSoManyMails(t *testing.T) {
	const s, m, h = time.Second, time.Minute, time.Hour
	const instant = time.Microsecond // what the store keeps
	for _, c := range []struct {
		sentence string
		asked    []time.Duration // since the start
		mailed   []bool
	}{
		{"one in a minute", []time.Duration{0, m - instant, m}, []bool{true, false, true}},
		{"three in a quarter of an hour", []time.Duration{0, 5 * m, 10 * m, 15*m - instant, 15 * m}, []bool{true, true, true, false, true}},
		{"five in an hour", []time.Duration{0, 14 * m, 28 * m, 42 * m, 56 * m, h - instant, h}, []bool{true, true, true, true, true, false, true}},
		{"ten in a day", []time.Duration{0, 2 * h, 4 * h, 6 * h, 8 * h, 10 * h, 12 * h, 14 * h, 16 * h, 18 * h, 20 * h, 24*h - instant, 24 * h},
			[]bool{true, true, true, true, true, true, true, true, true, true, false, false, true}},
		{"those that were not sent do not count", []time.Duration{0, 10 * s, 20 * s, 30 * s, m, 2 * m}, []bool{true, false, false, false, true, true}},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			for _, known := range []bool{false, true} {
				r := newRoom(t)
				before := r.guest()
				r.answers(before, r.asks(before, "ann@example.com"))
				r.flush()
				r.advance(48 * h)
				start := r.clock()
				for i, at := range c.asked {
					r.advance(start.Add(at).Sub(r.clock()))
					g := r.guest()
					if known {
						r.knows(g, "ann@example.com")
					}
					r.asks(g, "ann@example.com")
					if sent := r.flush(); (len(sent) == 1) != c.mailed[i] {
						t.Errorf("known %v: at %v: %d mails, want %v", known, at, len(sent), c.mailed[i])
					}
				}
			}
		})
	}
}

func TestAMailboxNeverHasMoreThanThreeOpenChallenges(t *testing.T) {
	r := newRoom(t)
	var open []store.Challenge
	for _, g := range r.guests(100) {
		r.asks(g, "ann@example.com")
		if c := r.challenge(g); !c.Muted {
			open = append(open, c)
		}
		alive := 0
		for _, c := range open {
			if r.clock().Before(c.Created.Add(r.TTL)) {
				alive++
			}
		}
		if alive > 3 {
			t.Fatalf("%d challenges of one address can be answered", alive)
		}
		r.advance(31 * time.Second)
	}
}

// What a grant has asked for itself it is told, and nothing is lost by asking.
func TestAGrantThatAsksAgainTooSoonIsTold(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	r.asks(g, "ann@example.com")
	r.advance(20 * time.Second)
	if err := r.begin(g, "ann@example.com"); err != (TooMany{40 * time.Second}) {
		t.Errorf("asking again after 20 s: %v", err)
	}
	r.asks(g, "anne@example.com") // a mistyped address is put right at once
	r.advance(40*time.Second - time.Microsecond)
	if err := r.begin(g, "ann@example.com"); err != (TooMany{time.Microsecond}) {
		t.Errorf("an instant before the minute is over: %v", err)
	}
	r.flush()
	r.advance(time.Microsecond)
	right := r.asks(g, "ann@example.com")
	if sent := r.flush(); len(sent) != 1 {
		t.Errorf("%d mails", len(sent))
	}
	if err := r.begin(g, "ann@example.com"); !errors.As(err, new(TooMany)) {
		t.Errorf("asking again at once: %v", err)
	}
	r.answers(g, right) // though another was asked for meanwhile
}

func TestWhoSignsOutMaySignInAgainAtOnce(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	for range 2 {
		r.answers(g, r.asks(g, "ann@example.com"))
		if err := r.Grants.SignOut(t.Context(), g.Access); err != nil {
			t.Fatal(err)
		}
	}
	r.asks(g, "ann@example.com")
	if sent := r.flush(); len(sent) != 0 {
		t.Errorf("three mails within a minute: %v", sent)
	}
}

func TestAGrantAsksForSoManyMails(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	addresses := []string{"ann@example.com", "bob@example.com", "cid@example.com"}
	for i := range 5 { // at 0, 2, 4, 6, 8 minutes
		r.asks(g, addresses[i%3])
		r.advance(2 * time.Minute)
	}
	if err := r.begin(g, "cid@example.com"); err != (TooMany{50 * time.Minute}) {
		t.Errorf("the sixth: %v", err)
	}
	r.advance(50*time.Minute - time.Microsecond)
	if err := r.begin(g, "cid@example.com"); err != (TooMany{time.Microsecond}) {
		t.Errorf("an instant before the hour is over: %v", err)
	}
	r.advance(time.Microsecond)
	r.asks(g, "cid@example.com")
}

func TestT12AGrantAsksForThreeAddressesADay(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	for _, address := range []string{"ann@example.com", "bob@example.com", "cid@example.com"} {
		r.asks(g, address)
		r.advance(20 * time.Minute)
	}
	r.flush()
	if err := r.begin(g, "dan@example.com"); err != (TooMany{23 * time.Hour}) {
		t.Errorf("a fourth address: %v", err)
	}
	if sent := r.flush(); len(sent) != 0 {
		t.Errorf("mails: %v", sent)
	}
	r.asks(g, "cid@example.com")
	r.advance(23*time.Hour - time.Microsecond)
	if err := r.begin(g, "dan@example.com"); err != (TooMany{time.Microsecond}) {
		t.Errorf("an instant before the day is over: %v", err)
	}
	r.advance(time.Microsecond)
	r.asks(g, "dan@example.com")
}

// fails lets g give n wrong answers, for as many challenges as that takes.
func (r *room) fails(g guest, address string, n int) {
	r.t.Helper()
	for n > 0 {
		r.update(func(tx store.Tx) error {
			return tx.PutChallenge(r.t.Context(), store.Challenge{ID: fmt.Sprint(g.GrantID, r.clock().UnixNano(), n), GrantID: g.GrantID, Epoch: 1, Email: address,
				Digits: digits, KeyID: r.Keys.KeyID(), State: pending, Created: r.clock(), Expires: r.clock().Add(day)})
		})
		now := min(n, attempts)
		r.guesses(g, now)
		n -= now
	}
}

func TestAGrantGetsTenWrongAnswersADay(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	r.fails(g, "ann@example.com", 9)
	right := r.asks(g, "bob@example.com")
	if err := r.guesses(g, 1); err != (Wrong{4}) {
		t.Errorf("the tenth: %v", err)
	}
	if err := r.answer(g, right); !errors.Is(err, ErrOff) {
		t.Errorf("the eleventh, with the right digits: %v", err)
	}
	if err := r.begin(g, "bob@example.com"); err != (TooMany{day}) {
		t.Errorf("asking then: %v", err)
	}
	r.advance(day - time.Microsecond)
	if err := r.begin(g, "bob@example.com"); err != (TooMany{time.Microsecond}) {
		t.Errorf("asking an instant before the day is over: %v", err)
	}
	r.advance(time.Microsecond)
	r.answers(g, r.asks(g, "bob@example.com"))
}

func TestAGrantGetsThirtyWrongAnswersInItsLife(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	for range 2 {
		r.fails(g, "ann@example.com", 10)
		r.advance(day)
	}
	r.fails(g, "ann@example.com", 9)
	r.asks(g, "bob@example.com")
	if err := r.guesses(g, 1); err != (Wrong{4}) {
		t.Errorf("the thirtieth: %v", err)
	}
	for _, wait := range []time.Duration{0, day, 30 * day, 59*day - time.Hour} {
		r.advance(wait)
		if err := r.begin(g, "bob@example.com"); !errors.As(err, new(TooMany)) && !errors.Is(err, ErrOff) {
			t.Errorf("%v later: %v", wait, err)
		}
	}
	// The count ends with the longest life that a grant can have.
	other := r.guest()
	r.answers(other, r.asks(other, "bob@example.com"))
}

func TestAnAddressGetsTwentyWrongAnswersADay(t *testing.T) {
	r := newRoom(t)
	crowd := r.guests(4)
	r.fails(crowd[0], "ann@example.com", 10)
	r.fails(crowd[1], "ann@example.com", 9)
	r.fails(crowd[2], "ann@example.com", 1)
	if n := r.total(r.failedMail(email(t, "ann@example.com"))); n != 20 {
		t.Fatalf("%d are counted", n)
	}
	late := crowd[3]
	if err := r.answer(late, r.asks(late, "ann@example.com")); err != (Wrong{4}) {
		t.Errorf("the right digits, after twenty wrong ones: %v", err)
	}
	other := r.guest()
	r.asks(other, "ann@example.com")
	if sent := r.flush(); len(sent) != 0 {
		t.Errorf("mails to an address that is off: %v", sent)
	}
	r.advance(day - time.Microsecond)
	if err := r.answer(late, r.asks(late, "ann@example.com")); err != (Wrong{4}) {
		t.Errorf("an instant before the day is over: %v", err)
	}
	r.advance(time.Microsecond)
	r.answers(other, r.asks(other, "ann@example.com"))
}

// NIST SP 800-63B-4 section 3.2.2.
func TestAnAddressGetsAHundredWrongAnswersInARow(t *testing.T) {
	r := newRoom(t)
	for range 5 {
		for range 2 {
			r.fails(r.guest(), "ann@example.com", 10)
		}
		r.advance(day)
	}
	for _, wait := range []time.Duration{0, day, 365 * day} {
		r.advance(wait)
		g := r.guest()
		if err := r.answer(g, r.asks(g, "ann@example.com")); err != (Wrong{4}) {
			t.Errorf("the right digits %v after a hundred wrong ones: %v", wait, err)
		}
	}
	r.flush()
}

func TestACallersAddressHasBudgetsOfItsOwn(t *testing.T) {
	const m = time.Minute
	now := time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC)
	asker := func(addr, grant string) Asker {
		return Asker{GrantID: grant, ClientID: "c", Addr: netip.MustParseAddr(addr)}
	}
	t.Run("twenty mails an hour, and then one more each three minutes", func(t *testing.T) {
		f := newFlood(Floods{})
		a := asker("192.0.2.1", "g")
		for i := range 20 {
			if err := f.maySend(a, now); err != nil {
				t.Fatalf("mail %d: %v", i+1, err)
			}
		}
		if err := f.maySend(a, now); err != (TooMany{3 * m}) {
			t.Errorf("mail 21: %v", err)
		}
		if err := f.maySend(a, now.Add(3*m-1)); err != (TooMany{1}) {
			t.Errorf("an instant too early: %v", err)
		}
		if err := errors.Join(f.maySend(a, now.Add(3*m)), f.maySend(asker("192.0.2.2", "h"), now)); err != nil {
			t.Error(err)
		}
	})
	t.Run("four hundred from the twentieth grant on", func(t *testing.T) {
		f := newFlood(Floods{})
		for i := range 19 + 400 {
			if err := f.maySend(asker("192.0.2.1", fmt.Sprint(i%20)), now); err != nil {
				t.Fatalf("mail %d: %v", i+1, err)
			}
		}
		if err := f.maySend(asker("192.0.2.1", "0"), now); err != (TooMany{9 * time.Second}) {
			t.Errorf("one more: %v", err)
		}
	})
	t.Run("thirty wrong answers an hour", func(t *testing.T) {
		f := newFlood(Floods{})
		a := asker("2001:db8::1", "g")
		for i := range 30 {
			if err := f.mayAnswer(a, now); err != nil {
				t.Fatalf("answer %d: %v", i+1, err)
			}
			f.failed(a, now)
		}
		if err := f.mayAnswer(asker("2001:db8::2", "g"), now); !errors.Is(err, ErrBusy) { // the same /64
			t.Errorf("answer 31: %v", err)
		}
		if err := errors.Join(f.mayAnswer(asker("2001:db8:0:1::1", "g"), now), f.mayAnswer(a, now.Add(2*m))); err != nil {
			t.Error(err)
		}
	})
	t.Run("none where it is excused", func(t *testing.T) {
		f := newFlood(Floods{Exempt: netip.Addr.IsLoopback})
		a := asker("127.0.0.1", "g")
		for range failuresHard {
			f.failed(a, now)
		}
		for range 2 * sendsInAll {
			if err := errors.Join(f.maySend(a, now), f.mayAnswer(a, now)); err != nil {
				t.Fatal(err)
			}
		}
		if f.underAttack(now) {
			t.Error("calls that are excused count for everyone")
		}
	})
}

func TestAClientAndEverybodyHaveBudgets(t *testing.T) {
	f := newFlood(Floods{})
	now := time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC)
	send := func(i, client int) error {
		addr := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		return f.maySend(Asker{GrantID: fmt.Sprint(i), ClientID: fmt.Sprint(client), Addr: addr}, now)
	}
	for i := range sendsInAll {
		if err := send(i, i/sendsPerClient); err != nil {
			t.Fatalf("mail %d: %v", i+1, err)
		}
		if i == sendsPerClient-1 {
			if err := send(-1, 0); err != (TooMany{6 * time.Second}) {
				t.Errorf("mail 601 of one client: %v", err)
			}
		}
	}
	if err := send(-2, 99); !errors.Is(err, ErrBusy) {
		t.Errorf("mail 3,001: %v", err)
	}
	now = now.Add(time.Hour)
	if err := send(-3, 99); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}
