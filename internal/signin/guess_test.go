package signin

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"example.com/foyer/store"
)

func TestT01TheSixthAnswerFailsThoughItIsRight(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	right := r.asks(g, "ann@example.com")
	for i := range attempts - 1 {
		var wrong Wrong
		if err := r.answer(g, "x"); !errors.As(err, &wrong) || wrong.Left != attempts-1-i {
			t.Errorf("wrong answer %d: %v; want %d tries left", i+1, err, attempts-1-i)
		}
	}
	if err := r.answer(g, "x"); !errors.Is(err, ErrExhausted) {
		t.Errorf("wrong answer 5: %v", err)
	}
	if err := r.answer(g, right); !errors.Is(err, ErrExhausted) {
		t.Errorf("the right digits in the sixth answer: %v", err)
	}
	if c := r.challenge(g); c.Attempts != 5 || c.State != exhausted {
		t.Errorf("the store has %d attempts, state %q", c.Attempts, c.State)
	}
	if gr := r.grant(g); gr.UserID != "" {
		t.Error("the grant was claimed")
	}
}

func TestT01TheFifthAnswerMayBeRight(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	right := r.asks(g, "ann@example.com")
	r.guesses(g, attempts-1)
	r.answers(g, right)
	if c := r.challenge(g); c.Attempts != 5 || c.State != used {
		t.Errorf("the store has %d attempts, state %q", c.Attempts, c.State)
	}
}

func TestT02OfAThousandChallengesOnlyTheNewestIsAnswered(t *testing.T) {
	r := newRoom(t, unlimited)
	g := r.guest()
	var old []string
	for range 999 {
		old = append(old, r.asks(g, "ann@example.com"))
	}
	right := r.asks(g, "ann@example.com")
	for i, digits := range old {
		if i%4 != 0 && i < 900 || digits == right { // the latter once in a million
			continue
		}
		if i%3 == 0 {
			r.forgive(g)
		}
		if err := r.answer(g, digits); !errors.As(err, new(Wrong)) {
			t.Fatalf("the digits of challenge %d: %v", i+1, err)
		}
	}
	r.forgive(g)
	r.answers(g, right)
}

func TestT02TwentyWrongAnswersAreAllThatAnAddressGets(t *testing.T) {
	r := newRoom(t)
	compared := 0
	for _, g := range r.guests(40) {
		r.asks(g, "ann@example.com")
		r.guesses(g, 1)
		compared = r.total(r.failedMail(email(t, "ann@example.com")))
	}
	if compared != 20 {
		t.Errorf("%d answers were compared, want 20", compared)
	}
	// Whoever got digits before cannot use them now: the address is off.
	late := r.guest()
	r.update(func(tx store.Tx) error {
		return tx.PutChallenge(t.Context(), store.Challenge{ID: "challenge", GrantID: late.GrantID, Epoch: 1, Email: "ann@example.com",
			Digits: digits, KeyID: r.Keys.KeyID(), State: pending, Created: r.now, Expires: r.now.Add(day)})
	})
	if err := r.answer(late, r.digits(r.challenge(late))); !errors.As(err, new(Wrong)) {
		t.Errorf("the right digits for an address that is off: %v", err)
	}
}

func TestT03ANewCodeResetsNoBudget(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	failedFor := r.failedMail(email(t, "ann@example.com"))
	r.asks(g, "ann@example.com")
	r.guesses(g, 4)
	r.advance(time.Minute)
	right := r.asks(g, "ann@example.com")
	var wrong Wrong
	if err := r.guesses(g, 1); !errors.As(err, &wrong) || wrong.Left != 4 {
		t.Errorf("the first wrong answer to the new challenge: %v; each has five", err)
	}
	if of, to := r.total(failedGrant(g.GrantID)), r.total(failedFor); of != 5 || to != 5 {
		t.Errorf("4 + 1 wrong answers: %d of the grant, %d for the address", of, to)
	}
	r.answers(g, right)
	if of, to := r.total(failedGrant(g.GrantID)), r.total(failedFor); of != 5 || to != 0 {
		t.Errorf("after a right answer: %d of the grant, %d for the address; want 5 and 0", of, to)
	}
}

func TestT03TenWrongAnswersAreAllThatAGrantGets(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	for _, address := range []string{"ann@example.com", "bob@example.com"} {
		r.asks(g, address)
		r.guesses(g, attempts)
	}
	if err := r.begin(g, "cid@example.com"); !errors.Is(err, TooMany{day}) {
		t.Errorf("asking after ten wrong answers: %v", err)
	}
	r.advance(day)
	right := r.asks(g, "cid@example.com")
	r.answers(g, right)
}

