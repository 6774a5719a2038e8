package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"

	"example.com/foyer/store"
)

// A trap kills its process at the point for which it is set.
type trap struct {
	store.Database
	point atomic.Pointer[string]
	count atomic.Int64 // transactions that write, since it was set
}

// set sets the trap, and counts anew.
func (t *trap) set(point string) {
	t.count.Store(0)
	t.point.Store(&point)
}

// at ends the process by SIGKILL, which no process can catch, where the trap is set
// for point.
func (t *trap) at(point string) {
	if p := t.point.Load(); p == nil || *p != point {
		return
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	fmt.Fprintln(os.Stderr, "killed:", err)
	select {} // a moment
}

// Update implements [store.Store]. Its points are "update 1 before", within the
// transaction when all was written, and after the commit.
func (t *trap) Update(ctx context.Context, fn func(store.Tx) error) error {
	n := t.count.Add(1)
	t.at(fmt.Sprintf("update %d before", n))
	err := t.Database.Update(ctx, func(tx store.Tx) error {
		err := fn(tx)
		t.at(fmt.Sprintf("update %d within", n))
		return err
	})
	t.at(fmt.Sprintf("update %d after", n))
	return err
}

// UpdateSQL implements [store.Database], with the points of an Update.
func (t *trap) UpdateSQL(ctx context.Context, fn func(store.Tx, store.SQL) error) error {
	n := t.count.Add(1)
	t.at(fmt.Sprintf("update %d before", n))
	err := t.Database.UpdateSQL(ctx, func(tx store.Tx, sql store.SQL) error {
		err := fn(tx, sql)
		t.at(fmt.Sprintf("update %d within", n))
		return err
	})
	t.at(fmt.Sprintf("update %d after", n))
	return err
}
