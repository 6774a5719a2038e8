package signin

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/foyer/internal/client"
	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/secret"
	"example.com/foyer/internal/words"
	"example.com/foyer/mail"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// A room is the rules on a real file, with a clock that a test moves. Nobody in
// it is counted by client address, or for everyone together, unless a test says
// so.
type room struct {
	*SignIn
	t       testing.TB
	path    string
	letters *Letters
	change  []func(*Config)

	mu    sync.Mutex
	now   time.Time
	addrs uint32

	way     string
	secrets []string
	second  *SignIn // of the way twoStores
	turns   atomic.Int64
	opened  chan struct{} // one for each step that has a store of its own
}

var theSecret = strings.Repeat("k", 32)

func newRoom(t testing.TB, change ...func(*Config)) *room {
	t.Helper()
	r := &room{t: t, path: filepath.Join(t.TempDir(), "test.db"), change: change, now: time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC),
		way: wayOf(t), opened: make(chan struct{}, 8)}
	r.open(theSecret)
	t.Cleanup(r.close)
	r.update(func(tx store.Tx) error {
		return tx.PutClient(t.Context(), store.Client{ID: "client", Name: "Inspector", RedirectURIs: []string{"https://app.example/cb"}, Created: r.now})
	})
	return r
}

// open opens the room on its file, which may be there already.
func (r *room) open(secrets ...string) {
	r.t.Helper()
	r.secrets = secrets
	r.SignIn = r.rules()
	if r.way == twoStores {
		r.second = r.rules()
	}
	clients, err := client.New(client.Config{Store: r.Store, Now: r.clock})
	if err != nil {
		r.t.Fatal(err)
	}
	r.letters = &Letters{SignIn: r.SignIn, Clients: clients, App: "Notes", Words: []words.Text{words.As("Write your notes")}}
}

// rules are made anew over a store of their own.
func (r *room) rules() *SignIn {
	r.t.Helper()
	keys, err := secret.NewKeys(r.secrets)
	if err != nil {
		r.t.Fatal(err)
	}
	s, err := sqlite.Open(r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	life := grant.Lifetimes{Code: time.Minute, Access: 1000 * day, Idle: 1000 * day, Absolute: 1000 * day, GuestIdle: 1000 * day, Overlap: time.Minute}
	cfg := Config{Store: s, Keys: keys, Grants: grant.New(s, keys, life, grant.JWTs{}, r.clock), Scopes: []string{"notes:write"}, TTL: 10 * time.Minute,
		Now: r.clock, Floods: Floods{Exempt: func(netip.Addr) bool { return true }}}
	for _, change := range r.change {
		change(&cfg)
	}
	return New(cfg)
}

func (r *room) close() {
	r.t.Helper()
	err := r.Store.Close()
	if r.second != nil {
		err = errors.Join(err, r.second.Store.Close())
	}
	if err != nil {
		r.t.Error(err)
	}
}

// restart closes the room and opens it on the same file, with other secrets.
func (r *room) restart(secrets ...string) {
	r.t.Helper()
	r.close()
	r.open(secrets...)
}

const day = 24 * time.Hour

func unlimited(cfg *Config)  { cfg.NoLimits = true }
func countAddrs(cfg *Config) { cfg.Floods.Exempt = nil }

func (r *room) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *room) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func (r *room) update(fn func(store.Tx) error) {
	r.t.Helper()
	if err := r.Store.Update(context.Background(), fn); err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) view(fn func(store.Tx) error) {
	r.t.Helper()
	if err := r.Store.View(context.Background(), fn); err != nil {
		r.t.Fatal(err)
	}
}

// A guest is an unclaimed grant with its first tokens, at an address of its own.
type guest struct {
	Asker
	pair secret.Pair
}

func (r *room) guest() guest { return r.guests(1)[0] }

func (r *room) guests(n int) []guest {
	r.t.Helper()
	var all []guest
	r.update(func(tx store.Tx) error {
		all = nil
		for range n {
			r.addrs++
			b := [4]byte{10, byte(r.addrs >> 16), byte(r.addrs >> 8), byte(r.addrs)}
			g := guest{Asker{GrantID: rand.Text(), ClientID: "client", Addr: netip.AddrFrom4(b)}, secret.NewPair()}
			g.Access = g.pair.Access.Hash()
			gr := store.Grant{ID: g.GrantID, ClientID: g.ClientID, RedirectHost: "app.example", Resource: "https://notes.example/mcp", GuestID: "guest_" + rand.Text(),
				Epoch: 1, Generation: 1, Scopes: []string{grant.Guest}, Created: r.now, Expires: r.now.Add(1000 * day)}
			err := errors.Join(tx.PutGrant(r.t.Context(), gr),
				tx.PutToken(r.t.Context(), store.Token{Hash: g.Access, Kind: store.Access, GrantID: gr.ID, Epoch: 1, Generation: 1, Expires: gr.Expires}),
				tx.PutToken(r.t.Context(), store.Token{Hash: g.pair.Refresh.Hash(), Kind: store.Refresh, GrantID: gr.ID, Epoch: 1, Generation: 1}))
			if err != nil {
				return err
			}
			all = append(all, g)
		}
		return nil
	})
	return all
}

