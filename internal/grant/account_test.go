package grant

import (
	"slices"
	"testing"
	"time"
)

// visit is that of ann, who has just signed in.
func (f *fixture) visit() Visit { return Visit{UserID: "ann", AuthTime: f.now()} }

// set gives the grant of issued exactly these scopes, which were what they are.
func (f *fixture) set(v Visit, issued Issued, scopes ...string) error {
	f.t.Helper()
	gr := f.grant(issued.Refresh)
	return f.SetScopes(f.t.Context(), v, Change{GrantID: gr.ID, Was: gr.Scopes, Is: scopes})
}

func (f *fixture) mustSet(issued Issued, scopes ...string) {
	f.t.Helper()
	if err := f.set(f.visit(), issued, scopes...); err != nil {
		f.t.Fatal(err)
	}
}

// tr15: a user ends a grant of theirs with all of its tokens. Another's, a guest's, one
// that is over and none at all are alike.
func TestTr15AUserDisconnectsTheirOwnGrantsAlone(t *testing.T) {
	f := newFixture(t)
	hers, guests, over := f.claimed(), f.start(), f.claimed()
	f.mustRevoke(over.Refresh)
	for name, c := range map[string]struct{ user, id string }{
		"another user":           {"bob", f.grant(hers.Refresh).ID},
		"nobody":                 {"", f.grant(hers.Refresh).ID},
		"of a guest":             {"ann", f.grant(guests.Refresh).ID},
		"of a guest, and nobody": {"", f.grant(guests.Refresh).ID},
		"one that is over":       {"ann", f.grant(over.Refresh).ID},
		"none":                   {"ann", "nothing"},
	} {
		if err := f.Disconnect(t.Context(), c.user, c.id); err != ErrUnknown {
			t.Errorf("%s: %v", name, err)
		}
		v := Visit{UserID: c.user, AuthTime: f.now()}
		if n, err := f.DisconnectAll(t.Context(), v, c.id); n != 0 || err != ErrUnknown {
			t.Errorf("%s, all others: %d, %v", name, n, err)
		}
		if err := f.SetScopes(t.Context(), v, Change{GrantID: c.id, Was: []string{Guest, "notes:write"}}); err != ErrUnknown {
			t.Errorf("%s, its scopes: %v", name, err)
		}
	}
	f.use(hers.Access)
	f.use(guests.Access)
	if err := f.Disconnect(t.Context(), "ann", f.grant(hers.Refresh).ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.check(hers.Access); err != ErrRevoked {
		t.Errorf("the access token: %v", err)
	}
	if _, err := f.renew(hers.Refresh); err != ErrRevoked {
		t.Errorf("the refresh token: %v", err)
	}
}

// tr15: to end all grants, or all but one, takes a sign-in of the last ten minutes, and
// ends nobody else's.
func TestTr15ToDisconnectAllTakesAFreshSignIn(t *testing.T) {
	f := newFixture(t)
	one, two, bobs := f.claimed(), f.claimed(), f.start()
	if err := f.claim(bobs.Access, "bob", 1); err != nil {
		t.Fatal(err)
	}
	v := f.visit()
	f.wait(10*time.Minute + time.Second)
	if n, err := f.DisconnectAll(t.Context(), v, ""); n != 0 || err != ErrStale {
		t.Errorf("after ten minutes: %d, %v", n, err)
	}
	f.use(one.Access)
	v.AuthTime = v.AuthTime.Add(time.Second)
	if n, err := f.DisconnectAll(t.Context(), v, f.grant(one.Refresh).ID); n != 1 || err != nil {
		t.Errorf("all others: %d, %v", n, err)
	}
	f.use(one.Access)
	if _, err := f.check(two.Access); err != ErrRevoked {
		t.Errorf("the other: %v", err)
	}
	if n, err := f.DisconnectAll(t.Context(), f.visit(), ""); n != 1 || err != nil {
		t.Errorf("all: %d, %v", n, err)
	}
	if n, err := f.DisconnectAll(t.Context(), Visit{AuthTime: f.now()}, ""); n != 0 || err != nil {
		t.Errorf("of nobody: %d, %v", n, err)
	}
	f.use(bobs.Access)
}

// A scope that its user takes back is lost at once, and one that they give opens at
// once, for the tokens that there are: neither epoch nor level nor tokens change.
func TestScopesOfAGrantChangeUnderItsTokens(t *testing.T) {
	f := newFixture(t)
	issued, other := f.claimed(), f.claimed()
	before := f.grant(issued.Refresh)
	f.mustSet(issued, "more")
	b := f.use(issued.Access)
	if got := Scopes(b.Token, b.Grant); !slices.Equal(got, []string{Guest, "more"}) {
		t.Errorf("the token opens %q", got)
	}
	if b.Grant.Epoch != before.Epoch || b.Grant.Level != before.Level || !b.Grant.AuthTime.Equal(before.AuthTime) || b.Grant.Generation != before.Generation {
		t.Errorf("more has changed: %+v, was %+v", b.Grant, before)
	}
	if got := f.grant(other.Refresh).Scopes; !slices.Equal(got, []string{Guest, "notes:write"}) {
		t.Errorf("the other grant of the user has %q", got)
	}
	next, err := f.renew(issued.Refresh)
	if err != nil || !slices.Equal(next.Scopes, []string{Guest, "more"}) {
		t.Errorf("the refresh: %q, %v", next.Scopes, err)
	}
	if got := f.grant(next.Refresh).Refreshed; !got.Equal(f.now()) {
		t.Errorf("refreshed at %v", got)
	}
}

// To give takes a sign-in of the last ten minutes; to take back does not. What is done
// is what was shown.
func TestScopesAreGivenByWhoHasJustSignedInAndSeenThem(t *testing.T) {
	f := newFixture(t)
	issued := f.claimed()
	v := f.visit()
	f.wait(10*time.Minute + time.Second)
	for name, scopes := range map[string][]string{"one more": {"notes:write", "more"}, "one for another": {"more"}} {
		if err := f.set(v, issued, scopes...); err != ErrStale {
			t.Errorf("%s: %v", name, err)
		}
	}
	id := f.grant(issued.Refresh).ID
	for name, was := range map[string][]string{"fewer": {Guest}, "more": {Guest, "more", "notes:write"}, "none": nil} {
		if err := f.SetScopes(t.Context(), f.visit(), Change{GrantID: id, Was: was, Is: []string{"a"}}); err != ErrChanged {
			t.Errorf("%s were shown: %v", name, err)
		}
	}
	if got := f.grant(issued.Refresh).Scopes; !slices.Equal(got, []string{Guest, "notes:write"}) {
		t.Errorf("after refusals: %q", got)
	}
	if err := f.set(v, issued); err != nil {
		t.Errorf("to take back: %v", err)
	}
	if got := f.grant(issued.Refresh).Scopes; !slices.Equal(got, []string{Guest}) {
		t.Errorf("after all: %q", got)
	}
}

// What a user reads of the trail is their own.
func TestTheActivityOfAUserIsTheirOwn(t *testing.T) {
	f := newFixture(t)
	issued, bobs := f.claimed(), f.start()
	if err := f.claim(bobs.Access, "bob", 1); err != nil {
		t.Fatal(err)
	}
	f.wait(time.Second)
	f.refresh(issued.Refresh)
	f.mustSet(issued)
	events, err := f.Activity(t.Context(), "ann", 20)
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Kind)
		if e.UserID != "ann" {
			t.Errorf("an event of %s", e.UserID)
		}
	}
	if err != nil || !slices.Equal(kinds, []string{"grant_narrowed", "grant_claimed"}) {
		t.Errorf("Activity: %q, %v", kinds, err)
	}
}
