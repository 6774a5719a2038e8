package grant

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// announced returns the grants that were announced since it was asked last.
func (f *fixture) announced() []string {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.t.Context())
	cancel()
	var all []string
	for range 100 { // an ended context and news are equally welcome
		ids, err := f.Changed(ctx)
		if err != nil && !errors.Is(err, context.Canceled) {
			f.t.Fatal(err)
		}
		all = append(all, ids...)
	}
	return all
}

// Whatever changes what a grant allows, or ends it, announces that grant; what
// is refused, and what changes nothing of the kind, announces none.
func TestWhatChangesAGrantIsAnnounced(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(f *fixture, issued Issued)
		want bool
	}{
		{"a revocation", func(f *fixture, issued Issued) { f.mustRevoke(issued.Refresh) }, true},
		{"a sign-out", func(f *fixture, issued Issued) { f.mustSignOut(issued) }, true},
		{"reuse", func(f *fixture, issued Issued) {
			f.use(f.refresh(issued.Refresh).Access)
			f.wait(life.Overlap)
			if _, err := f.renew(issued.Refresh); err != ErrReused {
				f.t.Fatal(err)
			}
		}, true},
		{"roles", func(f *fixture, issued Issued) {
			if _, _, err := f.SetRoles(f.t.Context(), f.grant(issued.Refresh).UserID, []string{"clerk"}); err != nil {
				f.t.Fatal(err)
			}
		}, true},
		{"an elevation", func(f *fixture, issued Issued) { f.mustElevate(issued, time.Hour) }, true},
		{"the end of elevations", func(f *fixture, issued Issued) {
			f.mustElevate(issued, time.Hour)
			f.announced()
			if _, err := f.Lower(f.t.Context(), f.grant(issued.Refresh).ID, "", ""); err != nil {
				f.t.Fatal(err)
			}
		}, true},
		{"a disconnection", func(f *fixture, issued Issued) {
			if err := f.Disconnect(f.t.Context(), "ann", f.grant(issued.Refresh).ID); err != nil {
				f.t.Fatal(err)
			}
		}, true},
		{"a disconnection of all", func(f *fixture, issued Issued) {
			if n, err := f.DisconnectAll(f.t.Context(), f.visit(), ""); n != 1 || err != nil {
				f.t.Fatal(n, err)
			}
		}, true},
		{"a disconnection of all others", func(f *fixture, issued Issued) {
			if n, err := f.DisconnectAll(f.t.Context(), f.visit(), f.grant(issued.Refresh).ID); n != 0 || err != nil {
				f.t.Fatal(n, err)
			}
		}, false},
		{"a scope that is taken back", func(f *fixture, issued Issued) { f.mustSet(issued) }, true},
		{"a scope that is given", func(f *fixture, issued Issued) { f.mustSet(issued, "notes:write", "more") }, true},
		{"a revocation by its ID", func(f *fixture, issued Issued) {
			if err := f.End(f.t.Context(), f.grant(issued.Refresh).ID); err != nil {
				f.t.Fatal(err)
			}
		}, true},
		{"the end of no elevation", func(f *fixture, issued Issued) {
			if _, err := f.Lower(f.t.Context(), f.grant(issued.Refresh).ID, "", ""); err != ErrNotElevated {
				f.t.Fatal(err)
			}
		}, false},
		{"a refresh", func(f *fixture, issued Issued) { f.refresh(issued.Refresh) }, false},
		{"use", func(f *fixture, issued Issued) { f.use(issued.Access) }, false},
		{"a revocation by another client", func(f *fixture, issued Issued) {
			if err := f.Revoke(f.t.Context(), "c2", issued.Refresh.Hash()); err != ErrNotYours {
				f.t.Fatal(err)
			}
		}, false},
		{"the sign-out of nobody", func(f *fixture, _ Issued) {
			if err := f.SignOut(f.t.Context(), f.start().Access.Hash()); err != ErrGuest {
				f.t.Fatal(err)
			}
		}, false},
		{"an unknown token", func(f *fixture, _ Issued) { f.mustRevoke(secret.Plain("fya_unknown")) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			issued := f.claimed()
			id := f.grant(issued.Refresh).ID
			f.announced()
			test.do(f, issued)
			if got := f.announced(); slices.Equal(got, []string{id}) != test.want || !test.want && len(got) > 0 {
				t.Errorf("announced: %v, of %s", got, id)
			}
		})
	}
}

// An elevation is announced when it begins, and when its time is over: at once, by
// the process that gave it, though nobody has asked.
func TestTheEndOfAnElevationIsAnnounced(t *testing.T) {
	f := newFixture(t)
	issued := f.claimed()
	id := f.grant(issued.Refresh).ID
	f.announced()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	f.mustElevate(issued, 500*time.Millisecond)
	for _, what := range []string{"begin", "end"} {
		if got, err := f.Changed(ctx); err != nil || !slices.Equal(got, []string{id}) {
			t.Errorf("at its %s: %v, %v", what, got, err)
		}
	}
}

// A code that is used twice announces the grant of its first use.
func TestACodeUsedTwiceIsAnnounced(t *testing.T) {
	f := newFixture(t)
	code := f.code()
	issued, err := f.Redeem(t.Context(), right(code))
	if err != nil {
		t.Fatal(err)
	}
	f.announced()
	if _, err := f.Redeem(t.Context(), right(code)); err != ErrCodeUsed {
		t.Fatal(err)
	}
	if got, want := f.announced(), f.grant(issued.Refresh).ID; !slices.Equal(got, []string{want}) {
		t.Errorf("announced: %v, want %s", got, want)
	}
}

// Nobody waits for somebody to listen, and each grant is told once.
func TestAnnouncementsAreNotAQueue(t *testing.T) {
	f := newFixture(t)
	for range 10_000 {
		f.Announce("one")
		f.Announce("two")
	}
	got, err := f.Changed(t.Context())
	if slices.Sort(got); err != nil || !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("%v, %v", got, err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if got, err := f.Changed(ended); err == nil {
		t.Errorf("and then %v", got)
	}
}

func (f *fixture) mustRevoke(token secret.Text) {
	f.t.Helper()
	if err := f.Revoke(f.t.Context(), client, token.Hash()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) mustElevate(issued Issued, last time.Duration) {
	f.t.Helper()
	err := f.Elevate(f.t.Context(), f.grant(issued.Refresh).ID, store.Elevation{Role: "clerk", Until: f.now().Add(last), Reason: "r", By: "bob"})
	if err != nil {
		f.t.Fatal(err)
	}
}
