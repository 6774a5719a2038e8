package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// lease is a moment longer than that of a run.
const lease = 2*time.Minute + time.Second

// enough violations end a game: each may take some time.
const enough = 5

// A game is a shop whose server dies, and what was seen of it.
type game struct {
	options
	dir        string
	rng        *rand.Rand
	ahead      time.Duration // of the clock
	server     *process
	db         store.Database // the game's own look at the file
	rounds     int
	tallies    []*tally
	violations []string
}

// newGame makes an empty shop in a folder.
func newGame(ctx context.Context, o options, dir string) (*game, error) {
	g := &game{options: o, dir: dir, rng: rand.New(rand.NewPCG(o.seed, 0))}
	if err := g.reopen(); err != nil {
		return nil, err
	}
	return g, furnish(ctx, g.db)
}

// reopen opens the file anew, as whoever finds it after a kill.
func (g *game) reopen() (err error) {
	if g.db != nil {
		err = g.db.Close()
	}
	if err == nil {
		g.db, err = sqlite.Open(filepath.Join(g.dir, "shop.db"))
	}
	return err
}

// furnish gives an empty database what the shop needs.
func furnish(ctx context.Context, db store.Database) error {
	return db.UpdateSQL(ctx, func(tx store.Tx, sql store.SQL) error {
		_, err := sql.Exec(ctx, "CREATE TABLE done (what TEXT NOT NULL)")
		return errors.Join(err, tx.PutGrant(ctx, store.Grant{ID: ann.GrantID, GuestID: ann.GuestID, UserID: ann.UserID, Epoch: 1, Expires: time.Now().AddDate(10, 0, 0)}))
	})
}

// play plays the rounds, and prints a line for each boundary.
func (g *game) play(ctx context.Context, out io.Writer) (err error) {
	all := boundaries()
	for _, b := range all {
		g.tallies = append(g.tallies, &tally{boundary: b, ends: map[string]int{}})
	}
	rounds := g.options.rounds
	if rounds == 0 {
		rounds = len(all)
	}
	if g.server, err = start(ctx, g.dir, 0); err != nil {
		return err
	}
	order := g.rng.Perm(len(all)) // so that few rounds are of all sorts
	for n := 0; err == nil && n < rounds && len(g.violations) < enough; n++ {
		t := g.tallies[order[n%len(order)]]
		if err = g.round(ctx, t); err != nil {
			err = fmt.Errorf("%s, %s: %w", classes[t.tool], t.name, err)
		}
	}
	if err = errors.Join(err, g.server.kill(), g.db.Close()); err != nil {
		return err
	}
	return g.report(out)
}

// round calls a tool, confirms it, has the process die at a boundary, and looks.
func (g *game) round(ctx context.Context, t *tally) error {
	g.rounds++
	t.rounds++
	r := &round{game: g, tally: t, what: fmt.Sprintf("%s-%d", t.tool, g.rounds)}
	if err := g.server.setTrap(ctx, ""); err != nil {
		return err
	}
	shown, err := g.server.call(ctx, t.tool, thing{r.what})
	if err != nil {
		return err
	}
	if shown.status != "preview" {
		return fmt.Errorf("no preview: %s", shown.text)
	}
	r.token = shown.token
	if err := r.story(ctx); err != nil {
		return err
	}
	return r.outcome(ctx)
}

// restart starts a new server where the last one was killed.
func (g *game) restart(ctx context.Context) (err error) {
	g.server, err = start(ctx, g.dir, g.ahead)
	return err
}

// passTime lets a lease end.
func (g *game) passTime(ctx context.Context) error {
	g.ahead += lease
	return g.server.passTime(ctx, lease)
}

// A tally is what was seen at a boundary.
type tally struct {
	boundary
	rounds, kills, effects int
	ends                   map[string]int
}

// report prints the tallies, and returns an error where a promise was broken.
func (g *game) report(out io.Writer) error {
	kills := 0
	for _, t := range g.tallies {
		if t.rounds > 0 {
			fmt.Fprintf(out, "%-14s %-34s rounds %d, kills %d, effects %d,%s\n", classes[t.tool], t.name, t.rounds, t.kills, t.effects, t.outcomes())
		}
		kills += t.kills
	}
	for _, v := range g.violations {
		fmt.Fprintln(out, "violation:", v)
	}
	fmt.Fprintf(out, "rounds %d, kills %d, violations %d\n", g.rounds, kills, len(g.violations))
	if len(g.violations) > 0 {
		return fmt.Errorf("%d promises were broken", len(g.violations))
	}
	return nil
}

func (t *tally) outcomes() (text string) {
	var states []string
	for state, n := range t.ends {
		states = append(states, fmt.Sprintf(" %s %d", state, n))
	}
	slices.Sort(states)
	for _, s := range states {
		text += s
	}
	return text
}
