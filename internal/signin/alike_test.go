package signin

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/mail"
	"example.com/foyer/store"
)

// A tracedStore notes what is asked of the store, and asks it.
type tracedStore struct {
	store.Store
	trace *[]string
}

func (s tracedStore) Update(ctx context.Context, fn func(store.Tx) error) error {
	*s.trace = append(*s.trace, "begin")
	return s.Store.Update(ctx, func(tx store.Tx) error { return fn(tracedTx{tx: tx, trace: s.trace}) })
}

// A tracedTx panics for a method that it does not note.
type tracedTx struct {
	store.Tx
	tx    store.Tx
	trace *[]string
}

func (t tracedTx) note(what string) { *t.trace = append(*t.trace, what) }

func (t tracedTx) Token(ctx context.Context, h store.Hash) (store.Token, error) {
	t.note("Token")
	return t.tx.Token(ctx, h)
}

func (t tracedTx) Grant(ctx context.Context, id string) (store.Grant, error) {
	t.note("Grant")
	return t.tx.Grant(ctx, id)
}

func (t tracedTx) User(ctx context.Context, id string) (store.User, error) {
	t.note("User")
	return t.tx.User(ctx, id)
}

func (t tracedTx) LatestChallenge(ctx context.Context, id string) (store.Challenge, error) {
	t.note("LatestChallenge")
	return t.tx.LatestChallenge(ctx, id)
}

func (t tracedTx) Counter(ctx context.Context, key string) (store.Counter, error) {
	t.note("Counter")
	return t.tx.Counter(ctx, key)
}

func (t tracedTx) PutCounter(ctx context.Context, c store.Counter) error {
	t.note("PutCounter")
	return t.tx.PutCounter(ctx, c)
}

func (t tracedTx) PutChallenge(ctx context.Context, c store.Challenge) error {
	t.note(fmt.Sprintf("PutChallenge, muted %v", c.Muted))
	return t.tx.PutChallenge(ctx, c)
}

func (t tracedTx) PutOutgoing(ctx context.Context, o store.Outgoing) error {
	t.note("PutOutgoing " + o.Kind)
	return t.tx.PutOutgoing(ctx, o)
}

func (t tracedTx) PutEvent(ctx context.Context, e store.Event) error {
	t.note("PutEvent " + e.Kind)
	return t.tx.PutEvent(ctx, e)
}

// Asking, and answering wrong, does the same work in the same order whether the
// address is a user's or nobody's. That holds on any machine, where a clock
// would be too coarse; that there is no other difference, the clock must say.
func TestT07TheSameWorkIsDoneForKnownAndUnknownAddresses(t *testing.T) {
	r := newRoom(t)
	known := r.guest()
	r.answers(known, r.asks(known, "known@example.com"))
	r.advance(day)
	var trace []string
	s := *r.SignIn
	s.Store = tracedStore{r.Store, &trace}
	work := func(address string) []string {
		trace = nil
		g := r.guest()
		if _, err := s.Begin(t.Context(), g.Asker, email(t, address)); err != nil {
			t.Fatal(err)
		}
		for range attempts {
			if _, err := s.Verify(t.Context(), g.Asker, "x"); err == nil {
				t.Fatal("a wrong answer is right")
			}
		}
		return trace
	}
	if a, b := work("known@example.com"), work("nobody@example.com"); !slices.Equal(a, b) || len(a) < 20 {
		t.Errorf("known:   %q\nunknown: %q", a, b)
	}
}

