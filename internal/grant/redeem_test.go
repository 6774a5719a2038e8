package grant

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

func TestARedeemedCodeBeginsAGrant(t *testing.T) {
	f := newFixture(t)
	issued := f.start()
	if !slices.Equal(issued.Scopes, []string{Guest}) || issued.ExpiresIn != time.Hour {
		t.Errorf("issued scopes %v for %v, want guest for an hour", issued.Scopes, issued.ExpiresIn)
	}
	b := f.use(issued.Access)
	gr := b.Grant
	if gr.ClientID != client || gr.RedirectHost != "127.0.0.1:1455" || gr.Resource != resource || !slices.Equal(gr.Scopes, []string{Guest}) {
		t.Errorf("the grant is %+v, want what was authorized", gr)
	}
	if gr.UserID != "" || gr.KnownUserID != "" || gr.Level != "" || gr.ApprovedBy != "" || !gr.AuthTime.IsZero() || b.User.ID != "" {
		t.Errorf("the grant is %+v, want nobody's", gr)
	}
	if !strings.HasPrefix(gr.GuestID, "guest_") || gr.GuestID == f.use(f.start().Access).Grant.GuestID {
		t.Errorf("guest id %q, want one of its own for each grant", gr.GuestID)
	}
	if !gr.Created.Equal(f.now()) || !gr.Expires.Equal(f.now().Add(life.GuestIdle)) {
		t.Errorf("the grant lives from %v to %v, want a day from now", gr.Created, gr.Expires)
	}
	unnamed := right(f.code())
	unnamed.Resource = ""
	if _, err := f.Redeem(t.Context(), unnamed); err != nil {
		t.Errorf("without a resource the code's is meant: %v", err)
	}
}

func TestT46T47AWrongRedemptionConsumesNothing(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(*Exchange)
		want  error
	}{
		{"another client", func(e *Exchange) { e.ClientID = "c2" }, ErrCode},
		{"no client", func(e *Exchange) { e.ClientID = "" }, ErrCode},
		{"another redirect URI", func(e *Exchange) { e.RedirectURI += "/" }, ErrCode},
		{"no redirect URI", func(e *Exchange) { e.RedirectURI = "" }, ErrCode},
		{"another port, once the code is bound to one", func(e *Exchange) { e.RedirectURI = strings.Replace(redirect, "1455", "1456", 1) }, ErrCode},
		{"another verifier", func(e *Exchange) { e.Verifier = secret.Plain(verifier + "x") }, ErrCode},
		{"no verifier", func(e *Exchange) { e.Verifier = secret.Text{} }, ErrCode},
		{"another resource (T44)", func(e *Exchange) { e.Resource = resource + "-other" }, ErrResource},
		{"no code", func(e *Exchange) { e.Code = secret.Text{} }, ErrCode},
		{"half the code", func(e *Exchange) { e.Code = secret.Plain(e.Code.Reveal()[:40]) }, ErrCode},
		{"a code with a letter more", func(e *Exchange) { e.Code = secret.Plain(e.Code.Reveal() + "A") }, ErrCode},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			code := f.code()
			wrong := right(code)
			test.spoil(&wrong)
			for i := range 50 {
				if _, err := f.Redeem(t.Context(), wrong); err != test.want {
					t.Fatalf("attempt %d: Redeem error = %v, want %v", i, err, test.want)
				}
			}
			issued, err := f.Redeem(t.Context(), right(code))
			if err != nil {
				t.Fatalf("the right redemption after the wrong ones: %v", err)
			}
			for range 50 { // and after the right one a wrong one only fails
				if _, err := f.Redeem(t.Context(), wrong); err != test.want {
					t.Fatalf("after the right one: Redeem error = %v, want %v", err, test.want)
				}
			}
			f.use(issued.Access)
		})
	}
}

func TestT47ARightSecondRedemptionRevokesWhatTheFirstGave(t *testing.T) {
	f := newFixture(t)
	code, other := f.code(), f.start()
	first, err := f.Redeem(t.Context(), right(code))
	if err != nil {
		t.Fatal(err)
	}
	next := f.refresh(first.Refresh)
	var revokedAt time.Time
	for i := range 3 {
		f.wait(time.Second)
		if issued, err := f.Redeem(t.Context(), right(code)); err != ErrCodeUsed || issued.Access.Reveal() != "" {
			t.Fatalf("redemption %d: error = %v, want ErrCodeUsed and no token", i+2, err)
		}
		at := f.grant(first.Access).RevokedAt
		if i > 0 && !at.Equal(revokedAt) {
			t.Errorf("redemption %d moved the revocation from %v to %v", i+2, revokedAt, at)
		}
		revokedAt = at
	}
	for name, access := range map[string]secret.Text{"first": first.Access, "refreshed": next.Access} {
		if _, err := f.check(access); err != ErrRevoked {
			t.Errorf("the %s access token: Check error = %v, want ErrRevoked", name, err)
		}
	}
	if _, err := f.renew(next.Refresh); err != ErrRevoked {
		t.Errorf("the refresh token: Refresh error = %v, want ErrRevoked", err)
	}
	f.use(other.Access) // no other grant is touched
}

func TestT47OfManyRacingRedemptionsOneSucceeds(t *testing.T) {
	const racers = 20
	f := newFixture(t)
	for round := range f.rounds(5) {
		code := f.code()
		var issued [racers]Issued
		errs := race(racers, func(i int) (err error) {
			issued[i], err = f.Redeem(t.Context(), right(code))
			return err
		})
		won := 0
		for i, err := range errs {
			switch {
			case err == nil:
				won++
				if !f.revoked(issued[i].Access) {
					t.Errorf("round %d: the grant of a code that was redeemed %d times lives", round, racers)
				}
			case err != ErrCodeUsed:
				t.Errorf("round %d: Redeem error = %v, want ErrCodeUsed", round, err)
			case issued[i].Access.Reveal() != "":
				t.Errorf("round %d: a refused redemption issued tokens", round)
			}
		}
		if won != 1 {
			t.Errorf("round %d: %d redemptions succeeded, want 1", round, won)
		}
	}
}

