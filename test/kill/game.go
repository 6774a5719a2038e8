package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A game is a server, and the clients that play against it.
type game struct {
	options
	server  *server
	wire    wire
	players []*player
	rng     *rand.Rand

	answers atomic.Int64  // all that came
	fatal   atomic.Int64  // the number of the answer at which the server is killed
	after   time.Duration // how long after it
	acked   int64         // answers under load
}

func newGame(ctx context.Context, o options, dir string) (*game, error) {
	g := &game{options: o, rng: rand.New(rand.NewPCG(o.seed, 0))}
	addr, err := freeAddr(g.rng)
	if err != nil {
		return nil, err
	}
	g.server = &server{binary: o.foyer, addr: addr, data: filepath.Join(dir, "data")}
	if o.foyer == "" {
		if g.server.binary, err = build(ctx, dir); err != nil {
			return nil, err
		}
	}
	g.wire = newWire(ctx, "http://"+addr, o.clients)
	for n := range o.clients {
		g.players = append(g.players, newPlayer(g, n+1, o.seed))
	}
	return g, nil
}

// acknowledge counts an answer, and has the server killed at the one that was
// chosen.
func (g *game) acknowledge() {
	if g.answers.Add(1) == g.fatal.Load() {
		time.AfterFunc(g.after, func() { _ = g.server.kill() }) // an error means that it has ended: wait tells
	}
}

// play plays the rounds, prints a line for each, and ends with the first in
// which something was lost.
func (g *game) play(ctx context.Context, out io.Writer) error {
	for _, file := range []string{"secret", "foyer.db", "foyer.db-wal", "journal.db", "journal.db-wal"} { // while it makes its tables
		if err := g.server.launchAndKill(ctx, file); err != nil {
			return err
		}
	}
	_, err := g.server.start(ctx)
	for round := 1; err == nil && round <= g.rounds; round++ {
		if err = g.round(ctx, round, out); err != nil {
			err = fmt.Errorf("round %d: %w", round, err)
		}
	}
	if err = errors.Join(err, g.server.kill(), g.server.wait()); err != nil {
		return err
	}
	kinds, all := inFlight(g.players)
	fmt.Fprintf(out, "in flight: %s\n", strings.Join(kinds, ", "))
	fmt.Fprintf(out, "rounds %d, acknowledged %d, in flight at a kill %d, lost 0\n", g.rounds, g.acked, all)
	return g.enough(all)
}

// round lets the clients play until the kill, starts the server again, and
// checks. Every third time it is killed once more as soon as it answers, while
// it still sends the mails that waited.
func (g *game) round(ctx context.Context, round int, out io.Writer) error {
	acked, flying, err := g.load(ctx, g.moment())
	if err != nil {
		return err
	}
	took, err := g.server.start(ctx)
	if err == nil && round%3 == 0 {
		if err = errors.Join(g.server.kill(), g.bury(ctx)); err == nil {
			took, err = g.server.start(ctx)
		}
	}
	if err != nil {
		return err
	}
	checks := g.check(round == g.rounds)
	fmt.Fprintf(out, "round %d: acknowledged %d, in flight at the kill %d, back in %v, checks made %d\n",
		round, acked, flying, took.Round(time.Millisecond), checks)
	return g.lost()
}

// load lets the clients play until the server is killed, after so many answers.
// It returns how many came, and how many requests got none.
func (g *game) load(ctx context.Context, answers int64) (acked int64, flying int, err error) {
	before := g.answers.Load()
	_, flown := inFlight(g.players)
	g.after = time.Duration(g.rng.Int64N(int64(commit)))
	g.fatal.Store(before + answers)
	g.together((*player).play)
	err = errors.Join(g.server.kill(), g.bury(ctx)) // it lives where all players have stopped by themselves
	acked = g.answers.Load() - before
	g.acked += acked
	_, flying = inFlight(g.players)
	return acked, flying - flown, err
}

// check compares the server with all ledgers, and returns how many checks that
// took.
func (g *game) check(all bool) (checks int) {
	g.together(func(p *player) { p.check(all) })
	for _, p := range g.players {
		checks += p.checks
	}
	return checks
}

// commit is longer than a commit takes: a kill so much after an answer may fall
// anywhere in the next one.
const commit = 4 * time.Millisecond

// moment is how many answers to wait for until the kill. Some kills come soon.
func (g *game) moment() int64 {
	if g.rng.IntN(4) == 0 {
		return 1 + g.rng.Int64N(int64(g.clients))
	}
	return g.rng.Int64N(24*int64(g.clients)) + 1
}

// together lets every player do the same at once, and waits for all.
func (g *game) together(do func(*player)) {
	var all sync.WaitGroup
	for _, p := range g.players {
		all.Go(func() { do(p) })
	}
	all.Wait()
}

// bury waits for the end of a killed server, and looks at what it left.
func (g *game) bury(ctx context.Context) error {
	err := g.server.wait()
	g.wire.http.CloseIdleConnections()
	return errors.Join(err, g.lost(), g.server.integrity(ctx), context.Cause(ctx))
}

// lost tells what the players have lost.
func (g *game) lost() error {
	var losses []string
	for _, p := range g.players {
		losses = append(losses, p.losses...)
	}
	if len(losses) == 0 {
		return nil
	}
	return fmt.Errorf("lost %d\n%s", len(losses), strings.Join(losses, "\n"))
}

// enough refuses a game in which too little was under way when the server was
// killed: at least 100 requests in 20 rounds of 16 clients, and as many for each
// client and round in others.
func (g *game) enough(inFlight int) error {
	if inFlight*20*16 < 100*g.rounds*g.clients {
		return fmt.Errorf("only %d requests were in flight at a kill, which proves too little", inFlight)
	}
	return nil
}

// inFlight adds up what the players had under way at the kills, and tells it by
// kind: how many, and how many of those the server had done.
func inFlight(players []*player) (kinds []string, all int) {
	sum := map[string]flight{}
	for _, p := range players {
		for kind, f := range p.flying {
			sum[kind] = flight{sum[kind].all + f.all, sum[kind].done + f.done}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(sum)) {
		f := sum[kind]
		all += f.all
		if f.done > 0 {
			kinds = append(kinds, fmt.Sprintf("%s %d (%d done)", kind, f.all, f.done))
		} else {
			kinds = append(kinds, fmt.Sprintf("%s %d", kind, f.all))
		}
	}
	return kinds, all
}
