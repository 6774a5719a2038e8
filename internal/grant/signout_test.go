package grant

import (
	"slices"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
)

func TestT19ASignOutMakesANewGuest(t *testing.T) {
	f := newFixture(t)
	issued := f.claimed()
	before := f.use(issued.Access).Grant
	f.wait(time.Minute)
	f.mustSignOut(issued)
	for name, access := range map[string]secret.Text{"of the call": issued.Access, "of the next refresh": f.refresh(issued.Refresh).Access} {
		b := f.use(access)
		gr := b.Grant
		if b.User.ID != "" || gr.UserID != "" || gr.Level != "" || gr.ApprovedBy != "" || !gr.AuthTime.IsZero() {
			t.Errorf("the access token %s: %+v of %q, want nobody's grant", name, gr, b.User.ID)
		}
		if gr.ID != before.ID || gr.GuestID == before.GuestID || gr.Epoch != before.Epoch+1 || !slices.Equal(gr.Scopes, []string{Guest}) {
			t.Errorf("the access token %s: %+v, want the same grant with another guest and the scope guest; it was %+v", name, gr, before)
		}
		if gr.KnownUserID != "ann" || !gr.Expires.Equal(f.now().Add(life.GuestIdle)) {
			t.Errorf("the access token %s: %+v, want one that knows ann, and lives a guest's day", name, gr)
		}
	}
}

func TestSignOutRefuses(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(f *fixture, issued Issued) (access secret.Text)
		want    error
	}{
		{"a second time", func(f *fixture, issued Issued) secret.Text {
			f.mustSignOut(issued)
			return issued.Access
		}, ErrGuest},
		{"a guest", func(f *fixture, _ Issued) secret.Text { return f.start().Access }, ErrGuest},
		{"an unknown token", func(*fixture, Issued) secret.Text { return secret.Plain("fya_unknown") }, ErrUnknown},
		{"a refresh token", func(_ *fixture, issued Issued) secret.Text { return issued.Refresh }, ErrUnknown},
		{"an expired token", func(f *fixture, issued Issued) secret.Text {
			f.wait(life.Access)
			return issued.Access
		}, ErrUnknown},
		{"a token that a claim left behind", func(f *fixture, _ Issued) secret.Text {
			first := f.start()
			second := f.refresh(first.Refresh)
			f.mustClaim(second, "bob", 1)
			return first.Access
		}, ErrUnknown},
		{"a revoked grant", func(f *fixture, issued Issued) secret.Text {
			if err := f.Revoke(f.t.Context(), client, issued.Access.Hash()); err != nil {
				f.t.Fatal(err)
			}
			return issued.Access
		}, ErrRevoked},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			issued := f.claimed()
			access := test.prepare(f, issued)
			if err := f.SignOut(t.Context(), access.Hash()); err != test.want {
				t.Errorf("SignOut error = %v, want %v", err, test.want)
			}
		})
	}
}

func TestT19OfManyRacingSignOutsOneHappens(t *testing.T) {
	f := newFixture(t)
	for range f.rounds(20) {
		issued := f.claimed()
		done := 0
		for _, err := range race(8, func(int) error { return f.SignOut(t.Context(), issued.Access.Hash()) }) {
			switch err {
			case nil:
				done++
			case ErrGuest:
			default:
				t.Errorf("SignOut error = %v, want ErrGuest", err)
			}
		}
		if gr := f.grant(issued.Access); done != 1 || gr.Epoch != 3 {
			t.Errorf("%d sign-outs happened, and the epoch is %d; want 1 and 3", done, gr.Epoch)
		}
	}
}

// However often people come and go on one grant, nobody meets what another has
// kept: each is a user of their own, or a guest that was never seen before.
func TestT15T19OneGrantManyOwners(t *testing.T) {
	f := newFixture(t)
	issued := f.start()
	guests := map[string]bool{}
	for i, user := range []string{"ann", "bob", "ann", "cy", "bob", "ann"} {
		guest := f.use(issued.Access).Grant.GuestID
		if guests[guest] {
			t.Errorf("guest %d has been here before", i)
		}
		guests[guest] = true
		f.mustClaim(issued, user, 2*i+1)
		if b := f.use(issued.Access); b.User.ID != user {
			t.Errorf("after the claim of %s the grant is %q's", user, b.User.ID)
		}
		f.mustSignOut(issued)
		issued.Refresh = f.refresh(issued.Refresh).Refresh
	}
}
