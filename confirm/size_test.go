package confirm_test

import (
	"strings"
	"testing"

	"example.com/foyer/store"
)

// What waits for a confirmation is kept, so it is not as large as anybody likes; of
// what will never be done nothing is kept but that it was shown.
func TestWhatWaitsIsNotAsLargeAsAnybodyLikes(t *testing.T) {
	s := newShop(t)
	ann := s.house.SignIn(t, "ann@example.com")
	for tool, refusal := range map[string]string{"erase": "the arguments are too large", "book": "the server failed"} {
		r := call(t, ann, tool, thing{strings.Repeat("x", 300<<10)})
		want(t, tool+", too much", r, "refused", "")
		if !strings.Contains(strings.ToLower(r.text), refusal) || len(r.raw) > 1000 {
			t.Errorf("%s: %.1000s", tool, r.raw)
		}
	}
	token := shown(t, ann, "erase", strings.Repeat("x", 200<<10))
	kept := func() (o store.Operation) {
		t.Helper()
		if err := s.db.View(t.Context(), func(tx store.Tx) (err error) {
			o, err = tx.Operation(t.Context(), token)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return o
	}
	if o := kept(); len(o.Arguments) < 200<<10 || len(o.Data) < 200<<10 {
		t.Errorf("shown: %d and %d bytes", len(o.Arguments), len(o.Data))
	}
	call(t, ann, "cancel_request", map[string]any{"confirmationToken": token})
	if o := kept(); o.State != "cancelled" || len(o.Arguments)+len(o.Data) != 0 {
		t.Errorf("%s: %d and %d bytes", o.State, len(o.Arguments), len(o.Data))
	}
}
