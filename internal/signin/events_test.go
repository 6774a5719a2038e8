package signin

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/foyer/store"
)

// told is what events say that were put since, and that none of them holds an
// address.
func (r *room) told(since time.Time) (all []string) {
	r.t.Helper()
	r.view(func(tx store.Tx) error {
		all = nil
		events, err := tx.UnsealedEvents(r.t.Context(), 1000)
		for _, e := range events {
			if e.At.Before(since) {
				continue
			}
			all = append(all, strings.TrimSpace(e.Kind+" "+e.Outcome+e.Reason))
			if text := fmt.Sprintf("%+v", e); strings.Contains(text, "example.com") {
				r.t.Errorf("an address is in %s", text)
			}
			if e.GrantID == "" || e.Whom == "" && e.Kind != store.EventGrantClaimed {
				r.t.Errorf("%+v", e)
			}
		}
		return err
	})
	return all
}

// Each step of a sign-in leaves its event; a refusal that changes nothing leaves
// none.
func TestEveryStepOfASignInLeavesItsEvent(t *testing.T) {
	r := newRoom(t)
	g := r.guest()
	var begun time.Time
	step := func(what string, do func(), want ...string) {
		t.Helper()
		r.advance(61 * time.Second)
		begun = r.clock()
		do()
		if got := r.told(begun); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	step("an answer to nothing", func() { r.answer(g, "123456") })
	step("a code is asked for", func() { r.asks(g, "ann@example.com") }, "sign_in_begun mailed")
	for range attempts - 1 {
		step("a wrong answer", func() { r.guesses(g, 1) }, "sign_in_failed wrong_code")
	}
	step("the last wrong answer", func() { r.guesses(g, 1) }, "sign_in_failed exhausted")
	step("one more", func() { r.guesses(g, 1) })
	var digits string
	step("another code", func() { digits = r.asks(g, "ann@example.com") }, "sign_in_begun mailed")
	step("the right answer", func() { r.answers(g, digits) }, "grant_claimed")
	step("and once more", func() { r.answer(g, digits) })
	step("a code for who is signed in", func() { r.begin(g, "ann@example.com") })
}

// That an address is muted nobody is told but the operator.
func TestAMutedSignInLeavesItsEvent(t *testing.T) {
	r := newRoom(t)
	guests := r.guests(2)
	r.asks(guests[0], "ann@example.com")
	if err := r.begin(guests[1], "ann@example.com"); err != nil {
		t.Fatal(err)
	}
	told := r.told(time.Time{})
	slices.Sort(told)
	if want := []string{"sign_in_begun mailed", "sign_in_begun muted"}; !slices.Equal(told[len(told)-2:], want) {
		t.Errorf("%q, want %q", told, want)
	}
}
