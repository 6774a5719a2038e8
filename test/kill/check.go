package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// check compares the server with the ledger: what was uncertain is settled, and
// then everything that was touched since the last check must be as it was
// acknowledged, or simply everything.
func (p *player) check(all bool) {
	p.checks = 0
	if settle := p.open; settle != nil {
		p.open = nil
		settle()
	}
	for _, id := range p.clients {
		p.authorize(id)
	}
	if p.code != nil && within(minute, p.code.at) {
		c := *p.code
		p.code = nil
		p.redeem(c, false)
	}
	for _, g := range p.grants {
		if g.touched || all {
			p.verify(g)
			g.touched = false
		}
	}
}

// verify checks one grant. Each part stands only while nothing of the grant was
// found lost.
func (p *player) verify(g *grant) {
	parts := []func(*grant){p.tokens, p.rotation, p.signIn, p.oldDigits, p.journal, p.onward}
	if g.over {
		parts = []func(*grant){p.tokens, p.stayedOver}
	}
	for _, part := range parts {
		if !g.faulty && p.wire.ctx.Err() == nil {
			part(g)
		}
	}
}

// tokens checks that access tokens work, and say who is behind them, or are
// dead, as acknowledged.
func (p *player) tokens(g *grant) {
	for _, t := range g.access {
		if !t.dead {
			p.whoamiBy(g, t)
			continue
		}
		a, ok := p.call(g, t, "whoami", nil, nil)
		p.expect(g, !ok || a.status == http.StatusUnauthorized, "access %d was left behind, and works: %v", t.n, a)
	}
}

// stayedOver checks that a grant that ended gives no tokens, and that its user
// hears of a reuse.
func (p *player) stayedOver(g *grant) {
	a, ok := p.ask("token (refresh)", g, p.wire.refresh(g.code.client, g.current().text), nil)
	p.expect(g, !ok || a.is("invalid_grant"), "the grant is over, and refresh %d works: %v", g.current().n, a)
	if g.as != nil && g.as.warned {
		p.expect(g, soon(p.wire.ctx, func() bool { return p.wasWarned(g.as) }), "%s was not told that a refresh token came back", g.as.address)
	}
}

// rotation checks that the last refresh is there: asked again it gives the same.
func (p *player) rotation(g *grant) {
	if g.previous() != nil {
		p.repeat(g)
	}
}

// signIn checks what is expected of a guest: the mail came, another is refused so
// soon, wrong answers are counted, and used-up digits are dead.
func (p *player) signIn(g *grant) {
	switch c := g.asked; {
	case g.pending():
		if !p.expect(g, soon(p.wire.ctx, func() bool { return p.read(c) }), "the mail to %s did not come", c.to.address) {
			return
		}
		if within(minute, c.at) {
			p.again(g)
		}
		if c.wrong > 0 && c.wrong < tries-1 && g.wrong < 8 {
			p.wrong(g)
		}
	case g.as == nil && c != nil && c.wrong >= tries && c.digits != "":
		a, ok := p.call(g, g.newest(), "validate_token", map[string]any{"code": c.digits}, nil)
		p.expect(g, !ok || a.refused, "five answers were wrong, and the sixth claims the grant: %v", a)
	}
}

// oldDigits checks that digits which were used are used, also after a sign-out.
func (p *player) oldDigits(g *grant) {
	if g.as != nil || g.asked != nil || g.used == "" {
		return
	}
	a, ok := p.call(g, g.newest(), "validate_token", map[string]any{"code": g.used}, nil)
	p.expect(g, !ok || a.refused, "digits claim the grant a second time: %v", a)
}

// journal checks the entries of who is signed in, and that a guest sees none.
func (p *player) journal(g *grant) {
	if g.as != nil {
		p.list(g)
		return
	}
	a, ok := p.call(g, g.newest(), "list_entries", nil, nil)
	p.expect(g, !ok || a.refused, "a guest reads entries: %v", a)
}

// onward goes on with some grants, by the current refresh token, and ends others
// by their code, which was redeemed.
func (p *player) onward(g *grant) {
	switch n := p.rng.IntN(8); {
	case n < 4:
		p.refresh(g)
	case n == 4 && within(minute, g.code.at):
		p.replay(g)
	default:
		return
	}
	if !g.faulty {
		p.tokens(g)
	}
}

// integrity checks the two databases as the kill left them.
func (s *server) integrity(ctx context.Context) error {
	for _, name := range []string{"foyer.db", "journal.db"} {
		answers, err := pragma(ctx, filepath.Join(s.data, name), "integrity_check")
		if err != nil || !slices.Equal(answers, []string{"ok"}) {
			return fmt.Errorf("%s: integrity_check: %q, %v", name, answers, err)
		}
	}
	return nil
}

// pragma asks the SQLite file at path, which it does not change.
func pragma(ctx context.Context, path, name string) (answers []string, err error) {
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: "mode=ro"}).String())
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "PRAGMA "+name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var answer string
		if err := rows.Scan(&answer); err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
	return answers, rows.Err()
}