// knows makes g a grant of the browser in which the user of address signed in.
func (r *room) knows(g guest, address string) {
	r.t.Helper()
	r.update(func(tx store.Tx) error {
		u, err := tx.UserByEmail(r.t.Context(), address)
		if err != nil {
			return err
		}
		gr, err := tx.Grant(r.t.Context(), g.GrantID)
		gr.KnownUserID = u.ID
		return errors.Join(err, tx.PutGrant(r.t.Context(), gr))
	})
}

func email(t testing.TB, text string) mail.Address {
	t.Helper()
	address, err := mail.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func (r *room) begin(g guest, address string) error {
	r.t.Helper()
	_, err := r.Begin(r.t.Context(), g.Asker, email(r.t, address))
	return err
}

// asks begins, and must not be refused. It returns the digits that were mailed,
// or would have been had the address not been muted.
func (r *room) asks(g guest, address string) string {
	r.t.Helper()
	if err := r.begin(g, address); err != nil {
		r.t.Fatalf("begin for %s: %v", address, err)
	}
	return r.digits(r.challenge(g))
}

func (r *room) challenge(g guest) (c store.Challenge) {
	r.t.Helper()
	r.view(func(tx store.Tx) (err error) {
		c, err = tx.LatestChallenge(r.t.Context(), g.GrantID)
		return err
	})
	return c
}

func (r *room) digits(c store.Challenge) string {
	r.t.Helper()
	code, ok := r.Keys.OneTimeCode(c.KeyID, c.ID, c.Digits)
	if !ok {
		r.t.Fatal("no secret derives the digits")
	}
	return code.Reveal()
}

func (r *room) answer(g guest, digits string) error {
	r.t.Helper()
	_, err := r.Verify(r.t.Context(), g.Asker, digits)
	return err
}

// answers must not be refused.
func (r *room) answers(g guest, digits string) store.User {
	r.t.Helper()
	u, err := r.Verify(r.t.Context(), g.Asker, digits)
	if err != nil {
		r.t.Fatalf("the right digits: %v", err)
	}
	return u
}

// guesses gives n wrong answers, and returns the last refusal.
func (r *room) guesses(g guest, n int) (err error) {
	r.t.Helper()
	for range n {
		err = r.answer(g, "x")
	}
	return err
}

func (r *room) grant(g guest) (gr store.Grant) {
	r.t.Helper()
	r.view(func(tx store.Tx) (err error) {
		gr, err = tx.Grant(r.t.Context(), g.GrantID)
		return err
	})
	return gr
}

func (r *room) total(key string) (n int) {
	r.t.Helper()
	r.view(func(tx store.Tx) error {
		c, err := tx.Counter(r.t.Context(), key)
		if errors.Is(err, store.ErrNotFound) || err == nil && !c.Expires.IsZero() && !r.clock().Before(c.Expires) {
			return nil
		}
		n = c.Total
		return err
	})
	return n
}

// forgive sets the attempts of the newest challenge back, so that a test can
// give it more answers than anybody could.
func (r *room) forgive(g guest) {
	r.t.Helper()
	c := r.challenge(g)
	c.Attempts, c.State = 0, pending
	r.update(func(tx store.Tx) error { return tx.PutChallenge(r.t.Context(), c) })
}

// flush sends the mails that wait, and returns them.
func (r *room) flush() (sent []mail.Message) {
	r.t.Helper()
	var due []store.Outgoing
	r.view(func(tx store.Tx) (err error) {
		due, err = tx.DueOutgoing(r.t.Context(), r.clock(), 1_000_000)
		return err
	})
	for _, out := range due {
		m, wanted, err := r.letters.Render(r.t.Context(), out)
		if err != nil {
			r.t.Fatal(err)
		}
		if wanted {
			sent = append(sent, m)
		}
	}
	if len(due) == 0 {
		return nil
	}
	r.update(func(tx store.Tx) (err error) {
		for _, out := range due {
			err = errors.Join(err, tx.DeleteOutgoing(r.t.Context(), out.ID))
		}
		return err
	})
	return sent
}

// dump returns every value of every table, as text: what a thief of the file has.
func (r *room) dump() map[string][]string {
	r.t.Helper()
	db, err := sql.Open("sqlite", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	values := map[string][]string{}
	for _, name := range column(r.t, db, "SELECT name FROM sqlite_schema WHERE type = 'table'") {
		rows, err := db.Query("SELECT * FROM " + name)
		if err != nil {
			r.t.Fatal(err)
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			fields := make([]any, len(columns))
			for i := range fields {
				fields[i] = new(any)
			}
			if err := rows.Scan(fields...); err != nil {
				r.t.Fatal(err)
			}
			for _, f := range fields {
				switch v := (*f.(*any)).(type) {
				case []byte:
					values[name] = append(values[name], string(v), hex.EncodeToString(v))
				default:
					values[name] = append(values[name], fmt.Sprint(v))
				}
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			r.t.Fatal(err)
		}
	}
	return values
}

func column(t testing.TB, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// at runs fn n times at once, from a common start, and returns what each
// returned.
func at[T any](n int, fn func(i int) T) []T {
	results := make([]T, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			results[i] = fn(i)
		})
	}
	close(start)
	all.Wait()
	return results
}

func count(errs []error, is func(error) bool) (n int) {
	for _, err := range errs {
		if is(err) {
			n++
		}
	}
	return n
}