// A botnet: every address of the network and every e-mail is new.
func TestT04ASprayIsSlowedAndThenStopped(t *testing.T) {
	r := newRoom(t, countAddrs)
	const botnet = 1_050 / attempts
	failures, longer := 0, 0
	var refused error
	for i, g := range r.guests(botnet) {
		g.ClientID = fmt.Sprint("client ", i) // 600 mails an hour go to one
		r.asks(g, fmt.Sprintf("victim%d@example.com", i))
		if c := r.challenge(g); c.Digits == digitsAttacked && longer == 0 {
			longer = failures
		}
		for range attempts {
			switch err := r.answer(g, "x"); {
			case errors.Is(err, ErrBusy):
				refused = err
			case errors.As(err, new(Wrong)), errors.Is(err, ErrExhausted):
				failures++
			default:
				t.Fatal(err)
			}
		}
	}
	if failures != failuresHard || refused == nil {
		t.Errorf("%d wrong answers were admitted one after the other, then %v; want 1000", failures, refused)
	}
	if longer != failuresSoft {
		t.Errorf("digits became 8 after %d wrong answers, want 200", longer)
	}
	// Nobody gets in by a code now, in an hour everybody does.
	honest := r.guest()
	right := r.asks(honest, "ann@example.com")
	if err := r.answer(honest, right); !errors.Is(err, ErrBusy) {
		t.Errorf("the right digits after 1,000 wrong ones: %v", err)
	}
	r.advance(59 * time.Minute)
	if err := r.answer(honest, right); !errors.Is(err, ErrBusy) {
		t.Errorf("59 minutes later: %v", err)
	}
	r.advance(time.Minute)
	if right = r.asks(honest, "ann@example.com"); len(right) != digits {
		t.Errorf("an hour later digits are %d", len(right))
	}
	r.answers(honest, right)
}

// Answers that run at the same moment may pass the breaker together. Each must
// then have a challenge of its own to be compared with.
func TestT04TheBreakerIsOvershotByThoseWhoRunAtOnce(t *testing.T) {
	r := newRoom(t, countAddrs)
	const racing = 40
	crowd := r.guests(racing)
	for i, g := range crowd {
		r.asks(g, fmt.Sprintf("victim%d@example.com", i))
	}
	for range failuresHard - 1 {
		r.flood.failInAll.Add(r.clock())
	}
	errs := at(racing, func(i int) error { return r.answer(crowd[i], "x") })
	admitted := count(errs, func(err error) bool { return errors.As(err, new(Wrong)) })
	if busy := count(errs, func(err error) bool { return errors.Is(err, ErrBusy) }); admitted < 1 || admitted+busy != racing {
		t.Errorf("%d admitted, %d refused of %d", admitted, busy, racing)
	}
	if err := r.answer(crowd[0], "x"); !errors.Is(err, ErrBusy) {
		t.Errorf("after them: %v", err)
	}
}

// Answers that were compared with nothing are no guesses: with one used-up
// challenge nobody must be able to close the door for everyone.
func TestT04OnlyAnswersThatWereComparedCountForEveryone(t *testing.T) {
	r := newRoom(t, countAddrs)
	g := r.guest()
	r.asks(g, "ann@example.com")
	r.guesses(g, attempts+100)
	if n := r.flood.failInAll.Count(r.clock()); n != attempts {
		t.Errorf("%d wrong answers count for everyone, want 5", n)
	}
}

func TestT05OfRacingWrongAnswersExactlyFiveAreCompared(t *testing.T) {
	r := newRoom(t, unlimited)
	g := r.guest()
	r.asks(g, "ann@example.com")
	errs := at(200, func(int) error { return r.answer(g, "x") })
	left := map[int]int{}
	for _, err := range errs {
		var wrong Wrong
		switch {
		case errors.As(err, &wrong):
			left[wrong.Left]++
		case errors.Is(err, ErrExhausted):
			left[0]++
		default:
			t.Fatal(err)
		}
	}
	if left[4] != 1 || left[3] != 1 || left[2] != 1 || left[1] != 1 || left[0] != 196 {
		t.Errorf("tries left, and how often that was said: %v", left)
	}
	if c := r.challenge(g); c.Attempts != 5 || r.total(failedGrant(g.GrantID)) != 5 {
		t.Errorf("%d attempts, %d counted", c.Attempts, r.total(failedGrant(g.GrantID)))
	}
}

func TestT05OfRacingRightAnswersExactlyOneSucceeds(t *testing.T) {
	r := newRoom(t, unlimited)
	g := r.guest()
	right := r.asks(g, "ann@example.com")
	errs := at(200, func(int) error { return r.answer(g, right) })
	if n := count(errs, func(err error) bool { return err == nil }); n != 1 {
		t.Errorf("%d succeeded", n)
	}
	if n := count(errs, func(err error) bool { return errors.Is(err, ErrSignedIn) }); n != 199 {
		t.Errorf("%d were told that somebody is signed in", n)
	}
}
