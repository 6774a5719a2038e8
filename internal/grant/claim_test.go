package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

func TestAClaimGivesTheGrantItsUser(t *testing.T) {
	f := newFixture(t)
	issued := f.start()
	before := f.use(issued.Access).Grant
	f.wait(time.Minute)
	if err := f.claim(issued.Access, "ann", 1); err != nil {
		t.Fatal(err)
	}
	b := f.use(issued.Access)
	gr := b.Grant
	if b.User.ID != "ann" || gr.UserID != "ann" || gr.KnownUserID != "ann" || gr.Level != "chat" || gr.ApprovedBy != "mail" || !gr.AuthTime.Equal(f.now()) {
		t.Errorf("the grant is %+v of %+v, want ann's at level chat, now", gr, b.User)
	}
	if want := []string{Guest, "notes:write"}; !slices.Equal(gr.Scopes, want) {
		t.Errorf("scopes = %v, want %v", gr.Scopes, want)
	}
	if gr.GuestID != before.GuestID || !gr.Created.Equal(before.Created) || gr.Generation != before.Generation || gr.Epoch != 2 {
		t.Errorf("the grant is %+v, want the same one in its second epoch; it was %+v", gr, before)
	}
	if !gr.Expires.Equal(f.now().Add(life.Idle)) {
		t.Errorf("the grant expires at %v, want 30 days from now", gr.Expires)
	}
}

func TestClaimRefuses(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(f *fixture, issued Issued) (access secret.Text)
		epoch   int
		want    error
	}{
		{"T15: a claimed grant, by another user", func(f *fixture, issued Issued) secret.Text {
			return f.mustClaim(issued, "bob", 1)
		}, 2, ErrChanged},
		{"T15: a claimed grant, by its own user", func(f *fixture, issued Issued) secret.Text {
			return f.mustClaim(issued, "ann", 1)
		}, 2, ErrChanged},
		{"T15: a proof from before the claim", func(f *fixture, issued Issued) secret.Text {
			return f.mustClaim(issued, "bob", 1)
		}, 1, ErrChanged},
		{"T19: a proof from before the sign-out", func(f *fixture, issued Issued) secret.Text {
			f.mustClaim(issued, "bob", 1)
			f.mustSignOut(issued)
			return issued.Access
		}, 1, ErrChanged},
		{"T19: a proof from while somebody was signed in", func(f *fixture, issued Issued) secret.Text {
			f.mustClaim(issued, "bob", 1)
			f.mustSignOut(issued)
			return issued.Access
		}, 2, ErrChanged},
		{"a proof of no epoch", func(_ *fixture, issued Issued) secret.Text { return issued.Access }, 0, ErrChanged},
		{"an unknown token", func(*fixture, Issued) secret.Text { return secret.Plain("fya_unknown") }, 1, ErrUnknown},
		{"a refresh token", func(_ *fixture, issued Issued) secret.Text { return issued.Refresh }, 1, ErrUnknown},
		{"an expired token", func(f *fixture, issued Issued) secret.Text {
			f.wait(life.Access)
			return issued.Access
		}, 1, ErrUnknown},
		{"a revoked grant", func(f *fixture, issued Issued) secret.Text {
			if err := f.Revoke(f.t.Context(), client, issued.Refresh.Hash()); err != nil {
				f.t.Fatal(err)
			}
			return issued.Access
		}, 1, ErrRevoked},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			issued := f.start()
			access := test.prepare(f, issued)
			before := f.grant(issued.Refresh)
			if err := f.claim(access, "ann", test.epoch); err != test.want {
				t.Errorf("Claim error = %v, want %v", err, test.want)
			}
			if after := f.grant(issued.Refresh); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("a refused claim changed the grant from %+v to %+v", before, after)
			}
		})
	}
}

func (f *fixture) mustClaim(issued Issued, userID string, epoch int) secret.Text {
	f.t.Helper()
	if err := f.claim(issued.Access, userID, epoch); err != nil {
		f.t.Fatalf("Claim: %v", err)
	}
	return issued.Access
}

func (f *fixture) mustSignOut(issued Issued) {
	f.t.Helper()
	if err := f.SignOut(f.t.Context(), issued.Access.Hash()); err != nil {
		f.t.Fatalf("SignOut: %v", err)
	}
}

func TestT14OfTwoRacingClaimsOneWins(t *testing.T) {
	f := newFixture(t)
	for round := range f.rounds(200) {
		issued, users := f.start(), []string{"ann", "bob"}
		calls := []Issued{issued, issued}
		if round%3 == 0 { // by two access tokens, of which the winner's crosses
			calls[1] = f.refresh(issued.Refresh)
		}
		errs := race(2, func(i int) error { return f.claim(calls[i].Access, users[i], 1) })
		winner := slices.Index(errs, nil)
		if winner < 0 || errs[1-winner] != ErrChanged {
			t.Fatalf("the claims answered %v, want one nil and one ErrChanged", errs)
		}
		b := f.use(calls[winner].Access)
		if b.User.ID != users[winner] || b.Grant.KnownUserID != users[winner] || b.Grant.Epoch != 2 {
			t.Fatalf("%s won, and the grant is %+v", users[winner], b.Grant)
		}
	}
}