func TestT47ACodeLivesForItsMinute(t *testing.T) {
	f := newFixture(t)
	for _, test := range []struct {
		name  string
		after time.Duration
		want  error
	}{
		{"at once", 0, nil},
		{"to the end", life.Code - 1, nil},
		{"not at the end", life.Code, ErrCode},
		{"nor after it", life.Code + day, ErrCode},
	} {
		code := f.code()
		f.wait(test.after)
		if _, err := f.Redeem(t.Context(), right(code)); err != test.want {
			t.Errorf("%s: Redeem error = %v, want %v", test.name, err, test.want)
		}
	}
}

func TestT47OnlyThisServersCodesAreRedeemed(t *testing.T) {
	f := newFixture(t)
	sealed, err := keys(t, oldSecret).Seal("state", Authorization{ID: "1", Issued: f.now(), ClientID: client})
	if err != nil {
		t.Fatal(err)
	}
	stranger := New(f.store, keys(t, newSecret), life, JWTs{}, f.now)
	strange, err := stranger.Code(Authorization{ClientID: client})
	if err != nil {
		t.Fatal(err)
	}
	for name, code := range map[string]secret.Text{
		"a code of another server":              strange,
		"what was sealed for something else":    sealed,
		"a token":                               f.start().Access,
		"what was never sealed, in its letters": secret.Plain(strings.Repeat("A", 400)),
	} {
		if _, err := f.Redeem(t.Context(), right(code)); err != ErrCode {
			t.Errorf("%s: Redeem error = %v, want ErrCode", name, err)
		}
	}
}

func TestT47ARestartChangesNothingForACode(t *testing.T) {
	f := newFixture(t)
	code := f.code()
	f.restart(newSecret, oldSecret)
	issued, err := f.Redeem(t.Context(), right(code))
	if err != nil {
		t.Fatalf("after a restart and with a new secret in front: %v", err)
	}
	f.use(issued.Access)
	f.restart(newSecret, oldSecret)
	if _, err := f.Redeem(t.Context(), right(code)); err != ErrCodeUsed || !f.revoked(issued.Access) {
		t.Errorf("after another restart: Redeem error = %v, revoked %v; want ErrCodeUsed and a revoked grant", err, f.revoked(issued.Access))
	}
}

// Servers that share a store share no clock. One that is ahead clears away what
// it takes for expired, while the other still takes the code.
func TestT47ARedemptionOutlivesItsCode(t *testing.T) {
	f := newFixture(t)
	code := f.code()
	issued, err := f.Redeem(t.Context(), right(code))
	if err != nil {
		t.Fatal(err)
	}
	f.wait(life.Code + 30*time.Second)
	f.collect()
	f.wait(-45 * time.Second)
	if _, err := f.Redeem(t.Context(), right(code)); err != ErrCodeUsed || !f.revoked(issued.Access) {
		t.Errorf("Redeem error = %v, want ErrCodeUsed and a revoked grant", err)
	}
}

// The record of a client changes at most once a day, and lives on from then.
func TestARedemptionAndARefreshKeepTheClientAlive(t *testing.T) {
	f := newFixture(t)
	began := f.now()
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.PutClient(ctx, store.Client{ID: client, RedirectURIs: []string{redirect}, Created: began, Expires: began.Add(day)})
	})
	issued := f.start()
	for _, step := range []struct {
		name string
		wait time.Duration
		act  func()
		used time.Duration // since it began
	}{
		{"the first redemption", 0, func() {}, 0},
		{"another on that day", time.Hour, func() { f.start() }, 0},
		{"a refresh on that day", 22 * time.Hour, func() { issued = f.refresh(issued.Refresh) }, 0},
		{"a refresh on the next", time.Hour, func() { issued = f.refresh(issued.Refresh) }, day},
		{"and a redemption on the one after", day, func() { f.start() }, 2 * day},
	} {
		f.wait(step.wait)
		step.act()
		f.update(func(ctx context.Context, tx store.Tx) error {
			c, err := tx.Client(ctx, client)
			if used := began.Add(step.used); !c.LastUsed.Equal(used) || !c.Expires.Equal(used.Add(life.Client)) {
				t.Errorf("%s: last used %v, expires %v; want %v and %v later", step.name, c.LastUsed, c.Expires, used, life.Client)
			}
			return err
		})
	}
}

// A fault of the store is no refusal: the client may try the same code again.
func TestAFaultIsNoRefusal(t *testing.T) {
	f := newFixture(t)
	issued, code := f.start(), f.code()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, checkErr := f.Check(ended, issued.Access.Reveal(), resource)
	_, redeemErr := f.Redeem(ended, right(code))
	_, refreshErr := f.Refresh(ended, Renewal{RefreshToken: issued.Refresh, ClientID: client})
	_, _, rememberedErr := f.Remembered(ended, store.Hash{1}, client)
	for name, err := range map[string]error{
		"Check": checkErr, "Redeem": redeemErr, "Refresh": refreshErr, "Remembered": rememberedErr,
		"Revoke": f.Revoke(ended, client, issued.Access.Hash()), "SignOut": f.SignOut(ended, issued.Access.Hash()),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error = %v, want context.Canceled", name, err)
		}
	}
	if _, err := f.Redeem(t.Context(), right(code)); err != nil {
		t.Errorf("the code afterwards: %v", err)
	}
	f.use(issued.Access)
}
