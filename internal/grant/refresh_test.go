package grant

import (
	"slices"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

func TestNextStep(t *testing.T) {
	const overlap = time.Minute
	now := time.Unix(1e9, 0)
	for _, test := range []struct {
		name             string
		generation       int // of the token; its grant's is 5
		epoch            int // of the token; its grant's is 2
		ago              time.Duration
		seen             bool
		access           bool
		expired, revoked bool
		want             step
	}{
		{name: "the current token rotates", generation: 5, epoch: 2, want: rotate},
		{name: "the current token of another epoch is refused", generation: 5, epoch: 1, want: refuse},
		{name: "an access token is no refresh token", generation: 5, epoch: 2, access: true, want: refuse},
		{name: "nor an old one", generation: 3, epoch: 2, access: true, want: refuse},
		{name: "an expired grant refuses", generation: 5, epoch: 2, expired: true, want: refuse},
		{name: "and takes nothing for reuse", generation: 3, epoch: 2, expired: true, want: refuse},
		{name: "nor says that it was revoked", generation: 5, epoch: 2, expired: true, revoked: true, want: refuse},
		{name: "a revoked grant says so", generation: 5, epoch: 2, revoked: true, want: refuseRevoked},
		{name: "also to a redeemed token", generation: 4, epoch: 2, ago: 1, revoked: true, want: refuseRevoked},
		{name: "and takes nothing for reuse again", generation: 3, epoch: 2, revoked: true, want: refuseRevoked},

		{name: "redeemed just now, it gets its successor again", generation: 4, epoch: 2, ago: 1, want: repeat},
		{name: "also if that was used", generation: 4, epoch: 2, ago: 1, seen: true, want: repeat},
		{name: "to the end of the overlap", generation: 4, epoch: 2, ago: overlap - 1, seen: true, want: repeat},
		{name: "then an unused successor is repeated", generation: 4, epoch: 2, ago: overlap, want: repeat},
		{name: "for as long as the grant lives", generation: 4, epoch: 2, ago: 1000 * time.Hour, want: repeat},
		{name: "and a used one is reuse", generation: 4, epoch: 2, ago: overlap, seen: true, want: revoke},
		{name: "two generations back is reuse at once", generation: 3, epoch: 2, ago: 1, want: revoke},
		{name: "in the first generation too", generation: 1, epoch: 2, ago: 1000 * time.Hour, want: revoke},

		{name: "left behind by a claim, it is only refused in its overlap", generation: 4, epoch: 1, ago: overlap - 1, seen: true, want: refuse},
		{name: "or while its successor is unused", generation: 4, epoch: 1, ago: 1000 * time.Hour, want: refuse},
		{name: "and is reuse after both", generation: 4, epoch: 1, ago: overlap, seen: true, want: revoke},
		{name: "left behind two generations back, it is reuse", generation: 3, epoch: 1, ago: 1, want: revoke},
	} {
		token := store.Token{Kind: store.Refresh, Generation: test.generation, Epoch: test.epoch}
		if test.access {
			token.Kind = store.Access
		}
		if test.ago > 0 {
			token.UsedAt = now.Add(-test.ago)
		}
		gr := store.Grant{Generation: 5, Epoch: 2, Expires: now.Add(1)}
		if test.expired {
			gr.Expires = now
		}
		if test.revoked {
			gr.RevokedAt = now.Add(-time.Hour)
		}
		if got := nextStep(token, gr, test.seen, overlap, now); got != test.want {
			t.Errorf("%s: step %d, want %d", test.name, got, test.want)
		}
	}
}

func TestT48RacingRefreshesAllGetOnePair(t *testing.T) {
	const windows = 20
	f := newFixture(t)
	token := f.claimed().Refresh
	for round := range f.rounds(5) {
		var pairs [windows]Issued
		for i, err := range race(windows, func(i int) (err error) {
			pairs[i], err = f.renew(token)
			return err
		}) {
			if err != nil {
				t.Errorf("round %d, window %d: %v", round, i, err)
			}
			if pairs[i].Pair != pairs[0].Pair || pairs[i].ExpiresIn != time.Hour {
				t.Errorf("round %d: window %d got another pair than window 0, or another time: %v", round, i, pairs[i].ExpiresIn)
			}
		}
		f.use(pairs[0].Access)
		token = pairs[0].Refresh // the family goes on, and is one
		if got := f.grant(token).Generation; got != round+2 {
			t.Errorf("round %d: generation %d, want %d", round, got, round+2)
		}
	}
}

// A refused refresh consumes nothing, not even a try: the right one works after
// it, for the current token and for the one before.
func TestT48AWrongRefreshConsumesNothing(t *testing.T) {
	f := newFixture(t)
	first := f.claimed()
	second := f.refresh(first.Refresh)
	for _, test := range []struct {
		name    string
		renewal func(token secret.Text) Renewal
		want    error
	}{
		{"another client's token", func(token secret.Text) Renewal {
			return Renewal{RefreshToken: token, ClientID: "c2"}
		}, ErrUnknown},
		{"nobody's", func(token secret.Text) Renewal { return Renewal{RefreshToken: token} }, ErrUnknown},
		{"for another resource (T44)", func(token secret.Text) Renewal {
			return Renewal{RefreshToken: token, ClientID: client, Resource: resource + "-other"}
		}, ErrResource},
		{"for more scope", func(token secret.Text) Renewal {
			return Renewal{RefreshToken: token, ClientID: client, Scopes: []string{Guest, "notes:export"}}
		}, ErrScope},
		{"an access token", func(secret.Text) Renewal {
			return Renewal{RefreshToken: second.Access, ClientID: client}
		}, ErrUnknown},
		{"an unknown token", func(token secret.Text) Renewal {
			return Renewal{RefreshToken: secret.Plain(token.Reveal() + "x"), ClientID: client}
		}, ErrUnknown},
		{"no token", func(secret.Text) Renewal { return Renewal{ClientID: client} }, ErrUnknown},
	} {
		for _, token := range []secret.Text{second.Refresh, first.Refresh} {
			issued, err := f.Refresh(t.Context(), test.renewal(token))
			if err != test.want || issued.Access.Reveal() != "" {
				t.Errorf("%s: Refresh error = %v, want %v and no token", test.name, err, test.want)
			}
		}
		if gr := f.grant(second.Access); gr.Generation != 2 || !gr.RevokedAt.IsZero() {
			t.Errorf("%s: the grant is now %+v", test.name, gr)
		}
	}
	if again := f.refresh(first.Refresh); again.Pair != second.Pair {
		t.Error("the repeat got another pair")
	}
	third, err := f.Refresh(t.Context(), Renewal{RefreshToken: second.Refresh, ClientID: client, Resource: resource, Scopes: []string{"notes:write"}})
	if want := []string{Guest, "notes:write"}; err != nil || !slices.Equal(third.Scopes, want) {
		t.Errorf("the right one: %v, scopes %v; want %v", err, third.Scopes, want)
	}
}

// A guest's old token is nobody's way to revoke the grant from another client,
// or for another resource.
func TestT48ReuseByAnotherClientRevokesNothing(t *testing.T) {
	f := newFixture(t)
	first := f.start()
	third := f.refresh(f.refresh(first.Refresh).Refresh)
	if _, err := f.Refresh(t.Context(), Renewal{RefreshToken: first.Refresh, ClientID: "c2"}); err != ErrUnknown {
		t.Errorf("another client: Refresh error = %v, want ErrUnknown", err)
	}
	if _, err := f.Refresh(t.Context(), Renewal{RefreshToken: first.Refresh, ClientID: client, Resource: "https://other.example"}); err != ErrResource {
		t.Errorf("another resource: Refresh error = %v, want ErrResource", err)
	}
	f.use(third.Access)
}

func TestAGrantThatIsNotRefreshedExpires(t *testing.T) {
	for _, test := range []struct {
		name  string
		start func(f *fixture) Issued
		idle  time.Duration
	}{
		{"a guest's", func(f *fixture) Issued { return f.start() }, life.GuestIdle},
		{"a user's", (*fixture).claimed, life.Idle},
		{"a guest's after a sign-out", func(f *fixture) Issued {
			issued := f.claimed()
			if err := f.SignOut(t.Context(), issued.Access.Hash()); err != nil {
				t.Fatal(err)
			}
			return issued
		}, life.GuestIdle},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			issued := test.start(f)
			f.wait(test.idle - time.Second)
			issued = f.refresh(issued.Refresh)
			f.wait(test.idle - time.Second)
			issued = f.refresh(issued.Refresh)
			f.wait(test.idle)
			if _, err := f.renew(issued.Refresh); err != ErrUnknown {
				t.Errorf("after %v: Refresh error = %v, want ErrUnknown", test.idle, err)
			}
			if f.revoked(issued.Refresh) || f.mails() != nil {
				t.Error("a grant that expires was revoked, or mailed about")
			}
			f.collect()
			if _, err := f.renew(issued.Refresh); err != ErrUnknown {
				t.Errorf("after it was cleared away: Refresh error = %v, want ErrUnknown", err)
			}
		})
	}
}

