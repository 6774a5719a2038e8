package grant

import (
	"context"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

func TestCheckAccess(t *testing.T) {
	now := time.Unix(1e9, 0)
	for _, test := range []struct {
		name   string
		change func(*store.Token, *store.Grant)
		want   error
	}{
		{"a token of the grant's epoch works", func(*store.Token, *store.Grant) {}, nil},
		{"a refresh token does not", func(t *store.Token, _ *store.Grant) { t.Kind = store.Refresh }, ErrUnknown},
		{"nor one of no kind", func(t *store.Token, _ *store.Grant) { t.Kind = "" }, ErrUnknown},
		{"nor an expired one", func(t *store.Token, _ *store.Grant) { t.Expires = now }, ErrUnknown},
		{"nor one that never had a time", func(t *store.Token, _ *store.Grant) { t.Expires = time.Time{} }, ErrUnknown},
		{"nor one of an expired grant", func(_ *store.Token, g *store.Grant) { g.Expires = now }, ErrUnknown},
		{"nor one of an earlier epoch", func(t *store.Token, _ *store.Grant) { t.Epoch = 1 }, ErrUnknown},
		{"nor one of a later epoch", func(t *store.Token, _ *store.Grant) { t.Epoch = 3 }, ErrUnknown},
		{"nor one of a revoked grant, which says so", func(_ *store.Token, g *store.Grant) { g.RevokedAt = now }, ErrRevoked},
		{"but only to who holds a working token", func(t *store.Token, g *store.Grant) { t.Epoch, g.RevokedAt = 1, now }, ErrUnknown},
		{"an old generation works to its end", func(t *store.Token, _ *store.Grant) { t.Generation = 1 }, nil},
	} {
		token := store.Token{Kind: store.Access, Epoch: 2, Generation: 4, Expires: now.Add(1)}
		gr := store.Grant{Epoch: 2, Generation: 4, Expires: now.Add(1)}
		test.change(&token, &gr)
		if got := checkAccess(token, gr, now); got != test.want {
			t.Errorf("%s: checkAccess = %v, want %v", test.name, got, test.want)
		}
	}
}

func TestT44CheckTakesOnlyAnAccessTokenOfItsResource(t *testing.T) {
	f := newFixture(t)
	issued := f.start()
	for _, test := range []struct {
		name, token, resource string
		want                  error
	}{
		{"an access token at its resource", issued.Access.Reveal(), resource, nil},
		{"at another one", issued.Access.Reveal(), "https://other.example/mcp", ErrUnknown},
		{"at one that begins like it", issued.Access.Reveal(), resource + "-other", ErrUnknown},
		{"at one that it begins like", issued.Access.Reveal(), resource[:len(resource)-1], ErrUnknown},
		{"at none", issued.Access.Reveal(), "", ErrUnknown},
		{"a refresh token", issued.Refresh.Reveal(), resource, ErrUnknown},
		{"a token in other letters", "FYA_" + issued.Access.Reveal()[4:], resource, ErrUnknown},
		{"a token with something behind", issued.Access.Reveal() + " ", resource, ErrUnknown},
		{"no token", "", resource, ErrUnknown},
	} {
		if _, err := f.Check(t.Context(), test.token, test.resource); err != test.want {
			t.Errorf("%s: Check error = %v, want %v", test.name, err, test.want)
		}
	}
}

// usedAt returns when a token was first used.
func (f *fixture) usedAt(token secret.Text) (at time.Time) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		t, err := tx.Token(ctx, token.Hash())
		at = t.UsedAt
		return err
	})
	return at
}

func TestTheFirstUseOfARefreshedTokenIsNotedOnce(t *testing.T) {
	f := newFixture(t)
	first := f.start()
	f.use(first.Access)
	if at := f.usedAt(first.Access); !at.IsZero() {
		t.Errorf("the use of a token that came from no refresh was noted at %v", at)
	}
	second := f.refresh(first.Refresh)
	f.wait(time.Second)
	for range 3 {
		if _, err := f.Check(t.Context(), second.Access.Reveal(), "https://other.example"); err != ErrUnknown {
			t.Fatal(err)
		}
		f.Close()
	}
	if at := f.usedAt(second.Access); !at.IsZero() {
		t.Errorf("a refused use was noted at %v", at)
	}
	used := f.now()
	for range 3 {
		f.use(second.Access)
		f.wait(time.Second)
	}
	if at := f.usedAt(second.Access); !at.Equal(used) {
		t.Errorf("the first use was noted at %v, want %v", at, used)
	}
	f.note(second.Access.Hash()) // as a request does that has asked before the first note
	f.Close()
	if at := f.usedAt(second.Access); !at.Equal(used) {
		t.Errorf("a note that came too late made it %v, want %v", at, used)
	}
	redeemed := f.now()
	f.refresh(second.Refresh)
	f.wait(time.Second)
	f.use(second.Access)
	if at := f.usedAt(second.Refresh); !at.Equal(redeemed) {
		t.Errorf("the refresh token was redeemed at %v, want %v", at, redeemed)
	}
}

