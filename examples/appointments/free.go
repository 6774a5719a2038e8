package appointments

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/foyer/store"
)

// mayTake refuses with a [problem] unless owner may have s at the moment now: with
// what is free near it, where somebody else has it. Previews ask it, and handlers ask
// it again in the transaction in which they take the slot. tool is the one to call
// with another slot.
func mayTake(ctx context.Context, db store.SQL, tool, owner string, s slot, now time.Time) error {
	if owner == "" {
		return errNobody
	}
	if err := s.open(now); err != nil {
		return err
	}
	owners, err := taken(ctx, db, now)
	if err != nil {
		return err
	}
	switch owners[s] {
	case "":
		return nil
	case owner:
		return errYours
	}
	return errTaken(tool, near(s, owners, now))
}

// near returns the free slots around s, the nearest first: at most four.
func near(s slot, owners map[slot]string, now time.Time) []slot {
	free := slices.DeleteFunc(slices.Collect(slotsAhead(now)), func(other slot) bool { return owners[other] != "" })
	slices.SortStableFunc(free, func(a, b slot) int {
		return cmp.Or(cmp.Compare(s.away(a), s.away(b)), cmp.Compare(s.stranger(a), s.stranger(b)))
	})
	return free[:min(4, len(free))]
}

// away is how many seconds lie between the two.
func (s slot) away(other slot) int64 { return max(s.starts-other.starts, other.starts-s.starts) }

// stranger is 1 where other is with somebody else.
func (s slot) stranger(other slot) int {
	if s.practitioner == other.practitioner {
		return 0
	}
	return 1
}

// errTaken tells what is free instead.
func errTaken(tool string, free []slot) problem {
	if len(free) == 0 {
		return "Somebody else has that slot, and nothing else is free in the next 14 days. Tell the person."
	}
	var all []string
	for _, s := range free {
		all = append(all, fmt.Sprintf("%s (slot %s)", s.words(), s.name()))
	}
	return problem(fmt.Sprintf("Somebody else has that slot. Free near it: %s. Ask the person which one they want, then call %s with its slot.", strings.Join(all, "; "), tool))
}
