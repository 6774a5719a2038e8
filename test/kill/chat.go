package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// call calls a tool with an access token of g.
func (p *player) call(g *grant, t *token, tool string, arguments map[string]any, settle func()) (answer, bool) {
	g.note("access %d calls %s", t.n, tool)
	return p.ask(tool, g, p.wire.tool(t.text, tool, arguments), settle)
}

// prompt calls a tool that asks for nothing.
func (p *player) prompt(g *grant) {
	a, ok := p.call(g, p.some(g.working()), "writing_prompt", nil, nil)
	p.expect(g, !ok || !a.refused, "writing_prompt: %v", a)
}

// whoami asks who stands behind a token that works.
func (p *player) whoami(g *grant) { p.whoamiBy(g, p.some(g.working())) }

func (p *player) whoamiBy(g *grant, t *token) {
	a, ok := p.call(g, t, "whoami", nil, nil)
	if !ok {
		return
	}
	if g.aged() && a.field("status") == "pending" {
		return
	}
	status, as := g.status()
	p.expect(g, !a.refused && a.field("status") == status && a.field("as") == as,
		"access %d is %s %s, want %s %s: %v", t.n, a.field("status"), a.field("as"), status, as, a)
}

// authenticate has a one-time code mailed to somebody new.
func (p *player) authenticate(g *grant) {
	p.users++
	p.authenticateAs(g, newUser(fmt.Sprintf("ann@c%d-%d.example", p.n, p.users)))
}

// comeBack has one mailed to who was signed in last.
func (p *player) comeBack(g *grant) { p.authenticateAs(g, g.last) }

func (p *player) authenticateAs(g *grant, u *user) {
	at := time.Now()
	a, ok := p.call(g, p.some(g.working()), "authenticate", map[string]any{"email": u.address}, func() {
		now, ok := p.call(g, g.newest(), "whoami", nil, nil)
		if !ok {
			return
		}
		done := now.field("status") == "pending" && now.field("as") == u.masked()
		if done {
			g.mailed(u, at)
		}
		p.settled(g, "authenticate", done)
	})
	if ok && p.expect(g, !a.refused && a.field("status") == "pending" && a.field("mailed_to") == u.masked(), "authenticate: %v", a) {
		g.mailed(u, at)
	}
}

// again asks for another mail too soon, which was counted and is refused.
func (p *player) again(g *grant) {
	a, ok := p.call(g, g.newest(), "authenticate", map[string]any{"email": g.asked.to.address}, nil)
	p.expect(g, !ok || a.refused && a.number("retry_after") > 0, "a second mail within a minute is not refused: %v", a)
}

// validate claims g by the right digits.
func (p *player) validate(g *grant) { p.validateBy(g, p.some(g.working())) }

func (p *player) validateBy(g *grant, by *token) {
	a, ok := p.call(g, by, "validate_token", map[string]any{"code": g.asked.digits}, func() { p.settleClaim(g, by) })
	if ok && p.expect(g, !a.refused && a.field("status") == "signed_in" && a.field("as") == g.asked.to.masked(), "the right digits: %v", a) {
		g.claimed(by)
	}
}

// settleClaim finds out whether g was claimed. If it was not, nothing of it may
// have happened, and the digits are as good as before.
func (p *player) settleClaim(g *grant, by *token) {
	a, ok := p.call(g, by, "whoami", nil, nil)
	if !ok {
		return
	}
	done := a.field("status") == "signed_in"
	p.settled(g, "validate_token", done)
	if !done {
		p.validateBy(g, by)
		return
	}
	g.claimed(by)
}

// wrong answers with wrong digits.
func (p *player) wrong(g *grant) { p.wrongAfter(g, 0) }

// wrongAfter is wrong where so many answers before it got no answer, and may or
// may not have been counted.
func (p *player) wrongAfter(g *grant, unsure int) {
	const kind = "validate_token, wrong"
	c := g.asked
	right, _ := strconv.Atoi(c.digits) // read from a mail as six digits
	wrong := fmt.Sprintf("%06d", (right+1+p.rng.IntN(999_999))%1_000_000)
	g.note("the %d. wrong answer", c.wrong+1)
	a, ok := p.ask(kind, g, p.wire.tool(g.newest().text, "validate_token", map[string]any{"code": wrong}), func() {
		g.wrong++ // perhaps
		p.wrongAfter(g, unsure+1)
	})
	if !ok {
		return
	}
	left := a.number("tries_left")
	if left < 0 && a.says("used up") {
		left = 0
	}
	most := tries - c.wrong - 1
	if !p.expect(g, a.refused && left >= max(0, most-unsure) && left <= most, "wrong answers are not counted: %d of %d tries are left: %v", left, most, a) {
		return
	}
	if unsure > 0 {
		p.settled(g, kind, left < most)
	}
	g.wronged(tries - left)
}

// logout signs out.
func (p *player) logout(g *grant) {
	by := p.some(g.working())
	a, ok := p.call(g, by, "logout", nil, func() {
		a, ok := p.call(g, by, "whoami", nil, nil)
		if !ok {
			return
		}
		done := a.field("status") == "guest"
		if done {
			g.signedOut(by)
		}
		p.settled(g, "logout", done)
	})
	if ok && p.expect(g, !a.refused && a.field("status") == "guest", "logout: %v", a) {
		g.signedOut(by)
	}
}

// create writes an entry, whose title no other has.
func (p *player) create(g *grant) {
	p.titles++
	title := fmt.Sprintf("Day %d", p.titles)
	g.note("%q", title)
	a, ok := p.call(g, p.some(g.working()), "create_entry", map[string]any{"title": title, "content": "It was a long day."}, func() {
		found, ok := p.entries(g)
		if !ok {
			return
		}
		done := found[title] != nil
		if done { // perhaps twice, which the check of the list tells
			g.as.entries[title] = found[title][0]
		}
		p.settled(g, "create_entry", done)
	})
	if ok && p.expect(g, !a.refused && a.field("id") != "", "create_entry: %v", a) {
		g.as.entries[title] = a.field("id")
	}
}

// list reads the entries: all that were acknowledged, each once, and no other.
func (p *player) list(g *grant) {
	found, ok := p.entries(g)
	if !ok {
		return
	}
	for _, title := range slices.Sorted(maps.Keys(g.as.entries)) {
		p.expect(g, slices.Equal(found[title], []string{g.as.entries[title]}), "entry %q of %s is there %d times", title, g.as.address, len(found[title]))
		delete(found, title)
	}
	p.expect(g, len(found) == 0, "entries of %s that nobody wrote: %v", g.as.address, found)
}

// entries returns the ids of the entries of g's user, by title.
func (p *player) entries(g *grant) (map[string][]string, bool) {
	a, ok := p.call(g, g.newest(), "list_entries", map[string]any{"limit": 100}, nil)
	if !ok || !p.expect(g, !a.refused, "list_entries: %v", a) {
		return nil, false
	}
	found := map[string][]string{}
	list, _ := a.data["entries"].([]any)
	for _, e := range list {
		e, _ := e.(map[string]any)
		title, _ := e["title"].(string)
		id, _ := e["id"].(string)
		found[title] = append(found[title], id)
	}
	return found, true
}
