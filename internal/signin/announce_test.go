package signin

import (
	"context"
	"testing"
	"time"
)

// A claim is announced once it is in the store; a wrong answer is not.
func TestAClaimIsAnnounced(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	digits := r.asks(g, "ann@example.com")
	r.guesses(g, 1)
	r.answers(g, digits)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ids, err := r.Grants.Changed(ctx)
	if err != nil || len(ids) != 1 || ids[0] != g.GrantID || r.grant(g).UserID == "" {
		t.Errorf("%v, %v", ids, err)
	}
}
