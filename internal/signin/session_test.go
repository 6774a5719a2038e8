package signin

import (
	"crypto/rand"
	"errors"
	"net/netip"
	"testing"
	"time"

	"example.com/foyer/internal/secret"
	"example.com/foyer/store"
)

// visitor is a browser with new cookies, at an address of its own.
func (r *room) visitor() Visitor {
	r.addrs++
	return Visitor{Session: secret.NewText().Hash(), Browser: secret.NewText().Hash(), Addr: netip.AddrFrom4([4]byte{10, 9, byte(r.addrs >> 8), byte(r.addrs)})}
}

// types asks for digits in a browser, and must not be refused. It returns them, and
// what the browser is told.
func (r *room) types(v Visitor, address string) (string, Begun) {
	r.t.Helper()
	begun, err := r.BeginSession(r.t.Context(), v, email(r.t, address))
	if err != nil {
		r.t.Fatalf("begin in a browser for %s: %v", address, err)
	}
	var there store.Session
	r.view(func(tx store.Tx) (err error) {
		there, err = tx.Session(r.t.Context(), v.Session)
		return err
	})
	code, ok := r.Keys.OneTimeCode(there.KeyID, there.Challenge, there.Digits)
	if !ok {
		r.t.Fatal("no secret derives the digits")
	}
	return code.Reveal(), begun
}

// enters gives digits in a browser, and returns it as it is then.
func (r *room) enters(v Visitor, digits string) (Visitor, error) {
	r.t.Helper()
	cookie, _, err := r.VerifySession(r.t.Context(), v, digits)
	if err == nil {
		v.Session = cookie.Hash()
	}
	return v, err
}

// signsIn signs in in a browser, and returns it as it is then.
func (r *room) signsIn(v Visitor, address string) Visitor {
	r.t.Helper()
	digits, _ := r.types(v, address)
	v, err := r.enters(v, digits)
	if err != nil {
		r.t.Fatalf("the right digits in a browser: %v", err)
	}
	return v
}

// connected gives a client a grant in v, which knows the user of address.
func (r *room) connected(v Visitor, address string) {
	r.t.Helper()
	g := r.guest()
	r.knows(g, address)
	r.update(func(tx store.Tx) error {
		return tx.PutBrowser(r.t.Context(), store.Browser{Hash: v.Browser, ClientID: rand.Text(), GrantID: g.GrantID, Expires: r.now.Add(30 * day)})
	})
}

// burns uses up what address may be mailed, and its wrong answers.
func (r *room) burns(address string) {
	r.t.Helper()
	for _, attacker := range r.guests(30) {
		r.asks(attacker, address)
		r.guesses(attacker, 1)
		r.advance(10 * time.Second)
	}
	r.flush()
}

// Strangers shut the address for strangers alone: a browser that the user was signed
// in in, by its session or by a client, gets the mail, and its digits are right. What
// each is told is the same.
func TestT08AKnownBrowserIsNotMutedByStrangers(t *testing.T) {
	r := newRoom(t)
	session := r.signsIn(r.visitor(), "ann@example.com")
	over := r.signsIn(r.visitor(), "bob@example.com")
	r.advance(day)
	over = r.signsIn(over, "ann@example.com")
	client := r.visitor()
	r.connected(client, "ann@example.com")
	shared := r.visitor()
	r.connected(shared, "ann@example.com")
	r.connected(shared, "bob@example.com")
	r.advance(day) // every session is over
	r.burns("ann@example.com")

	stranger := r.visitor()
	digits, told := r.types(stranger, "ann@example.com")
	if sent := r.flush(); len(sent) != 0 {
		t.Errorf("%d mails went out for a stranger", len(sent))
	}
	if _, err := r.enters(stranger, digits); !errors.As(err, new(Wrong)) {
		t.Errorf("a stranger: %v", err)
	}
	for name, v := range map[string]Visitor{"a session that is over": session, "another user's session before": over, "a client's grant": client, "one of two clients' grants": shared} {
		digits, begun := r.types(v, "ann@example.com")
		if begun != told {
			t.Errorf("%s is told %+v, and a stranger %+v", name, begun, told)
		}
		if sent := r.flush(); len(sent) != 1 {
			t.Errorf("%s: %d mails went out", name, len(sent))
		}
		if _, err := r.enters(v, digits); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r.advance(15 * time.Minute)
		r.burns("ann@example.com")
	}
}

