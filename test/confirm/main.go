// Command confirm proves that what was confirmed is done as often as its tool
// promises, whenever the server dies. It starts itself once more as the server of a
// small shop, whose tools are of every class of package confirm, and has that
// process killed by SIGKILL at each boundary of a confirmation, and at any moment.
// Then it starts it again on the same file, confirms the same token again, and
// compares the record with what was done. Run it from the module:
//
//	go run ./test/confirm                        # every boundary once
//	go run ./test/confirm -rounds 600 -seed 7
//
// It prints a line for each class and boundary, and exits with status 1 where a
// promise was broken. The seed gives the same moments again; what a process has
// done by then no seed can say.
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

type options struct {
	rounds  int // 0 is one for each boundary
	seed    uint64
	timeout time.Duration // of it all
}

func main() {
	if dir := os.Getenv(shopFolder); dir != "" {
		serveAndExit(dir)
	}
	o := options{}
	flag.IntVar(&o.rounds, "rounds", 0, "how many tools are called, each with a kill or two; 0 is one for each boundary")
	flag.Uint64Var(&o.seed, "seed", 0, "of the moments of the kills, and of what comes after; 0 is any")
	flag.DurationVar(&o.timeout, "timeout", 20*time.Minute, "when to give up")
	flag.Parse()
	if flag.NArg() > 0 || o.rounds < 0 {
		flag.Usage()
		os.Exit(2)
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "confirm:", err)
		os.Exit(1)
	}
}

// run plays all rounds, and returns an error where a promise was broken.
func run(ctx context.Context, o options, out io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not done within %v", o.timeout))
	defer cancel()
	dir, err := os.MkdirTemp("", "foyer-confirm-")
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
