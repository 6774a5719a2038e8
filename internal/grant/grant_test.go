package grant

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

const (
	day      = 24 * time.Hour
	client   = "c1"
	redirect = "http://127.0.0.1:1455/callback"
	resource = "https://r.example/mcp"
	verifier = "a-verifier-has-43-to-128-characters-of-RFC-7636"
)

var life = Lifetimes{Code: time.Minute, Access: time.Hour, Idle: 30 * day, Absolute: 90 * day, GuestIdle: day,
	Overlap: time.Minute, Client: 90 * day, Browser: 30 * day}

var challenge = func() string { // of verifier, by S256
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}()

var (
	oldSecret = strings.Repeat("old ", 8)
	newSecret = strings.Repeat("new ", 8)
)

// A fixture is the rules over a SQLite file, with a clock that a test sets.
type fixture struct {
	*Grants
	t     testing.TB
	path  string
	life  Lifetimes
	clock *clock

	way     string
	secrets []string
	second  *Grants // of the way twoStores
	turns   atomic.Int64
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, path: filepath.Join(t.TempDir(), "test.db"), life: life,
		clock: &clock{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	f.way = wayOf(t)
	f.open(oldSecret)
	t.Cleanup(f.close)
	return f
}

func (f *fixture) open(secrets ...string) {
	f.t.Helper()
	f.secrets = secrets
	f.Grants = f.rules()
	if f.way == twoStores {
		f.second = f.rules()
	}
}

// rules are made anew over a store of their own.
func (f *fixture) rules() *Grants {
	f.t.Helper()
	s, err := sqlite.Open(f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	return New(s, keys(f.t, f.secrets...), f.life, JWTs{}, f.clock.now)
}

func keys(t testing.TB, secrets ...string) secret.Keys {
	t.Helper()
	k, err := secret.NewKeys(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (f *fixture) close() {
	f.end(f.Grants)
	if f.second != nil {
		f.end(f.second)
	}
}

func (f *fixture) end(g *Grants) {
	g.Close()
	if err := g.store.Close(); err != nil {
		f.t.Error(err)
	}
}

// restart closes the store and opens it again, under those secrets.
func (f *fixture) restart(secrets ...string) {
	f.t.Helper()
	f.close()
	f.open(secrets...)
}

func (f *fixture) wait(d time.Duration) {
	f.clock.mu.Lock()
	defer f.clock.mu.Unlock()
	f.clock.at = f.clock.at.Add(d)
}

// collect clears away what has expired, all of it.
func (f *fixture) collect() {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		_, err := tx.DeleteExpired(ctx, f.now(), 1000)
		return err
	})
}

func (f *fixture) update(fn func(context.Context, store.Tx) error) {
	f.t.Helper()
	if err := f.store.Update(f.t.Context(), func(tx store.Tx) error { return fn(f.t.Context(), tx) }); err != nil {
		f.t.Fatal(err)
	}
}

// code returns a code for the right request, from a browser if there is one.
func (f *fixture) code(browser ...byte) secret.Text {
	f.t.Helper()
	code, err := f.Code(Authorization{ClientID: client, RedirectURI: redirect, Resource: resource,
		CodeChallenge: challenge, Browser: browser})
	if err != nil {
		f.t.Fatal(err)
	}
	return code
}

// right is the request that redeems a code.
func right(code secret.Text) Exchange {
	return Exchange{Code: code, ClientID: client, RedirectURI: redirect, Verifier: secret.Plain(verifier), Resource: resource}
}

// start returns the first tokens of a new grant.
func (f *fixture) start(browser ...byte) Issued {
	f.t.Helper()
	issued, err := f.Redeem(f.t.Context(), right(f.code(browser...)))
	if err != nil {
		f.t.Fatalf("Redeem: %v", err)
	}
	return issued
}

func (f *fixture) renew(token secret.Text) (Issued, error) {
	return f.Refresh(f.t.Context(), Renewal{RefreshToken: token, ClientID: client})
}

// refresh expects that token can be refreshed.
func (f *fixture) refresh(token secret.Text) Issued {
	f.t.Helper()
	issued, err := f.renew(token)
	if err != nil {
		f.t.Fatalf("Refresh: %v", err)
	}
	return issued
}

// check asks who stands behind access, and waits for the note of its use.
func (f *fixture) check(access secret.Text) (store.Bearer, error) {
	b, err := f.Check(f.t.Context(), access.Reveal(), resource)
	f.Close()
	if f.second != nil {
		f.second.Close()
	}
	return b, err
}

// use expects that access works.
func (f *fixture) use(access secret.Text) store.Bearer {
	f.t.Helper()
	b, err := f.check(access)
	if err != nil {
		f.t.Fatalf("Check: %v", err)
	}
	return b
}

// claim claims the grant of access as the sign-in rule does: the user and the
// grant in one transaction, and no error of the transaction for a refusal. It
// gives those scopes, or one where none is named.
func (f *fixture) claim(access secret.Text, userID string, epoch int, scopes ...string) (refusal error) {
	if len(scopes) == 0 {
		scopes = []string{"notes:write"}
	}
	ctx := f.t.Context()
	var err error
	f.turn(func(g *Grants) {
		err = g.store.Update(ctx, func(tx store.Tx) error {
			_, refusal = g.Claim(ctx, tx, access.Hash(), Proof{UserID: userID, Level: "chat", ApprovedBy: "mail",
				Scopes: scopes, Epoch: epoch}, f.now())
			switch {
			case errors.Is(refusal, ErrChanged), errors.Is(refusal, ErrUnknown), errors.Is(refusal, ErrRevoked):
				return nil
			case refusal != nil:
				return refusal
			}
			return tx.PutUser(ctx, store.User{ID: userID, Email: userID + "@example.com"})
		})
	})
	if err != nil {
		return err
	}
	return refusal
}

// claimed returns the first tokens of a grant that belongs to ann.
func (f *fixture) claimed() Issued {
	f.t.Helper()
	issued := f.start()
	if err := f.claim(issued.Access, "ann", 1); err != nil {
		f.t.Fatalf("Claim: %v", err)
	}
	return issued
}

// grant returns the record behind a token, however dead both are.
func (f *fixture) grant(token secret.Text) store.Grant {
	f.t.Helper()
	b, err := f.store.Bearer(f.t.Context(), token.Hash())
	if err != nil {
		f.t.Fatal(err)
	}
	return b.Grant
}

func (f *fixture) revoked(token secret.Text) bool {
	f.t.Helper()
	return !f.grant(token).RevokedAt.IsZero()
}

// mails returns the kinds and subjects of the mails that wait.
func (f *fixture) mails() (mails []string) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		due, err := tx.DueOutgoing(ctx, f.now(), 100)
		for _, o := range due {
			mails = append(mails, o.Kind+" "+o.Subject)
		}
		return err
	})
	return mails
}

// race runs fn so many times at once, and returns what they returned.
func race(n int, fn func(i int) error) []error {
	errs, begin := make([]error, n), make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-begin
			errs[i] = fn(i)
		})
	}
	close(begin)
	wg.Wait()
	return errs
}
