package grant

import (
	"testing"

	"example.com/foyer/internal/secret"
)

func TestRevokeEndsTheGrant(t *testing.T) {
	for name, pick := range map[string]func(first, second Issued) secret.Text{
		"by the access token":            func(_, second Issued) secret.Text { return second.Access },
		"by the refresh token":           func(_, second Issued) secret.Text { return second.Refresh },
		"by an access token still valid": func(first, _ Issued) secret.Text { return first.Access },
		"by a refresh token of the past": func(first, _ Issued) secret.Text { return first.Refresh },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			first, other := f.claimed(), f.claimed()
			second := f.refresh(first.Refresh)
			token := pick(first, second)
			for range 2 { // the second time nothing is left to revoke
				if err := f.Revoke(t.Context(), client, token.Hash()); err != nil {
					t.Fatalf("Revoke: %v", err)
				}
			}
			for i, issued := range []Issued{first, second} {
				if _, err := f.check(issued.Access); err != ErrRevoked {
					t.Errorf("access token %d: Check error = %v, want ErrRevoked", i+1, err)
				}
				if _, err := f.renew(issued.Refresh); err != ErrRevoked {
					t.Errorf("refresh token %d: Refresh error = %v, want ErrRevoked", i+1, err)
				}
			}
			if f.mails() != nil {
				t.Error("a mail tells of what the client itself has asked for")
			}
			f.use(other.Access)
		})
	}
}

func TestRevokeTouchesNothing(t *testing.T) {
	for _, test := range []struct {
		name    string
		client  string
		prepare func(f *fixture, issued Issued) secret.Text
		want    error
	}{
		{"for an unknown token", client, func(*fixture, Issued) secret.Text { return secret.Plain("fya_unknown") }, nil},
		{"for no token", client, func(*fixture, Issued) secret.Text { return secret.Text{} }, nil},
		{"for another client's access token", "c2", func(_ *fixture, issued Issued) secret.Text { return issued.Access }, ErrNotYours},
		{"for another client's refresh token", "c2", func(_ *fixture, issued Issued) secret.Text { return issued.Refresh }, ErrNotYours},
		{"for a token when no client asks", "", func(_ *fixture, issued Issued) secret.Text { return issued.Refresh }, ErrNotYours},
		{"for an expired access token", client, func(f *fixture, issued Issued) secret.Text {
			f.wait(life.Access)
			return issued.Access
		}, nil},
		{"for an access token that a claim left behind", client, func(f *fixture, issued Issued) secret.Text {
			f.mustClaim(f.refresh(issued.Refresh), "ann", 1)
			return issued.Access
		}, nil},
		{"for a refresh token that a claim left behind", client, func(f *fixture, issued Issued) secret.Text {
			f.mustClaim(f.refresh(issued.Refresh), "ann", 1)
			return issued.Refresh
		}, nil},
		{"for a token of an expired grant", client, func(f *fixture, issued Issued) secret.Text {
			f.wait(life.GuestIdle)
			return issued.Refresh
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			issued := f.start()
			token := test.prepare(f, issued)
			if err := f.Revoke(t.Context(), test.client, token.Hash()); err != test.want {
				t.Errorf("Revoke error = %v, want %v", err, test.want)
			}
			if f.revoked(issued.Refresh) {
				t.Error("the grant is revoked")
			}
		})
	}
}

// Revoked is final, and happens at one moment.
func TestARevocationStaysAsItWas(t *testing.T) {
	f := newFixture(t)
	issued := f.claimed()
	if err := f.Revoke(t.Context(), client, issued.Access.Hash()); err != nil {
		t.Fatal(err)
	}
	at := f.grant(issued.Access).RevokedAt
	f.wait(1e9)
	for _, err := range race(8, func(i int) error {
		switch i % 4 {
		case 0:
			return f.Revoke(t.Context(), client, issued.Refresh.Hash())
		case 1:
			return f.SignOut(t.Context(), issued.Access.Hash())
		case 2:
			return f.claim(issued.Access, "bob", 2)
		}
		_, err := f.renew(issued.Refresh)
		return err
	}) {
		if err != nil && err != ErrRevoked && err != ErrChanged {
			t.Error(err)
		}
	}
	if gr := f.grant(issued.Access); !gr.RevokedAt.Equal(at) || gr.UserID != "ann" || gr.Epoch != 2 || gr.Generation != 1 {
		t.Errorf("the grant, revoked at %v, is now %+v", at, gr)
	}
}
