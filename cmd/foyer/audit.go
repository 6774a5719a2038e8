package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"example.com/foyer/audit"
	"example.com/foyer/store"
	"example.com/foyer/store/sqlite"
)

// A trail is the command "foyer audit". It may run while the demo does.
type trail struct {
	Verify trailVerify `cmd:"" help:"Look whether every event is as it was sealed. Exits with 1 if one is not."`
	List   trailList   `cmd:"" help:"Print events, the oldest first."`
}

// Records are where a demo keeps its database and its secret.
type records struct {
	Data string `placeholder:"DIR" help:"Where the data is. Default: where foyer demo keeps it."`
	App  string `default:"journal" help:"Whose data that is, without --data."`
}

// open opens a database that is there, and makes none.
func (r records) open() (db store.Store, secret string, err error) {
	dir, err := dataDir(r.Data, r.App)
	if err != nil {
		return nil, "", err
	}
	text, err := os.ReadFile(filepath.Join(dir, "secret"))
	if err != nil {
		return nil, "", fmt.Errorf("there is no data of a demo: %w", err)
	}
	path := filepath.Join(dir, "foyer.db")
	if _, err := os.Stat(path); err != nil {
		return nil, "", fmt.Errorf("there is no data of a demo: %w", err)
	}
	db, err = sqlite.Open(path)
	return db, strings.TrimSpace(string(text)), err
}

type trailVerify struct{ records }

// Run prints what was verified. A chain that was tampered with is an error.
func (v *trailVerify) Run(ctx context.Context) error { return v.run(ctx, os.Stdout) }

func (v *trailVerify) run(ctx context.Context, out io.Writer) error {
	db, secret, err := v.open()
	if err != nil {
		return err
	}
	defer db.Close()
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
