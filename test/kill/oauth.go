package main

import (
	"fmt"
	"net/http"
	"time"
)

// connect takes the next step towards a new grant: a registration, now and then,
// a code, or its redemption.
func (p *player) connect() {
	switch {
	case len(p.clients) == 0 || p.code == nil && p.rng.IntN(4) == 0:
		p.register(fmt.Sprintf("Client %d-%d", p.n, len(p.clients)+1))
	case p.code == nil || !within(minute, p.code.at):
		p.authorize(p.clients[len(p.clients)-1])
	default:
		c := *p.code
		p.code = nil
		p.redeem(c, false)
	}
}

// register registers a client. Asked again it is the same client, so nothing is
// uncertain when the answer is lost.
func (p *player) register(name string) {
	a, ok := p.ask("register", nil, p.wire.register(name), func() { p.register(name) })
	if ok && p.expect(nil, a.status == http.StatusCreated && a.field("client_id") != "", "register: %v", a) {
		p.clients = append(p.clients, a.field("client_id"))
	}
}

// authorize gets a code, which proves that the client is known. The server
// writes nothing.
func (p *player) authorize(client string) {
	verifier, challenge := p.pkce()
	at := time.Now()
	a, ok := p.ask("authorize", nil, p.wire.authorize(client, challenge), nil)
	if !ok {
		return
	}
	if p.expect(nil, a.to != nil && a.to.Query().Get("code") != "", "a registered client is unknown: /authorize %v", a) {
		p.code = &code{text: a.to.Query().Get("code"), client: client, verifier: verifier, at: at}
	}
}

// redeem exchanges a code. Where it was asked before and got no answer, the code
// may have been redeemed: then the grant that nobody heard of ends, and it is
// never redeemed for a second one.
func (p *player) redeem(c code, asked bool) {
	at := time.Now()
	a, ok := p.ask("token (code)", nil, p.wire.redeem(c), func() { p.redeem(c, true) })
	switch {
	case !ok:
	case asked && a.is("invalid_grant"):
		p.flight("token (code)").done++
		again, ok := p.ask("token (code), again", nil, p.wire.redeem(c), nil)
		p.expect(nil, !ok || again.is("invalid_grant"), "a redeemed code gave a second grant: %v", again)
	case p.expect(nil, a.status == http.StatusOK, "a code of this minute is not redeemed: %v", a):
		p.newGrant(c, a.field("access_token"), a.field("refresh_token"), at)
	}
}

// refresh trades the current refresh token for the next pair.
func (p *player) refresh(g *grant) { p.refreshAt(g, time.Now(), false) }

// refreshAt is refresh, asked for the first time at that time. An answer that
// was lost can be had again: the pair of then, or that of now.
func (p *player) refreshAt(g *grant, at time.Time, asked bool) {
	const kind = "token (refresh)"
	a, ok := p.ask(kind, g, p.wire.refresh(g.code.client, g.current().text), func() { p.refreshAt(g, at, true) })
	if !ok || !p.expect(g, a.status == http.StatusOK, "refresh %d is current, and refused: %v", g.current().n, a) {
		return
	}
	g.issued(a.field("access_token"), a.field("refresh_token"), at)
	if asked {
		p.settled(g, kind, a.number("expires_in") < int(accessTTL/time.Second)) // less is left: it was issued before the kill
	}
}

// repeat asks for the newest pair again.
func (p *player) repeat(g *grant) {
	old := g.previous()
	a, ok := p.ask("token (refresh), repeated", g, p.wire.refresh(g.code.client, old.text), nil)
	p.expect(g, !ok || a.field("access_token") == g.access[len(g.access)-1].text && a.field("refresh_token") == g.current().text,
		"refresh %d, repeated, does not give the pair that it gave: %v", old.n, a)
}

// revoke ends a grant by one of its tokens.
func (p *player) revoke(g *grant) {
	t := p.some(append(g.working(), g.current()))
	a, ok := p.ask("revoke", g, p.wire.revoke(g.code.client, t.text), func() { p.settleEnd(g, "revoke") })
	if ok && p.expect(g, a.status == http.StatusOK, "revoke: %v", a) {
		g.ended()
	}
}

// replay redeems the code of a grant a second time, which must be refused, and
// ends the grant. That refusal must last.
func (p *player) replay(g *grant) {
	a, ok := p.ask("token (code), replayed", g, p.wire.redeem(g.code), func() { p.settleEnd(g, "token (code), replayed") })
	if ok && p.expect(g, a.is("invalid_grant"), "a redeemed code was redeemed again: %v", a) {
		g.ended()
	}
}

// reuse brings back a refresh token whose successors were used: somebody holds a
// copy, and the grant ends.
func (p *player) reuse(g *grant) {
	const kind = "token (refresh), outdated"
	a, ok := p.ask(kind, g, p.wire.refresh(g.code.client, g.outdated().text), func() {
		if p.settleEnd(g, kind) && g.as != nil {
			g.as.warned = true
		}
	})
	if ok && p.expect(g, a.is("invalid_grant"), "an outdated refresh token works: %v", a) {
		g.ended()
		if g.as != nil {
			g.as.warned = true
		}
	}
}

// settleEnd finds out whether g is over, which an act without an answer would
// have caused.
func (p *player) settleEnd(g *grant, kind string) (over bool) {
	a, ok := p.ask("whoami", g, p.wire.tool(g.newest().text, "whoami", nil), nil)
	if !ok {
		return false
	}
	over = a.status == http.StatusUnauthorized
	if over {
		g.ended()
	}
	p.settled(g, kind, over)
	return over
}
