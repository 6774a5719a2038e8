package grant

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/foyer/store"
)

// mustDelete deletes ann, as she asks for it.
func (f *fixture) mustDelete() store.Deletion {
	f.t.Helper()
	d, err := f.Delete(f.t.Context(), f.visit())
	if err != nil {
		f.t.Fatal(err)
	}
	return d
}

// put puts a session and what a browser remembers of a user's grant.
func (f *fixture) put(userID, grantID string, n byte) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		return errors.Join(tx.PutSession(ctx, store.Session{Hash: store.Hash{n}, UserID: userID, Level: "email", Expires: f.now().Add(day)}),
			tx.PutBrowser(ctx, store.Browser{Hash: store.Hash{n}, ClientID: client, GrantID: grantID, Expires: f.now().Add(day)}))
	})
}

// there are the sessions and browsers that put has put.
func (f *fixture) there(n byte) (all []string) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		all = nil
		if _, err := tx.Session(ctx, store.Hash{n}); err == nil {
			all = append(all, "session")
		}
		if _, err := tx.Browser(ctx, store.Hash{n}, client); err == nil {
			all = append(all, "browser")
		}
		return nil
	})
	return all
}

// tr21: who is deleted loses every grant, session and remembered thing at once, is
// told by mail, and nobody else loses any. Asked again, nothing more happens.
func TestTr21WhoIsDeletedLosesEverythingAtOnce(t *testing.T) {
	f := newFixture(t)
	one, two, bobs, guests := f.claimed(), f.claimed(), f.start(), f.start()
	if err := f.claim(bobs.Access, "bob", 1); err != nil {
		t.Fatal(err)
	}
	f.put("ann", f.grant(one.Access).ID, 1)
	f.put("ann", f.grant(two.Access).ID, 2)
	f.put("bob", f.grant(bobs.Access).ID, 3)
	f.announced()
	before := map[string]bool{}
	for _, e := range f.events(nil) {
		before[e.ID] = true
	}
	d := f.mustDelete()
	if !d.Until.Equal(f.now().Add(7*day)) || !d.Asked.Equal(f.now()) || d.Tries != 0 {
		t.Errorf("%+v", d)
	}
	for _, issued := range []Issued{one, two} {
		if _, err := f.check(issued.Access); err != ErrRevoked {
			t.Errorf("a token of hers: %v", err)
		}
	}
	f.use(bobs.Access)
	f.use(guests.Access)
	want := []string{f.grant(one.Access).ID, f.grant(two.Access).ID}
	if got := f.announced(); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("announced: %v, want %v", got, want)
	}
	if hers, his := slices.Concat(f.there(1), f.there(2)), f.there(3); len(hers) != 0 || len(his) != 2 {
		t.Errorf("of hers there are %v, of his %v", hers, his)
	}
	if got := f.mails(); !slices.Equal(got, []string{"leaving ann"}) {
		t.Errorf("mails: %v", got)
	}
	var told []string
	for _, e := range f.events(before) {
		told = append(told, say(e))
	}
	slices.Sort(told)
	if got := strings.Join(told, "\n"); got != strings.Join([]string{"grant_revoked of ann at chat by the user", "grant_revoked of ann at chat by the user",
		"session_ended of ann at email by the user", "session_ended of ann at email by the user", "user_leaves of ann by the user, until 168h0m0s"}, "\n") {
		t.Errorf("events:\n%s", got)
	}
	n := len(f.events(nil))
	f.wait(time.Hour)
	if again, err := f.DeleteUser(t.Context(), "ann"); again != d || err != nil {
		t.Errorf("again: %+v, %v; want %+v", again, err, d)
	}
	if len(f.events(nil)) != n || len(f.mails()) != 1 {
		t.Error("asked again, something more happened")
	}
}

