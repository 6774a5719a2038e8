package grant

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
)

// Up to its last instant a grant is refreshed like any other; what it gives lives
// to the end of the grant and not a moment longer.
func TestX28ARefreshInTheLastMinuteOfAGrant(t *testing.T) {
	for _, test := range []struct {
		name  string
		start func(*fixture) Issued
		end   time.Duration // of the grant, if nobody refreshes it
		left  time.Duration // to a guest's, or a user's, next end
	}{
		{"a guest's idle end", func(f *fixture) Issued { return f.start() }, life.GuestIdle, life.Access},
		{"a user's idle end", (*fixture).claimed, life.Idle, life.Access},
		{"the absolute end", func(f *fixture) Issued {
			issued := f.claimed()
			for range 3 { // to within a user's idle time of the end
				f.wait(life.Idle - day)
				issued = f.refresh(issued.Refresh)
			}
			f.wait(2 * day)
			return f.refresh(issued.Refresh)
		}, life.Absolute - 3*(life.Idle-day) - 2*day, 0},
	} {
		for _, before := range []time.Duration{time.Minute, 59 * time.Second, time.Second, time.Millisecond, time.Microsecond} {
			t.Run(test.name+", "+before.String()+" before", func(t *testing.T) {
				f := newFixture(t)
				first := test.start(f)
				f.wait(test.end - before)
				want := test.left
				if want == 0 {
					want = before
				}
				second, err := f.renew(first.Refresh)
				if err != nil || second.ExpiresIn != want {
					t.Fatalf("Refresh = for %v, %v; want it for %v", second.ExpiresIn, err, want)
				}
				if again, err := f.renew(first.Refresh); err != nil || again.Pair != second.Pair || again.ExpiresIn != want {
					t.Errorf("the repeat = for %v, %v; want the same for %v", again.ExpiresIn, err, want)
				}
				f.wait(want - time.Microsecond)
				f.use(second.Access)
				f.wait(time.Microsecond)
				if _, err := f.check(second.Access); err != ErrUnknown {
					t.Errorf("at its end: Check error = %v, want ErrUnknown", err)
				}
				if _, err := f.renew(second.Refresh); (err == nil) != (test.left > 0) || err != nil && err != ErrUnknown {
					t.Errorf("then: Refresh error = %v; the grant lives on: %v", err, test.left > 0)
				}
			})
		}
	}
}

// No step gives an access token that outlives its grant, or its own hour.
func TestR58AnAccessTokenNeverOutlivesItsGrant(t *testing.T) {
	f := newFixture(t)
	f.life.GuestIdle, f.life.Idle, f.life.Absolute = 40*time.Minute, 90*time.Minute, 4*time.Hour
	f.restart(oldSecret)
	held := func(name string, issued Issued) {
		t.Helper()
		b := f.use(issued.Access)
		if b.Token.Expires.After(b.Grant.Expires) || b.Grant.Expires.After(b.Grant.Created.Add(f.life.Absolute)) ||
			b.Token.Expires.After(f.now().Add(f.life.Access)) || !b.Token.Expires.Equal(f.now().Add(issued.ExpiresIn)) {
			t.Errorf("%s: the token ends at %v (said: in %v) and the grant at %v; it is %v", name, b.Token.Expires, issued.ExpiresIn, b.Grant.Expires, f.now())
		}
	}
	issued := f.start()
	held("redeemed", issued)
	for i, cross := range []func(){
		func() { f.mustClaim(issued, "ann", 1) }, func() { f.mustSignOut(issued) }, func() { f.mustClaim(issued, "bob", 3) }, func() {},
	} {
		cross()
		if b := f.use(issued.Access); b.Token.Expires.After(b.Grant.Expires) {
			t.Errorf("crossing %d: the token ends at %v, after its grant at %v", i, b.Token.Expires, b.Grant.Expires)
		}
		f.wait(39 * time.Minute)
		before := issued
		issued = f.refresh(issued.Refresh)
		held("refreshed", issued)
		f.wait(2 * time.Minute / 3)
		if again := f.refresh(before.Refresh); again.Pair != issued.Pair {
			t.Errorf("round %d: the repeat has another pair", i)
		} else {
			issued.ExpiresIn = again.ExpiresIn
		}
		held("repeated", issued)
	}
}

// Who signs in anew, or on another device, signs nobody out: each code begins a
// grant of its own, though client, place and person are the same.
func TestX21ANewGrantSignsNobodyElseOut(t *testing.T) {
	f := newFixture(t)
	var all []Issued
	for range 4 {
		issued := f.start(cookie[:]...) // also from one browser
		f.mustClaim(issued, "ann", 1)
		all = append(all, issued)
	}
	if err := f.Revoke(t.Context(), client, all[3].Refresh.Hash()); err != nil {
		t.Fatal(err)
	}
	for i, issued := range all[:3] {
		if b := f.use(issued.Access); b.User.ID != "ann" {
			t.Errorf("device %d is %q's", i, b.User.ID)
		}
		f.use(f.refresh(issued.Refresh).Access)
	}
}

