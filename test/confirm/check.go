package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"example.com/foyer/internal/operation"
	"example.com/foyer/store"
)

// What is true of an operation: its record, and what was done.
type truth struct {
	store.Operation
	rows int      // effects in the database
	keys []string // of effects elsewhere
}

func (r *round) violated(format string, args ...any) {
	r.violations = append(r.violations, fmt.Sprintf("%s, %s (%s): ", classes[r.tool], r.boundary.name, r.what)+fmt.Sprintf(format, args...))
}

// look returns what is true.
func (r *round) look(ctx context.Context) (tr truth, err error) {
	if tr.keys, err = effectsOf(filepath.Join(r.dir, "effects"), r.what); err != nil {
		return tr, err
	}
	if tr.Operation, err = operationOf(ctx, r.db, r.token); err != nil {
		return tr, err
	}
	tr.rows, err = rowsOf(ctx, r.db, r.what)
	return tr, err
}

// rowsOf counts the effects in the database.
func rowsOf(ctx context.Context, db store.Database, what string) (n int, err error) {
	err = db.ViewSQL(ctx, func(sql store.SQL) error {
		n = 0
		rows, err := sql.Query(ctx, "SELECT what FROM done WHERE what = $1", what)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			n++
		}
		return rows.Err()
	})
	return n, err
}

// check tells what may be at no moment.
func (r *round) check(ctx context.Context) (store.Operation, error) {
	tr, err := r.look(ctx)
	if err != nil {
		return tr.Operation, err
	}
	succeeded := tr.State == operation.Succeeded
	switch r.tool {
	case "book", "order":
		if n := map[bool]int{true: 1}[succeeded]; tr.rows != n {
			r.violated("it is %s, with %d effects in the database", tr.State, tr.rows)
		}
		if len(tr.keys) > 0 && !succeeded {
			r.violated("it is %s, and was delivered", tr.State)
		}
	case "pay":
		if succeeded && len(tr.keys) == 0 {
			r.violated("it has succeeded, and nothing was done")
		}
	default:
		if len(tr.keys) > 1 {
			r.violated("it was done %d times", len(tr.keys))
		}
		if succeeded && len(tr.keys) == 0 || tr.State == operation.Failed && len(tr.keys) > 0 {
			r.violated("it is %s, and was done %d times", tr.State, len(tr.keys))
		}
	}
	if r.tool == "pay" || r.tool == "order" {
		if slices.ContainsFunc(tr.keys, func(key string) bool { return key != r.token }) {
			r.violated("it was done under %q, and its key is %q", tr.keys, r.token)
		}
	}
	if r.told.status != "" && r.told.status != tr.State && !(r.tool == "ask" && r.told.status == operation.Unknown) {
		r.violated("it was told that it is %s, and it is %s", r.told.status, tr.State)
	}
	return tr.Operation, nil
}

// settled tells what may not be in the end.
func (r *round) settled(ctx context.Context) error {
	if _, err := r.check(ctx); err != nil {
		return err
	}
	tr, err := r.look(ctx)
	if err != nil {
		return err
	}
	r.ends[tr.State]++
	r.effects += tr.rows + len(tr.keys)
	switch {
	case tr.State == operation.Executing, tr.State == operation.Previewed, !tr.Due.IsZero():
		r.violated("it is %s, and due %v", tr.State, tr.Due)
	case r.boundary.ends != "" && tr.State != r.boundary.ends:
		r.violated("it is %s in the end, want %s", tr.State, r.boundary.ends)
	case (r.tool == "pay" || r.tool == "order") && len(tr.keys) == 0:
		r.violated("it never was done elsewhere")
	case r.tool == "ask" && tr.State == operation.Unknown:
		r.violated("nobody has asked what came of it")
	}
	return nil
}
