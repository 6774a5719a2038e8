package operation

import (
	"slices"
	"testing"
	"time"

	"example.com/foyer/store"
)

// Every state, before, at and after each moment that counts, may it be repeated or
// not. What is not listed here is the outcome, told again.
func TestNext(t *testing.T) {
	type cell struct {
		state      string
		moment     string
		repeatable bool
	}
	want := map[cell]step{}
	for _, repeatable := range []bool{false, true} {
		for _, moment := range []string{"at once", "before the lease ends", "as the lease ends", "after the lease", "before five minutes", "at five minutes", "a day later"} {
			for _, state := range states {
				want[cell{state, moment, repeatable}] = repeat
			}
			early := slices.Contains([]string{"at once", "before the lease ends"}, moment)
			late := slices.Contains([]string{"at five minutes", "a day later"}, moment)
			want[cell{Previewed, moment, repeatable}] = map[bool]step{false: run, true: refuse}[late]
			want[cell{Executing, moment, repeatable}] = map[bool]step{true: wait, false: map[bool]step{false: lose, true: run}[repeatable]}[early]
			want[cell{"", moment, repeatable}], want[cell{"approved", moment, repeatable}] = refuse, refuse // no states
		}
	}
	moments := map[string]time.Time{
		"at once": noon, "before the lease ends": noon.Add(lease - 1), "as the lease ends": noon.Add(lease), "after the lease": noon.Add(lease + 1),
		"before five minutes": noon.Add(previewTTL - 1), "at five minutes": noon.Add(previewTTL), "a day later": noon.Add(24 * time.Hour),
	}
	for c, want := range want {
		o := store.Operation{State: c.state, Created: noon, Due: noon.Add(lease)}
		if got := next(o, c.repeatable, moments[c.moment]); got != want {
			t.Errorf("%q, %s, repeatable %v: step %d, want %d", c.state, c.moment, c.repeatable, got, want)
		}
	}
}

func TestWhatHasEndedIsNeverRunAgain(t *testing.T) {
	for _, state := range []string{Succeeded, Failed, Unknown, Declined, Cancelled, Stale} {
		o := ended(store.Operation{State: Executing, Fence: 3, Due: noon}, state, []byte("{}"), noon)
		if got := next(o, true, noon.Add(1000*time.Hour)); got != repeat || !o.Due.IsZero() || o.Fence != 3 || !o.Expires.Equal(noon.Add(kept)) {
			t.Errorf("%s: step %d of %+v", state, got, o)
		}
	}
}