// Whoever holds a dead token has no say in what becomes of the living.
func TestTheUseOfADeadTokenIsNotNoted(t *testing.T) {
	for name, kill := range map[string]func(f *fixture, first, second Issued){
		"left behind": func(f *fixture, first, _ Issued) { f.mustClaim(first, "ann", 1) },
		"expired":     func(f *fixture, _, _ Issued) { f.wait(life.Access) },
		"revoked": func(f *fixture, _, second Issued) {
			if err := f.Revoke(f.t.Context(), client, second.Access.Hash()); err != nil {
				f.t.Fatal(err)
			}
		},
	} {
		f := newFixture(t)
		first := f.start()
		second := f.refresh(first.Refresh)
		kill(f, first, second)
		if _, err := f.check(second.Access); err == nil {
			t.Errorf("%s: it works", name)
		}
		if at := f.usedAt(second.Access); !at.IsZero() {
			t.Errorf("%s: its use was noted at %v", name, at)
		}
	}
}

// A note that comes after the refresh token was redeemed does not move the
// moment of that, from which the overlap counts.
func TestALateNoteDoesNotMoveTheOverlap(t *testing.T) {
	f := newFixture(t)
	second := f.refresh(f.start().Refresh)
	redeemed := f.now()
	f.refresh(second.Refresh)
	f.wait(30 * time.Second)
	f.use(second.Access)
	if at := f.usedAt(second.Refresh); !at.Equal(redeemed) {
		t.Errorf("the refresh token was redeemed at %v, want %v", at, redeemed)
	}
}

// A request never waits for the note of its use: here the store is busy with
// another transaction until the request has its answer.
func TestANoteIsOffThePathOfTheRequest(t *testing.T) {
	f := newFixture(t)
	second := f.refresh(f.start().Refresh)
	holds, release := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		done <- f.store.Update(t.Context(), func(store.Tx) error {
			close(holds)
			<-release
			return nil
		})
	}()
	<-holds
	updates := &watched{Store: f.store}
	f.Grants = New(updates, f.keys, life, JWTs{}, f.now)
	for range 3 {
		if _, err := f.Check(t.Context(), second.Access.Reveal(), resource); err != nil {
			t.Error(err)
		}
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	f.Close()
	if n := updates.n.Load(); n != 1 || len(f.notes) != 0 {
		t.Errorf("three uses made %d notes, of which %d wait; want 1 and none", n, len(f.notes))
	}
	if at := f.usedAt(second.Access); !at.Equal(f.now()) {
		t.Errorf("noted at %v, want %v", at, f.now())
	}
}

func TestANoteSurvivesConcurrency(t *testing.T) {
	f := newFixture(t)
	for range 10 {
		first := f.start()
		second := f.refresh(first.Refresh)
		used := f.now()
		for _, err := range race(20, func(i int) error {
			if i%10 == 9 { // others write the same records meanwhile
				_, err := f.renew(first.Refresh)
				return err
			}
			if i == 3 {
				return f.claim(second.Access, "ann", 1)
			}
			_, err := f.Check(t.Context(), second.Access.Reveal(), resource)
			return err
		}) {
			if err != nil && err != ErrUnknown { // the repeat of a token that the claim has left behind
				t.Error(err)
			}
		}
		f.Close()
		if b := f.use(second.Access); b.User.ID != "ann" || b.Token.Epoch != 2 || !b.Token.UsedAt.Equal(used) {
			t.Errorf("the token is %+v of %q, want one of ann's, used at %v", b.Token, b.User.ID, used)
		}
	}
}

// A note that was lost, because the disk was full, is taken at the next use.
func TestALostNoteIsTakenLater(t *testing.T) {
	f := newFixture(t)
	second := f.refresh(f.start().Refresh)
	full := New(&watched{Store: f.store, fault: syscall.ENOSPC}, f.keys, life, JWTs{}, f.now)
	if _, err := full.Check(t.Context(), second.Access.Reveal(), resource); err != nil {
		t.Fatal(err)
	}
	full.Close()
	if at := f.usedAt(second.Access); !at.IsZero() {
		t.Fatalf("noted at %v", at)
	}
	f.use(second.Access)
	if at := f.usedAt(second.Access); !at.Equal(f.now()) {
		t.Errorf("noted at %v, want %v", at, f.now())
	}
}

// watched counts the updates of a store, and can refuse them.
type watched struct {
	store.Store
	n     atomic.Int32
	fault error
}

func (s *watched) Update(ctx context.Context, fn func(store.Tx) error) error {
	if s.n.Add(1); s.fault != nil {
		return s.fault
	}
	return s.Store.Update(ctx, fn)
}