// Windows that give up in the middle of a refresh take nothing from the others:
// each that is answered has the one pair, which goes on.
func TestX50WhoeverGivesUpTheOthersGetOneAnswer(t *testing.T) {
	f := newFixture(t)
	token := f.claimed().Refresh
	for round := range f.rounds(5) {
		var mu sync.Mutex
		answers := map[secret.Pair]bool{}
		for i, err := range race(20, func(i int) error {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%2 == 1 {
				go cancel()
			}
			issued, err := f.Refresh(ctx, Renewal{RefreshToken: token, ClientID: client})
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				answers[issued.Pair] = true
			}
			return err
		}) {
			if err != nil && (i%2 == 0 || !errors.Is(err, context.Canceled)) {
				t.Errorf("round %d, window %d: %v", round, i, err)
			}
		}
		if len(answers) != 1 {
			t.Fatalf("round %d: %d pairs, want 1", round, len(answers))
		}
		again := f.refresh(token)
		if !answers[again.Pair] {
			t.Errorf("round %d: a repeat has another pair", round)
		}
		f.use(again.Access)
		token = again.Refresh
	}
}

// A revocation keeps what it ends: were the record gone, its tokens would be
// unknown, and its code and its oldest refresh token would tell of no theft.
func TestX74ARevocationKeepsTheRecord(t *testing.T) {
	f := newFixture(t)
	code := f.code()
	issued, err := f.Redeem(t.Context(), right(code))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Revoke(t.Context(), client, issued.Access.Hash()); err != nil {
		t.Fatal(err)
	}
	f.collect()
	if _, err := f.check(issued.Access); err != ErrRevoked {
		t.Errorf("Check error = %v, want ErrRevoked", err)
	}
	if _, err := f.renew(issued.Refresh); err != ErrRevoked {
		t.Errorf("Refresh error = %v, want ErrRevoked", err)
	}
	if _, err := f.Redeem(t.Context(), right(code)); err != ErrCodeUsed {
		t.Errorf("Redeem error = %v, want ErrCodeUsed", err)
	}
	f.wait(life.GuestIdle)
	f.collect()
	for name, err := range map[string]error{"Check": second(f.check(issued.Access)), "Refresh": second(f.renew(issued.Refresh)), "Redeem": second(f.Redeem(t.Context(), right(code)))} {
		if err != ErrUnknown && err != ErrCode {
			t.Errorf("cleared away after its end: %s error = %v, want one that refuses", name, err)
		}
	}
	if err := f.Revoke(t.Context(), client, issued.Access.Hash()); err != nil {
		t.Errorf("and a revocation of what is gone: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// A refresh that races whatever ends or changes its grant is one of both orders:
// a user's token never comes out of a grant that is over, and a sign-out leaves
// one family, which is a guest's.
func TestT48WhatRacesARefresh(t *testing.T) {
	const racers = 20
	for _, test := range []struct {
		name    string
		act     func(*fixture, Issued) error
		refused map[error]bool // what the refreshes may answer
		acts    map[error]bool // and the others
		revoked bool
	}{
		{"a revocation", func(f *fixture, issued Issued) error { return f.Revoke(f.t.Context(), client, issued.Access.Hash()) },
			map[error]bool{nil: true, ErrRevoked: true}, map[error]bool{nil: true}, true},
		{"a sign-out", func(f *fixture, issued Issued) error { return f.SignOut(f.t.Context(), issued.Access.Hash()) },
			map[error]bool{nil: true, ErrUnknown: true}, map[error]bool{nil: true, ErrGuest: true}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			for round := range f.rounds(5) {
				issued := f.claimed()
				var next [racers]Issued
				won := 0
				for i, err := range race(racers, func(i int) (err error) {
					if i%2 == 0 {
						return test.act(f, issued)
					}
					next[i], err = f.renew(issued.Refresh)
					return err
				}) {
					switch {
					case i%2 == 0 && !test.acts[err], i%2 == 1 && !test.refused[err]:
						t.Errorf("round %d, racer %d: %v", round, i, err)
					case i%2 == 0 && err == nil:
						won++
					}
				}
				gr := f.grant(issued.Access)
				if test.revoked {
					for i, n := range next {
						if _, err := f.check(n.Access); n.Access.Reveal() != "" && err != ErrRevoked {
							t.Errorf("round %d: a token of window %d answers %v", round, i, err)
						}
					}
					if gr.RevokedAt.IsZero() {
						t.Errorf("round %d: the grant lives", round)
					}
					continue
				}
				if won != 1 || gr.UserID != "" || gr.Epoch != 3 || !gr.RevokedAt.IsZero() {
					t.Errorf("round %d: %d sign-outs happened, and the grant is %+v", round, won, gr)
				}
				f.keepsOneFamily(issued, next[:])
			}
		})
	}
}

// keepsOneFamily expects that of the tokens that a client may hold after a race
// exactly one refresh token goes on, and whatever works is a guest's.
func (f *fixture) keepsOneFamily(first Issued, next []Issued) {
	f.t.Helper()
	current := map[secret.Text]bool{}
	gr := f.grant(first.Access)
	for _, issued := range append([]Issued{first}, next...) {
		if issued.Refresh.Reveal() == "" {
			continue
		}
		b, err := f.store.Bearer(f.t.Context(), issued.Refresh.Hash())
		if err != nil {
			f.t.Fatal(err)
		}
		if b.Token.Generation == gr.Generation && b.Token.Epoch == gr.Epoch {
			current[issued.Refresh] = true
		}
		if b, err := f.check(issued.Access); err == nil && b.User.ID != "" {
			f.t.Errorf("an access token is %q's after the sign-out", b.User.ID)
		}
	}
	if len(current) != 1 {
		f.t.Fatalf("%d refresh tokens are current, want 1", len(current))
	}
	for token := range current {
		if b := f.use(f.refresh(token).Access); b.User.ID != "" {
			f.t.Errorf("the family goes on as %q's, want a guest's", b.User.ID)
		}
	}
}
