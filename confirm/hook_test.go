package confirm_test

import (
	"context"
	"errors"
	"testing"

	"example.com/foyer"
	"example.com/foyer/audit"
)

// K11, K20: the hook of a change is called once for each thing that was done, before
// it is answered, and an error or a panic of it changes nothing.
func TestK11TheHookOfAChangeIsCalledOnce(t *testing.T) {
	for name, fails := range map[string]func() error{
		"it works": func() error { return nil },
		"an error": func() error { return errors.New("no line") },
		"a panic":  func() error { panic("out of order") },
	} {
		t.Run(name, func(t *testing.T) {
			told := make(chan audit.Mutation, 100)
			s := newShop(t, func(cfg *foyer.Config) {
				cfg.Hooks.OnMutation = func(_ context.Context, m audit.Mutation) error {
					told <- m
					return fails()
				}
			})
			ann := s.house.SignIn(t, "ann@example.com")
			for _, tool := range classes {
				token := shown(t, ann, tool, "tea")
				want(t, tool, confirms(t, ann, token), "succeeded", "Done")
				if len(told) != 1 {
					t.Fatalf("%s: told %d times before the answer", tool, len(told))
				}
				if m := <-told; m.Tool != tool || m.Operation != token || m.UserID == "" || m.Summary == "" {
					t.Errorf("%s: %+v", tool, m)
				}
				want(t, tool, confirms(t, ann, token), "succeeded", "Done")
				if len(told) != 0 {
					t.Errorf("%s: a repeat is told", tool)
				}
			}
			failed := shown(t, ann, "book", "salt")
			s.fails(errors.New("oops"))
			want(t, "what failed", confirms(t, ann, failed), "failed", "Nothing was done")
			if len(told) != 0 {
				t.Error("what failed is told as done")
			}
		})
	}
}
