package mcpgate_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"example.com/foyer/internal/grant"
	"example.com/foyer/store"
)

// An elevation that another process gave is heard when streams are looked at the
// next time, and so is its end, of which nobody tells; a grant that another
// process has ended takes its streams along.
func TestWhatAnotherProcessDoesIsHeardAtTheNextLook(t *testing.T) {
	for _, version := range []string{older, modern} {
		t.Run(version, func(t *testing.T) {
			r := newRoom(t)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			one, other := r.user("write"), r.user("write")
			s, others := r.hears(t, ctx, version, one), r.hears(t, ctx, version, other)
			elsewhere := grant.New(r.store, r.keys, lifetimes, grant.JWTs{}, r.now)
			id := r.grantOf(t, one)
			err := elsewhere.Elevate(ctx, id, store.Elevation{Scope: "export", Until: r.now().Add(30 * time.Minute), Reason: "r", By: "bob"})
			if err != nil {
				t.Fatal(err)
			}
			r.gate.LookAround(ctx)
			if got := s.heard(t, 3); !slices.Equal(got, allChanged) {
				t.Fatalf("of the elevation: %v", got)
			}
			r.gate.LookAround(ctx) // nothing is told twice: the next is the end
			r.wait(30 * time.Minute)
			r.gate.LookAround(ctx)
			if got := s.heard(t, 3); !slices.Equal(got, allChanged) {
				t.Fatalf("of its end: %v", got)
			}
			if err := elsewhere.End(ctx, id); err != nil {
				t.Fatal(err)
			}
			r.gate.LookAround(ctx)
			for e, ok := s.next(t); ok; e, ok = s.next(t) {
				if e.Result == nil {
					t.Errorf("of the revocation: %s", e.Method)
				}
			}
			if got := r.rest(t, others); len(got) > 0 {
				t.Errorf("another grant's stream hears %v", got)
			}
		})
	}
}
