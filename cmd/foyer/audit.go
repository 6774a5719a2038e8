package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"example.com/foyer/audit"
)

// A trail is the command "foyer audit". It may run while the demo does.
type trail struct {
	Verify trailVerify `cmd:"" help:"Look whether every event is as it was sealed. Exits with 1 if one is not."`
	List   trailList   `cmd:"" help:"Print events, the oldest first."`
}

type trailVerify struct{ place }

// Run prints what was verified. A chain that was tampered with is an error.
func (v *trailVerify) Run(ctx context.Context) error { return v.run(ctx, os.Stdout) }

func (v *trailVerify) run(ctx context.Context, out io.Writer) error {
	db, err := v.open()
	if err != nil {
		return err
	}
	defer db.Close()
	secret, err := v.secret()
	if err != nil {
		return fmt.Errorf("the chain is verified by the secret of the demo: %w", err)
	}
	r, err := audit.Verify(ctx, db, []string{secret})
	if err != nil {
		return err
	}
	if r.Sealed == 0 {
		fmt.Fprint(out, "No event is sealed.")
	} else {
		fmt.Fprintf(out, "%d events, at the places %d to %d, are as they were sealed.", r.Sealed, r.First, r.Last)
	}
	fmt.Fprintf(out, " %d wait to be sealed.\n", r.Waiting)
	return nil
}
