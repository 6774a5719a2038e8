package grant

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"example.com/foyer/internal/jwt"
	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

const issuer = "https://notes.example"

// signing is a fixture in which users' tokens for the resource are JWTs.
func signing(t testing.TB) *fixture {
	t.Helper()
	f := newFixture(t)
	f.resign(oldSecret)
	return f
}

// resign closes the store and opens it again, under those secrets.
func (f *fixture) resign(secrets ...string) {
	f.t.Helper()
	f.close()
	s, err := sqlite.Open(f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	k := keys(f.t, secrets...)
	signers, err := jwt.NewKeys(k.SigningKeys())
	if err != nil {
		f.t.Fatal(err)
	}
	f.Grants = New(s, k, f.life, JWTs{Issuer: issuer, Resources: []string{"https://other.example", resource}, Keys: signers}, f.clock.now)
}

// claimsIn reads what a JWT says; that it is well signed, package jwt tests.
func claimsIn(t testing.TB, access secret.Text) (c jwt.Claims) {
	t.Helper()
	parts := strings.Split(access.Reveal(), ".")
	if len(parts) != 3 {
		t.Fatal("no JWT")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func isJWT(access secret.Text) bool { return strings.HasPrefix(access.Reveal(), "eyJ") }

func TestOnlyAUsersTokenForAResourceThatWantsItIsAJWT(t *testing.T) {
	f := signing(t)
	guest := f.start()
	renewed := f.refresh(guest.Refresh)
	if isJWT(guest.Access) || isJWT(renewed.Access) {
		t.Fatal("a guest has a JWT, which cannot be claimed")
	}
	f.wait(time.Minute)
	claimedAt := f.now()
	if err := f.claim(renewed.Access, "ann", 1); err != nil {
		t.Fatal(err)
	}
	f.wait(10 * time.Minute)
	users := f.refresh(renewed.Refresh)
	if !isJWT(users.Access) || isJWT(users.Refresh) {
		t.Fatal("a user has no JWT, or a refresh token is one")
	}
	got := claimsIn(t, users.Access)
	if len(got.ID) != 22 {
		t.Errorf("jti %q", got.ID)
	}
	got.ID = ""
	want := jwt.Claims{Issuer: issuer, Subject: "ann", Audience: resource, ClientID: client, Scope: "guest notes:write",
		Issued: f.now().Unix(), Expires: f.now().Add(time.Hour).Unix(), AuthTime: claimedAt.Unix(), Level: "chat"}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if b := f.use(users.Access); b.Grant.UserID != "ann" || b.Token.Expires.Unix() != got.Expires {
		t.Errorf("here it is %+v", b)
	}
	if next := f.refresh(users.Refresh); claimsIn(t, next.Access).ID == claimsIn(t, users.Access).ID {
		t.Error("two tokens have one jti")
	}

	plain := newFixture(t)
	if isJWT(plain.refresh(plain.claimed().Refresh).Access) {
		t.Error("a JWT for a resource that wants none")
	}
}

// The same pair comes again, byte for byte, within the overlap; and never later,
// although nobody here has seen the JWT used.
func TestARepeatedRefreshThatGaveAJWT(t *testing.T) {
	for _, test := range []struct {
		name    string
		between func(f *fixture)
		want    error
	}{
		{"at once", func(*fixture) {}, nil},
		{"at the end of the overlap", func(f *fixture) { f.wait(time.Minute - time.Microsecond) }, nil},
		{"after a restart", func(f *fixture) { f.resign(oldSecret) }, nil},
		{"under a new secret, the old one kept", func(f *fixture) { f.resign(newSecret, oldSecret) }, nil},
		{"with other lifetimes", func(f *fixture) { f.life.Access, f.life.Absolute = 2*time.Hour, day; f.resign(oldSecret) }, nil},
		{"after part of a second", func(f *fixture) { f.wait(1700 * time.Millisecond) }, nil},
		{"under a new secret alone, the answer is gone", func(f *fixture) { f.resign(newSecret) }, ErrUnknown},
		{"where JWTs are no longer wanted, it is gone too", func(f *fixture) { f.restart(oldSecret) }, ErrUnknown},
		{"after the overlap: reuse", func(f *fixture) { f.wait(time.Minute) }, ErrReused},
		{"much later: reuse", func(f *fixture) { f.wait(20 * day); f.collect() }, ErrReused},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := signing(t)
			f.wait(123456 * time.Microsecond)
			first := f.claimed()
			second := f.refresh(first.Refresh)
			began := f.now()
			test.between(f)
			again, err := f.renew(first.Refresh)
			if err != test.want {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if f.revoked(first.Refresh) != (test.want == ErrReused) {
				t.Error("revoked, though nothing was reused; or not, though it was")
			}
			if err != nil {
				if again.Access.Reveal() != "" {
					t.Error("a refusal has a token")
				}
				return
			}
			if again.Pair != second.Pair || again.ExpiresIn != time.Hour-f.now().Sub(began) {
				t.Errorf("the same pair: %v, for %v", again.Pair == second.Pair, again.ExpiresIn)
			}
			f.use(again.Access)
			f.refresh(again.Refresh)
		})
	}
}

// A JWT that was wanted only after the first answer changes nothing of that.
func TestARepeatAnswersTheOpaqueTokenThatItsRefreshGave(t *testing.T) {
	f := newFixture(t)
	first := f.claimed()
	second := f.refresh(first.Refresh)
	f.resign(oldSecret)
	if again, err := f.renew(first.Refresh); err != nil || again.Pair != second.Pair {
		t.Errorf("%v, the same pair: %v", err, again.Pair == second.Pair)
	}
	if !isJWT(f.refresh(second.Refresh).Access) {
		t.Error("the next refresh gave no JWT")
	}
}

// Its time is written in it, so an expired JWT is never answered again.
func TestAnExpiredJWTIsNotRepeated(t *testing.T) {
	for _, collect := range []bool{false, true} {
		f := signing(t)
		f.life.Access = 20 * time.Second // shorter than the overlap, which package foyer refuses
		f.resign(oldSecret)
		first := f.claimed()
		f.refresh(first.Refresh)
		f.wait(20 * time.Second)
		if collect {
			f.wait(time.Second)
			f.collect()
		}
		if again, err := f.renew(first.Refresh); err != ErrUnknown || again.Access.Reveal() != "" || f.revoked(first.Refresh) {
			t.Errorf("collected %v: %v", collect, err)
		}
	}
}

// T48: a thief and the owner refresh in turn, and use their JWTs where nobody
// tells us. Were a JWT that nobody has seen a reason to repeat, each would be
// given the other's pair for ever.
func TestT48TwoWhoShareAFamilyOfJWTsAreFound(t *testing.T) {
	f := signing(t)
	stolen := f.refresh(f.claimed().Refresh).Refresh
	f.refresh(stolen) // by the thief
	f.wait(50 * time.Minute)
	if _, err := f.renew(stolen); err != ErrReused || !f.revoked(stolen) { // by the owner
		t.Errorf("the owner: %v, revoked %v", err, f.revoked(stolen))
	}
	if mails := f.mails(); len(mails) != 1 {
		t.Errorf("mails: %q", mails)
	}
}

func TestT48RacingRefreshesAllGetOneJWT(t *testing.T) {
	f := signing(t)
	first := f.claimed()
	const racers = 20
	got := make([]Issued, racers)
	for i, err := range race(racers, func(i int) (err error) {
		got[i], err = f.renew(first.Refresh)
		return err
	}) {
		if err != nil || got[i].Pair != got[0].Pair || !isJWT(got[i].Access) {
			t.Errorf("%d: %v, one pair: %v", i, err, got[i].Pair == got[0].Pair)
		}
	}
}

// A JWT is known by the hash of all of it: one that differs in a single letter,
// though its signature may hold, is unknown.
func TestAJWTThatIsNotTheIssuedOneIsUnknown(t *testing.T) {
	f := signing(t)
	issued := f.refresh(f.claimed().Refresh).Access
	plain := issued.Reveal()
	f.use(issued)
	for i := 0; i < len(plain); i += 7 {
		other := plain[:i] + "A" + plain[i+1:]
		if other == plain {
			continue
		}
		if _, err := f.check(secret.Plain(other)); err != ErrUnknown {
			t.Errorf("letter %d changed: %v", i, err)
		}
	}
	for name, other := range map[string]string{"unsigned": plain[:strings.LastIndex(plain, ".")+1], "padded": plain + "=", "in spaces": " " + plain} {
		if _, err := f.check(secret.Plain(other)); err != ErrUnknown {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// X75: to revoke a JWT is to end its grant, as it is of any token.
func TestX75ARevokedJWTIsDead(t *testing.T) {
	f := signing(t)
	issued := f.refresh(f.claimed().Refresh)
	if err := f.Revoke(t.Context(), client, issued.Access.Hash()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.check(issued.Access); err != ErrRevoked {
		t.Errorf("Check: %v", err)
	}
	if _, err := f.Introspect(t.Context(), issued.Access.Reveal(), resource); err != ErrRevoked {
		t.Errorf("Introspect: %v", err)
	}
	if _, err := f.renew(issued.Refresh); err != ErrRevoked {
		t.Errorf("Refresh: %v", err)
	}
}

func TestWhatIsIntrospected(t *testing.T) {
	f := signing(t)
	f.wait(time.Minute)
	begun := f.now()
	guest := f.start()
	owner := f.grant(guest.Refresh).GuestID
	for _, test := range []struct {
		name string
		next func() secret.Text
		want Introspection
	}{
		{"a guest's", func() secret.Text { return guest.Access },
			Introspection{Subject: owner, ClientID: client, Scopes: []string{"guest"}, Issued: begun, Expires: begun.Add(time.Hour)}},
		{"the same token, claimed: of the user, with the scopes of now", func() secret.Text {
			f.wait(time.Minute)
			if err := f.claim(guest.Access, "ann", 1); err != nil {
				t.Fatal(err)
			}
			return guest.Access
		}, Introspection{Subject: "ann", ClientID: client, Scopes: []string{"guest", "notes:write"}, Issued: begun, Expires: begun.Add(time.Hour),
			AuthTime: begun.Add(time.Minute), Level: "chat"}},
		{"a JWT", func() secret.Text {
			f.wait(time.Minute)
			guest = f.refresh(guest.Refresh)
			return guest.Access
		}, Introspection{Subject: "ann", ClientID: client, Scopes: []string{"guest", "notes:write"}, Issued: begun.Add(2 * time.Minute),
			Expires: begun.Add(62 * time.Minute), AuthTime: begun.Add(time.Minute), Level: "chat"}},
	} {
		access := test.next()
		got, err := f.Introspect(t.Context(), access.Reveal(), resource)
		f.Close()
		if text, want := asJSON(t, got), asJSON(t, test.want); err != nil || text != want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", test.name, err, text, want)
		}
		if isJWT(access) {
			if c := claimsIn(t, access); c.Issued != got.Issued.Unix() || c.Expires != got.Expires.Unix() || c.Subject != got.Subject ||
				c.Scope != strings.Join(got.Scopes, " ") || c.AuthTime != got.AuthTime.Unix() || c.Level != got.Level {
				t.Errorf("%s: the JWT says %+v, introspection %s", test.name, c, asJSON(t, got))
			}
		}
	}
	if b, err := f.store.Bearer(t.Context(), guest.Access.Hash()); err != nil || b.Token.UsedAt.IsZero() {
		t.Errorf("to ask about a token is no use of it: %v", err)
	}
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWhatIsNotIntrospected(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(f *fixture, i Issued) (token secret.Text, resource string)
		want error
	}{
		{"a token for another resource", func(_ *fixture, i Issued) (secret.Text, string) { return i.Access, resource + "/more" }, ErrUnknown},
		{"a token asked about for no resource", func(_ *fixture, i Issued) (secret.Text, string) { return i.Access, "" }, ErrUnknown},
		{"a refresh token", func(_ *fixture, i Issued) (secret.Text, string) { return i.Refresh, resource }, ErrUnknown},
		{"nothing", func(*fixture, Issued) (secret.Text, string) { return secret.Plain(""), resource }, ErrUnknown},
		{"an expired token", func(f *fixture, i Issued) (secret.Text, string) { f.wait(time.Hour); return i.Access, resource }, ErrUnknown},
		{"a token that a sign-out left behind", func(f *fixture, i Issued) (secret.Text, string) {
			next := f.refresh(i.Refresh)
			if err := f.SignOut(f.t.Context(), next.Access.Hash()); err != nil {
				f.t.Fatal(err)
			}
			return i.Access, resource
		}, ErrUnknown},
		{"a token of a grant that was swept in between", func(f *fixture, i Issued) (secret.Text, string) {
			f.wait(31 * day)
			f.collect()
			return i.Access, resource
		}, ErrUnknown},
	} {
		f := signing(t)
		token, at := test.do(f, f.refresh(f.claimed().Refresh))
		if got, err := f.Introspect(t.Context(), token.Reveal(), at); err != test.want || got.Subject != "" {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

// The refresh token that says when a token was issued may be swept between the
// two looks; then the token is over as well.
func TestAnIntrospectionDuringTheSweep(t *testing.T) {
	f := signing(t)
	b := f.use(f.refresh(f.claimed().Refresh).Access)
	f.wait(31 * day)
	f.collect()
	if _, err := f.issued(context.Background(), b); err != ErrUnknown {
		t.Errorf("%v", err)
	}
	b = store.Bearer{Token: store.Token{Generation: 1}, Grant: store.Grant{Created: f.now()}}
	if at, err := f.issued(context.Background(), b); err != nil || !at.Equal(f.now()) {
		t.Errorf("%v, %v", at, err)
	}
}