// A record that has expired, a session that was ended, and another user's browser are a
// stranger's.
func TestT08WhatIsNoKnownBrowser(t *testing.T) {
	r := newRoom(t)
	r.signsIn(r.visitor(), "ann@example.com")
	bobs := r.signsIn(r.visitor(), "bob@example.com")
	r.connected(bobs, "bob@example.com")
	r.advance(day)
	ended := r.signsIn(r.visitor(), "ann@example.com")
	if err := r.EndSession(t.Context(), ended.Session); err != nil {
		t.Fatal(err)
	}
	expired := r.visitor()
	r.connected(expired, "ann@example.com")
	nobody := r.visitor()
	nobody.Browser = store.Hash{}
	r.advance(30 * day)
	r.burns("ann@example.com")
	for name, v := range map[string]Visitor{"another user's": bobs, "a session that was ended": ended, "a record that has expired": expired, "no cookie": nobody} {
		digits, _ := r.types(v, "ann@example.com")
		if _, err := r.enters(v, digits); !errors.As(err, new(Wrong)) || len(r.flush()) != 0 {
			t.Errorf("%s is a known browser: %v", name, err)
		}
	}
}

// The known browsers of a user have one budget together, and what is asked for another
// address in between does not make a browser forget.
func TestT08TheBudgetOfKnownBrowsersIsABudget(t *testing.T) {
	r := newRoom(t)
	home := r.signsIn(r.visitor(), "ann@example.com")
	r.advance(day)
	r.types(home, "bob@example.com")
	r.burns("ann@example.com")
	if _, begun := r.types(home, "ann@example.com"); begun.Digits != digits || len(r.flush()) != 1 {
		t.Error("after another address the browser is not known any more")
	}
	for range 4 {
		v := r.visitor()
		r.connected(v, "ann@example.com")
		r.advance(20 * time.Minute)
		r.types(v, "ann@example.com")
		for range attempts {
			if _, err := r.enters(v, "x"); err == nil {
				t.Fatal("guessed")
			}
		}
	}
	last := r.visitor()
	r.connected(last, "ann@example.com")
	r.advance(20 * time.Minute)
	digits, _ := r.types(last, "ann@example.com")
	if _, err := r.enters(last, digits); !errors.As(err, new(Wrong)) {
		t.Errorf("the right digits after twenty wrong answers: %v", err)
	}
}

// T34: a cookie costs nothing, so new ones make no room: an address asks for twenty
// mails an hour and gives thirty wrong answers, however many browsers it shows.
func TestT34FreshCookiesMakeNoRoom(t *testing.T) {
	r := newRoom(t, countAddrs)
	one := netip.MustParseAddr("192.0.2.1")
	sent, compared := 0, 0
	for i := range 100 {
		v := r.visitor()
		v.Addr = one
		switch _, err := r.BeginSession(t.Context(), v, email(t, "a"+string(rune('a'+i%26))+string(rune('a'+i/26))+"@example.com")); {
		case err == nil:
			sent++
		case !errors.As(err, new(TooMany)):
			t.Fatal(err)
		}
	}
	if sent != sendsPerAddr {
		t.Errorf("%d mails for fresh cookies of one address, want %d", sent, sendsPerAddr)
	}
	r.advance(time.Hour)
	for i := range 100 {
		v := r.visitor()
		r.types(v, "b"+string(rune('a'+i%26))+string(rune('a'+i/26))+"@example.com")
		v.Addr = one
		if _, err := r.enters(v, "x"); errors.As(err, new(Wrong)) {
			compared++
		} else if !errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
	}
	if compared != failuresPerAddr {
		t.Errorf("%d wrong answers for fresh cookies of one address, want %d", compared, failuresPerAddr)
	}
	if _, err := r.BeginSession(t.Context(), r.visitor(), email(t, "ann@example.com")); err != nil {
		t.Errorf("another address: %v", err)
	}
}