// The medians of many requests, taken turn by turn on one machine, differ by
// less than what a network hides.
func TestT07TheSameTimePassesForKnownAndUnknownAddresses(t *testing.T) {
	r := newRoom(t, unlimited)
	known := r.guest()
	r.answers(known, r.asks(known, "known@example.com"))
	const pairs = 200
	crowd := r.guests(2 * pairs)
	took := map[string][]time.Duration{}
	for i, g := range crowd {
		address := []string{"known@example.com", "nobody@example.com"}[i%2]
		start := time.Now()
		if _, err := r.Begin(t.Context(), g.Asker, email(t, address)); err != nil {
			t.Fatal(err)
		}
		r.guesses(g, 1)
		took[address] = append(took[address], time.Since(start))
	}
	a, b := median(took["known@example.com"]), median(took["nobody@example.com"])
	if d := (a - b).Abs(); d > time.Millisecond+max(a, b)/4 { // on a machine that is busy with other things, both are slow
		t.Errorf("medians: %v for a known address, %v for an unknown one", a, b)
	}
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

func TestT08WhoSignedInBeforeIsNotLockedOut(t *testing.T) {
	r := newRoom(t)
	before := r.guest()
	user := r.answers(before, r.asks(before, "ann@example.com"))
	home, elsewhere := r.guest(), r.guest()
	r.knows(home, "ann@example.com")
	r.advance(day)

	for _, attacker := range r.guests(30) { // burns what the address may be mailed, and its wrong answers
		r.asks(attacker, "ann@example.com")
		r.guesses(attacker, 1)
		r.advance(10 * time.Second)
	}
	r.flush()
	right := r.asks(elsewhere, "ann@example.com")
	if sent := r.flush(); len(sent) != 0 {
		t.Errorf("%d mails went out for an address that is off", len(sent))
	}
	if err := r.answer(elsewhere, right); !errors.As(err, new(Wrong)) {
		t.Errorf("elsewhere: %v", err)
	}
	right = r.asks(home, "ann@example.com")
	if sent := r.flush(); len(sent) != 1 {
		t.Errorf("at home %d mails went out", len(sent))
	}
	if u := r.answers(home, right); u.ID != user.ID {
		t.Errorf("at home %s signed in, not %s", u.ID, user.ID)
	}
	if n := r.total(r.failedMail(email(t, "ann@example.com"))); n != 0 {
		t.Errorf("after a right answer %d wrong ones are counted", n)
	}
}

func TestT08ABudgetOfOnesOwnIsABudget(t *testing.T) {
	r := newRoom(t)
	before := r.guest()
	r.answers(before, r.asks(before, "ann@example.com"))
	crowd := r.guests(6)
	for _, g := range crowd[:4] { // somebody at the browser that Ann used guesses
		r.advance(15 * time.Minute)
		r.knows(g, "ann@example.com")
		r.asks(g, "ann@example.com")
		r.guesses(g, attempts)
	}
	r.advance(15 * time.Minute)
	r.knows(crowd[4], "ann@example.com")
	if err := r.answer(crowd[4], r.asks(crowd[4], "ann@example.com")); !errors.As(err, new(Wrong)) {
		t.Errorf("the right digits after twenty wrong answers: %v", err)
	}
	// Elsewhere nothing of that counts, and a right answer there opens the browser too.
	r.answers(crowd[5], r.asks(crowd[5], "ann@example.com"))
	r.advance(15 * time.Minute)
	again := r.guest()
	r.knows(again, "ann@example.com")
	r.answers(again, r.asks(again, "ann@example.com"))
}

func TestT08KnowingOneUserOpensNoOther(t *testing.T) {
	r := newRoom(t)
	for _, address := range []string{"ann@example.com", "bob@example.com"} {
		g := r.guest()
		r.answers(g, r.asks(g, address))
	}
	r.advance(day)
	for _, attacker := range r.guests(20) {
		r.asks(attacker, "bob@example.com")
		r.guesses(attacker, 1)
	}
	g := r.guest()
	r.knows(g, "ann@example.com")
	if err := r.answer(g, r.asks(g, "bob@example.com")); !errors.As(err, new(Wrong)) {
		t.Errorf("Ann's browser got past Bob's budget: %v", err)
	}
}

func TestT30ManyGrantsCannotBombOneMailbox(t *testing.T) {
	r := newRoom(t)
	var sent []time.Time
	var first Begun
	for i, g := range r.guests(1_000) {
		address := []string{"ann@example.com", "ANN@example.com", fmt.Sprintf("ann+%d@example.com", i), "a.nn@example.com"}[i%4]
		begun, err := r.Begin(t.Context(), g.Asker, email(t, address))
		if i == 0 {
			first = begun
		}
		first.Pairing = begun.Pairing // each challenge has its own
		if err != nil || begun != first {
			t.Fatalf("call %d is answered %v, %v; the first was %v", i, begun, err, first)
		}
		for range r.flush() {
			sent = append(sent, r.clock())
		}
		r.advance(80 * time.Second) // 1,000 calls in 22 hours
	}
	for i := 3; i < len(sent); i++ {
		if sent[i].Sub(sent[i-3]) < 15*time.Minute {
			t.Errorf("mails %d to %d are within 15 minutes", i-2, i+1)
		}
	}
	if len(sent) != 10 {
		t.Errorf("%d mails in 24 hours, want 10", len(sent))
	}
}

// addressesOfAllSorts are addresses that the rules treat differently, and tell
// nobody.
func (r *room) addressesOfAllSorts() []string {
	known := r.guest()
	r.answers(known, r.asks(known, "known@example.com"))
	r.advance(day)
	for i, g := range r.guests(20) {
		r.asks(g, "off@example.com")
		r.guesses(g, 1)
		if i < 3 {
			r.asks(g, "overbudget@example.com")
			r.advance(time.Minute)
		}
	}
	r.advance(time.Minute)
	r.asks(r.guest(), "muted@example.com") // which a minute must pass for
	r.flush()
	return []string{"new@example.com", "known@example.com", "overbudget@example.com", "off@example.com", "muted@example.com"}
}

func TestT31NobodyIsToldWhatAnAddressIs(t *testing.T) {
	r := newRoom(t)
	type reply struct {
		begun   Begun
		err     error
		expires time.Duration
		pending bool
		answers []error
	}
	var first reply
	var to []string
	for i, address := range r.addressesOfAllSorts() {
		g := r.guest()
		begun, err := r.Begin(t.Context(), g.Asker, email(t, address))
		if len(begun.Pairing.Reveal()) != 4 {
			t.Errorf("%s: no pairing code", address)
		}
		begun.Pairing = secret.Text{} // each challenge has its own
		waiting, ok, pendingErr := r.Pending(t.Context(), g.GrantID)
		got := reply{begun: begun, err: errors.Join(err, pendingErr), expires: waiting.ExpiresIn, pending: ok}
		for range attempts + 1 {
			got.answers = append(got.answers, r.answer(g, "x"))
		}
		if waiting.Email != address {
			t.Errorf("%s is told as %s", address, waiting.Email)
		}
		if i == 0 {
			first = got
		}
		if !reflect.DeepEqual(got, first) {
			t.Errorf("%s: %+v\na new address: %+v", address, got, first)
		}
		muted := r.challenge(g).Muted
		if want := i >= 2; muted != want {
			t.Errorf("%s: muted is %v", address, muted)
		}
	}
	for _, m := range r.flush() {
		to = append(to, m.To.String())
	}
	if len(to) != 0 { // their challenges are used up by now, and nobody needs the digits
		t.Errorf("mails to %v", to)
	}
}

func TestT31MutedDigitsOpenNothing(t *testing.T) {
	r := newRoom(t)
	for i, address := range r.addressesOfAllSorts() {
		g := r.guest()
		if err := r.answer(g, r.asks(g, address)); (err == nil) != (i < 2) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestT66TagsAndDotsAreOthersPeopleWithOneMailbox(t *testing.T) {
	r := newRoom(t)
	ann, tagged := r.guest(), r.guest()
	a := r.answers(ann, r.asks(ann, "ann@example.com"))
	r.advance(time.Minute)
	b := r.answers(tagged, r.asks(tagged, "ann+1@example.com"))
	if a.ID == b.ID {
		t.Error("two addresses are one user")
	}
	r.flush()
	r.advance(59 * time.Second)
	r.asks(r.guest(), "a.n.n+2@example.com")
	if sent := r.flush(); len(sent) != 0 {
		t.Errorf("one mailbox got another mail within a minute: %v", sent)
	}
}

// Where dots make two people, one must not clear what was guessed at the other.
func TestT66ANeighboursRightAnswerClearsNoCount(t *testing.T) {
	r := newRoom(t)
	for _, attacker := range r.guests(20) {
		r.asks(attacker, "ann@example.com")
		r.guesses(attacker, 1)
	}
	r.advance(time.Hour)
	g := r.guest()
	r.answers(g, r.asks(g, "a.nn@example.com"))
	if n := r.total(r.failedMail(email(t, "ann@example.com"))); n != 20 {
		t.Errorf("%d wrong answers for ann are counted, want 20", n)
	}
}

func TestT65AnAddressHasOneForm(t *testing.T) {
	r := newRoom(t)
	ann, again := r.guest(), r.guest()
	a := r.answers(ann, r.asks(ann, " Ann@BÜCHER.example "))
	r.advance(time.Minute)
	if b := r.answers(again, r.asks(again, "ann@xn--bcher-kva.example")); a.ID != b.ID || a.Email != b.Email {
		t.Errorf("%v and %v are one address", a, b)
	}
	if _, err := mail.ParseAddress(a.Email); err != nil || a.Email != "ann@xn--bcher-kva.example" {
		t.Errorf("the user has the address %q", a.Email)
	}
}
