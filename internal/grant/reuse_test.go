package grant

import (
	"slices"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
)

func TestT48ARepeatedRefresh(t *testing.T) {
	for _, test := range []struct {
		name    string
		use     bool // of the access token that the refresh gave
		after   time.Duration
		want    error
		expires time.Duration // the access token's, in the answer
	}{
		{"at once", false, 0, nil, time.Hour},
		{"at once, though the answer is in use", true, 0, nil, time.Hour},
		{"within the overlap", false, 59 * time.Second, nil, time.Hour - 59*time.Second},
		{"within the overlap, though the answer is in use", true, 59 * time.Second, nil, time.Hour - 59*time.Second},
		{"after the overlap the answer begins anew", false, time.Minute, nil, time.Hour},
		{"also when the access token has long expired", false, 23 * time.Hour, nil, time.Hour},
		{"after the overlap, the answer in use: reuse", true, time.Minute, ErrReused, 0},
		{"also when the access token has long expired, and was cleared away", true, 23 * time.Hour, ErrReused, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			first := f.start()
			second := f.refresh(first.Refresh)
			if test.use {
				f.use(second.Access)
			}
			f.wait(test.after)
			f.collect()
			again, err := f.renew(first.Refresh)
			if err != test.want {
				t.Fatalf("Refresh error = %v, want %v", err, test.want)
			}
			if err != nil {
				if !f.revoked(first.Refresh) || again.Access.Reveal() != "" {
					t.Error("the grant lives, or a token was issued")
				}
				return
			}
			if again.Pair != second.Pair || again.ExpiresIn != test.expires {
				t.Errorf("same pair: %v, for %v; want it for %v", again.Pair == second.Pair, again.ExpiresIn, test.expires)
			}
			f.wait(again.ExpiresIn - 1)
			f.use(again.Access)
			f.wait(1)
			if _, err := f.check(again.Access); err != ErrUnknown {
				t.Errorf("after %v: Check error = %v, want ErrUnknown", again.ExpiresIn, err)
			}
			f.refresh(again.Refresh)
		})
	}
}

// What was used stays used, whatever is repeated within the overlap.
func TestT48ARepeatDoesNotForgetThatItsAnswerWasUsed(t *testing.T) {
	f := newFixture(t)
	f.life.Access = 20 * time.Second // shorter than the overlap
	f.restart(oldSecret)
	first := f.start()
	second := f.refresh(first.Refresh)
	f.use(second.Access)
	f.wait(30 * time.Second)
	f.collect()
	again := f.refresh(first.Refresh)
	if again.Pair != second.Pair || again.ExpiresIn != f.life.Access {
		t.Errorf("same pair: %v, for %v; want it for %v", again.Pair == second.Pair, again.ExpiresIn, f.life.Access)
	}
	f.use(again.Access)
	f.wait(30 * time.Second)
	if _, err := f.renew(first.Refresh); err != ErrReused {
		t.Errorf("after the overlap: Refresh error = %v, want ErrReused", err)
	}
}

// A laptop sleeps through the answer of a refresh, and two of its windows try
// again when it wakes: whichever comes second is as welcome as in the overlap of
// the first answer, though the other is using the repeated one by then. That
// overlap is the last: the pair is in use.
func TestT48TwoWindowsAfterALostAnswerStaySignedIn(t *testing.T) {
	for _, test := range []struct {
		name  string
		slept time.Duration
		after time.Duration // between the windows
		want  error
	}{
		{"at once", 10 * time.Minute, 0, nil},
		{"within an overlap of the first to come", 10 * time.Minute, life.Overlap - time.Microsecond, nil},
		{"after it somebody holds a copy", 10 * time.Minute, life.Overlap, ErrReused},
		{"after a nap within an overlap of the first to come", 50 * time.Second, life.Overlap - time.Microsecond, nil},
		{"after it somebody holds a copy, as after a long sleep", 50 * time.Second, life.Overlap, ErrReused},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			first := f.claimed()
			lost := f.refresh(first.Refresh)
			f.wait(test.slept)
			one := f.refresh(first.Refresh)
			f.use(one.Access)
			f.wait(test.after / 2)
			f.refresh(first.Refresh) // which makes the overlap no longer: the answer is in use
			f.wait(test.after - test.after/2)
			two, err := f.renew(first.Refresh)
			if err != test.want || one.Pair != lost.Pair || err == nil && two.Pair != lost.Pair {
				t.Errorf("Refresh error = %v, want %v, and one pair for all", err, test.want)
			}
			if f.revoked(first.Refresh) != (test.want != nil) {
				t.Errorf("the grant is revoked: %v", test.want == nil)
			}
		})
	}
}