// tr21, tr22: both take a sign-in of the last ten minutes, and a user whom there is.
func TestTr21Tr22ToDeleteAndToExportTakeAFreshSignIn(t *testing.T) {
	f := newFixture(t)
	ann := f.claimed()
	stale := f.visit()
	f.wait(10*time.Minute + time.Second)
	if _, err := f.Delete(t.Context(), stale); err != ErrStale {
		t.Errorf("deletion: %v", err)
	}
	if _, err := f.Export(t.Context(), stale); err != ErrStale {
		t.Errorf("export: %v", err)
	}
	for name, err := range map[string]error{
		"delete nobody": second(f.DeleteUser(t.Context(), "zoe")), "export nobody": second(f.ExportUser(t.Context(), "zoe")),
		"delete none": second(f.DeleteUser(t.Context(), "")),
	} {
		if err != ErrNoUser {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.use(ann.Access)
	if _, leaving, err := f.Deletion(t.Context(), "ann"); leaving || err != nil {
		t.Errorf("leaving: %v, %v", leaving, err)
	}
	f.mustDelete()
}

// tr21: for seven days it can be taken back, not later, and not once it has begun on a
// clock that is ahead. What has ended stays ended.
func TestTr21ADeletionCanBeTakenBackForSevenDays(t *testing.T) {
	for name, c := range map[string]struct {
		wait time.Duration
		take bool
		want error
	}{
		"at once":                      {0, false, nil},
		"a moment before":              {7*day - time.Microsecond, false, nil},
		"at that moment":               {7 * day, false, ErrTooLate},
		"later":                        {9 * day, false, ErrTooLate},
		"begun by a clock that is off": {day, true, ErrTooLate},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			ann := f.claimed()
			f.mustDelete()
			f.wait(c.wait)
			if c.take {
				f.wait(7 * day)
				if _, ok, err := f.BeginPurge(t.Context()); !ok || err != nil {
					t.Fatalf("%v, %v", ok, err)
				}
				f.wait(-7 * day)
			}
			if err := f.Keep(t.Context(), "ann", store.ByUser); err != c.want {
				t.Errorf("Keep = %v, want %v", err, c.want)
			}
			if _, leaving, err := f.Deletion(t.Context(), "ann"); leaving != (c.want != nil) || err != nil {
				t.Errorf("leaving: %v, %v", leaving, err)
			}
			if !f.revoked(ann.Access) {
				t.Error("the grant works again")
			}
			if c.want == nil {
				if err := f.Keep(t.Context(), "ann", store.ByUser); err != ErrNotLeaving {
					t.Errorf("again: %v", err)
				}
				f.claimed()
				f.wait(8 * day)
				if _, ok, err := f.BeginPurge(t.Context()); ok || err != nil {
					t.Errorf("who was kept is deleted: %v", err)
				}
			}
		})
	}
}

// tr21: who is about to be deleted gets no grant: not by digits in a chat, not by a
// code that was given before. The refusals write nothing.
func TestTr21WhoIsLeavingGetsNoGrant(t *testing.T) {
	f := newFixture(t)
	f.claimed()
	guest := f.start()
	code, err := f.Code(Authorization{ClientID: client, RedirectURI: redirect, Resource: resource, CodeChallenge: challenge, UserID: "ann", Level: "email", Scopes: []string{"notes:write"}})
	if err != nil {
		t.Fatal(err)
	}
	f.mustDelete()
	if err := f.claim(guest.Access, "ann", 1); err != ErrLeaving {
		t.Errorf("a claim: %v", err)
	}
	if gr := f.grant(guest.Access); gr.UserID != "" || gr.Epoch != 1 || gr.KnownUserID != "" {
		t.Errorf("after the claim: %+v", gr)
	}
	if _, err := f.Redeem(t.Context(), right(code)); err != ErrCode {
		t.Errorf("a code: %v", err)
	}
	if err := f.Keep(t.Context(), "ann", store.ByUser); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Redeem(t.Context(), right(code)); err != nil {
		t.Errorf("who was kept: %v", err)
	}
	f.mustClaim(guest, "ann", 1)
}

// What is kept of a user is theirs alone, with what is over.
func TestAnExportHoldsWhatIsKept(t *testing.T) {
	f := newFixture(t)
	one, two, bobs := f.claimed(), f.claimed(), f.start()
	if err := f.claim(bobs.Access, "bob", 1); err != nil {
		t.Fatal(err)
	}
	f.mustRevoke(two.Refresh)
	f.put("ann", f.grant(one.Access).ID, 1)
	f.put("bob", f.grant(bobs.Access).ID, 2)
	held, err := f.Export(t.Context(), f.visit())
	if err != nil || held.User.ID != "ann" || len(held.Grants) != 2 || len(held.Sessions) != 1 || len(held.Activity) != 3 || held.Cut || held.Deletion != (store.Deletion{}) {
		t.Errorf("%+v, %v", held, err)
	}
	d := f.mustDelete()
	held, err = f.Export(t.Context(), f.visit())
	if err != nil || held.Deletion != d || len(held.Grants) != 2 || len(held.Sessions) != 0 {
		t.Errorf("leaving: %+v, %v", held, err)
	}
	f.wait(7 * day)
	if _, err := f.Export(t.Context(), f.visit()); err != ErrTooLate {
		t.Errorf("when it has begun: %v", err)
	}
}
