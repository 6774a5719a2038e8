package grant

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"example.com/foyer/store"
)

var (
	cookie      = sha256.Sum256([]byte("the cookie of a browser"))
	otherCookie = sha256.Sum256([]byte("the cookie of another"))
)

func TestRemembered(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(f *fixture, issued Issued) // issued is a guest's, from the browser with the cookie
		want    string
	}{
		{"a guest is nobody", func(*fixture, Issued) {}, ""},
		{"who claimed the grant is remembered", func(f *fixture, issued Issued) { f.mustClaim(issued, "ann", 1) }, "ann"},
		{"also after a refresh", func(f *fixture, issued Issued) {
			f.mustClaim(issued, "ann", 1)
			f.refresh(issued.Refresh)
		}, "ann"},
		{"to the end of the record", func(f *fixture, issued Issued) {
			f.mustClaim(issued, "ann", 1)
			f.wait(life.Browser - time.Second)
		}, "ann"},
		{"and no longer", func(f *fixture, issued Issued) {
			f.mustClaim(issued, "ann", 1)
			f.wait(life.Browser - time.Second)
			f.refresh(issued.Refresh)
			f.wait(time.Second)
		}, ""},
		{"nor longer than the grant", func(f *fixture, issued Issued) {
			f.wait(time.Minute)
			f.mustClaim(issued, "ann", 1)
			gr := f.grant(issued.Access)
			gr.Expires = f.now()
			f.update(func(ctx context.Context, tx store.Tx) error { return tx.PutGrant(ctx, gr) })
		}, ""},
		{"a signed-out user is not", func(f *fixture, issued Issued) {
			f.mustClaim(issued, "ann", 1)
			f.mustSignOut(issued)
		}, ""},
		{"the next to sign in is", func(f *fixture, issued Issued) {
			f.mustClaim(issued, "ann", 1)
			f.mustSignOut(issued)
			f.mustClaim(issued, "bob", 3)
		}, "bob"},
		{"a revoked grant is forgotten", func(f *fixture, issued Issued) {
			f.mustClaim(issued, "ann", 1)
			if err := f.Revoke(f.t.Context(), client, issued.Access.Hash()); err != nil {
				f.t.Fatal(err)
			}
		}, ""},
		{"a newer guest takes its place", func(f *fixture, issued Issued) {
			f.mustClaim(issued, "ann", 1)
			f.start(cookie[:]...)
		}, ""},
		{"a guest of another browser does not", func(f *fixture, issued Issued) {
			f.mustClaim(issued, "ann", 1)
			f.start(otherCookie[:]...)
			f.start()
		}, "ann"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			test.prepare(f, f.start(cookie[:]...))
			u, ok, err := f.Remembered(t.Context(), cookie, client)
			if err != nil || u.ID != test.want || ok != (test.want != "") {
				t.Errorf("Remembered = %q, %v, %v; want %q", u.ID, ok, err, test.want)
			}
			for name, look := range map[string]struct {
				cookie store.Hash
				client string
			}{"another client": {cookie, "c2"}, "another cookie": {otherCookie, client}, "no cookie": {store.Hash{}, client}, "no client": {cookie, ""}} {
				if u, ok, err := f.Remembered(t.Context(), look.cookie, look.client); ok || err != nil || u.ID != "" {
					t.Errorf("%s: Remembered = %q, %v, %v; want nobody", name, u.ID, ok, err)
				}
			}
			f.wait(365 * day)
			f.collect()
			if u, ok, err := f.Remembered(t.Context(), cookie, client); ok || err != nil {
				t.Errorf("a year later: Remembered = %q, %v, %v; want nobody", u.ID, ok, err)
			}
		})
	}
}

// Who was signed in at a browser is known to the guests that come from it
// later, for the same client. It opens nothing.
func TestAKnownUserPassesFromGuestToGuest(t *testing.T) {
	f := newFixture(t)
	f.mustClaim(f.start(cookie[:]...), "ann", 1)
	for _, test := range []struct {
		name   string
		wait   time.Duration
		client string
		cookie []byte
		want   string
	}{
		{"the next guest knows ann", 0, client, cookie[:], "ann"},
		{"and the one after, whose forerunner was never claimed", time.Hour, client, cookie[:], "ann"},
		{"a guest of another browser does not", 0, client, otherCookie[:], ""},
		{"nor a guest of no browser", 0, client, nil, ""},
		{"nor a guest of half a cookie", 0, client, cookie[:16], ""},
		{"nor a guest of another client", 0, "c2", cookie[:], ""},
		{"which leaves the record as it was", 0, client, cookie[:], "ann"},
		{"until the record has expired", life.Browser, client, cookie[:], ""},
	} {
		f.wait(test.wait)
		code, err := f.Code(Authorization{ClientID: test.client, RedirectURI: redirect, Resource: resource,
			CodeChallenge: challenge, Browser: test.cookie})
		if err != nil {
			t.Fatal(err)
		}
		exchange := right(code)
		exchange.ClientID = test.client
		issued, err := f.Redeem(t.Context(), exchange)
		if err != nil {
			t.Fatal(err)
		}
		if gr := f.use(issued.Access).Grant; gr.KnownUserID != test.want || gr.UserID != "" || len(gr.Scopes) != 1 {
			t.Errorf("%s: the grant is %+v, want a guest's that knows %q", test.name, gr, test.want)
		}
	}
}

// A code that is never redeemed leaves no trace.
func TestABrowserIsRememberedOnlyByARedemption(t *testing.T) {
	f := newFixture(t)
	f.code(cookie[:]...)
	f.update(func(ctx context.Context, tx store.Tx) error {
		if b, err := tx.Browser(ctx, cookie, client); err != store.ErrNotFound {
			t.Errorf("Browser = %+v, %v; want ErrNotFound", b, err)
		}
		return nil
	})
}