// Whichever comes first, the client keeps one refresh token that works for the
// user, and nothing is revoked.
func TestT14AClaimAndARefreshMayRace(t *testing.T) {
	f := newFixture(t)
	for range f.rounds(50) {
		issued := f.start()
		var next Issued
		if err := errors.Join(race(2, func(i int) (err error) {
			if i == 0 {
				return f.claim(issued.Access, "ann", 1)
			}
			next, err = f.renew(issued.Refresh)
			return err
		})...); err != nil {
			t.Fatal(err)
		}
		last := f.refresh(next.Refresh)
		for name, access := range map[string]secret.Text{"of the call": issued.Access, "of the last refresh": last.Access} {
			if b := f.use(access); b.User.ID != "ann" {
				t.Errorf("the access token %s is %q's, want ann's", name, b.User.ID)
			}
		}
	}
}

// family is every token that clients which share a configuration may hold of a
// grant in its third generation.
func (f *fixture) family() []Issued {
	f.t.Helper()
	first := f.start()
	second := f.refresh(first.Refresh)
	third := f.refresh(second.Refresh)
	return []Issued{first, second, third}
}

func TestT16T19ExactlyTwoTokensCross(t *testing.T) {
	for _, test := range []struct {
		name  string
		cross func(f *fixture, of Issued)
		user  string // afterwards
	}{
		{"a claim", func(f *fixture, of Issued) { f.mustClaim(of, "ann", 1) }, "ann"},
		{"a sign-out", func(f *fixture, of Issued) {
			f.update(func(ctx context.Context, tx store.Tx) error { // as if all of them were made after a claim
				gr, err := tx.Grant(ctx, f.grant(of.Access).ID)
				gr.UserID = "ann"
				return errors.Join(err, tx.PutUser(ctx, store.User{ID: "ann"}), tx.PutGrant(ctx, gr))
			})
			f.mustSignOut(of)
		}, ""},
	} {
		for caller := range 3 { // the generation whose access token makes the call
			t.Run(fmt.Sprintf("%s by generation %d", test.name, caller+1), func(t *testing.T) {
				f := newFixture(t)
				tokens := f.family()
				test.cross(f, tokens[caller])
				for i, issued := range tokens {
					want := ErrUnknown
					if i == caller {
						want = nil
					}
					b, err := f.check(issued.Access)
					if err != want || err == nil && b.User.ID != test.user {
						t.Errorf("access token %d: Check = %q, %v; want %q, %v", i+1, b.User.ID, err, test.user, want)
					}
				}
				if _, err := f.renew(tokens[1].Refresh); err != ErrUnknown {
					t.Errorf("refresh token 2, in its overlap: Refresh error = %v, want ErrUnknown", err)
				}
				fourth := f.refresh(tokens[2].Refresh)
				if b := f.use(fourth.Access); b.User.ID != test.user {
					t.Errorf("what the current refresh token gave is %q's, want %q's", b.User.ID, test.user)
				}
				if _, err := f.renew(tokens[0].Refresh); err != ErrReused {
					t.Errorf("refresh token 1, whose successor was used: Refresh error = %v, want ErrReused", err)
				}
			})
		}
	}
}

// Attacker and owner hold the same tokens, because one planted them. Both
// refresh with the one that crossed: within the overlap they share a pair; the
// second who comes after it, whichever that is, gives the theft away.
func TestT16TheCrossedRefreshTokenUsedTwiceRevokesAndMails(t *testing.T) {
	f := newFixture(t)
	planted := f.claimed()
	shared := f.refresh(planted.Refresh)
	f.use(shared.Access)
	f.wait(30 * time.Second)
	if again := f.refresh(planted.Refresh); again.Pair != shared.Pair {
		t.Error("the second in the overlap got another pair")
	}
	f.wait(30 * time.Second)
	if _, err := f.renew(planted.Refresh); err != ErrReused {
		t.Errorf("the second after the overlap: Refresh error = %v, want ErrReused", err)
	}
	for name, access := range map[string]secret.Text{"planted": planted.Access, "shared": shared.Access} {
		if _, err := f.check(access); err != ErrRevoked {
			t.Errorf("the %s access token: Check error = %v, want ErrRevoked", name, err)
		}
	}
	if got, want := f.mails(), []string{MailReused + " " + f.grant(planted.Access).ID}; !slices.Equal(got, want) {
		t.Errorf("mails %q, want %q", got, want)
	}
}
