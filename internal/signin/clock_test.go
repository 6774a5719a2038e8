package signin

import (
	"errors"
	"strings"
	"testing"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/store"
)

func TestDigitsLiveTenMinutes(t *testing.T) {
	for _, c := range []struct {
		sentence string
		after    time.Duration
		want     error
	}{
		{"at once", 0, nil},
		{"in the last instant", 10*time.Minute - time.Microsecond, nil},
		{"when they have ended", 10 * time.Minute, ErrExpired},
		{"a year later", 365 * day, ErrExpired},
	} {
		r := newRoom(t)
		g := r.guest()
		right := r.asks(g, "ann@example.com")
		r.advance(c.after)
		if waiting, ok, err := r.Pending(t.Context(), g.GrantID); err != nil || ok != (c.want == nil) || ok && waiting != (Waiting{"ann@example.com", 10*time.Minute - c.after}) {
			t.Errorf("%s: expected are %+v, %v, %v", c.sentence, waiting, ok, err)
		}
		if sent := r.flush(); (len(sent) == 1) != (c.want == nil) {
			t.Errorf("%s: %d mails", c.sentence, len(sent))
		}
		if err := r.answer(g, right); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.sentence, err, c.want)
		}
	}
}

func TestWhatBecomesOfAnAnswer(t *testing.T) {
	r := newRoom(t)
	gr := store.Grant{ID: "g", Epoch: 3}
	alive := store.Challenge{ID: "c", GrantID: "g", Epoch: 3, State: pending, Created: r.now}
	with := func(change func(*store.Challenge)) store.Challenge {
		c := alive
		change(&c)
		return c
	}
	claimed := gr
	claimed.UserID = "u"
	for _, row := range []struct {
		sentence string
		c        store.Challenge
		gr       store.Grant
		want     error
	}{
		{"it is compared", alive, gr, nil},
		{"the fifth too", with(func(c *store.Challenge) { c.Attempts = 4 }), gr, nil},
		{"the last instant too", with(func(c *store.Challenge) { c.Created = r.now.Add(-10*time.Minute + 1) }), gr, nil},
		{"somebody is signed in", alive, claimed, ErrSignedIn},
		{"nothing was asked for", store.Challenge{}, gr, ErrNone},
		{"it was asked for before a sign-out", with(func(c *store.Challenge) { c.Epoch = 2 }), gr, ErrNone},
		{"five answers were wrong", with(func(c *store.Challenge) { c.Attempts = 5 }), gr, ErrExhausted},
		{"it is used up", with(func(c *store.Challenge) { c.State = exhausted }), gr, ErrExhausted},
		{"the digits were used", with(func(c *store.Challenge) { c.State = used }), gr, ErrExpired},
		{"the state is none of ours", with(func(c *store.Challenge) { c.State = "" }), gr, ErrExpired},
		{"the time is over", with(func(c *store.Challenge) { c.Created = r.now.Add(-10 * time.Minute) }), gr, ErrExpired},
	} {
		if err := r.next(row.c, row.gr, r.now); err != row.want {
			t.Errorf("%s: %v, want %v", row.sentence, err, row.want)
		}
	}
}

func TestExpiredAnswersCountForNobody(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	r.asks(g, "ann@example.com")
	r.advance(10 * time.Minute)
	if err := r.guesses(g, 20); !errors.Is(err, ErrExpired) {
		t.Error(err)
	}
	if c := r.challenge(g); c.Attempts != 0 || r.total(failedGrant(g.GrantID)) != 0 {
		t.Errorf("%d attempts, %d of the grant", c.Attempts, r.total(failedGrant(g.GrantID)))
	}
}

// A clock that is set back gives nobody another try, and locks nobody out.
func TestT72AClockSetBackOpensNothing(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	right := r.asks(g, "ann@example.com")
	r.guesses(g, attempts)
	r.advance(-5 * time.Minute)
	if err := r.answer(g, right); !errors.Is(err, ErrExhausted) {
		t.Errorf("a used-up challenge: %v", err)
	}
	if err := r.begin(g, "ann@example.com"); err != (TooMany{time.Minute}) {
		t.Errorf("another mail: %v", err)
	}
	other := r.guest()
	right = r.asks(other, "bob@example.com")
	r.advance(-5 * time.Minute)
	r.answers(other, right)
}

func TestT72AClockSetBackKeepsTheBudgetsShut(t *testing.T) {
	r := newRoom(t)
	r.fails(r.guest(), "ann@example.com", 10)
	r.fails(r.guest(), "ann@example.com", 10)
	r.advance(-time.Hour)
	g := r.guest()
	if err := r.answer(g, r.asks(g, "ann@example.com")); err != (Wrong{4}) {
		t.Errorf("the right digits for an address that is off: %v", err)
	}
}

