// Command kill proves that a crash loses nothing that was acknowledged. It
// starts "foyer demo" as people do, lets clients play the whole story against
// it over HTTP, kills it with SIGKILL while their requests are under way, starts
// it again on the same folder, and compares it with what the clients were told.
// Run it from the module:
//
//	go run ./test/kill                          # 20 rounds of 16 clients
//	go run ./test/kill -rounds 200 -seed 7
//	go run ./test/kill -foyer ./foyer           # a program that was built before
//
// Before the first round it is killed a few times while it makes its tables.
// What was acknowledged must be there, what was refused must not come true, and
// what was under way must have happened as a whole, or not at all. It exits with
// status 1 where something was lost, and tells the seed, which gives every
// client the same choices again; who is served first no seed can say.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"time"
)

// accessTTL is how long access tokens live, in "--access-ttl": longer than a run.
const accessTTL = 12 * time.Hour

type options struct {
	rounds  int
	clients int
	seed    uint64
	foyer   string        // the program; empty builds it
	timeout time.Duration // of it all
}

func main() {
	o := options{}
	flag.IntVar(&o.rounds, "rounds", 20, "how often the server is killed under load")
	flag.IntVar(&o.clients, "clients", 16, "how many clients play at once")
	flag.Uint64Var(&o.seed, "seed", 0, "of the clients' choices and of the moments of the kills; 0 is any")
	flag.StringVar(&o.foyer, "foyer", "", "the `program` to kill; none builds ./cmd/foyer")
	flag.DurationVar(&o.timeout, "timeout", 10*time.Minute, "when to give up")
	flag.Parse()
	if flag.NArg() > 0 || o.rounds < 1 || o.clients < 1 || o.timeout >= accessTTL {
		flag.Usage()
		os.Exit(2)
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "kill:", err)
		os.Exit(1)
	}
}

// run plays all rounds, and returns an error where something was lost, or where
// nothing was proven.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not done within %v", o.timeout))
	defer cancel()
	dir, err := os.MkdirTemp("", "foyer-kill-")
	if err != nil {
		return err
	}
	g, err := newGame(ctx, o, dir)
	if err == nil {
		err = g.play(ctx, out)
	}
	if err != nil {
		return fmt.Errorf("%w\nseed %d; the data are in %s", errors.Join(err, context.Cause(ctx)), o.seed, dir)
	}
	return os.RemoveAll(dir)
}
