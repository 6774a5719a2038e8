package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A grant is what a client was told about one grant: a page of its ledger. The
// methods write down what the server acknowledged, and what it promises by that.
type grant struct {
	name    string
	code    code       // that it was redeemed from
	access  []*token   // all that were issued, oldest first
	refresh []*token   // by generation, oldest first; the last is current
	as      *user      // who is signed in; nil is a guest
	last    *user      // who was signed in last, or nil
	asked   *challenge // the newest that was asked for; nil is none
	used    string     // the digits that claimed it last, or empty
	over    bool

	mails, addresses, wrong int // spent of what a grant may have in a day

	touched bool     // since the last check
	faulty  bool     // something of it was lost: told once, and left alone
	lines   []string // what happened, for people
}

// A code is an authorization code.
type code struct {
	text, client, verifier string
	at                     time.Time // just before it was asked for
}

// A token was issued to the client. A dead one must never work again.
type token struct {
	text string
	n    int       // names it in lines
	at   time.Time // just before it was asked for
	dead bool
}

// A user is a person with an address, and what they keep.
type user struct {
	address  string
	entries  map[string]string // title → id
	seen     []string          // digits of mails that were read
	returned bool              // signed in for the second time
	warned   bool              // a refresh token came back: a mail must say so
}

// A challenge is a one-time code that is mailed.
type challenge struct {
	to     *user
	at     time.Time // just before it was asked for
	digits string    // empty until the mail was read
	wrong  int       // answers that were counted
}

const (
	tries  = 5                // of a challenge
	minute = 25 * time.Second // of the minute in which a code lives, a refresh is answered again, and a mailbox is left alone: what is asked by then is answered in time
	tenMin = 9 * time.Minute  // of the ten that digits live
)

func newUser(address string) *user { return &user{address: address, entries: map[string]string{}} }

// masked is the address as the server shows it.
func (u *user) masked() string {
	return u.address[:1] + "***" + u.address[strings.LastIndexByte(u.address, '@'):]
}

// issued writes down a pair of tokens that was asked for at that time.
func (g *grant) issued(access, refresh string, at time.Time) {
	n := len(g.refresh) + 1
	g.access = append(g.access, &token{text: access, n: n, at: at})
	g.refresh = append(g.refresh, &token{text: refresh, n: n, at: at})
}

func (g *grant) current() *token { return g.refresh[len(g.refresh)-1] }

// previous is the refresh token that may still be repeated, or nil.
func (g *grant) previous() *token {
	n := len(g.refresh)
	if n < 2 || g.refresh[n-2].dead || !within(minute, g.current().at) {
		return nil
	}
	return g.refresh[n-2]
}

// outdated is a refresh token whose return shows that somebody holds a copy, or
// nil: its successor was redeemed too.
func (g *grant) outdated() *token {
	if n := len(g.refresh); n >= 3 {
		return g.refresh[n-3]
	}
	return nil
}

// working are the access tokens that work, oldest first.
func (g *grant) working() []*token {
	return slices.DeleteFunc(slices.Clone(g.access), func(t *token) bool { return t.dead })
}

// newest is the access token that was issued last of those that work.
func (g *grant) newest() *token {
	w := g.working()
	return w[len(w)-1]
}

// claimed writes down that u claimed g by the digits of the challenge.
func (g *grant) claimed(by *token) {
	g.as, g.last, g.used = g.asked.to, g.asked.to, g.asked.digits
	g.asked = nil
	g.cross(by)
}

// signedOut writes down that g is a new guest's.
func (g *grant) signedOut(by *token) {
	g.as, g.asked = nil, nil
	g.cross(by)
}

// cross leaves all tokens behind but the access token of the call and the
// current refresh token.
func (g *grant) cross(by *token) {
	for _, t := range slices.Concat(g.access, g.refresh) {
		t.dead = t.dead || t != by && t != g.current()
	}
}

// ended writes down that g is revoked.
func (g *grant) ended() {
	g.over = true
	for _, t := range slices.Concat(g.access, g.refresh) {
		t.dead = true
	}
}

// mailed writes down that a one-time code is on its way to u.
func (g *grant) mailed(u *user, at time.Time) {
	g.mails++
	if u == g.last {
		u.returned = true
	} else {
		g.addresses++
	}
	g.asked = &challenge{to: u, at: at}
}

// wronged writes down how many wrong answers to the newest challenge were
// counted.
func (g *grant) wronged(all int) {
	g.wrong++
	g.asked.wrong = all
}

// pending reports whether digits are expected of the guest.
func (g *grant) pending() bool {
	return g.as == nil && g.asked != nil && g.asked.wrong < tries && within(tenMin, g.asked.at)
}

// aged reports whether nobody can say if digits are still expected.
func (g *grant) aged() bool {
	return g.asked != nil && g.asked.wrong < tries && !within(tenMin, g.asked.at)
}

// status is what whoami says: a status, and as whom.
func (g *grant) status() (status, as string) {
	switch {
	case g.as != nil:
		return "signed_in", g.as.masked()
	case g.pending():
		return "pending", g.asked.to.masked()
	}
	return "guest", ""
}

// mayAsk reports whether one more mail is within the budgets of g: five in an
// hour, to three addresses in a day, and for somebody who comes back one.
func (g *grant) mayAsk(u *user) bool {
	if g.as != nil || g.mails >= 5 {
		return false
	}
	if u == nil || u != g.last {
		return g.addresses < 3
	}
	return !u.returned
}

// note writes a line for people, without secrets.
func (g *grant) note(format string, args ...any) {
	g.touched = true
	g.lines = append(g.lines, fmt.Sprintf(format, args...))
}

func within(d time.Duration, of time.Time) bool { return time.Since(of) < d }