func TestASecretIsChangedBetweenTheMailAndTheAnswer(t *testing.T) {
	newSecret := strings.Repeat("n", 32)
	t.Run("the old one is kept", func(t *testing.T) {
		r := newRoom(t)
		g := r.guest()
		right := r.asks(g, "ann@example.com")
		r.restart(newSecret, theSecret)
		if sent := r.flush(); len(sent) != 1 || !strings.Contains(sent[0].Text, "\n"+right+"\n") {
			t.Errorf("the mail is %v", sent)
		}
		r.guesses(g, 1)
		r.answers(g, right)
	})
	t.Run("the old one is gone", func(t *testing.T) {
		r := newRoom(t)
		g := r.guest()
		right := r.asks(g, "ann@example.com")
		r.restart(newSecret)
		if sent := r.flush(); len(sent) != 0 {
			t.Errorf("a mail without digits went out: %v", sent)
		}
		for _, answer := range []string{right, "", "x"} {
			if err := r.answer(g, answer); !errors.As(err, new(Wrong)) {
				t.Errorf("%q: %v", answer, err)
			}
		}
		r.advance(time.Minute)
		r.answers(g, r.asks(g, "ann@example.com"))
	})
}

func TestARestartChangesNothing(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	right := r.asks(g, "ann@example.com")
	r.restart(theSecret)
	if sent := r.flush(); len(sent) != 1 || sent[0].To.String() != "ann@example.com" || !strings.Contains(sent[0].Text, "\n"+right+"\n") {
		t.Errorf("the mail after a restart: %v", sent)
	}
	r.guesses(g, 2)
	r.restart(theSecret)
	if err := r.guesses(g, 1); err != (Wrong{2}) {
		t.Errorf("the third wrong answer: %v", err)
	}
	r.restart(theSecret)
	r.answers(g, right)
}

func TestAMailThatNobodyNeedsIsNotWritten(t *testing.T) {
	for _, c := range []struct {
		sentence string
		before   func(r *room, g guest)
		mails    int
	}{
		{"nothing happened", func(*room, guest) {}, 1},
		{"another was asked for", func(r *room, g guest) { r.advance(time.Minute); r.asks(g, "ann@example.com") }, 1},
		{"it was for another address", func(r *room, g guest) { r.asks(g, "bob@example.com") }, 1},
		{"the digits were given already", func(r *room, g guest) { r.answers(g, r.digits(r.challenge(g))) }, 0},
		{"the digits are used up", func(r *room, g guest) { r.guesses(g, attempts) }, 0},
		{"the digits have expired", func(r *room, _ guest) { r.advance(10 * time.Minute) }, 0},
		{"the grant has expired and was cleared away", func(r *room, g guest) { r.forget(g) }, 0},
	} {
		r := newRoom(t)
		g := r.guest()
		first := r.asks(g, "ann@example.com")
		c.before(r, g)
		sent := r.flush()
		if len(sent) != c.mails {
			t.Errorf("%s: %d mails, want %d", c.sentence, len(sent), c.mails)
		}
		if c.sentence != "nothing happened" && len(sent) > 0 && strings.Contains(sent[0].Text, "\n"+first+"\n") {
			t.Errorf("%s: the mail has digits that are dead", c.sentence)
		}
	}
}

// forget clears g away, and what belongs to it.
func (r *room) forget(g guest) {
	r.t.Helper()
	gr := r.grant(g)
	gr.Expires = r.now
	r.update(func(tx store.Tx) error {
		if err := tx.PutGrant(r.t.Context(), gr); err != nil {
			return err
		}
		_, err := tx.DeleteExpired(r.t.Context(), r.now.Add(time.Second), 100)
		return err
	})
}

func TestAUserIsToldOfReuse(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	r.answers(g, r.asks(g, "ann@example.com"))
	r.flush()
	r.update(func(tx store.Tx) error {
		for _, about := range []string{g.GrantID, "gone"} {
			if err := tx.PutOutgoing(t.Context(), store.Outgoing{ID: "about " + about, Kind: grant.MailReused, Subject: about, Due: r.now, Created: r.now, Expires: r.now.Add(day)}); err != nil {
				return err
			}
		}
		return nil
	})
	if sent := r.flush(); len(sent) != 1 || sent[0].To.String() != "ann@example.com" || sent[0].Subject != "You were signed out of Notes" {
		t.Errorf("mails: %v", sent)
	}
	_, wanted, err := r.letters.Render(t.Context(), store.Outgoing{ID: "1", Kind: "nonsense"})
	if err == nil || wanted {
		t.Errorf("a mail of a kind that nobody writes: %v, %v", wanted, err)
	}
}

func TestASignInWithoutAStoreIsAFault(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	right := r.asks(g, "ann@example.com")
	if err := r.Store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{r.begin(g, "bob@example.com"), r.answer(g, right)} {
		if err == nil || errors.As(err, new(Wrong)) || errors.As(err, new(TooMany)) || errors.Is(err, grant.ErrUnknown) {
			t.Errorf("a fault is taken for a refusal: %v", err)
		}
	}
	r.open(theSecret)
	if c := r.challenge(g); c.Attempts != 0 {
		t.Errorf("%d attempts", c.Attempts)
	}
	r.answers(g, right)
}
