package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A player is one client. It does one thing at a time, so that of what it knows
// at most one thing is uncertain: what it had asked for when the server died.
type player struct {
	*game
	n       int
	rng     *rand.Rand
	clients []string // ids that are registered
	code    *code    // that was not redeemed yet, or nil
	grants  []*grant
	users   int    // counts addresses
	titles  int    // counts entries
	open    func() // finds out what became of the request that got no answer; nil is none

	checks int // of answers against the ledger
	losses []string
	flying map[string]*flight // requests without an answer, by kind
}

// A flight counts requests of one kind that were under way at a kill.
type flight struct {
	all  int
	done int // of them, what the server had committed
}

func newPlayer(g *game, n int, seed uint64) *player {
	return &player{game: g, n: n, rng: rand.New(rand.NewPCG(seed, uint64(n)+1)), flying: map[string]*flight{}}
}

// play takes random steps until the server is killed.
func (p *player) play() {
	for !p.server.dying.Load() && p.wire.ctx.Err() == nil && len(p.losses) == 0 {
		p.step()
	}
}

// ask sends a request about g, which is nil for one about no grant. It reports
// false where no answer came; settle is then to find out, once the server is
// back, whether it was done.
func (p *player) ask(kind string, g *grant, r *http.Request, settle func()) (answer, bool) {
	if g != nil {
		g.touched = true
	}
	if p.server.dying.Load() {
		return answer{}, false
	}
	a, err := p.wire.do(r)
	switch {
	case p.wire.ctx.Err() != nil:
		return answer{}, false
	case err != nil && !p.server.dying.Load():
		p.lose(g, "%s: a server that was not killed gave no answer: %v", kind, err)
		return answer{}, false
	case err != nil && unsent(err):
		return answer{}, false
	case err != nil:
		p.flight(kind).all++
		p.open = settle
		if g != nil {
			g.note("%s: no answer", kind)
		}
		return answer{}, false
	}
	p.acknowledge()
	if g != nil {
		g.note("%s: %v", kind, a)
	}
	if a.status >= 500 {
		p.lose(g, "%s: %v", kind, a)
		return a, false
	}
	return a, true
}

func (p *player) flight(kind string) *flight {
	if p.flying[kind] == nil {
		p.flying[kind] = &flight{}
	}
	return p.flying[kind]
}

// settled writes down whether a request that got no answer was done.
func (p *player) settled(g *grant, kind string, done bool) {
	if done {
		p.flight(kind).done++
	}
	g.note("%s without an answer was done: %t", kind, done)
}

// expect checks one thing against the ledger. What it says where that is not so
// is what was lost.
func (p *player) expect(g *grant, ok bool, format string, args ...any) bool {
	p.checks++
	if !ok {
		p.lose(g, format, args...)
	}
	return ok
}

// lose writes down what was lost: of a grant the first thing, because others
// follow from it.
func (p *player) lose(g *grant, format string, args ...any) {
	if g != nil && g.faulty {
		return
	}
	text := fmt.Sprintf("client %d: ", p.n) + fmt.Sprintf(format, args...)
	if g != nil {
		g.faulty = true
		text += "\n  " + g.name + "\n    " + strings.Join(g.lines, "\n    ")
	}
	p.losses = append(p.losses, text)
}

// A move is one step that makes sense, and how often it is taken beside others.
type move struct {
	weight int
	do     func(*grant)
}

// step takes one random step.
func (p *player) step() {
	live := slices.DeleteFunc(slices.Clone(p.grants), func(g *grant) bool { return g.over || g.faulty })
	if len(live) == 0 || len(live) < 4 && p.rng.IntN(6) == 0 {
		p.connect()
		return
	}
	live = live[max(0, len(live)-4):] // the others stay as they are, for the checks
	g := live[p.rng.IntN(len(live))]
	p.oneOf(p.moves(g))(g)
}

func (p *player) oneOf(moves []move) func(*grant) {
	all := 0
	for _, m := range moves {
		all += m.weight
	}
	at := p.rng.IntN(all)
	for _, m := range moves {
		if at -= m.weight; at < 0 {
			return m.do
		}
	}
	panic("no move")
}

// moves are what makes sense on g now.
func (p *player) moves(g *grant) []move {
	moves := []move{{6, p.refresh}, {1, p.prompt}, {1, p.whoami}, {1, p.revoke}}
	if within(minute, g.code.at) {
		moves = append(moves, move{1, p.replay})
	}
	if g.outdated() != nil {
		moves = append(moves, move{1, p.reuse})
	}
	switch {
	case g.as != nil:
		moves = append(moves, move{2, p.list}, move{4, p.logout})
		if len(g.as.entries) < 50 {
			moves = append(moves, move{24, p.create})
		}
	case g.pending():
		if p.read(g.asked) {
			moves = append(moves, move{16, p.validate})
			if g.wrong < 8 {
				moves = append(moves, move{4, p.wrong})
			}
		}
		if within(minute, g.asked.at) {
			moves = append(moves, move{1, p.again})
		}
		if g.mayAsk(nil) {
			moves = append(moves, move{1, p.authenticate})
		}
	case g.mayAsk(nil):
		moves = append(moves, move{12, p.authenticate})
	}
	if g.as == nil && g.last != nil && g.mayAsk(g.last) && !g.pending() {
		moves = append(moves, move{12, p.comeBack})
	}
	return moves
}

// some is one of the tokens, for the most part the last.
func (p *player) some(tokens []*token) *token {
	if p.rng.IntN(3) > 0 {
		return tokens[len(tokens)-1]
	}
	return tokens[p.rng.IntN(len(tokens))]
}

// pkce returns a code verifier and its code challenge (RFC 7636 section 4).
func (p *player) pkce() (verifier, challenge string) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	b := make([]byte, 64)
	for i := range b {
		b[i] = letters[p.rng.IntN(len(letters))]
	}
	sum := sha256.Sum256(b)
	return string(b), base64.RawURLEncoding.EncodeToString(sum[:])
}

func (p *player) newGrant(c code, access, refresh string, at time.Time) {
	g := &grant{name: fmt.Sprintf("client %d, grant %d", p.n, len(p.grants)+1), code: c}
	g.issued(access, refresh, at)
	g.note("redeemed: access 1, refresh 1")
	p.grants = append(p.grants, g)
}