func TestNoRefreshMovesAGrantPastItsAbsoluteEnd(t *testing.T) {
	f := newFixture(t)
	issued, end := f.claimed(), f.now().Add(life.Absolute)
	for f.now().Before(end.Add(-life.Idle / 2)) {
		f.wait(life.Idle / 2)
		issued = f.refresh(issued.Refresh)
		if got := f.grant(issued.Access).Expires; got.After(end) {
			t.Fatalf("at %v the grant expires at %v, after its end %v", f.now(), got, end)
		}
	}
	f.wait(end.Sub(f.now()) - time.Minute)
	issued = f.refresh(issued.Refresh)
	if issued.ExpiresIn != time.Minute {
		t.Errorf("a minute before the end an access token lives %v, want a minute", issued.ExpiresIn)
	}
	f.wait(time.Minute - 1)
	f.use(issued.Access)
	f.wait(1)
	if _, err := f.check(issued.Access); err != ErrUnknown {
		t.Errorf("at the end: Check error = %v, want ErrUnknown", err)
	}
	if _, err := f.renew(issued.Refresh); err != ErrUnknown {
		t.Errorf("at the end: Refresh error = %v, want ErrUnknown", err)
	}
}

func TestAnAccessTokenSaysHowLongItLivesAndLivesSoLong(t *testing.T) {
	f := newFixture(t)
	f.life.GuestIdle = 10 * time.Minute // shorter than an access token's own time
	f.restart(oldSecret)
	issued := f.start()
	if issued.ExpiresIn != f.life.GuestIdle {
		t.Errorf("the access token of a grant that ends in %v says it lives %v", f.life.GuestIdle, issued.ExpiresIn)
	}
	f.wait(issued.ExpiresIn - 1)
	f.use(issued.Access)
}