// A client that repeats is not idle: its grant lives on as after any refresh.
func TestT48ARepeatAfterTheOverlapKeepsTheGrantAlive(t *testing.T) {
	f := newFixture(t)
	first := f.start()
	f.refresh(first.Refresh)
	f.wait(life.GuestIdle - time.Minute)
	again := f.refresh(first.Refresh)
	f.wait(time.Hour - 1)
	f.use(again.Access)
	f.refresh(again.Refresh)
}

func TestT48ReuseRevokesAndMailsTheUser(t *testing.T) {
	for _, test := range []struct {
		name   string
		start  func(f *fixture) Issued
		mailed bool
	}{
		{"a user's grant", (*fixture).claimed, true},
		{"a guest's", func(f *fixture) Issued { return f.start() }, false},
		{"a grant whose user has signed out", func(f *fixture) Issued {
			issued := f.claimed()
			if err := f.SignOut(t.Context(), issued.Access.Hash()); err != nil {
				t.Fatal(err)
			}
			return issued
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			first, other := test.start(f), f.claimed()
			second := f.refresh(first.Refresh)
			f.wait(10 * time.Second)
			third := f.refresh(second.Refresh) // within the overlap of the first: whoever has this needs no repeat
			if _, err := f.renew(first.Refresh); err != ErrReused {
				t.Fatalf("Refresh error = %v, want ErrReused", err)
			}
			for name, token := range map[string]secret.Text{"first": first.Refresh, "second": second.Refresh, "third": third.Refresh} {
				if _, err := f.renew(token); err != ErrRevoked {
					t.Errorf("afterwards the %s refresh token: Refresh error = %v, want ErrRevoked", name, err)
				}
			}
			for name, token := range map[string]secret.Text{"first": first.Access, "second": second.Access, "third": third.Access} {
				if _, err := f.check(token); err != ErrRevoked {
					t.Errorf("afterwards the %s access token: Check error = %v, want ErrRevoked", name, err)
				}
			}
			var want []string
			if test.mailed {
				want = []string{MailReused + " " + f.grant(first.Access).ID}
			}
			if got := f.mails(); !slices.Equal(got, want) {
				t.Errorf("mails %q, want %q", got, want)
			}
			f.use(other.Access)
		})
	}
}

func TestT48RacingReuseRevokesOnceAndMailsOnce(t *testing.T) {
	f := newFixture(t)
	first := f.claimed()
	f.refresh(f.refresh(first.Refresh).Refresh)
	reused := 0
	for _, err := range race(20, func(int) error {
		_, err := f.renew(first.Refresh)
		return err
	}) {
		switch err {
		case ErrReused:
			reused++
		case ErrRevoked:
		default:
			t.Errorf("Refresh error = %v, want ErrReused once and ErrRevoked after it", err)
		}
	}
	if reused != 1 || len(f.mails()) != 1 {
		t.Errorf("%d refreshes were told of the reuse, and %d mails wait; want 1 of each", reused, len(f.mails()))
	}
}

func TestT48ARestartOrANewSecretBetweenChangesNothing(t *testing.T) {
	for _, test := range []struct {
		name    string
		secrets []string
		want    error
	}{
		{"a restart", []string{oldSecret}, nil},
		{"a new secret in front", []string{newSecret, oldSecret}, nil},
		{"a new secret behind", []string{oldSecret, newSecret}, nil},
		{"the secret is gone: the client begins again", []string{newSecret}, ErrUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			first := f.claimed()
			second := f.refresh(first.Refresh)
			for _, wait := range []time.Duration{30 * time.Second, time.Hour} { // within the overlap, and after it
				f.wait(wait)
				f.restart(test.secrets...)
				again, err := f.renew(first.Refresh)
				if err != test.want || err == nil && again.Pair != second.Pair {
					t.Errorf("after %v: Refresh error = %v, same pair: %v; want %v", wait, err, again.Pair == second.Pair, test.want)
				}
			}
			third := f.refresh(second.Refresh) // needs no secret of the past
			if f.restart(newSecret); f.revoked(third.Access) {
				t.Error("the grant was revoked")
			}
			f.refresh(third.Refresh)
		})
	}
}

func TestT48TwoWindowsThatRefreshAfterAClaimStaySignedIn(t *testing.T) {
	f := newFixture(t)
	first := f.claimed()
	one := f.refresh(first.Refresh)
	f.use(one.Access)
	f.wait(30 * time.Second)
	two := f.refresh(first.Refresh)
	for name, issued := range map[string]Issued{"first": one, "second": two} {
		if b := f.use(issued.Access); b.User.ID != "ann" || !slices.Contains(issued.Scopes, "notes:write") {
			t.Errorf("the %s window is %q with scopes %v, want ann, who may write", name, b.User.ID, issued.Scopes)
		}
	}
	if one.Pair != two.Pair {
		t.Error("the windows have different pairs")
	}
	f.use(f.refresh(two.Refresh).Access)
}
