package foyer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.com/foyer/internal/grant"
	"example.com/foyer/internal/secret"
	"example.com/foyer/internal/signin"
	"example.com/foyer/mail"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// A desk is a kit on a real file, without a network and without the work behind
// requests: what is measured at it are the acts themselves.
type desk struct {
	*Kit
	t       testing.TB
	path    string
	store   store.Store
	handler http.Handler
	people  int
}

const deskIssuer = "http://127.0.0.1:8080"

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{t: t, path: filepath.Join(t.TempDir(), "foyer.db")}
	var err error
	if d.store, err = sqlite.Open(d.path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.store.Close() })
	d.Kit = d.kitOn(d.store)
	err = d.store.Update(t.Context(), func(tx store.Tx) error {
		return tx.PutClient(t.Context(), store.Client{ID: "client", Name: "Inspector", RedirectURIs: []string{redirectURI}, Created: time.Now(), LastUsed: time.Now(), Expires: time.Now().Add(day)})
	})
	if err != nil {
		t.Fatal(err)
	}
	web := d.kitOn(d.store)
	if d.handler, err = web.Handler(mcp.NewServer(&mcp.Implementation{Name: "desk", Version: "1"}, nil)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { web.Close() })
	web.stop()
	web.behind.Wait() // what it writes behind requests is nobody's act
	return d
}

func (d *desk) kitOn(s store.Store) *Kit {
	d.t.Helper()
	k, err := New(Config{Issuer: deskIssuer, Secrets: []string{"a secret of the tests, and of nobody else"}, Store: s,
		Mail: mail.Folder{Dir: d.path + "-mail", From: "desk@example.com"}, DangerouslyExemptLoopback: true})
	if err != nil {
		d.t.Fatal(err)
	}
	return k
}

// A part is a store all of whose updates are part of one.
type part struct {
	store.Store
	tx store.Tx
}

func (p part) Update(_ context.Context, fn func(store.Tx) error) error { return fn(p.tx) }

// prepare runs fn n times with a kit that writes all in one commit.
func (d *desk) prepare(n int, fn func(k *Kit, i int) error) {
	d.t.Helper()
	err := d.store.Update(d.t.Context(), func(tx store.Tx) error {
		k := d.kitOn(part{d.store, tx})
		for i := range n {
			if err := fn(k, i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// exchange is the right request for a new code.
func (d *desk) exchange() grant.Exchange {
	code, err := d.grants.Code(grant.Authorization{ClientID: "client", RedirectURI: redirectURI, Resource: deskIssuer + "/mcp", CodeChallenge: challenge})
	if err != nil {
		d.t.Fatal(err)
	}
	return grant.Exchange{Code: code, ClientID: "client", RedirectURI: redirectURI, Verifier: secret.Plain(verifier)}
}

// Acts are n things to do, each once, in any order.
type acts func(n int) []func() error

// commits are updates that put one record of the size of a grant.
func (d *desk) commits(n int) []func() error {
	todo := make([]func() error, n)
	for i := range todo {
		d.people++
		g := store.Grant{ID: fmt.Sprintf("%026d", d.people), ClientID: "client", Resource: strings.Repeat("x", 256)}
		todo[i] = func() error {
			return d.store.Update(d.t.Context(), func(tx store.Tx) error { return tx.PutGrant(d.t.Context(), g) })
		}
	}
	return todo
}

func (d *desk) exchanges(n int) []func() error {
	todo := make([]func() error, n)
	for i := range todo {
		e := d.exchange()
		todo[i] = func() error {
			_, err := d.grants.Redeem(d.t.Context(), e)
			return err
		}
	}
	return todo
}

func (d *desk) refreshes(n int) []func() error {
	todo := make([]func() error, n)
	d.prepare(n, func(k *Kit, i int) error {
		issued, err := k.grants.Redeem(d.t.Context(), d.exchange())
		todo[i] = func() error {
			_, err := d.grants.Refresh(d.t.Context(), grant.Renewal{RefreshToken: issued.Refresh, ClientID: "client"})
			return err
		}
		return err
	})
	return todo
}

// claims are of people who were never seen before.
func (d *desk) claims(n int) []func() error {
	todo := make([]func() error, n)
	loopback := netip.MustParseAddr("127.0.0.1")
	askers := make([]signin.Asker, n)
	d.prepare(n, func(k *Kit, i int) error {
		issued, err := k.grants.Redeem(d.t.Context(), d.exchange())
		if err != nil {
			return err
		}
		d.people++
		address, err := mail.ParseAddress(fmt.Sprintf("p%d@example.com", d.people))
		if err != nil {
			return err
		}
		t, err := k.cfg.Store.(part).tx.Token(d.t.Context(), issued.Access.Hash())
		askers[i] = signin.Asker{Access: t.Hash, GrantID: t.GrantID, ClientID: "client", Addr: loopback}
		_, begun := k.signin.Begin(d.t.Context(), askers[i], address)
		return errors.Join(err, begun)
	})
	for i, a := range askers {
		digits := d.digits(a)
		todo[i] = func() error {
			_, err := d.signin.Verify(d.t.Context(), a, digits)
			return err
		}
	}
	return todo
}

// digits are what was mailed for a.
func (d *desk) digits(a signin.Asker) string {
	d.t.Helper()
	var c store.Challenge
	err := d.store.View(d.t.Context(), func(tx store.Tx) (err error) {
		c, err = tx.LatestChallenge(d.t.Context(), a.GrantID)
		return err
	})
	code, ok := d.keys.OneTimeCode(c.KeyID, c.ID, c.Digits)
	if err != nil || !ok {
		d.t.Fatalf("no digits: %v", err)
	}
	return code.Reveal()
}

// posts are requests to /token that redeem a code.
func (d *desk) posts(n int) []func() error {
	todo := make([]func() error, n)
	for i := range todo {
		e := d.exchange()
		todo[i] = d.request(http.MethodPost, "/token", http.StatusOK, url.Values{"grant_type": {"authorization_code"}, "client_id": {e.ClientID},
			"code": {e.Code.Reveal()}, "redirect_uri": {e.RedirectURI}, "code_verifier": {verifier}})
	}
	return todo
}

// authorizations are requests to /authorize, of guests.
func (d *desk) authorizations(n int) []func() error {
	todo := make([]func() error, n)
	for i := range todo {
		todo[i] = d.request(http.MethodGet, "/authorize", http.StatusFound, url.Values{"response_type": {"code"}, "client_id": {"client"},
			"redirect_uri": {redirectURI}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}, "scope": {"guest offline_access"},
			"resource": {deskIssuer + "/mcp"}})
	}
	return todo
}

// request asks the kit's handler, and wants status.
func (d *desk) request(method, path string, status int, form url.Values) func() error {
	r := httptest.NewRequestWithContext(d.t.Context(), method, deskIssuer+path+"?"+form.Encode(), nil)
	if method == http.MethodPost {
		r = httptest.NewRequestWithContext(d.t.Context(), method, deskIssuer+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.RemoteAddr = "127.0.0.1:1"
	w := httptest.NewRecorder()
	return func() error {
		d.handler.ServeHTTP(w, r)
		if w.Code != status {
			return fmt.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return nil
	}
}
