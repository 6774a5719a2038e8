package client

import (
	"context"
	"testing"

	"example.com/foyer/store"
)

// A client that is new leaves an event with its ID; one that registers again, and
// one that is refused, leave none. What a client calls itself is in none.
func TestARegistrationLeavesItsEvent(t *testing.T) {
	f := newFixture(t)
	c := f.register(metadata("App of bob@example.com", "https://app.example/cb"))
	f.register(metadata("App of bob@example.com", "https://app.example/cb"))
	if _, err := f.Register(t.Context(), metadata("Bad", "javascript:x")); err == nil {
		t.Fatal("a bad client was registered")
	}
	f.update(func(ctx context.Context, tx store.Tx) error {
		told, err := tx.UnsealedEvents(ctx, 10)
		if len(told) != 1 || told[0].Kind != store.EventClientRegistered || told[0].ClientID != c.ID {
			t.Errorf("%+v", told)
		}
		return err
	})
}
